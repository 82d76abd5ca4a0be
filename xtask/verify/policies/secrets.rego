# Passwords occur only in Secrets, and every reference to a Secret or ConfigMap exists.
package main

telling := `(?i)(pass(word|wd|phrase)?|secret|token|credentials?|api_?key|private_?key)$`

# The path of a file is not a password.
deny contains finding("no-literal-password", container.of, sprintf("has %s in the clear", [variable.name])) if {
	some container in containers
	some variable in object.get(container.is, "env", [])
	regex.match(telling, variable.name)
	value := object.get(variable, "value", "")
	value != ""
	not startswith(value, "/")
}

deny contains finding("no-literal-password", container.of, sprintf("has a password in the URL %s", [variable.name])) if {
	some container in containers
	some variable in object.get(container.is, "env", [])
	regex.match(`://[^:/@]*:[^@/]+@`, object.get(variable, "value", ""))
}

# Scripts and configuration may mention passwords, but must read them from a file or variable.
spelt_out := `(?i)(^|[^a-z])(password|passwd|secret|token|api_?key)["']?\s*[:=]\s*["']?[a-z0-9+_-][a-z0-9+/_-]{5,}["']?\s*(\n|$)`

deny contains finding("no-password-in-configuration", named(one), sprintf("has what looks like a password in %s", [key])) if {
	some one in of_kind("ConfigMap")
	some key, text in object.get(one, "data", {})
	secret_text(key, text)
}

secret_text(key, _) if regex.match(telling, key)

secret_text(_, text) if regex.match(spelt_out, text)

secret_text(_, text) if contains(text, "-----BEGIN")

deny contains finding("passwords-in-secrets-alone", named(one), "contains a password of the values") if {
	some one in input.objects
	one.kind != "Secret"
	text := json.marshal(one)
	some password in input.passwords
	some form in [trim(json.marshal(password), `"`), base64.encode(password)]
	contains(text, form)
}

deny contains finding("references", reference.of, sprintf("refers to the %s %s, which does not exist", [reference.kind, reference.name])) if {
	some reference in array.concat(container_references, volume_references)
	not made[reference.kind][reference.name]
	not given(reference.kind)
	not reference.name in named_in_values
}

# An object of the installer's in place of one of the chart's.
named_in_values := {name |
	walk(input.values, [path, name])
	path[count(path) - 1] in {"existingSecret", "caConfigMap"}
}

made.Secret contains one.metadata.name if some one in of_kind("Secret")

made.Secret contains one.spec.target.name if some one in of_kind("ExternalSecret")

made.ConfigMap contains one.metadata.name if some one in of_kind("ConfigMap")

# With mode `existing` the installer creates the Secrets.
given("Secret") if input.values.global.secrets.mode == "existing"

container_references := [{"of": container.of, "kind": kind, "name": name} |
	some container in containers
	some kind, keys in {"Secret": ["secretRef", "secretKeyRef"], "ConfigMap": ["configMapRef", "configMapKeyRef"]}
	some name in named_in_env(container.is, keys)
]

named_in_env(container, keys) := whole | single if {
	whole := {name | some source in container.envFrom; some key in keys; name := source[key].name}
	single := {name | some variable in container.env; some key in keys; name := variable.valueFrom[key].name}
}

volume_references := [{"of": volume.of, "kind": kind, "name": name} |
	some volume in volumes
	some kind, names in {
		"Secret": ({name | name := volume.is.secret.secretName} | {name | name := volume.is.projected.sources[_].secret.name}),
		"ConfigMap": ({name | name := volume.is.configMap.name} | {name | name := volume.is.projected.sources[_].configMap.name}),
	}
	some name in names
]

deny contains finding("external-secrets-stay", named(one), "is a hook: Helm would not wait for it, and would delete it with its Secret on each upgrade") if {
	some one in of_kind("ExternalSecret")
	count(hooks(one)) > 0
}

# A Secret that is refreshed outside an upgrade gives pods a password that the server does not know yet.
deny contains finding("external-secrets-wait", named(one), "is refreshed outside upgrades: refreshPolicy is not CreatedOnce or OnChange") if {
	some one in of_kind("ExternalSecret")
	not object.get(one.spec, "refreshPolicy", "Periodic") in {"CreatedOnce", "OnChange"}
}
