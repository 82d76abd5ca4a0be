# Helpers shared by the rules.
#
# The input is one case of the chart: `release`, `namespace`, `moving_tags` (the services with a tag that can move in the case's environment),
# `values` as Helm merged them, the `passwords` among the values, and all `objects` in one list, because many rules compare several objects.
package main

# A finding begins with the name of the rule. Every rule has a test with changes that break it.
finding(promise, of, text) := sprintf("%s: %s %s", [promise, of, text])

named(one) := sprintf("%s %s", [one.kind, one.metadata.name])

of_kind(kind) := [one | some one in input.objects; one.kind == kind]

pod_of(one) := one.spec.template if one.kind in {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"}

pod_of(one) := one.spec.jobTemplate.spec.template if one.kind == "CronJob"

pod_of(one) := one if one.kind == "Pod"

# All pods and pod templates.
pods := [found |
	some one in input.objects
	pod := pod_of(one)
	found := {"of": named(one), "maker": one, "labels": object.get(pod.metadata, "labels", {}), "spec": pod.spec}
]

# Whether a pod reads the kubelet's log files. They belong to root and are closed to others, so it may be root and have folders of the node.
reads_logs(pod) if {
	pod.maker.kind == "DaemonSet"
	some volume in object.get(pod.spec, "volumes", [])
	volume.hostPath.path == pod_logs
}

pod_logs := "/var/log/pods"

# All containers of the pods, of each kind.
containers := [found |
	some pod in pods
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some container in object.get(pod.spec, list, [])
	found := {"of": sprintf("%s, container %s,", [pod.of, container.name]), "pod": pod, "is": container}
]

volumes := [found |
	some pod in pods
	some volume in object.get(pod.spec, "volumes", [])
	found := {"of": sprintf("%s, volume %s,", [pod.of, volume.name]), "pod": pod, "is": volume}
]

# The effective security setting of a container: its own, or else its pod's.
secured(container, key) := object.get(
	object.get(container.is, "securityContext", {}), key,
	object.get(object.get(container.pod.spec, "securityContext", {}), key, null),
)

annotation(one, key) := object.get(object.get(one.metadata, "annotations", {}), key, "")

hooks(one) := {trim_space(hook) | some hook in split(annotation(one, "helm.sh/hook"), ","); trim_space(hook) != ""}

# Whether a label selector matches these labels.
selected(selector, labels) if {
	every key, value in object.get(selector, "matchLabels", {}) {
		labels[key] == value
	}
	every expression in object.get(selector, "matchExpressions", []) {
		holds(expression, labels)
	}
}

holds(expression, labels) if {
	expression.operator == "Exists"
	labels[expression.key]
}

holds(expression, labels) if {
	expression.operator == "In"
	labels[expression.key] in expression.values
}

holds(expression, labels) if {
	expression.operator == "NotIn"
	not object.get(labels, expression.key, null) in expression.values
}

holds(expression, labels) if {
	expression.operator == "DoesNotExist"
	not labels[expression.key]
}
