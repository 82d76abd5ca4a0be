//! The real kubeconform with the converted schemas of the oldest and the newest pinned Kubernetes. The first run downloads
//! modules and builds kubeconform.

mod common;

use std::fs;

use camino::Utf8PathBuf;
use common::pinned;
use serde_json::Value;
use tools::{KUBERNETES_VERSIONS, KubeconformReport, KubernetesVersion, ResourceReport, Verdict};

const OLDEST_AND_NEWEST: [KubernetesVersion; 2] = [KubernetesVersion::V1_34, KubernetesVersion::V1_37];

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}, creationTimestamp: null}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: example/web:1
          resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 1, memory: 1.5Gi}}
          readinessProbe: {httpGet: {path: /, port: http}}
          ports: [{name: http, containerPort: 8080}]
          env: [{name: A, value: null}]
";

const SERVICE: &str = "
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80, targetPort: http}, {name: other, port: 81, targetPort: 8080}]}
";

const ROUTE: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: gateway}]
  hostnames: [example.org]
  rules:
    - matches: [{path: {type: PathPrefix, value: /}}]
      backendRefs: [{name: web, port: 80}]
";

fn kubeconform(version: KubernetesVersion, manifests: &str) -> KubeconformReport {
    let (toolbox, _folder) = pinned();
    toolbox.kubeconform(version, &[], manifests).expect("a report")
}

/// The result for one object, which must be the same with both versions.
fn verdict(manifest: &str) -> String {
    let [oldest, newest] = OLDEST_AND_NEWEST.map(|version| {
        let report = kubeconform(version, manifest);
        assert_eq!(report.resources.len(), 1, "{report:?}");
        let resource = &report.resources[0];
        assert_eq!(report.is_valid(), resource.verdict == Verdict::Valid);
        resource.to_string()
    });
    assert_eq!(oldest, newest);
    newest
}

/// Like [`verdict`], after replacing a text that must occur.
fn changed(manifest: &str, from: &str, to: &str) -> String {
    assert!(manifest.contains(from), "{from}");
    verdict(&manifest.replace(from, to))
}

#[test]
fn valid_objects_pass() {
    assert_eq!(verdict(DEPLOYMENT), "apps/v1 Deployment web: valid");
    assert_eq!(verdict(SERVICE), "v1 Service web: valid");
    assert_eq!(verdict(ROUTE), "gateway.networking.k8s.io/v1 HTTPRoute web: valid");
    assert_eq!(changed(DEPLOYMENT, "cpu: 1,", "cpu: 0.5,"), "apps/v1 Deployment web: valid");
}

#[test]
fn a_misspelt_field_is_reported_with_its_path_at_any_depth() {
    assert_eq!(
        changed(DEPLOYMENT, "readinessProbe: {httpGet", "readinessProbe: {httpget"),
        "apps/v1 Deployment web: at /spec/template/spec/containers/0/readinessProbe: \
         additional properties 'httpget' not allowed"
    );
    assert_eq!(
        changed(DEPLOYMENT, "replicas:", "replica:"),
        "apps/v1 Deployment web: at /spec: additional properties 'replica' not allowed"
    );
    assert_eq!(
        changed(ROUTE, "backendRefs:", "backendRef:"),
        "gateway.networking.k8s.io/v1 HTTPRoute web: at /spec/rules/0: additional properties 'backendRef' not allowed"
    );
    assert_eq!(
        changed(ROUTE, "{name: web}", "{name: web, label: {}}"),
        "gateway.networking.k8s.io/v1 HTTPRoute web: at /metadata: additional properties 'label' not allowed"
    );
    assert_eq!(changed(SERVICE, "spec:", "specs:"), "v1 Service web: at /: additional properties 'specs' not allowed");
}

#[test]
fn a_wrong_type_is_reported_with_its_path() {
    assert_eq!(
        changed(DEPLOYMENT, "replicas: 2", "replicas: two"),
        "apps/v1 Deployment web: at /spec/replicas: got string, want null or integer"
    );
    assert_eq!(
        changed(DEPLOYMENT, "value: null", "value: true"),
        "apps/v1 Deployment web: at /spec/template/spec/containers/0/env/0/value: got boolean, want null or string"
    );
    assert!(changed(DEPLOYMENT, "64Mi", "64MB").contains("/resources/requests/memory: '64MB' does not match pattern"));
    assert!(changed(ROUTE, "PathPrefix", "Prefix").contains("/spec/rules/0/matches/0/path/type: value must be one of"));
}

#[test]
fn all_violations_are_reported() {
    let manifest = DEPLOYMENT.replace("replicas: 2", "replicas: two").replace("image:", "imagee:");
    assert_eq!(
        changed(&manifest, "limits: {cpu: 1", "limits: {cpu: true"),
        "apps/v1 Deployment web: \
         at /spec/replicas: got string, want null or integer; \
         at /spec/template/spec/containers/0: additional properties 'imagee' not allowed; \
         at /spec/template/spec/containers/0/resources/limits/cpu: got boolean, want null or number or string"
    );
}

/// In the Gateway API, the default of the address type decides between alternatives.
#[test]
fn a_field_with_a_default_may_be_absent() {
    let gateway = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec:
  gatewayClassName: any
  addresses: [{value: 192.0.2.1}]
  listeners: [{name: http, port: 80, protocol: HTTP}]
";
    assert_eq!(verdict(gateway), "gateway.networking.k8s.io/v1 Gateway web: valid");
}

