# A small release that follows every rule, and helpers for tests that change it to break one rule at a time.
package main

labels(name) := {
	"app.kubernetes.io/name": name,
	"app.kubernetes.io/instance": "afp",
	"app.kubernetes.io/part-of": "platform",
	"app.kubernetes.io/version": "1.0.0",
	"app.kubernetes.io/managed-by": "Helm",
	"helm.sh/chart": sprintf("%s-1.0.0", [name]),
}

container := {
	"name": "program",
	"image": "registry.example.org/shop@sha256:1",
	"env": [{"name": "PASSWORD_FILE", "value": "/run/password"}, {"name": "QUEUE", "value": "orders"}],
	"envFrom": [{"secretRef": {"name": "afp-shop-inline"}}],
	"resources": {
		"requests": {"cpu": "10m", "memory": "16Mi", "ephemeral-storage": "16Mi"},
		"limits": {"cpu": "1", "memory": "64Mi", "ephemeral-storage": "64Mi"},
	},
	"securityContext": {
		"allowPrivilegeEscalation": false,
		"capabilities": {"drop": ["ALL"]},
		"readOnlyRootFilesystem": true,
	},
	"ports": [{"name": "http", "containerPort": 8080}],
	"readinessProbe": {"httpGet": {"port": "http"}},
}

pod(identity, extra) := {
	"metadata": {"labels": object.union(
		{"app.kubernetes.io/name": "shop", "app.kubernetes.io/instance": "afp", "platform/identity": identity},
		extra,
	)},
	"spec": {
		"serviceAccountName": sprintf("afp-%s", [identity]),
		"automountServiceAccountToken": false,
		"enableServiceLinks": false,
		"securityContext": {
			"runAsNonRoot": true, "runAsUser": 10001, "runAsGroup": 10001,
			"seccompProfile": {"type": "RuntimeDefault"},
		},
		"initContainers": [object.union(container, {"name": "wait"})],
		"containers": [container],
		"volumes": [
			{"name": "tmp", "emptyDir": {"sizeLimit": "4Mi"}},
			{"name": "config", "configMap": {"name": "afp-shop"}},
		],
	},
}

works := {"app.kubernetes.io/component": "application"}

meta(suffix) := {"name": sprintf("afp-%s", [suffix]), "labels": labels("shop")}

selector := {"app.kubernetes.io/name": "shop", "app.kubernetes.io/instance": "afp", "app.kubernetes.io/component": "application"}

policy_for(name, selector) := {
	"kind": "NetworkPolicy", "metadata": meta(name),
	"spec": {"podSelector": selector, "policyTypes": ["Ingress", "Egress"], "egress": [{"ports": [{"port": 53}]}]},
}

# The paths of the changes contain the positions of these objects.
good := {
	"case": "good", "moving_tags": [], "release": "afp", "namespace": "default",
	"values": {
		"global": {"imageRegistry": "registry.example.org", "secrets": {"mode": "inline"}},
		"shop": {"image": {"repository": "shop", "digest": "sha256:1"}},
	},
	"passwords": [`h"unter2`],
	"objects": [
		{
			"kind": "Deployment", "metadata": meta("shop"),
			"spec": {"replicas": 2, "selector": {"matchLabels": selector}, "template": pod("shop", works)},
		},
		{
			"kind": "Job",
			"metadata": object.union(meta("test"), {"annotations": {
				"helm.sh/hook": "test",
				"helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
			}}),
			"spec": {"activeDeadlineSeconds": 60, "ttlSecondsAfterFinished": 600, "template": pod("job", {})},
		},
		{"kind": "Job", "metadata": meta("migrate"), "spec": {"template": pod("job", {})}},
		{"kind": "Service", "metadata": meta("shop"), "spec": {"selector": selector, "ports": [{"port": 8080}]}},
		{"kind": "ServiceAccount", "metadata": meta("shop"), "automountServiceAccountToken": false},
		{"kind": "ServiceAccount", "metadata": meta("job"), "automountServiceAccountToken": false},
		policy_for("default", {"matchExpressions": [{"key": "platform/identity", "operator": "Exists"}]}),
		policy_for("shop", {"matchLabels": {"platform/identity": "shop"}}),
		policy_for("job", {"matchExpressions": [{"key": "platform/identity", "operator": "In", "values": ["job"]}]}),
		{"kind": "Secret", "metadata": meta("shop-inline"), "stringData": {"password": `h"unter2`}},
		{"kind": "ConfigMap", "metadata": meta("shop"), "data": {"run.sh": "password=$(cat /run/password)\npassword=\"$1\"\n"}},
		{
			"kind": "ExternalSecret", "metadata": meta("shop-external"),
			"spec": {"refreshPolicy": "OnChange", "target": {"name": "afp-shop-external"}},
		},
		{
			"kind": "Role", "metadata": meta("shop"),
			"rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["afp-x"]}],
		},
		{
			"kind": "RoleBinding", "metadata": meta("shop"),
			"subjects": [{"kind": "ServiceAccount", "name": "afp-reader", "namespace": "default"}],
		},
		{
			"kind": "PodDisruptionBudget", "metadata": meta("shop"),
			"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow", "selector": {"matchLabels": selector}},
		},
	],
}

deployment := "/objects/0"

spec := "/objects/0/spec/template/spec"

first := "/objects/0/spec/template/spec/containers/0"

at(place, path) := concat("", [place, path])

set(path, value) := {"op": "add", "path": path, "value": value}

drop(path) := {"op": "remove", "path": path}

broken := {split(message, ":")[0] | some message in deny}

# Whether each of these changes breaks this rule and no other.
breaks(promise, changes) if {
	every change in changes {
		found := broken with input as json.patch(good, change)
		print(found)
		found == {promise}
	}
}

test_what_is_right_is_right if {
	found := deny with input as good
	print(found)
	count(found) == 0
}
