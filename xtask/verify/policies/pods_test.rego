package main

test_non_root if breaks("non-root", [
	[drop(at(spec, "/securityContext/runAsNonRoot"))],
	[set(at(spec, "/initContainers/0/securityContext/runAsNonRoot"), false)],
])

test_own_user if breaks("own-user", [
	[set(at(spec, "/securityContext/runAsUser"), 0)],
	[drop(at(spec, "/securityContext/runAsGroup"))],
])

test_seccomp if breaks("seccomp", [
	[set(at(spec, "/securityContext/seccompProfile/type"), "Unconfined")],
])

test_no_escalation if breaks("no-escalation", [
	[drop(at(first, "/securityContext/allowPrivilegeEscalation"))],
])

test_no_privilege if breaks("no-privilege", [
	[set(at(first, "/securityContext/privileged"), true)],
])

test_no_capabilities if breaks("no-capabilities", [
	[set(at(first, "/securityContext/capabilities/add"), ["NET_ADMIN"])],
	[drop(at(first, "/securityContext/capabilities"))],
])

test_read_only_root if breaks("read-only-root", [
	[set(at(spec, "/initContainers/0/securityContext/readOnlyRootFilesystem"), false)],
])

test_off_the_node if breaks("off-the-node", [
	[set(at(spec, "/hostNetwork"), true)],
])

test_no_host_port if breaks("no-host-port", [
	[set(at(first, "/ports/0/hostPort"), 80)],
])

test_no_probe_host if breaks("no-probe-host", [
	[set(at(first, "/readinessProbe/httpGet/host"), "10.0.0.1")],
])

test_volume_kinds if breaks("volume-kinds", [
	[set(at(spec, "/volumes/-"), {"name": "node", "hostPath": {"path": "/"}})],
])

# The deployment as a log agent.
log_agent := [
	{"op": "replace", "path": at(deployment, "/kind"), "value": "DaemonSet"},
	set(at(spec, "/securityContext/runAsNonRoot"), false),
	set(at(spec, "/securityContext/runAsUser"), 0),
	set(at(spec, "/securityContext/runAsGroup"), 0),
	set(at(spec, "/volumes/-"), {"name": "logs", "hostPath": {"path": "/var/log/pods"}}),
	set(at(spec, "/volumes/-"), {"name": "state", "hostPath": {"path": "/var/lib/shop-logs/afp"}}),
	set(at(first, "/volumeMounts"), [{"name": "logs", "mountPath": "/var/log/pods", "readOnly": true}]),
]

test_a_log_agent_may_be_root_and_remember_its_positions if {
	found := deny with input as json.patch(good, log_agent)
	print(found)
	count(found) == 0
}

test_a_log_agent_has_no_other_folder_of_the_node if breaks("volume-kinds", [
	array.concat(log_agent, [set(at(spec, "/volumes/-"), {"name": "node", "hostPath": {"path": path}})]) |
	some path in [
		"/etc",
		"/var/log",
		"/var/lib",
		"/var/lib/kubelet",
		"/var/lib/shop-logs",
		"/var/lib/shop-logs/",
		"/var/lib/shop-logs/../kubelet",
		"/var/lib/containerd/x",
		"/var/lib/docker/containers",
		"/var/lib/etcd/member",
		"/var/lib/kubelet/pods",
		"/var/lib/rancher/k3s",
	]
])

test_logs_are_read if breaks("logs-are-read", [
	array.concat(log_agent, [set(at(first, "/volumeMounts/0/readOnly"), false)]),
	array.concat(log_agent, [drop(at(first, "/volumeMounts/0/readOnly"))]),
])

test_sized_folders if breaks("sized-folders", [
	[drop(at(spec, "/volumes/0/emptyDir/sizeLimit"))],
])

test_no_service_links if breaks("no-service-links", [
	[drop(at(spec, "/enableServiceLinks"))],
])

test_resources if breaks("resources", [
	[drop(at(first, "/resources/limits/ephemeral-storage"))],
	[drop("/objects/1/spec/template/spec/containers/0/resources")],
	[drop(at(first, "/resources/limits/cpu"))],
])

test_limits_that_are_not_declared if {
	unlimited := json.patch(good, [
		set("/values/shop/resources", {"limits": {"memory": "64Mi", "ephemeral-storage": "64Mi"}}),
		drop(at(first, "/resources/limits/cpu")),
	])
	found := deny with input as unlimited
	count(found) == 0
}

test_limits_that_the_installer_removes_from_one_of_several_programs if {
	unlimited := json.patch(good, [
		set("/values/application", {"resources": {"limits": {"memory": "64Mi", "ephemeral-storage": "64Mi"}}}),
		drop(at(first, "/resources/limits/cpu")),
	])
	found := deny with input as unlimited
	count(found) == 0
}

test_no_latest if breaks("no-latest", [
	[
		set("/values/shop/image/digest", ""),
		set(at(first, "/image"), "registry.example.org/shop:latest"),
	],
	[
		set("/values/shop/image/digest", ""),
		set(at(first, "/image"), "registry.example.org/shop"),
	],
])

test_image_tag if breaks("image-tag", [
	[
		set("/values/shop/image/digest", ""),
		set(at(first, "/image"), "registry.example.org/shop:"),
	],
])

test_digest if breaks("digest", [
	[set(at(first, "/image"), "registry.example.org/shop:1.0")],
	[
		set("/values/global/tests", {"image": {"repository": "python", "digest": "sha256:2"}}),
		set("/objects/1/spec/template/spec/containers/0/image", "registry.example.org/python:3"),
	],
])

test_mirror if breaks("mirror", [
	[set(at(first, "/image"), "shop@sha256:1")],
])

test_a_declared_tag_may_move if {
	tried := json.patch(good, [
		set("/moving_tags", ["shop"]),
		set("/values/shop/image/digest", ""),
		set(at(first, "/image"), "registry.example.org/shop:latest"),
	])
	found := deny with input as tried
	count(found) == 0
}
