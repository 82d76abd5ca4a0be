package main

test_own_account if breaks("own-account", [
	[set(at(spec, "/serviceAccountName"), "default")],
])

test_no_shared_account if breaks("no-shared-account", [
	[set(at(spec, "/serviceAccountName"), "afp-job")],
])

test_no_idle_token if breaks("no-idle-token", [
	[drop(at(spec, "/automountServiceAccountToken"))],
	[set(
		at(spec, "/volumes/-"),
		{"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
	)],
])

test_no_token_by_default if breaks("no-token-by-default", [
	[drop("/objects/4/automountServiceAccountToken")],
])

test_narrow_roles if breaks("narrow-roles", [
	[set("/objects/12/rules/0/verbs", ["*"])],
	[set("/objects/12/rules/0/resources", ["pods/*"])],
])

test_secrets_by_name if breaks("secrets-by-name", [
	[drop("/objects/12/rules/0/resourceNames")],
])

test_within_the_namespace if breaks("within-the-namespace", [
	[set("/objects/12/kind", "ClusterRole")],
	[set("/objects/13/subjects/0/namespace", "kube-system")],
	[set("/objects/10/metadata/namespace", "kube-system")],
])

test_who_is_bound_may_have_a_token if {
	bound_pod := json.patch(good, [
		drop(at(spec, "/automountServiceAccountToken")),
		set("/objects/13/subjects/0/name", "afp-shop"),
	])
	found := deny with input as bound_pod
	count(found) == 0
}

# The Role and the RoleBinding as those of a log agent, in the namespace of the release that it reads.
agent_rights := [
	set("/objects/12/metadata/namespace", "production"),
	set("/objects/12/rules", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}]),
	set("/objects/13/metadata/namespace", "production"),
	set("/objects/13/roleRef", {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "afp-shop"}),
	{"op": "add", "path": "/values/release", "value": {"namespace": "production"}},
]

test_a_log_agent_may_read_pods_of_the_release_that_it_reads if {
	found := deny with input as json.patch(good, agent_rights)
	print(found)
	count(found) == 0
}

test_a_log_agent_has_no_other_right if breaks("within-the-namespace", [
	array.concat(agent_rights, [set("/values/release/namespace", "other")]),
	array.concat(agent_rights, [set("/objects/12/rules/0/verbs", ["list", "watch", "delete"])]),
	array.concat(agent_rights, [set("/objects/12/rules/0/resources", ["pods", "pods/exec"])]),
	array.concat(agent_rights, [set("/objects/12/rules/0/apiGroups", ["", "apps"])]),
	array.concat(agent_rights, [set("/objects/12/rules/-", {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]})]),
	array.concat(agent_rights, [set("/objects/13/roleRef/kind", "ClusterRole")]),
	array.concat(agent_rights, [set("/objects/13/roleRef/name", "admin")]),
	array.concat(agent_rights, [set("/objects/13/subjects/0/namespace", "production")]),
])

test_the_installer_may_allow_wildcards if {
	allowed := json.patch(good, [
		set("/objects/12/rules/0/verbs", ["*"]),
		{"op": "add", "path": "/values/shop/rbac", "value": {"allowWildcards": true}},
	])
	found := deny with input as allowed
	count(found) == 0
}
