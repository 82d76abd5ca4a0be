//! The comparison on a small release: first correct, then with one defect at a time.

use generator::{AccessPath, ComponentPort, ProxyTraffic, TestTraffic, Traffic};
use render::{Object, objects};
use serde_json::{Value, json};

use super::{Release, compare};

fn path(from: &str, to: &str, port: u16) -> AccessPath {
    AccessPath { from: from.to_owned(), to: to.to_owned(), port }
}

fn traffic() -> Traffic {
    Traffic {
        identity_label: "x/identity".to_owned(),
        services: vec!["shop".to_owned(), "page".to_owned()],
        backing: vec!["db".to_owned()],
        paths: vec![path("shop", "db", 5432), path("page", "shop", 80)],
        provisioning: vec![path("db-provisioning", "db", 5432)],
        proxies: vec![ProxyTraffic {
            path: path("page-proxy", "page", 8080),
            port: 4180,
            test: path("page-test", "page-proxy", 4180),
        }],
        exposed_ports: vec![ComponentPort { of: "page".to_owned(), number: 8080 }],
        metrics: vec![ComponentPort { of: "shop".to_owned(), number: 9000 }],
        traced: vec!["shop".to_owned()],
        kubernetes: Vec::new(),
        backup: Vec::new(),
        exporters: Vec::new(),
        tests: TestTraffic {
            network_policy: "undeclared".to_owned(),
            end_to_end: "journey".to_owned(),
            end_to_end_paths: vec![path("journey", "page", 8080)],
            end_to_end_services: vec!["shop".to_owned(), "page".to_owned()],
        },
    }
}

fn values() -> Value {
    json!({
        "global": {
            "network": { "dnsNamespace": "kube-system", "edgeController": "Custom", "edgeNamespace": "edge", "edgePodLabels": { "app": "edge" }, "apiServerCidrs": ["10.96.0.1/32"] },
            "metrics": { "enabled": false, "namespace": "monitoring" },
        },
        "shop": { "enabled": true, "rbac": { "extraRules": [] }, "network": { "extraIngress": [], "extraEgress": [] } },
        "page": { "enabled": true, "rbac": { "extraRules": [] }, "exposure": { "via": "None" } },
        "db": {},
    })
}

const POLICIES: &str = r"
kind: NetworkPolicy
metadata: {name: default}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/instance: afp}, matchExpressions: [{key: x/identity, operator: Exists}]}
  policyTypes: [Ingress, Egress]
  egress:
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
          podSelector: {matchLabels: {k8s-app: kube-dns}}
        - ipBlock: {cidr: 169.254.20.10/32}
      ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
---
kind: NetworkPolicy
metadata: {name: shop}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: shop}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: page}}}]
      ports: [{port: 80}]
  egress:
    - to: [{podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: db}}}]
      ports: [{port: 5432}]
---
kind: NetworkPolicy
metadata: {name: page}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: page}}
  policyTypes: [Ingress, Egress]
  egress:
    - to: [{podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: shop}}}]
      ports: [{port: 80}]
---
kind: NetworkPolicy
metadata: {name: db}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: db}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: shop}}}]
      ports: [{port: 5432}]
    - from: [{podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: db-provisioning}}}]
      ports: [{port: 5432}]
---
kind: NetworkPolicy
metadata: {name: db-provisioning}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: db-provisioning}}
  policyTypes: [Ingress, Egress]
  egress:
    - to: [{podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: db}}}]
      ports: [{port: 5432}]
";

