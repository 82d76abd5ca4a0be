# ServiceAccounts and RBAC: every identity has its own account and no more rights than it needs.
package main

account(pod) := object.get(pod.spec, "serviceAccountName", "default")

deny contains finding("own-account", pod.of, sprintf("uses the ServiceAccount %s, which the release does not create", [account(pod)])) if {
	some pod in pods
	not account(pod) in {one.metadata.name | some one in of_kind("ServiceAccount")}
}

identities[name] contains identity if {
	some pod in pods
	name := account(pod)
	some label, identity in pod.labels
	endswith(label, "/identity")
}

# Jobs of the same identity may share an account.
deny contains finding("no-shared-account", sprintf("ServiceAccount %s", [name]), sprintf("is shared by %s", [concat(", ", sharing)])) if {
	some name, sharing in identities
	count(sharing) > 1
}

deny contains finding("no-shared-account", sprintf("ServiceAccount %s", [name]), sprintf("is shared by %s", [concat(", ", sharing)])) if {
	some one in of_kind("ServiceAccount")
	name := one.metadata.name
	sharing := {pod.of | some pod in pods; not pod.maker.kind in {"Job", "CronJob"}; account(pod) == name}
	count(sharing) > 1
}

# The accounts with a RoleBinding.
bound := {subject.name |
	some binding in of_kind("RoleBinding")
	some subject in binding.subjects
	subject.kind == "ServiceAccount"
}

deny contains finding("no-idle-token", pod.of, "mounts a token although its ServiceAccount has no rights") if {
	some pod in pods
	has_token(pod)
	not account(pod) in bound
}

# Kubernetes mounts a token by default.
has_token(pod) if object.get(pod.spec, "automountServiceAccountToken", true) != false

has_token(pod) if {
	some volume in object.get(pod.spec, "volumes", [])
	some source in volume.projected.sources
	source.serviceAccountToken
}

deny contains finding("no-token-by-default", named(one), "mounts a token into every pod that does not opt out") if {
	some one in of_kind("ServiceAccount")
	object.get(one, "automountServiceAccountToken", true) != false
}

deny contains finding("narrow-roles", named(one), sprintf("has `*` in its %s", [key])) if {
	some one in of_kind("Role")
	some rule in one.rules
	some key in ["apiGroups", "resources", "verbs"]
	some word in rule[key]
	contains(word, "*")
	not may_have_wildcards(one)
}

# The installer allows them with a value of the service.
may_have_wildcards(role) if input.values[role.metadata.labels["app.kubernetes.io/name"]].rbac.allowWildcards == true

deny contains finding("secrets-by-name", named(one), "reads Secrets without naming them") if {
	some one in of_kind("Role")
	some rule in one.rules
	"secrets" in rule.resources
	count(object.get(rule, "resourceNames", [])) == 0
}

deny contains finding("within-the-namespace", named(one), "is a cluster-scoped object") if {
	some one in input.objects
	one.kind in {
		"APIService", "ClusterExternalSecret", "ClusterRole", "ClusterRoleBinding", "ClusterSecretStore", "CustomResourceDefinition",
		"MutatingWebhookConfiguration", "Namespace", "PersistentVolume", "PriorityClass", "StorageClass",
		"ValidatingWebhookConfiguration",
	}
}

# An HTTPRoute may refer to a Gateway in another namespace: the installer chooses it.
deny contains finding("within-the-namespace", named(one), sprintf("refers to the namespace %s", [namespace])) if {
	some one in input.objects
	some namespace in named_namespaces(one)
	namespace != input.namespace
	not is_schedule_of_velero(one)
	not is_right_of_log_agent(one, namespace)
}

# A log agent reads the labels of Pods in the namespace of the release whose logs it collects.
is_right_of_log_agent(one, namespace) if {
	namespace == input.values.release.namespace
	lists_pods(one)
}

is_right_of_log_agent(one, namespace) if {
	one.kind == "RoleBinding"
	namespace == input.values.release.namespace
	one.roleRef.kind == "Role"
	some role in of_kind("Role")
	role.metadata.name == one.roleRef.name
	role.metadata.namespace == namespace
	lists_pods(role)
	every subject in one.subjects {
		subject.namespace == input.namespace
	}
}

# Whether a Role permits nothing but to list and watch Pods.
lists_pods(role) if {
	role.kind == "Role"
	{rule | some rule in role.rules} == {{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}}
}

# Velero reads its objects in its own namespace only, which the installer names.
is_schedule_of_velero(one) if {
	one.kind == "Schedule"
	one.metadata.namespace == input.values.global.velero.namespace
}

named_namespaces(one) := (own | subjects) | remote if {
	own := {namespace | namespace := one.metadata.namespace}
	subjects := {subject.namespace | some subject in one.subjects}
	remote := {namespace | namespace := one.spec.provider.kubernetes.remoteNamespace}
}
