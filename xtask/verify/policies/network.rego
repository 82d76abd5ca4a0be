# Every pod is selected by NetworkPolicies, and Services select only the pods that serve requests.
package main

selecting(pod) := {policy.metadata.name |
	some policy in of_kind("NetworkPolicy")
	selected(policy.spec.podSelector, pod.labels)
}

default_policy := sprintf("%s-default", [input.release])

deny contains finding("closed-by-default", pod.of, sprintf("is not selected by the NetworkPolicy %s", [default_policy])) if {
	some pod in pods
	not default_policy in selecting(pod)
}

deny contains finding("policy-of-its-own", pod.of, "is selected by no NetworkPolicy other than the default one") if {
	some pod in pods
	count(selecting(pod) - {default_policy}) == 0
}

deny contains finding("default-denies", named(policy), "does not restrict both directions, allows ingress, or allows egress to more than DNS") if {
	some policy in of_kind("NetworkPolicy")
	policy.metadata.name == default_policy
	not closes(policy)
}

closes(policy) if {
	{"Ingress", "Egress"} == {direction | some direction in policy.spec.policyTypes}
	count(object.get(policy.spec, "ingress", [])) == 0
	every rule in object.get(policy.spec, "egress", []) {
		{53} == {port.port | some port in object.get(rule, "ports", [{"port": 0}])}
	}
}

deny contains finding("numeric-ports", named(policy), sprintf("uses the port name %s, which some network plugins do not resolve", [port.port])) if {
	some policy in of_kind("NetworkPolicy")
	some direction in ["ingress", "egress"]
	some rule in object.get(policy.spec, direction, [])
	some port in object.get(rule, "ports", [])
	is_string(port.port)
}

component := "app.kubernetes.io/component"

deny contains finding("services-select-workers", named(service), "does not select by app.kubernetes.io/component") if {
	some service in of_kind("Service")
	not service.spec.selector[component]
}

deny contains finding("jobs-serve-nobody", pod.of, sprintf("receives traffic of %s", [named(service)])) if {
	some service in of_kind("Service")
	some pod in pods
	pod.maker.kind in {"Job", "CronJob", "Pod"}
	selected({"matchLabels": service.spec.selector}, pod.labels)
}

deny contains finding("services-lead-somewhere", named(service), "selects no pod") if {
	some service in of_kind("Service")
	not serves(service)
}

serves(service) if {
	some pod in pods
	selected({"matchLabels": service.spec.selector}, pod.labels)
}