/// Workloads and Services of the small release.
fn workloads() -> String {
    let workload = |kind: &str, name: &str, port: &str| {
        format!(
            "---\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n  template:\n    metadata: \
             {{labels: {{app.kubernetes.io/instance: afp, x/identity: {name}, part: {name}}}}}\n    spec: {{containers: [{{ports: [{port}]}}]}}\n"
        )
    };
    let service = |name: &str, port: u16, target: &str| {
        format!(
            "---\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {{part: {name}}}, ports: [{{port: {port}, targetPort: {target}}}]}}\n"
        )
    };
    [
        workload("Deployment", "shop", "{name: http, containerPort: 80}"),
        workload("Deployment", "page", "{containerPort: 8080}"),
        workload("StatefulSet", "db", "{containerPort: 5432}"),
        workload("Job", "db-provisioning", ""),
        service("shop", 80, "http"),
        service("db", 5432, "5432"),
    ]
    .concat()
}

fn release() -> String {
    POLICIES.to_owned() + &workloads()
}

fn found(values: &Value, manifest: &str) -> Vec<String> {
    let objects: Vec<Object> = objects(manifest).expect("objects");
    compare(Release { name: "afp", traffic: &traffic() }, values, &objects)
        .expect("a comparison")
        .wrong
        .into_iter()
        .collect()
}

#[track_caller]
fn broken(from: &str, to: &str, expected: &[&str]) {
    let release = release();
    assert!(release.contains(from), "{from} does not occur in the release");
    let wrong = found(&values(), &release.replacen(from, to, 1));
    for line in expected {
        assert!(wrong.iter().any(|one| one == line), "{line} is not among {wrong:#?}");
    }
    assert!(!expected.is_empty());
}

#[test]
fn a_correct_release_has_no_findings() {
    assert_eq!(found(&values(), &release()), [""; 0]);
}

#[test]
fn an_undeclared_connection_is_reported() {
    // A rule at only one end opens nothing, but is reported as well.
    let out = (
        "    - to: [{podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: shop}}}]\n      ports: [{port: 80}]\n",
        "page",
    );
    let to_db = out.0.replace("shop", "db").replace("80", "5432");
    let release = release().replacen(out.0, &(out.0.to_owned() + &to_db), 1);
    let half = "page → db:5432 is allowed by the policies of page but not declared; only the other end closes it";
    assert_eq!(found(&values(), &release), [half]);
    let in_db = "    - from: [{podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: shop}}}]\n      ports: [{port: 5432}]\n";
    let release = release.replacen(in_db, &(in_db.to_owned() + &in_db.replace("shop", "page")), 1);
    assert_eq!(found(&values(), &release), ["page → db:5432 is open but not declared"]);
}

#[test]
fn a_closed_declared_path_is_reported_with_the_end_that_closes_it() {
    broken(
        "x/identity: shop}}}]\n      ports: [{port: 80}]",
        "x/identity: shop}}}]\n      ports: [{port: 81}]",
        &["page → shop:80 is declared but closed by the policies of the client"],
    );
    broken(
        "x/identity: page}}}]\n      ports: [{port: 80}]",
        "x/identity: pages}}}]\n      ports: [{port: 80}]",
        &["page → shop:80 is declared but closed by the policies of the server"],
    );
}

#[test]
fn too_wide_selectors_are_reported() {
    // Without the release's label, pods of another release match; with a namespace selector, pods of other namespaces.
    broken(
        "{app.kubernetes.io/instance: afp, x/identity: page}}}]",
        "{x/identity: page}}}]",
        &["another release's page → shop:80 is open but not declared"],
    );
    broken(
        "from: [{podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: page}}}]",
        "from: [{namespaceSelector: {}, podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: page}}}]",
        &["a pod with page's labels in another namespace → shop:80 is open but not declared"],
    );
    broken(
        "{app.kubernetes.io/instance: afp, x/identity: page}}}]",
        "{app.kubernetes.io/instance: afp}}}]",
        &[
            "a pod with app.kubernetes.io/instance=afp in the namespace → shop:80 is open but not declared",
            "db → shop:80 is allowed by the policies of shop but not declared; only the other end closes it",
        ],
    );
    broken(
        "from: [{podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: page}}}]",
        "from: [{podSelector: {}}]",
        &["a pod without labels in the namespace → shop:80 is open but not declared"],
    );
}