#[test]
fn the_toolbox_of_the_environment_gives_the_same_result() {
    let manifests = format!("{DEPLOYMENT}---{SERVICE}---{ROUTE}");
    let report = tools::kubeconform(KubernetesVersion::V1_35, &manifests).expect("a report");
    assert!(report.is_valid(), "{report:?}");
    assert_eq!(report.resources.len(), 3);
}

#[test]
fn required_fields_must_be_present() {
    assert!(changed(DEPLOYMENT, "name: web\n", "tty: true\n").contains("missing property 'name'"));
    assert!(changed(SERVICE, "port: 80,", "port: null,").contains("at /spec/ports/0/port: got null, want integer"));
}

#[test]
fn an_unknown_kind_is_never_skipped() {
    for (kind, api_version) in [("Deploymint", "apps/v1"), ("Deployment", "apps/v2"), ("Service", "example.com/v1")] {
        let manifest = format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: web}}\n");
        let report = kubeconform(KubernetesVersion::V1_37, &manifest);
        let (api_version, kind, name) = (api_version.to_owned(), kind.to_owned(), "web".to_owned());
        assert_eq!(report.resources, [ResourceReport { api_version, kind, name, verdict: Verdict::NoSchema }]);
        assert!(!report.is_valid());
    }
    // kubeconform selects the file by `apps`; the schema restricts the whole group.
    let other = changed(DEPLOYMENT, "apps/v1", "apps.example.com/v1");
    assert!(other.contains("at /apiVersion: value must be 'apps/v1'"), "{other}");
}

#[test]
fn documents_are_reported_in_order_and_unreadable_ones_too() {
    let manifests =
        format!("---\n# only a comment\n---{SERVICE}---\na: 1\na: 2\n---{ROUTE}---\nmetadata: {{name: x}}\n---\n");
    let report = kubeconform(KubernetesVersion::V1_36, &manifests);
    let lines: Vec<String> = report.resources.iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert_eq!(lines[0], "v1 Service web: valid");
    assert!(lines[1].starts_with("a document: error unmarshalling resource: "), "{lines:#?}");
    assert_eq!(lines[2], "gateway.networking.k8s.io/v1 HTTPRoute web: valid");
    assert!(lines[3].contains("missing 'kind' key"), "{lines:#?}");
    assert_eq!(report.failures().count(), 2);
    assert!(kubeconform(KubernetesVersion::V1_36, "").resources.is_empty());
}

#[test]
fn megabytes_of_manifests_are_validated_completely() {
    let documents: Vec<String> = (0..9000).map(|number| SERVICE.replace("web", &format!("web-{number}"))).collect();
    let many = format!("---{}", documents.join("---"));
    assert!(many.len() > 1_000_000);
    let padding = format!("---{SERVICE}# {}\n", "x".repeat(5_000_000));
    let report = kubeconform(KubernetesVersion::V1_37, &format!("{many}{padding}{many}"));
    assert!(report.is_valid());
    assert_eq!(report.resources.len(), 18_001);
    assert_eq!(report.resources[8_999].name, "web-8999");
}

/// kubeconform treats an unreadable schema like a missing one, so this test validates an object with each schema.
#[test]
fn kubeconform_can_read_every_schema() {
    let (toolbox, _folder) = pinned();
    for version in KUBERNETES_VERSIONS {
        let folder =
            toolbox.kubernetes_schemas(version).expect("schemas").join(format!("v{version}-standalone-strict"));
        let crds = toolbox.crd_schemas().expect("schemas");
        let groups = crds.read_dir_utf8().expect("a folder").map(|group| group.expect("an entry").into_path());
        let files: Vec<Utf8PathBuf> = std::iter::once(folder)
            .chain(groups)
            .flat_map(|folder| folder.read_dir_utf8().expect("a folder"))
            .map(|file| file.expect("an entry").into_path())
            .collect();
        assert!(files.len() > 100, "{}", files.len());
        let manifests: Vec<String> = files
            .iter()
            .map(|file| {
                let schema: Value = serde_json::from_str(&fs::read_to_string(file).expect("a file")).expect("JSON");
                let value = |key: &str| schema["properties"][key]["enum"][0].clone();
                format!("apiVersion: {}\nkind: {}\nmetadata: {{name: x}}\n", value("apiVersion"), value("kind"))
            })
            .collect();
        let report = kubeconform(version, &manifests.join("---\n"));
        assert_eq!(report.resources.len(), files.len());
        for resource in &report.resources {
            assert!(matches!(resource.verdict, Verdict::Valid | Verdict::Invalid(_)), "{resource}");
        }
    }
}

#[test]
fn a_definition_of_two_releases_differs_in_its_fields() {
    let tools::UpgradedDefinition { older, newer } = tools::upgraded_definition().expect("the modules can be had");
    assert!([&older, &newer].iter().all(|text| text.contains("name: schedules.velero.io")));
    let field = "volumeGroupSnapshotLabelKey";
    assert!(
        newer.contains(field) && !older.contains(field),
        "the scenario `gitops` needs a field of the newer one alone"
    );
}
