//! Hosts of several services, and environments that use Ingress, External Secrets and monitoring.

use second_platform::{SHOP_SERVICE, platform};
use serde_json::{Value, json};
use tools::Tool;
use vocabulary::{
    Certificate, Change, EdgeController, Environment, HostName, Monitoring, ObjectName, Platform, SecretSource, behind,
    exposed_at_host, external_secrets, monitored,
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

/// What the overlay of an environment with these changes has.
fn overlay(changes: Vec<Change>) -> Value {
    let environment = Environment::new("live", "Where customers are.", changes.leak());
    let platform = Platform { environments: vec![environment], ..platform() };
    let chart = generator::generate(&platform.resolve().unwrap_or_else(|diagnostics| panic!("{diagnostics}")));
    let text = &chart.files()[&chart.paths().environments["live"]];
    let documents: Vec<Value> = generator::yaml::read_all(text).expect("YAML");
    documents.into_iter().next().expect("one document")
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