#[test]
fn too_wide_port_ranges_are_reported() {
    broken(
        "x/identity: page}}}]\n      ports: [{port: 80}]",
        "x/identity: page}}}, {ipBlock: {cidr: 198.51.100.0/24}}]\n      ports: [{port: 80, endPort: 90}]",
        &["198.51.100.7 outside the cluster → shop:80-90 is open but not declared"],
    );
    broken(
        "- ipBlock: {cidr: 169.254.20.10/32}",
        "- ipBlock: {cidr: 169.254.0.0/16}",
        &["shop → 169.254.0.0 outside the cluster:53,53/udp is open but not declared"],
    );
}

#[test]
fn a_pod_without_a_policy_is_reported_as_open() {
    broken(
        "x/identity: page, part: page",
        "part: page",
        &[
            "a pod without labels in the namespace → Deployment page (without identity):every port is open but not declared",
        ],
    );
}

#[test]
fn a_disabled_service_must_be_closed_at_the_other_ends_too() {
    let mut off = values();
    off["page"]["enabled"] = false.into();
    let without = |name: &str, manifest: &str| -> String {
        let documents = manifest.split("---\n").filter(|one| !one.contains(&format!("name: {name}}}")));
        documents.collect::<Vec<_>>().join("---\n")
    };
    let to_shop = "  ingress:\n    - from: [{podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: page}}}]\n      ports: [{port: 80}]\n";
    let gone = without("page", &release()).replace(to_shop, "");
    assert_eq!(found(&off, &gone), [""; 0]);
    // A remaining rule at the other end allows a pod with the service's labels; only its own egress is closed.
    let left = found(&off, &without("page", &release()));
    assert_eq!(
        left,
        [
            "a pod with page's labels → shop:80 is allowed by the policies of shop but not declared; only the other end closes it"
        ]
    );
    // With its own policy left as well, the connection is open.
    let both = POLICIES.to_owned() + &without("page", &workloads());
    assert_eq!(found(&off, &both), ["a pod with page's labels → shop:80 is open but not declared"]);
}

#[test]
fn values_extend_the_expected_connections() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut values = values();
        change(&mut values);
        found(&values, &release())
    };
    // The values allow connections that these policies do not allow.
    let metrics = with(&|values| values["global"]["metrics"]["enabled"] = true.into());
    assert!(
        metrics.iter().any(|one| one.starts_with("a pod in namespace monitoring → shop:9000 is declared but closed")),
        "{metrics:#?}"
    );
    let edge = with(&|values| values["page"]["exposure"]["via"] = "Ingress".into());
    assert!(
        edge.iter().any(|one| one.starts_with(
            "a pod of the controller in namespace edge in front of page → page:8080 is declared but closed"
        )),
        "{edge:#?}"
    );
    assert!(!edge.iter().any(|one| one.starts_with("a pod in namespace edge → page:8080")), "{edge:#?}");
    let anywhere = with(&|values| values["page"]["exposure"]["via"] = "NodePort".into());
    assert!(
        anywhere.iter().any(|one| one.starts_with("198.51.100.7 outside the cluster → page:8080 is declared")),
        "{anywhere:#?}"
    );
    let proxied = with(&|values| {
        let egress = json!([{ "to": [{ "ipBlock": { "cidr": "198.51.100.0/24" } }], "ports": [{ "port": 443 }] }]);
        let network = json!({ "egress": egress, "extraIngress": [{ "from": [{ "podSelector": {} }] }] });
        let authentication = json!({ "mode": "OAuth2Proxy", "network": network });
        values["page"]["exposure"] = json!({ "via": "Ingress", "authentication": authentication });
    });
    let says = |start: &str| proxied.iter().any(|one| one.starts_with(start));
    for declared in [
        "a pod of the controller in namespace edge in front of page → a pod with page-proxy's labels:4180 is declared but closed",
        "a pod with page-proxy's labels → page:8080 is declared but closed",
        "a pod with page-test's labels → a pod with page-proxy's labels:4180 is declared but closed",
        "a pod with page-proxy's labels → 198.51.100.7 outside the cluster:443 is declared but closed",
        "a pod without labels in the namespace → a pod with page-proxy's labels",
    ] {
        assert!(says(declared), "{declared}: {proxied:#?}");
    }
    // The controller reaches the proxy in place of the page.
    assert!(!says("a pod of the controller in namespace edge in front of page → page:8080"), "{proxied:#?}");
    let api = with(&|values| values["page"]["rbac"]["extraRules"] = json!([{}]));
    assert!(
        api.iter().any(|one| one.starts_with("page → 10.96.0.1 outside the cluster:443,6443 is declared")),
        "{api:#?}"
    );
    let traced = with(&|values| {
        let egress = json!([{ "to": [{ "ipBlock": { "cidr": "198.51.100.0/24" } }], "ports": [{ "port": 4318 }] }]);
        values["global"]["tracing"] = json!({ "enabled": true, "egress": egress });
    });
    assert!(
        traced.iter().any(|one| one.starts_with("shop → 198.51.100.7 outside the cluster:4318 is declared")),
        "{traced:#?}"
    );
    assert!(!traced.iter().any(|one| one.starts_with("page → 198")), "{traced:#?}");
    let extra = with(&|values| values["shop"]["network"]["extraIngress"] = json!([{ "ports": [{ "port": 7 }] }]));
    assert!(
        extra.iter().any(|one| one.starts_with("a pod without labels in the namespace → shop:7 is declared")),
        "{extra:#?}"
    );
}

