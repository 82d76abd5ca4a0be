package main

test_labels if breaks("labels", [
	[drop("/objects/10/metadata/labels/app.kubernetes.io~1part-of")],
	[set("/objects/10/metadata/labels/app.kubernetes.io~1instance", "other")],
	[set("/objects/10/metadata/labels/app.kubernetes.io~1version", concat("", numbers_as_text))],
	[set("/objects/1/spec/template/metadata/labels/app.kubernetes.io~1version", concat("", numbers_as_text))],
	[set("/objects/10/metadata/labels/app.kubernetes.io~1version", "0.2.0+3f2a9c1")],
])

# 64 characters.
numbers_as_text := [format_int(number % 10, 10) | some number in numbers.range(1, 64)]

test_names if breaks("names", [
	[set("/objects/12/metadata/name", "shop")],
	[set("/objects/14", good.objects[12])],
	[set("/objects/2/metadata/name", sprintf("afp-%s", [concat("", numbers_as_text)]))],
])

test_lasting_selectors if breaks("lasting-selectors", [
	[set(at(deployment, "/spec/selector/matchLabels/helm.sh~1chart"), "shop-1.0.0")],
])

test_hooks_go if breaks("hooks-go", [
	[set("/objects/2/metadata/annotations", {"helm.sh/hook": "post-install"})],
])

test_tests_leave_nothing if breaks("tests-leave-nothing", [
	[set("/objects/1/metadata/annotations/helm.sh~1hook-delete-policy", "before-hook-creation")],
	[set("/objects/1/metadata/annotations/helm.sh~1hook-delete-policy", "hook-succeeded")],
])

test_tests_end if breaks("tests-end", [
	[drop("/objects/1/spec/activeDeadlineSeconds")],
])

test_failed_tests_go if breaks("failed-tests-go", [
	[drop("/objects/1/spec/ttlSecondsAfterFinished")],
])

test_tests_leave_no_way if breaks("tests-leave-no-way", [
	[set("/objects/-", object.union(policy_for("way", {"matchLabels": {"platform/identity": "shop"}}), {"spec": {
		"podSelector": {"matchLabels": {"platform/identity": "shop"}}, "policyTypes": ["Ingress"],
		"ingress": [{"from": [{"podSelector": {"matchLabels": {"platform/identity": "end-to-end-test"}}}]}],
	}}))],
])

test_tests_are_jobs if breaks("tests-are-jobs", [
	[set("/objects/-", object.union(pod("shop", {}), {
		"kind": "Pod",
		"metadata": object.union(meta("lonely"), {"labels": object.union(labels("shop"), {"platform/identity": "job"})}),
		"spec": object.union(pod("job", {}).spec, {}),
	}))],
])

test_jobs_stay if breaks("jobs-stay", [
	[set("/objects/2/spec/ttlSecondsAfterFinished", 60)],
])

test_plain_jobs_persist if breaks("plain-jobs-persist", [
	[set("/objects/2/spec/activeDeadlineSeconds", 60)],
])

test_one_master if breaks("one-master", [
	[set("/objects/-", {
		"kind": "HorizontalPodAutoscaler", "metadata": meta("shop"),
		"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "afp-shop"}},
	})],
])

test_drains if breaks("drains", [
	[drop("/objects/14/spec/unhealthyPodEvictionPolicy")],
	[set(at(deployment, "/spec/replicas"), 1)],
])
