//! Hosts of several services, and environments that use Ingress, External Secrets and monitoring.

use second_platform::{SHOP_SERVICE, platform};
use serde_json::{Value, json};
use tools::Tool;
use vocabulary::{
    Certificate, Change, ClusterService, EdgeController, Environment, HostName, LogStore, Monitoring, ObjectName,
    Platform, SecretSource, behind, exposed_at_host, external_secrets, logged, monitored,
};

use crate::harness::{OnDisk, helm};

#[test]
fn one_host_leads_to_one_service() {
    let odd =
        odd_platforms::ALL.iter().find(|odd| odd.name == "exposed").expect("a platform with two exposed services");
    let on_disk = OnDisk::of(&(odd.declaration)().resolve().unwrap_or_else(|diagnostics| panic!("{diagnostics}")));
    let at = |site: &str, admin: &str| {
        let host =
            |service: &str, host: &str| format!("--set={service}.exposure.via=Ingress,{service}.exposure.host={host}");
        let hosts =
            [host("site", site), host("admin", admin), "--set=global.network.edgeController=Traefik".to_owned()];
        on_disk.render(&helm(Tool::BatchHelm4), None, &hosts.each_ref().map(String::as_str))
    };
    let refusal = at("shop.acme.io", "shop.acme.io").expect_err("one host for two services");
    assert!(
        refusal.contains("exposure.host is shop.acme.io, which site.exposure.host already uses. Choose another host.")
            || refusal.contains(
                "exposure.host is shop.acme.io, which admin.exposure.host already uses. Choose another host."
            ),
        "{refusal}"
    );
    let refusal = at("", "").expect_err("every host for two services");
    assert!(refusal.contains("exposure.host is empty, so it matches every host, which "), "{refusal}");
    let manifest = at("shop.acme.io", "admin.acme.io").unwrap_or_else(|refusal| panic!("{refusal}"));
    assert!(manifest.contains("shop.acme.io") && manifest.contains("admin.acme.io"));
}

/// The chart of a platform with one environment, `live`, with these changes.
fn with_environment(changes: Vec<Change>) -> generator::Chart {
    let environment = Environment::new("live", "Where customers are.", changes.leak());
    let platform = Platform { environments: vec![environment], ..platform() };
    generator::generate(&platform.resolve().unwrap_or_else(|diagnostics| panic!("{diagnostics}")))
}

fn only_document(text: &str) -> Value {
    let documents: Vec<Value> = generator::yaml::read_all(text).expect("YAML");
    documents.into_iter().next().expect("one document")
}

/// What the overlay of an environment with these changes has.
fn overlay(changes: Vec<Change>) -> Value {
    let chart = with_environment(changes);
    only_document(&chart.files()[&chart.paths().environments["live"]])
}

#[test]
fn an_environment_has_a_host_and_a_certificate() {
    let at = |certificate| {
        let host = HostName::new("shop.acme.io");
        vec![behind(EdgeController::HAProxy), exposed_at_host(SHOP_SERVICE.name, host, "public", certificate)]
    };
    let tls = |certificate| overlay(at(certificate))["shop"]["exposure"]["tls"].clone();
    assert_eq!(
        overlay(at(Certificate::secret("shop-tls"))),
        json!({
            "global": { "network": { "edgeController": "HAProxy" } },
            "shop": { "exposure": {
                "via": "Ingress",
                "host": "shop.acme.io",
                "tls": { "secretName": "shop-tls" },
                "ingress": { "className": "public" },
            } },
        })
    );
    let host = HostName::new("shop.acme.io");
    let certificate = Certificate::secret("shop-tls");
    let behind_traefik =
        overlay(vec![exposed_at_host(SHOP_SERVICE.name, host, "public", certificate), behind(EdgeController::Traefik)]);
    assert_eq!(
        behind_traefik["shop"]["exposure"]["ingress"]["annotations"],
        json!({ "traefik.ingress.kubernetes.io/router.entrypoints": "websecure" })
    );
    let issued = |issuer: Value| json!({ "certManager": issuer });
    assert_eq!(
        tls(Certificate::cluster_issuer("acme")),
        issued(json!({ "mode": "Certificate", "issuerName": "acme" }))
    );
    assert_eq!(
        tls(Certificate::issuer("acme")),
        issued(json!({ "mode": "Certificate", "issuerKind": "Issuer", "issuerName": "acme" }))
    );
}

