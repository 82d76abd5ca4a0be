# Every pod of the release, including hooks and tests, meets Pod Security `restricted` and some stricter rules. A log agent is root and has two folders
# of the node; everything else holds for it, too.
package main

deny contains finding("non-root", container.of, "may run as root: runAsNonRoot is not true") if {
	some container in containers
	secured(container, "runAsNonRoot") != true
	not reads_logs(container.pod)
}

deny contains finding("own-user", container.of, sprintf("has no %s, or that of root", [key])) if {
	some container in containers
	some key in ["runAsUser", "runAsGroup"]
	not above_zero(secured(container, key))
	not reads_logs(container.pod)
}

above_zero(number) if {
	is_number(number)
	number > 0
}

deny contains finding("seccomp", container.of, "does not use the seccomp profile RuntimeDefault") if {
	some container in containers
	object.get(secured(container, "seccompProfile"), "type", "") != "RuntimeDefault"
}

deny contains finding("no-escalation", container.of, "may escalate privileges: allowPrivilegeEscalation is not false") if {
	some container in containers
	secured(container, "allowPrivilegeEscalation") != false
}

deny contains finding("no-privilege", container.of, "is privileged") if {
	some container in containers
	secured(container, "privileged") == true
}

deny contains finding("no-capabilities", container.of, "does not drop all capabilities, or adds capabilities") if {
	some container in containers
	not bare_of_capabilities(secured(container, "capabilities"))
}

bare_of_capabilities(capabilities) if {
	"ALL" in capabilities.drop
	count(object.get(capabilities, "add", [])) == 0
}

deny contains finding("read-only-root", container.of, "has a writable root file system") if {
	some container in containers
	secured(container, "readOnlyRootFilesystem") != true
}

deny contains finding("off-the-node", pod.of, sprintf("shares %s with its node", [key])) if {
	some pod in pods
	some key in ["hostNetwork", "hostPID", "hostIPC"]
	object.get(pod.spec, key, false) != false
}

deny contains finding("no-host-port", container.of, "uses a host port") if {
	some container in containers
	some port in object.get(container.is, "ports", [])
	object.get(port, "hostPort", 0) != 0
}

# `restricted` forbids this since Kubernetes 1.34.
deny contains finding("no-probe-host", container.of, "has a probe or lifecycle hook that connects to another host") if {
	some container in containers
	some path in [["livenessProbe"], ["readinessProbe"], ["startupProbe"], ["lifecycle", "postStart"], ["lifecycle", "preStop"]]
	action := object.get(container.is, path, {})
	some way in ["httpGet", "tcpSocket"]
	object.get(action, [way, "host"], "") != ""
}

permitted_volumes := {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}

deny contains finding("volume-kinds", volume.of, sprintf("has the forbidden type %s", [kind])) if {
	some volume in volumes
	some kind in (object.keys(volume.is) - {"name"})
	not kind in permitted_volumes
	not is_of_log_agent(volume)
}

# The log files.
is_of_log_agent(volume) if {
	reads_logs(volume.pod)
	volume.is.hostPath.path == pod_logs
}

# A folder of its own for what it must remember. No part of the path is `..`.
is_of_log_agent(volume) if {
	reads_logs(volume.pod)
	path := volume.is.hostPath.path
	regex.match(`^/var/lib(/[A-Za-z0-9_-][A-Za-z0-9_.-]*){2,}$`, path)
	not split(path, "/")[3] in folders_of_the_node
}

# The folders below `/var/lib` whose content decides what runs on the node.
folders_of_the_node := {"containerd", "docker", "etcd", "kubelet", "rancher"}

deny contains finding("logs-are-read", container.of, "may change the log files of the node: their mount is not read-only") if {
	some container in containers
	reads_logs(container.pod)
	some volume in container.pod.spec.volumes
	volume.hostPath.path == pod_logs
	some mount in container.is.volumeMounts
	mount.name == volume.name
	object.get(mount, "readOnly", false) != true
}

deny contains finding("sized-folders", volume.of, "is an emptyDir without sizeLimit") if {
	some volume in volumes
	folder := volume.is.emptyDir
	not folder.sizeLimit
}

deny contains finding("no-service-links", pod.of, "gets environment variables for all Services: enableServiceLinks is not false") if {
	some pod in pods
	object.get(pod.spec, "enableServiceLinks", true) != false
}

deny contains finding("resources", container.of, sprintf("has no %s for %s", [kind, what])) if {
	some container in containers
	some kind in ["requests", "limits"]
	some what in ["cpu", "memory", "ephemeral-storage"]
	object.get(container.is, ["resources", kind, what], "") == ""
	not declared_unlimited(container, kind, what)
}

# A service can be declared without a limit of CPU or memory. Its values have none then.
declared_unlimited(container, "limits", what) if {
	what in {"cpu", "memory"}
	container.pod.maker.kind == "Deployment"
	limits := input.values[container.pod.labels["app.kubernetes.io/name"]].resources.limits
	not limits[what]
}

# The installer can remove a limit of an agent.
declared_unlimited(container, "limits", what) if {
	what in {"cpu", "memory"}
	container.pod.maker.kind == "DaemonSet"
	limits := input.values.resources.limits
	not limits[what]
}

# The same for a program of a chart with several. Its section of the values has the name of its component.
declared_unlimited(container, "limits", what) if {
	what in {"cpu", "memory"}
	container.pod.maker.kind == "Deployment"
	limits := input.values[container.pod.labels["app.kubernetes.io/component"]].resources.limits
	not limits[what]
}

# A service may use a moving tag only in an environment that declares one for it.
deny contains finding("no-latest", container.of, sprintf("has the image %s, whose tag can move", [container.is.image])) if {
	some container in containers
	moving(container.is.image)
	not object.get(container.pod.labels, "app.kubernetes.io/name", "") in input.moving_tags
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

# All image sections of the values: those of charts and those of tests.
images contains value if {
	walk(input.values, [path, value])
	path[count(path) - 1] == "image"
	value.repository
}

deny contains finding("digest", container.of, sprintf("has the image %s although the values set the digest %s", [container.is.image, image.digest])) if {
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
