# Labels and names of all objects, and the lifecycle of hooks, tests, Jobs and replicated workloads.
package main

recommended := {
	"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/part-of", "app.kubernetes.io/version",
	"app.kubernetes.io/managed-by", "helm.sh/chart",
}

deny contains finding("labels", named(one), sprintf("has no label %s", [label])) if {
	some one in input.objects
	some label in recommended
	object.get(one.metadata, ["labels", label], "") == ""
}

deny contains finding("labels", named(one), "has the instance label of another release") if {
	some one in input.objects
	label := object.get(one.metadata, ["labels", "app.kubernetes.io/instance"], input.release)
	label != input.release
}

deny contains finding("names", named(one), "does not begin with the release's name") if {
	some one in input.objects
	not startswith(one.metadata.name, sprintf("%s-", [input.release]))
}

# kubeconform checks no lengths.
deny contains finding("names", named(one), sprintf("has a name of %d characters; %d are allowed", [count(one.metadata.name), longest_name(one)])) if {
	some one in input.objects
	count(one.metadata.name) > longest_name(one)
}

# The pods of these have a label with this name and up to 11 further characters.
longest_name(one) := 52 if one.kind in {"CronJob", "StatefulSet"}

# A Service's name is a DNS label; the pods of a Job have its name in a label.
longest_name(one) := 63 if one.kind in {"Deployment", "Job", "Service"}

# A DNS subdomain.
longest_name(one) := 253 if not one.kind in {"CronJob", "Deployment", "Job", "Service", "StatefulSet"}

deny contains finding("labels", named(one), sprintf("has a label %s of more than 63 characters", [label])) if {
	some one in input.objects
	some label, value in object.get(one.metadata, "labels", {})
	count(value) > 63
}

deny contains finding("labels", pod.of, sprintf("has a label %s of more than 63 characters", [label])) if {
	some pod in pods
	some label, value in pod.labels
	count(value) > 63
}

# The API server refuses other values, such as a version with the `+` of build metadata.
label_value := "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"

deny contains finding("labels", named(one), sprintf("has a label %s with the value %q, which is no label value", [label, value])) if {
	some one in input.objects
	some label, value in object.get(one.metadata, "labels", {})
	not regex.match(label_value, value)
}

deny contains finding("names", named(one), "exists twice") if {
	some one in input.objects
	count([other | some other in input.objects; named(other) == named(one)]) > 1
}

# Selectors are immutable, so they must not contain a label that changes with the version.
deny contains finding("lasting-selectors", named(one), sprintf("selects by %s, which changes with the version", [label])) if {
	some one in input.objects
	one.kind in {"Deployment", "StatefulSet", "DaemonSet"}
	some label in ["app.kubernetes.io/version", "helm.sh/chart"]
	one.spec.selector.matchLabels[label]
}

known_policies := {"before-hook-creation", "hook-failed", "hook-succeeded"}

deny contains finding("hooks-go", named(one), "is a hook without a delete policy: it would outlive the release") if {
	some one in input.objects
	count(hooks(one)) > 0
	count(delete_policies(one) & known_policies) == 0
}

delete_policies(one) := {trim_space(policy) | some policy in split(annotation(one, "helm.sh/hook-delete-policy"), ",")}

# A passed test is deleted together with the objects that it needs, above all the NetworkPolicies that allow its connections.
deny contains finding("tests-leave-nothing", named(one), "remains after a passed test: its delete policies must include before-hook-creation and hook-succeeded") if {
	some one in input.objects
	"test" in hooks(one)
	count({"before-hook-creation", "hook-succeeded"} - delete_policies(one)) > 0
}

deny contains finding("tests-end", named(one), "is a test without a time limit") if {
	some one in of_kind("Job")
	"test" in hooks(one)
	not one.spec.activeDeadlineSeconds
}

# Some network plugins and admission rules treat a bare pod differently from the pod of a Job.
deny contains finding("tests-are-jobs", named(one), "is a bare pod") if some one in of_kind("Pod")

# Argo CD would create a deleted Job again and again. It does not run tests, so they are exempt.
deny contains finding("jobs-stay", named(one), "is deleted after a time: remove ttlSecondsAfterFinished") if {
	some one in of_kind("Job")
	not "test" in hooks(one)
	one.spec.ttlSecondsAfterFinished
}

# Without a deletion time, a failed test remains until the next run and outlives the release.
deny contains finding("failed-tests-go", named(one), "is a test that is not deleted after a failure") if {
	some one in of_kind("Job")
	"test" in hooks(one)
	not one.spec.ttlSecondsAfterFinished
	not "hook-failed" in delete_policies(one)
}

# A NetworkPolicy for test pods must be a test hook, so that it exists only while a test runs.
deny contains finding("tests-leave-no-way", named(policy), "allows connections of test pods while no test runs") if {
	some policy in of_kind("NetworkPolicy")
	policy.metadata.name != default_policy
	identities_of_tests(policy) != set()
	not "test" in hooks(policy)
}

identities_of_tests(policy) := {value |
	walk(policy.spec, [path, value])
	is_string(value)
	endswith(path[count(path) - 1], "/identity")
	endswith(value, "-test")
}

# An upgrade does not run a failed Job again.
deny contains finding("plain-jobs-persist", named(one), "may fail permanently: it has activeDeadlineSeconds, and no hook creates it again") if {
	some one in of_kind("Job")
	count(hooks(one)) == 0
	one.spec.activeDeadlineSeconds
}

deny contains finding("one-master", named(one), sprintf("sets replicas, which %s also sets", [named(scaler)])) if {
	some scaler in of_kind("HorizontalPodAutoscaler")
	some one in input.objects
	one.kind == scaler.spec.scaleTargetRef.kind
	one.metadata.name == scaler.spec.scaleTargetRef.name
	one.spec.replicas
}

deny contains finding("drains", named(budget), "lets an unready pod block a node drain: unhealthyPodEvictionPolicy is not AlwaysAllow") if {
	some budget in of_kind("PodDisruptionBudget")
	object.get(budget.spec, "unhealthyPodEvictionPolicy", "") != "AlwaysAllow"
}

deny contains finding("drains", named(budget), sprintf("protects the only pod of %s, and so blocks every node drain", [named(one)])) if {
	some budget in of_kind("PodDisruptionBudget")
	some one in input.objects
	one.kind in {"Deployment", "StatefulSet"}
	selected(budget.spec.selector, one.spec.template.metadata.labels)
	one.spec.replicas == 1
}