#[test]
fn a_service_that_does_not_lead_to_the_server_is_reported() {
    let finding = "no Service leads to shop:80, to which page connects";
    broken("targetPort: http", "targetPort: gone", &[finding]);
    broken("selector: {part: shop}", "selector: {app.kubernetes.io/instance: afp}", &[finding]);
    broken("ports: [{port: 80, targetPort: http}]", "ports: [{port: 8000, targetPort: http}]", &[finding]);
}

/// The pods and policies of a release's tests while they run.
const TESTS: &str = r"---
kind: NetworkPolicy
metadata: {name: undeclared}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: undeclared}}
  policyTypes: [Ingress, Egress]
  egress:
    - to: [{podSelector: {matchLabels: {app.kubernetes.io/instance: afp}, matchExpressions: [{key: x/identity, operator: Exists}]}}]
---
kind: NetworkPolicy
metadata: {name: journey}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: journey}}
  policyTypes: [Ingress, Egress]
  egress:
    - to: [{podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: page}}}]
      ports: [{port: 8080}]
---
kind: NetworkPolicy
metadata: {name: journey-page}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: page}}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {matchLabels: {app.kubernetes.io/instance: afp, x/identity: journey}}}]
      ports: [{port: 8080}]
";

#[test]
fn test_pods_have_their_connections_only_while_tests_are_enabled() {
    let mut on = values();
    on["global"]["tests"] = json!({ "isolation": true, "endToEnd": true });
    let with_tests = release() + TESTS;
    assert_eq!(found(&on, &with_tests), [""; 0]);
    // With the tests disabled, the rules for test pods are reported.
    let off = found(&values(), &with_tests);
    assert!(off.contains(&"a pod with journey's labels → page:8080 is open but not declared".to_owned()), "{off:?}");
    assert!(
        off.iter().any(|one| one.starts_with("a pod with undeclared's labels → db:every port")
            && one.ends_with("only the other end closes it")),
        "{off:?}"
    );
    // The end-to-end test needs all of its services.
    on["shop"]["enabled"] = json!(false);
    let gone = found(&on, &with_tests);
    assert!(gone.contains(&"a pod with journey's labels → page:8080 is open but not declared".to_owned()), "{gone:?}");
}
