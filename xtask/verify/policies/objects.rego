# What every object carries, and how those that run once or are many behave.
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

deny contains finding("labels", named(one), "does not say that it is of this release") if {
	some one in input.objects
	label := object.get(one.metadata, ["labels", "app.kubernetes.io/instance"], input.release)
	label != input.release
}

deny contains finding("names", named(one), "does not begin with the release's name") if {
	some one in input.objects
	not startswith(one.metadata.name, sprintf("%s-", [input.release]))
}

deny contains finding("names", named(one), "is there twice") if {
	some one in input.objects
	count([other | some other in input.objects; named(other) == named(one)]) > 1
}

# Selectors cannot be changed: what moves with a version must not be in one.
deny contains finding("lasting-selectors", named(one), sprintf("selects by %s, which changes with a version", [label])) if {
	some one in input.objects
	one.kind in {"Deployment", "StatefulSet", "DaemonSet"}
	some label in ["app.kubernetes.io/version", "helm.sh/chart"]
	one.spec.selector.matchLabels[label]
}

known_policies := {"before-hook-creation", "hook-failed", "hook-succeeded"}

deny contains finding("hooks-go", named(one), "is a hook that nothing deletes: it would outlive the release") if {
	some one in input.objects
	count(hooks(one)) > 0
	count(delete_policies(one) & known_policies) == 0
}

delete_policies(one) := {trim_space(policy) | some policy in split(annotation(one, "helm.sh/hook-delete-policy"), ",")}

# What a test needs goes with it, its ways in above all; so does a test that passed.
deny contains finding("tests-leave-nothing", named(one), "would stay after a test that passed: no hook-succeeded, or none before the next run") if {
	some one in input.objects
	"test" in hooks(one)
	count({"before-hook-creation", "hook-succeeded"} - delete_policies(one)) > 0
}

deny contains finding("tests-end", named(one), "is a test without a time limit") if {
	some one in of_kind("Job")
	"test" in hooks(one)
	not one.spec.activeDeadlineSeconds
}

# A bare pod is nobody's: some network plugins and admission rules know it from those of a Job.
deny contains finding("tests-are-jobs", named(one), "is a bare pod") if some one in of_kind("Pod")

# Argo CD would make it again for ever; but for tests, which it does not know.
deny contains finding("jobs-stay", named(one), "vanishes after a time: ttlSecondsAfterFinished") if {
	some one in of_kind("Job")
	not "test" in hooks(one)
	one.spec.ttlSecondsAfterFinished
}

# It would be left for ever where nobody runs the tests again, and outlive the release.
deny contains finding("failed-tests-go", named(one), "is a test that nothing deletes once it has failed") if {
	some one in of_kind("Job")
	"test" in hooks(one)
	not one.spec.ttlSecondsAfterFinished
	not "hook-failed" in delete_policies(one)
}

# What is not there for a test's time alone lets somebody in all the time.
deny contains finding("tests-leave-no-way", named(policy), "lets test pods through while no test runs") if {
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

# What failed for good is not run again by the next upgrade.
deny contains finding("plain-jobs-persist", named(one), "may fail for good: activeDeadlineSeconds, though no hook runs it anew") if {
	some one in of_kind("Job")
	count(hooks(one)) == 0
	one.spec.activeDeadlineSeconds
}

deny contains finding("one-master", named(one), sprintf("says replicas, and so does %s", [named(scaler)])) if {
	some scaler in of_kind("HorizontalPodAutoscaler")
	some one in input.objects
	one.kind == scaler.spec.scaleTargetRef.kind
	one.metadata.name == scaler.spec.scaleTargetRef.name
	one.spec.replicas
}

deny contains finding("drains", named(budget), "lets a broken pod block a drain: unhealthyPodEvictionPolicy is not AlwaysAllow") if {
	some budget in of_kind("PodDisruptionBudget")
	object.get(budget.spec, "unhealthyPodEvictionPolicy", "") != "AlwaysAllow"
}

deny contains finding("drains", named(budget), sprintf("guards the single pod of %s, and so blocks every drain", [named(one)])) if {
	some budget in of_kind("PodDisruptionBudget")
	some one in input.objects
	one.kind in {"Deployment", "StatefulSet"}
	selected(budget.spec.selector, one.spec.template.metadata.labels)
	one.spec.replicas == 1
}