#[test]
fn an_environment_has_a_store_and_monitoring() {
    let secrets = |source| overlay(vec![external_secrets(source)])["global"]["secrets"].clone();
    let name = ObjectName::new("vault");
    assert_eq!(secrets(SecretSource::Values), json!({ "mode": "external" }));
    assert_eq!(secrets(SecretSource::Store(name)), json!({ "mode": "external", "store": { "name": "vault" } }));
    assert_eq!(
        secrets(SecretSource::ClusterStore(name)),
        json!({ "mode": "external", "store": { "kind": "ClusterSecretStore", "name": "vault" } })
    );
    assert_eq!(
        overlay(vec![monitored(Monitoring::Operator)])["global"],
        json!({ "metrics": { "enabled": true, "discovery": "PodMonitor" }, "alerts": { "enabled": true } })
    );
    let labels = json!({ "release": "stack" });
    assert_eq!(
        overlay(vec![monitored(Monitoring::kube_prometheus_stack("stack"))])["global"],
        json!({
            "metrics": { "enabled": true, "discovery": "PodMonitor", "labels": labels },
            "alerts": { "enabled": true, "labels": labels },
        })
    );
    assert_eq!(
        overlay(vec![monitored(Monitoring::Annotations)])["global"],
        json!({
            "metrics": { "enabled": true, "discovery": "Annotations" },
            "alerts": { "enabled": true, "format": "ConfigMap" },
        })
    );
}

/// A platform whose services have no credentials of their own still has Secrets for their proxies.
#[test]
fn each_exposed_service_has_a_proxy_of_its_own() {
    let odd =
        odd_platforms::ALL.iter().find(|odd| odd.name == "exposed").expect("a platform with two exposed services");
    let on_disk = OnDisk::of(&(odd.declaration)().resolve().unwrap_or_else(|diagnostics| panic!("{diagnostics}")));
    let on = |service: &str| {
        format!(
            r#"--set-json={service}.exposure={{"via":"Ingress","host":"{service}.acme.io","authentication":{{"mode":"OAuth2Proxy","issuerUrl":"https://login.acme.io","clientId":"{service}","allowed":{{"groups":["staff"]}},"network":{{"egress":[{{}}]}}}}}}"#
        )
    };
    let render = |services: &[&str], further: &[&str]| {
        let mut arguments: Vec<String> = services.iter().map(|service| on(service)).collect();
        arguments.extend(further.iter().map(|argument| (*argument).to_owned()));
        arguments.push("--set=global.network.edgeController=Traefik".to_owned());
        on_disk.render(&helm(Tool::BatchHelm4), None, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let refusal = render(&["site", "admin"], &[]).expect_err("proxies without credentials");
    for service in ["site", "admin"] {
        let says = format!("{service}.exposure.authentication.credentials.clientSecret.value is not set");
        assert!(refusal.contains(&says), "{refusal}");
    }
    let kind = "--api-versions=external-secrets.io/v1/ExternalSecret";
    let store = "--set=global.secrets.mode=external,global.secrets.store.name=vault";
    for (further, secret) in [
        (&["--set=global.secrets.mode=existing"][..], "site-proxy-existing-r1.1"),
        (&[store, kind], "site-proxy-external-r1.1"),
    ] {
        let manifest = render(&["site"], further).unwrap_or_else(|refusal| panic!("{refusal}"));
        assert!(manifest.contains(secret), "{manifest}");
        assert!(!manifest.contains("admin-proxy"), "{manifest}");
    }
}

#[test]
fn an_environment_names_the_store_of_its_logs_in_a_file_of_its_own() {
    let logs = |chart: &generator::Chart| {
        let chart = chart.paths().further.iter().find(|chart| chart.name == "logs").expect("the chart for logs");
        chart.environments.clone()
    };
    let of = |store| {
        let chart = with_environment(vec![logged(store)]);
        let path = &logs(&chart)["live"];
        assert_eq!(path, "environments/logs/values-live.yaml");
        let of_umbrella = only_document(&chart.files()[&chart.paths().environments["live"]]);
        assert_eq!(of_umbrella, json!({}));
        only_document(&chart.files()[path])
    };
    let values = |endpoint: &str, namespace: &str, port: u16| {
        let namespaces = json!({ "matchLabels": { "kubernetes.io/metadata.name": namespace } });
        let egress = json!([{ "to": [{ "namespaceSelector": namespaces }], "ports": [{ "port": port }] }]);
        json!({ "outputs": { "otlp": { "endpoint": endpoint } }, "network": { "egress": egress } })
    };
    assert_eq!(
        of(LogStore::Loki(ClusterService::new("loki", "logs"))),
        values("http://loki.logs:3100/otlp/v1/logs", "logs", 3100)
    );
    assert_eq!(
        of(LogStore::VictoriaLogs(ClusterService::new("vlogs", "monitoring"))),
        values("http://vlogs.monitoring:9428/insert/opentelemetry/v1/logs", "monitoring", 9428)
    );
    assert_eq!(logs(&with_environment(Vec::new())).len(), 0);
}
