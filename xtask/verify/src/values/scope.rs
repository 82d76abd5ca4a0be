//! The rules about which objects each value may change.

use generator::Traffic;
use render::Object;

/// The properties of an object that decide whether a value may change it.
pub(super) struct About<'a> {
    kind: &'a str,
    name: &'a str,
    /// Its name behind `<release>-`; empty if its name begins otherwise.
    suffix: &'a str,
    /// The chart of the object: its label `app.kubernetes.io/name`.
    of: &'a str,
    has_pods: bool,
}

impl<'a> About<'a> {
    pub(super) fn new(object: &'a Object, release: &str) -> Self {
        let of = object.value["metadata"]["labels"]["app.kubernetes.io/name"].as_str().unwrap_or_default();
        let suffix = object.name.strip_prefix(release).and_then(|rest| rest.strip_prefix('-')).unwrap_or_default();
        Self { kind: &object.kind, name: &object.name, suffix, of, has_pods: object.pod().is_some() }
    }

    fn is(&self, kind: &str, suffix: &str) -> bool {
        self.kind == kind && self.suffix == suffix
    }

    /// Whether the object is a test Job of this service.
    fn is_test_of(&self, service: &str) -> bool {
        self.suffix.strip_prefix(service).is_some_and(|rest| rest.starts_with("-test-"))
    }

    /// Whether the object is shared by the tests: it lists the enabled services and the allowed connections.
    fn is_of_tests(&self) -> bool {
        self.suffix == "tests" || self.is_end_to_end()
    }

    /// Whether the object belongs to the tests that try closed ports, from each service and from an undeclared client.
    fn is_isolation(&self, network_policy: &str) -> bool {
        self.suffix == network_policy || self.kind == "Job" && self.name.ends_with("-test-isolation")
    }

    /// Whether the object belongs to the end-to-end test.
    fn is_end_to_end(&self) -> bool {
        self.suffix.starts_with("end-to-end-test")
    }

    /// Whether the object belongs to the `SecretStore` that the chart creates for External Secrets.
    fn is_source(&self) -> bool {
        ["credentials", "credentials-reader"].contains(&self.suffix)
    }
}

/// Whether a value has an effect only where Helm finds objects in a cluster: an installed release, or a Gateway. The scenarios `backup-hook` and
/// `edge` try these values.
pub(super) fn acts_only_on_a_cluster(path: &[String]) -> bool {
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    matches!(words.as_slice(), [_, "backup", "beforeUpgrade", _] | [_, "exposure", "httpRoute", "verifyGateway"])
}

