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

test_a_log_agent_may_read_pods_of_the_release_that_it_reads if {
	bound := json.patch(good, [
		set("/objects/13/metadata/namespace", "production"),
		{"op": "add", "path": "/values/release", "value": {"namespace": "production"}},
	])
	found := deny with input as bound
	count(found) == 0
}

test_the_installer_may_allow_wildcards if {
	allowed := json.patch(good, [
		set("/objects/12/rules/0/verbs", ["*"]),
		{"op": "add", "path": "/values/shop/rbac", "value": {"allowWildcards": true}},
	])
	found := deny with input as allowed
	count(found) == 0
}
