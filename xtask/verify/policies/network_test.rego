package main

test_closed_by_default if breaks("closed-by-default", [
	[set("/objects/6/spec/podSelector/matchLabels", {"platform/identity": "shop"})],
])

test_policy_of_its_own if breaks("policy-of-its-own", [
	[drop("/objects/7")],
])

test_default_denies if breaks("default-denies", [
	[set("/objects/6/spec/ingress", [{}])],
	[set("/objects/6/spec/policyTypes", ["Ingress"])],
	[set("/objects/6/spec/egress", [{}])],
])

test_numeric_ports if breaks("numeric-ports", [
	[set("/objects/7/spec/egress/0/ports/0/port", "http")],
])

test_services_select_workers if breaks("services-select-workers", [
	[
		drop("/objects/3/spec/selector/app.kubernetes.io~1component"),
		set("/objects/3/spec/selector/platform~1identity", "shop"),
	],
])

test_jobs_serve_nobody if breaks("jobs-serve-nobody", [
	[set("/objects/2/spec/template/metadata/labels/app.kubernetes.io~1component", "application")],
])

test_services_lead_somewhere if breaks("services-lead-somewhere", [
	[set("/objects/3/spec/selector/app.kubernetes.io~1component", "gone")],
])