/// Whether a value may change an object. An error if no rule covers the value.
///
/// The value of a service may change the objects of that service. Every exception is listed here.
pub(super) fn may_change(traffic: &Traffic, path: &[String], object: &About<'_>) -> Result<bool, String> {
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    let is = |list: &[String], name: &str| list.iter().any(|one| one == name);
    // A login may change the provisioning objects of its server, but not the StatefulSet: a new password must not restart a server.
    let makes_logins = |backing: &str| object.of == backing && object.kind != "StatefulSet";
    Ok(match words.as_slice() {
        ["global", "imageRegistry" | "imagePullSecrets"] => object.has_pods,
        ["global", "network", ..] => {
            ["NetworkPolicy", "CiliumNetworkPolicy"].contains(&object.kind) || object.is_of_tests()
        }
        ["global", "metrics", "interval" | "labels", ..] => object.kind == "PodMonitor",
        ["global", "metrics", "discovery"] => object.kind == "PodMonitor" || object.kind == "Service",
        ["global", "metrics", ..] if ["PodMonitor", "Service"].contains(&object.kind) => {
            traffic.metrics.iter().any(|port| port.of == object.of)
                || traffic.exporters.iter().any(|exporter| exporter.path.to == object.of)
        }
        ["global", "metrics", ..] => {
            let exporters = traffic.exporters.iter().map(|exporter| &exporter.path.from);
            let mut identities = traffic.metrics.iter().map(|port| &port.of).chain(exporters);
            identities.any(|identity| object.is("NetworkPolicy", identity)) || object.is_of_tests()
        }
        ["global", "tests", "endToEnd"] => object.is_of_tests(),
        ["global", "tests", "isolation"] => object.is_isolation(&traffic.tests.network_policy),
        ["global", "tests", ..] => object.has_pods && object.name.contains("-test"),
        // Pods contain names of Secrets. Services, autoscalers and NetworkPolicies do not.
        ["global", "secrets", ..] => {
            object.has_pods
                || object.is_source()
                || ["Secret", "ExternalSecret", "SecretStore", "ConfigMap"].contains(&object.kind)
        }
        ["global", "alerts", "routing", ..] => object.suffix == "alertmanager",
        ["global", "alerts", ..] => object.suffix == "alerts",
        ["global", "tracing", "egress"] => object.is("NetworkPolicy", "tracing"),
        ["global", "tracing", rest @ ..] => {
            let is_shared = object.suffix == "tracing" || object.suffix.starts_with("tracing-");
            object.kind == "Deployment" && is(&traffic.traced, object.of) || rest.first() != Some(&"image") && is_shared
        }
        ["global", "velero", ..] => object.kind == "Schedule",
        ["global", backing, "mode"] if is(&traffic.backing, backing) => object.of == *backing,
        // The clients in it run in the Pods of services that wait for a login, and in tests.
        ["global", backing, "image", ..] if is(&traffic.backing, backing) => {
            let is_client = traffic.paths.iter().any(|path| path.to == *backing && path.from == object.of);
            object.of == *backing || object.has_pods && is_client || object.is_end_to_end()
        }
        ["global", ..] => return Err(format!("add a rule to {} for the objects that it may change", file!())),
        [service, rest @ ..] if is(&traffic.services, service) => {
            let own = object.of == *service;
            let uses = || traffic.paths.iter().filter(|path| path.from == *service);
            let policy = object.is("NetworkPolicy", service);
            let of_cilium = object.is("CiliumNetworkPolicy", service);
            let proxy = traffic.proxies.iter().find(|proxy| proxy.path.to == *service);
            let of_proxy = proxy.is_some_and(|proxy| object.is("NetworkPolicy", &proxy.path.from));
            match rest {
                ["enabled"] => {
                    let ends = traffic.paths.iter().filter(|path| path.to == *service).map(|path| &path.from);
                    let mut ends = ends.chain(uses().map(|path| &path.to));
                    own || policy
                        || of_cilium
                        || of_proxy
                        || object.is_source()
                        || object.is_of_tests()
                        // They leave out what does not run.
                        || object.suffix == "alerts"
                        || uses().any(|path| makes_logins(&path.to))
                        || ends.any(|end| object.is("NetworkPolicy", end))
                }
                ["credentials", key, ..] => {
                    own || object.is_source()
                        || object.is_end_to_end()
                        || is(&traffic.backing, key) && makes_logins(key)
                }
                // The tests do not try to connect where extraIngress allows it.
                ["network", "extraIngress"] => policy || object.is_of_tests(),
                ["network", ..] => policy || object.is_test_of(service),
                ["exposure", "authentication", "credentials", ..] => own || object.is_source(),
                ["exposure", ..] => own || policy || of_cilium || of_proxy || object.is_of_tests(),
                ["rbac", ..] => own || policy,
                // The end-to-end test cleans up with the login of the service that owns the data.
                ["existingSecret"] => own || object.is_end_to_end(),
                ["tests", ..] => object.is_test_of(service),
                _ => own,
            }
        }
        [_, "backup", "maximumAgeHours"] => object.suffix == "alerts",
        // The server's pod does not change with its backups and its exporter.
        [server, add_on @ ("backup" | "exporter"), "enabled"]
        | [server, "credentials", add_on @ ("backup" | "exporter"), ..] => {
            let policies = [server.to_string(), format!("{server}-{add_on}")];
            object.suffix == "alerts"
                || object.of == *server && object.kind != "StatefulSet"
                || object.is_source()
                || path[path.len() - 1] == "enabled" && policies.iter().any(|name| object.is("NetworkPolicy", name))
        }
        [server, "exporter", ..] => object.is("Deployment", &format!("{server}-exporter")),
        [server, "backup", "s3", "egress"] => object.is("NetworkPolicy", &format!("{server}-backup")),
        [server, "backup", "serviceAccount", ..] => object.is("ServiceAccount", &format!("{server}-backup")),
        [server, "backup", rest @ ..] => {
            // There is an alert about verifications.
            rest == ["verification", "enabled"] && object.suffix == "alerts"
                || object.of == *server && ["CronJob", "Job", "PersistentVolumeClaim"].contains(&object.kind)
        }
        [backing, rest @ ..] if is(&traffic.backing, backing) => {
            object.of == *backing || rest.first() == Some(&"credentials") && object.is_source()
        }
        _ => return Err(format!("add a rule to {} for the objects that it may change", file!())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use generator::{AccessPath, TestTraffic};

    fn traffic() -> Traffic {
        Traffic {
            identity_label: "x/identity".into(),
            services: vec!["shop".into(), "page".into()],
            backing: vec!["db".into(), "cache".into()],
            paths: vec![AccessPath { from: "shop".into(), to: "db".into(), port: 1 }],
            provisioning: Vec::new(),
            backup: Vec::new(),
            exporters: Vec::new(),
            proxies: Vec::new(),
            exposed_ports: Vec::new(),
            metrics: vec![generator::ComponentPort { of: "shop".into(), number: 9 }],
            traced: vec!["shop".into()],
            kubernetes: Vec::new(),
            tests: TestTraffic {
                network_policy: "network-policy-test".into(),
                end_to_end: "end-to-end-test".into(),
                end_to_end_paths: Vec::new(),
                end_to_end_services: vec!["shop".into()],
            },
        }
    }

    fn may(path: &str, kind: &str, name: &str, of: &str) -> bool {
        let traffic = traffic();
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        let suffix = name.trim_start_matches("afp-");
        let object = About { kind, name, suffix, of, has_pods: kind == "Deployment" };
        may_change(&traffic, &path, &object).expect("a rule")
    }

    #[test]
    fn a_service_changes_its_own_objects_and_no_others() {
        assert!(may("shop.replicas", "Deployment", "afp-shop", "shop"));
        assert!(!may("shop.replicas", "Deployment", "afp-page", "page"));
        assert!(!may("shop.replicas", "NetworkPolicy", "afp-shop", "platform"));
        assert!(may("shop.network.extraEgress", "NetworkPolicy", "afp-shop", "platform"));
        assert!(!may("shop.network.extraEgress", "NetworkPolicy", "afp-db", "platform"));
        assert!(may("shop.enabled", "NetworkPolicy", "afp-db", "platform"));
        assert!(!may("shop.enabled", "NetworkPolicy", "afp-cache", "platform"));
        assert!(may("shop.enabled", "PrometheusRule", "afp-alerts", "platform"));
        assert!(!may("shop.replicas", "PrometheusRule", "afp-alerts", "platform"));
    }

    #[test]
    fn a_login_changes_its_server_s_jobs_and_never_its_pods() {
        assert!(may("shop.credentials.db.revision", "Job", "afp-db-provision-1", "db"));
        assert!(!may("shop.credentials.db.revision", "StatefulSet", "afp-db", "db"));
        assert!(!may("shop.credentials.db.revision", "Job", "afp-cache-provision-1", "cache"));
        assert!(may("db.credentials.superuser.password", "Secret", "afp-credentials", "platform"));
        assert!(!may("db.resources.limits", "Secret", "afp-credentials", "platform"));
        assert!(may("db.backup.enabled", "NetworkPolicy", "afp-db-backup", "platform"));
        assert!(may("db.backup.schedule", "CronJob", "afp-db-backup", "db"));
        assert!(may("db.backup.verification.enabled", "PrometheusRule", "afp-alerts", "platform"));
        assert!(!may("db.backup.verification.schedule", "PrometheusRule", "afp-alerts", "platform"));
        assert!(!may("db.backup.enabled", "StatefulSet", "afp-db", "db"));
        assert!(!may("db.backup.schedule", "Secret", "afp-db-inline", "db"));
        assert!(!may("db.credentials.backup.revision", "NetworkPolicy", "afp-db", "platform"));
        assert!(may("global.db.image.tag", "StatefulSet", "afp-db", "db"));
        assert!(!may("global.db.image.tag", "StatefulSet", "afp-cache", "cache"));
    }

    #[test]
    fn what_all_share_changes_what_it_is_about() {
        assert!(may("global.tracing.image.tag", "Deployment", "afp-shop", "shop"));
        assert!(!may("global.tracing.image.tag", "Deployment", "afp-page", "page"));
        assert!(!may("global.tracing.image.tag", "NetworkPolicy", "afp-tracing", "platform"));
        assert!(may("global.tracing.enabled", "ConfigMap", "afp-tracing-1", "platform"));
        assert!(may("global.metrics.enabled", "NetworkPolicy", "afp-shop", "platform"));
        assert!(!may("global.metrics.enabled", "Deployment", "afp-shop", "shop"));
        assert!(!may("global.imageRegistry", "Service", "afp-shop", "shop"));
        let object = About { kind: "Job", name: "x", suffix: "", of: "y", has_pods: true };
        assert!(may_change(&traffic(), &["global".to_owned(), "new".to_owned()], &object).is_err());
    }
}
