package main

test_no_literal_password if breaks("no-literal-password", [
	[set(at(first, "/env/-"), {"name": "RABBITMQ_PASS", "value": "x"})],
	[set(at(first, "/env/-"), {"name": "DATABASE", "value": "postgres://shop:swordfish@db/orders"})],
])

test_no_password_in_configuration if breaks("no-password-in-configuration", [
	[set("/objects/10/data/app.conf", "user = shop\npassword = swordfish\n")],
	[set("/objects/10/data/RABBITMQ_PASSWORD", "x")],
])

test_passwords_in_secrets_alone if breaks("passwords-in-secrets-alone", [
	[set("/objects/10/data/note", `it is h"unter2`)],
	[set(at(deployment, "/metadata/annotations"), {"note": "aCJ1bnRlcjI="})],
])

test_references if breaks("references", [
	[set(at(first, "/envFrom/0/secretRef/name"), "afp-gone")],
	[set(at(spec, "/volumes/1/configMap/name"), "afp-gone")],
])

test_external_secrets_stay if breaks("external-secrets-stay", [
	[set("/objects/11/metadata/annotations", {
		"helm.sh/hook": "pre-install",
		"helm.sh/hook-delete-policy": "before-hook-creation",
	})],
])

test_external_secrets_wait if breaks("external-secrets-wait", [
	[drop("/objects/11/spec/refreshPolicy")],
])

# With `existing` somebody else has made them.
test_existing_secrets_are_not_looked_for if {
	existing := json.patch(good, [set("/values/global/secrets/mode", "existing"), drop("/objects/9")])
	found := deny with input as existing
	count(found) == 0
}
