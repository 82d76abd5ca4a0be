//! NOTES of each way to expose a service: its addresses, and that its commands name objects and ports of the same release.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use tempfile::TempDir;
use tools::{Object, Template, Tool, ToolBinary};

use crate::{Snapshots, chart, folder, rendered};

/// The exposures by the name of their snapshot: values below `event-audit-dashboard.exposure`.
fn exposures() -> [(&'static str, Value); 16] {
    let ingress = |host: &str, tls: &str| json!({ "via": "Ingress", "host": host, "tls": { "secretName": tls } });
    let attached = json!({ "gateway": "public", "gatewayNamespace": "edge" });
    let plain = json!({ "gateway": "public", "sectionName": "", "redirectSectionName": "" });
    let own = json!({ "ownGateway": { "enabled": true, "className": "x" } });
    let unredirected = json!({ "ownGateway": { "enabled": true, "className": "x" }, "redirectSectionName": "" });
    let issued = json!({ "certManager": { "mode": "Certificate", "issuerName": "x" } });
    let route = |host: &str, route: &Value| json!({ "via": "HTTPRoute", "host": host, "httpRoute": route });
    let with_tls = |mut exposure: Value| {
        exposure["tls"] = issued.clone();
        exposure
    };
    let authenticated = |mut exposure: Value, url: &str| {
        exposure["authentication"] = json!({
            "mode": "OAuth2Proxy",
            "issuerUrl": "https://login.example.org",
            "clientId": "audit",
            "url": url,
            "allowed": { "emailDomains": ["example.org"] },
            "credentials": {
                "clientSecret": { "value": "web-secret" },
                "cookieSecret": { "value": "0123456789abcdef" },
            },
            "network": { "egress": [{}] },
        });
        exposure
    };
    [
        ("ingress-with-a-login", authenticated(ingress("audit.example.org", "audit-tls"), "")),
        ("node-port-with-a-login", authenticated(json!({ "via": "NodePort" }), "http://node.example.org:30080")),
        ("none", json!({ "via": "None" })),
        ("node-port", json!({ "via": "NodePort", "nodePort": 30090 })),
        ("node-port-of-the-cluster", json!({ "via": "NodePort" })),
        ("load-balancer", json!({ "via": "LoadBalancer" })),
        ("ingress", ingress("audit.example.org", "")),
        ("ingress-with-tls", ingress("audit.example.org", "audit-tls")),
        ("ingress-without-a-host", ingress("", "")),
        ("ingress-with-a-wildcard", ingress("*.example.org", "")),
        ("ingress-with-an-issuer", with_tls(ingress("audit.example.org", ""))),
        ("http-route", route("audit.example.org", &attached)),
        ("http-route-without-a-host", route("", &attached)),
        ("http-route-without-a-redirect", route("audit.example.org", &plain)),
        ("gateway", with_tls(route("audit.example.org", &own))),
        ("gateway-without-a-redirect", with_tls(route("audit.example.org", &unredirected))),
    ]
}

#[test]
fn every_exposure_has_its_address() {
    let helms = [Tool::BatchHelm3, Tool::BatchHelm4].map(|tool| tool.ensure().expect("Helm is there or can be built"));
    let (_folder, chart) = copy();
    let mut snapshots = Snapshots::of("notes");
    for (name, exposure) in exposures() {
        let values = format!("--set-json=event-audit-dashboard.exposure={exposure}");
        let arguments = [
            values.as_str(),
            "--set=global.network.edgeController=Traefik",
            "--api-versions=gateway.networking.k8s.io/v1/HTTPRoute",
            "--api-versions=gateway.networking.k8s.io/v1/Gateway",
            "--api-versions=cert-manager.io/v1/Certificate",
        ];
        let [three, four] = helms.each_ref().map(|helm| install(helm, &chart, Some(&passwords()), &arguments));
        assert_eq!(three.1, four.1, "{name}");
        let (objects, notes) = four;
        let (_, address) = notes.split_once("\n\nOpen ").expect("a paragraph about the exposed service");
        let address = address.split("\n\n").next().unwrap_or_default();
        snapshots.compare(name, &format!("Open {address}\n"));
        for (kind, object, port) in commands(&notes) {
            let found = objects.iter().find(|one| one.kind == kind && one.name == object);
            let found = found.unwrap_or_else(|| panic!("{name}: there is no {kind} {object}"));
            assert!(
                port.is_empty() || found.text.contains(&format!("port: {port}\n")),
                "{name}: {object} has no port {port}"
            );
        }
    }
    snapshots.compare_repeated("repeated");
    snapshots.finish();
}

#[test]
fn a_disabled_service_has_no_address_and_passwords_elsewhere_no_warning() {
    let helm = Tool::BatchHelm4.ensure().expect("Helm 4 is there or can be built");
    let (_folder, chart) = copy();
    let mode = ["--set=global.secrets.mode=existing", "--set=audit-event-generator.image.tag=x"];
    let arguments = [&["--set=event-audit-dashboard.enabled=false"], &mode[..]].concat();
    let (_, notes) = install(&helm, &chart, None, &arguments);
    assert!(notes.contains("helm test afp -n default"), "{notes}");
    assert!(!notes.contains("Open ") && !notes.contains("passwords included"), "{notes}");
}

#[test]
fn a_database_without_backups_is_a_warning() {
    let helm = Tool::BatchHelm4.ensure().expect("Helm 4 is there or can be built");
    let (_folder, chart) = copy();
    let notes =
        |value: &str| install(&helm, &chart, Some(&passwords()), &[&format!("--set=postgresql.backup.{value}")]).1;
    let off = notes("enabled=false");
    assert!(
        off.contains("WARNING: the databases of postgresql have no backup. Set postgresql.backup.enabled to true."),
        "{off}"
    );
    let on = notes("enabled=true");
    assert!(
        on.contains("Backups of postgresql: at 17 3 * * * (UTC), and one now. List them:") && !on.contains("WARNING"),
        "{on}"
    );
    let suspended = notes("enabled=true,postgresql.backup.suspend=true");
    assert!(
        suspended.contains("WARNING: the backups of postgresql are suspended") && !suspended.contains("List them"),
        "{suspended}"
    );
}

/// The objects that the commands of the text name: kind, name, and port or nothing.
fn commands(notes: &str) -> Vec<(&'static str, String, String)> {
    let words: Vec<Vec<&str>> = notes.lines().map(|line| line.split_whitespace().collect()).collect();
    let named = |words: &Vec<&str>| match words[..] {
        ["kubectl", "get", "service", "-n", "default", name, ..] => Some(("Service", name.to_owned(), String::new())),
        ["kubectl", "get", "ingress", "-n", "default", name, ..] => Some(("Ingress", name.to_owned(), String::new())),
        ["kubectl", "port-forward", "-n", "default", service, port] => {
            Some(("Service", service.trim_start_matches("service/").to_owned(), port.to_owned()))
        }
        _ => None,
    };
    words.iter().filter_map(named).collect()
}

/// A copy of the chart whose NOTES.txt is a ConfigMap. `helm template` prints no notes, and `helm install --dry-run=client` knows no API versions.
fn copy() -> (TempDir, Utf8PathBuf) {
    let copy = tempfile::tempdir().expect("a folder");
    let path = Utf8PathBuf::try_from(copy.path().join("chart")).expect("UTF-8");
    let copied = Command::new("cp").args(["-R", chart().as_str(), path.as_str()]).status().expect("cp runs");
    assert!(copied.success());
    let notes = path.join("templates/NOTES.txt");
    let text = std::fs::read_to_string(&notes).expect("the chart has notes");
    let template = format!(
        "{{{{- define \"notes\" -}}}}{text}{{{{- end -}}}}\nkind: ConfigMap\nmetadata: {{name: notes}}\ndata: {{notes: {{{{ include \"notes\" . | toJson }}}}}}\n"
    );
    std::fs::write(path.join("templates/notes.yaml"), template).expect("a template");
    std::fs::remove_file(notes).expect("the notes");
    (copy, path)
}

/// A values file with passwords.
fn passwords() -> Utf8PathBuf {
    folder().join(&rendered().paths().ci_values)
}

/// The objects and the notes of an installation.
fn install(
    helm: &ToolBinary,
    chart: &Utf8Path,
    passwords: Option<&Utf8Path>,
    arguments: &[&str],
) -> (Vec<Object>, String) {
    let values: Vec<&Utf8Path> = passwords.into_iter().collect();
    let template = Template { chart, release: "afp", values: &values, arguments };
    let manifest = helm.template(&template).expect("Helm runs").unwrap_or_else(|message| panic!("{message}"));
    let mut objects = tools::objects(&manifest).expect("Helm renders YAML");
    let position = objects.iter().position(|one| one.name == "notes").expect("the notes");
    let notes: Value = serde_yaml::from_str(&objects.remove(position).text).expect("YAML");
    (objects, notes["data"]["notes"].as_str().expect("a text").to_owned())
}
