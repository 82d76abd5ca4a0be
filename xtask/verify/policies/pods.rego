# Every pod of the release, hooks and tests included, runs under Pod Security `restricted`, and a little further.
package main

deny contains finding("non-root", container.of, "may run as root: runAsNonRoot is not true") if {
	some container in containers
	secured(container, "runAsNonRoot") != true
}

deny contains finding("own-user", container.of, sprintf("has no number of its own for %s, or root's", [key])) if {
	some container in containers
	some key in ["runAsUser", "runAsGroup"]
	not above_zero(secured(container, key))
}

above_zero(number) if {
	is_number(number)
	number > 0
}

deny contains finding("seccomp", container.of, "is not held to the seccomp profile RuntimeDefault") if {
	some container in containers
	object.get(secured(container, "seccompProfile"), "type", "") != "RuntimeDefault"
}

deny contains finding("no-escalation", container.of, "may gain rights: allowPrivilegeEscalation is not false") if {
	some container in containers
	secured(container, "allowPrivilegeEscalation") != false
}

deny contains finding("no-privilege", container.of, "is privileged") if {
	some container in containers
	secured(container, "privileged") == true
}

deny contains finding("no-capabilities", container.of, "does not drop all capabilities, or adds some") if {
	some container in containers
	not bare_of_capabilities(secured(container, "capabilities"))
}

bare_of_capabilities(capabilities) if {
	"ALL" in capabilities.drop
	count(object.get(capabilities, "add", [])) == 0
}

deny contains finding("read-only-root", container.of, "may write to its root file system") if {
	some container in containers
	secured(container, "readOnlyRootFilesystem") != true
}

deny contains finding("off-the-node", pod.of, sprintf("shares %s with its node", [key])) if {
	some pod in pods
	some key in ["hostNetwork", "hostPID", "hostIPC"]
	object.get(pod.spec, key, false) != false
}

deny contains finding("no-host-port", container.of, "takes a port of its node") if {
	some container in containers
	some port in object.get(container.is, "ports", [])
	object.get(port, "hostPort", 0) != 0
}

# From Kubernetes 1.34 on `restricted` forbids it.
deny contains finding("no-probe-host", container.of, "has a probe or hook of another host") if {
	some container in containers
	some path in [["livenessProbe"], ["readinessProbe"], ["startupProbe"], ["lifecycle", "postStart"], ["lifecycle", "preStop"]]
	action := object.get(container.is, path, {})
	some way in ["httpGet", "tcpSocket"]
	object.get(action, [way, "host"], "") != ""
}

permitted_volumes := {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}

deny contains finding("volume-kinds", volume.of, sprintf("is of the kind %s", [kind])) if {
	some volume in volumes
	some kind in (object.keys(volume.is) - {"name"})
	not kind in permitted_volumes
}

deny contains finding("sized-folders", volume.of, "is an emptyDir without a size") if {
	some volume in volumes
	folder := volume.is.emptyDir
	not folder.sizeLimit
}

deny contains finding("no-service-links", pod.of, "gets the addresses of all Services: enableServiceLinks is not false") if {
	some pod in pods
	object.get(pod.spec, "enableServiceLinks", true) != false
}

deny contains finding("resources", container.of, sprintf("says no %s of %s", [kind, what])) if {
	some container in containers
	some kind in ["requests", "limits"]
	some what in ["cpu", "memory", "ephemeral-storage"]
	object.get(container.is, ["resources", kind, what], "") == ""
}

# An environment of trial may follow a moving tag; what people rely on may not.
deny contains finding("no-latest", container.of, sprintf("has the image %s, which is another one tomorrow", [container.is.image])) if {
	input.environment != "dev"
	some container in containers
	moving(container.is.image)
}

moving(image) if endswith(image, ":latest")

moving(image) if {
	not contains(image, "@")
	parts := split(image, "/")
	not contains(parts[count(parts) - 1], ":")
}

deny contains finding("image-tag", container.of, sprintf("has the image %s, whose tag is empty", [container.is.image])) if {
	some container in containers
	endswith(container.is.image, ":")
}

# Wherever in the values an image lies: of a chart, or of the tests.
images contains value if {
	walk(input.values, [path, value])
	path[count(path) - 1] == "image"
	value.repository
}

deny contains finding("digest", container.of, sprintf("has the image %s in spite of the digest %s", [container.is.image, image.digest])) if {
	some container in containers
	some image in images
	object.get(image, "digest", "") != ""
	contains(container.is.image, image.repository)
	not endswith(container.is.image, sprintf("%s@%s", [image.repository, image.digest]))
}

deny contains finding("mirror", container.of, sprintf("has the image %s, which is not from %s", [container.is.image, registry])) if {
	registry := input.values.global.imageRegistry
	registry != ""
	some container in containers
	not startswith(container.is.image, sprintf("%s/", [registry]))
}
