use std::fs;
use std::process::Command;

use owned_tree::{FOLDER, HandEdits};
use render::{NAMESPACE, Object};
use serde_json::{Value, json};
use vocabulary::{Platform, field_changed, object_removed};

use super::differences::differences;
use super::*;
use crate::Settings;

/// The objects of manifests in JSON.
fn objects_of(manifests: &[Value]) -> Vec<Object> {
    let text: Vec<_> = manifests.iter().map(Value::to_string).collect();
    objects(&text.join("\n---\n")).expect("objects")
}

fn object(version: &str, kind: &str, rest: Value) -> Value {
    let mut object =
        json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "afp-x", "namespace": NAMESPACE } });
    if let (Value::Object(object), Value::Object(rest)) = (&mut object, rest) {
        object.extend(rest);
    }
    object
}

/// The fields that the API server refuses to change from one object to the other.
fn refused(version: &str, kind: &str, old: Value, new: Value) -> Vec<String> {
    let (old, new) = (objects_of(&[object(version, kind, old)]), objects_of(&[object(version, kind, new)]));
    differences(&old, &new, "afp").iter().map(|found| found.told("v1.0.0")).collect()
}

#[track_caller]
fn immutable(version: &str, kind: &str, old: Value, new: Value, fields: &[&str]) {
    let found = refused(version, kind, old, new);
    let expected: Vec<_> = fields
        .iter()
        .map(|field| format!("{kind} afp-x has another {field} than in v1.0.0, which the API server refuses to change"))
        .collect();
    assert_eq!(found.iter().map(|one| one.lines().next().unwrap_or_default()).collect::<Vec<_>>(), expected);
}

#[test]
fn selectors_are_immutable() {
    let selector = |labels: Value, replicas: u32| json!({ "spec": { "replicas": replicas, "selector": { "matchLabels": labels } } });
    for kind in ["Deployment", "DaemonSet", "StatefulSet"] {
        let old = || selector(json!({ "app": "x" }), 1);
        immutable("apps/v1", kind, old(), selector(json!({ "app": "y" }), 1), &["spec.selector"]);
        immutable("apps/v1", kind, old(), selector(json!({ "app": "x", "version": "2" }), 1), &["spec.selector"]);
        immutable("apps/v1", kind, old(), selector(json!({ "app": "x" }), 3), &[]);
    }
    // A Service selects Pods by labels that can change.
    immutable(
        "v1",
        "Service",
        json!({ "spec": { "selector": { "a": "b" } } }),
        json!({ "spec": { "selector": {} } }),
        &[],
    );
}

#[test]
fn only_some_fields_of_a_stateful_set_can_change() {
    let spec = |rest: Value| {
        let mut spec = json!({ "serviceName": "afp-x-headless", "volumeClaimTemplates": [
            { "metadata": { "name": "data" }, "spec": { "resources": { "requests": { "storage": "1Gi" } } } }
        ] });
        spec.as_object_mut().expect("a map").extend(rest.as_object().expect("a map").clone());
        json!({ "spec": spec })
    };
    let template = |spec: Value| {
        json!({ "volumeClaimTemplates": [
            { "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "data" }, "spec": spec }
        ] })
    };
    let check = |rest: Value, fields: &[&str]| immutable("apps/v1", "StatefulSet", spec(json!({})), spec(rest), fields);
    check(json!({ "serviceName": "afp-x" }), &["spec.serviceName"]);
    check(json!({ "podManagementPolicy": "Parallel" }), &["spec.podManagementPolicy"]);
    check(template(json!({ "resources": { "requests": { "storage": "2Gi" } } })), &["spec.volumeClaimTemplates"]);
    check(
        template(json!({ "storageClassName": "fast", "resources": { "requests": { "storage": "1Gi" } } })),
        &["spec.volumeClaimTemplates"],
    );
    check(json!({ "volumeClaimTemplates": [] }), &["spec.volumeClaimTemplates"]);
    // The same in other words, and what can change.
    check(json!({ "podManagementPolicy": "OrderedReady" }), &[]);
    check(template(json!({ "volumeMode": "Filesystem", "resources": { "requests": { "storage": "1024Mi" } } })), &[]);
    check(
        json!({ "replicas": 3, "template": { "spec": {} }, "updateStrategy": { "type": "OnDelete" }, "revisionHistoryLimit": 3,
            "minReadySeconds": 5, "ordinals": { "start": 1 }, "persistentVolumeClaimRetentionPolicy": { "whenDeleted": "Retain" } }),
        &[],
    );
}

#[test]
fn a_job_keeps_its_template_unless_it_is_a_hook() {
    let job =
        |image: &str, retries: u32| json!({ "spec": { "backoffLimit": retries, "template": { "image": image } } });
    immutable("batch/v1", "Job", job("a", 1), job("b", 1), &["spec.template"]);
    immutable("batch/v1", "Job", job("a", 1), job("a", 2), &[]);
    let hook = |image: &str| {
        let mut hook = object("batch/v1", "Job", job(image, 1));
        hook["metadata"]["annotations"]["helm.sh/hook"] = json!("pre-upgrade");
        hook
    };
    assert_eq!(differences(&objects_of(&[hook("a")]), &objects_of(&[hook("b")]), "afp"), []);
}

#[test]
fn a_claim_can_only_grow() {
    let claim = |size: &str, class: &str| json!({ "spec": { "storageClassName": class, "resources": { "requests": { "storage": size } } } });
    let check = |new: Value, fields: &[&str]| immutable("v1", "PersistentVolumeClaim", claim("2Gi", "a"), new, fields);
    check(claim("3Gi", "a"), &[]);
    check(claim("2048Mi", "a"), &[]);
    check(claim("1Gi", "a"), &["spec.resources"]);
    check(claim("2Gi", "b"), &["spec.storageClassName"]);
    check(claim("3Gi", "b"), &["spec.storageClassName"]);
}

#[test]
fn a_service_stays_headless_or_not() {
    let service = |spec: Value| json!({ "spec": spec });
    let check =
        |old: Value, new: Value, fields: &[&str]| immutable("v1", "Service", service(old), service(new), fields);
    check(json!({}), json!({ "clusterIP": "None" }), &["spec.clusterIP"]);
    check(json!({ "clusterIP": "None" }), json!({}), &["spec.clusterIP"]);
    check(json!({ "clusterIP": "" }), json!({ "type": "NodePort" }), &[]);
    check(json!({ "ipFamilies": ["IPv4"] }), json!({ "ipFamilies": ["IPv4", "IPv6"] }), &[]);
    check(json!({ "ipFamilies": ["IPv4"] }), json!({ "ipFamilies": ["IPv6", "IPv4"] }), &["spec.ipFamilies"]);
    check(json!({ "clusterIP": "None" }), json!({ "type": "ExternalName", "externalName": "x" }), &[]);
}

#[test]
fn other_constants_stay() {
    let binding = |role: &str| json!({ "roleRef": { "name": role } });
    for kind in ["RoleBinding", "ClusterRoleBinding"] {
        immutable("rbac.authorization.k8s.io/v1", kind, binding("a"), binding("b"), &["roleRef"]);
    }
    let constant = |text: &str, immutable: bool| json!({ "immutable": immutable, "data": { "x": text } });
    for kind in ["ConfigMap", "Secret"] {
        immutable("v1", kind, constant("a", true), constant("b", true), &["data"]);
        immutable("v1", kind, constant("a", true), constant("a", false), &["immutable"]);
        immutable("v1", kind, constant("a", false), constant("b", true), &[]);
    }
    let secret = |kind: &str| json!({ "type": kind });
    immutable("v1", "Secret", secret("Opaque"), secret("kubernetes.io/tls"), &["type"]);
    immutable("v1", "Secret", json!({}), secret("Opaque"), &[]);
    let database = |name: &str| json!({ "spec": { "name": name, "owner": name } });
    immutable("postgresql.cnpg.io/v1", "Database", database("a"), database("b"), &["spec.name"]);
    // Another version of the group is the same object; another group is another one.
    let job = |image: &str| json!({ "spec": { "template": image } });
    let old = objects_of(&[object("batch/v1", "Job", job("a"))]);
    assert_eq!(differences(&old, &objects_of(&[object("batch/v2", "Job", job("b"))]), "afp").len(), 1);
    assert_eq!(differences(&old, &objects_of(&[object("batch.example.org/v1", "Job", job("b"))]), "afp"), []);
}

#[test]
fn an_object_with_data_stays() {
    let kept = json!({ "metadata": { "name": "afp-x", "annotations": { "helm.sh/resource-policy": "keep" } } });
    for (version, kind, is_lost) in [
        ("v1", "PersistentVolumeClaim", true),
        ("apps/v1", "StatefulSet", true),
        ("postgresql.cnpg.io/v1", "Cluster", true),
        ("rabbitmq.com/v1beta1", "RabbitmqCluster", true),
        ("apps/v1", "Deployment", false),
        ("v1", "ConfigMap", false),
    ] {
        let found = differences(&objects_of(&[object(version, kind, json!({}))]), &[], "afp");
        assert_eq!(found.len(), usize::from(is_lost), "{kind}");
        assert_eq!(differences(&objects_of(&[object(version, kind, kept.clone())]), &[], "afp"), [], "{kind}");
    }
}

/// A git repository with the chart of the second platform.
struct Repository(tempfile::TempDir);

/// The cases that the tests compare.
const CASES: [&str; 3] = ["defaults", "live", "placed"];

impl Repository {
    /// The chart of the second platform in a commit with this tag, after which there is another commit.
    fn released(tag: &str) -> Self {
        Self::changed_before(tag, |_| {})
    }

    /// As [`Self::released`], with changes of the released files.
    fn changed_before(tag: &str, change: impl Fn(&Utf8Path)) -> Self {
        let repository = Self(tempfile::tempdir().expect("a folder"));
        repository.git(&["init", "--quiet"]);
        let wanted = generator::generate(&platform(&[])).into_files();
        owned_tree::write_tree(&repository.folder(), &wanted, HandEdits::Keep).expect("the chart");
        change(&repository.folder());
        repository.commit();
        repository.git(&["tag", tag]);
        fs::remove_dir_all(repository.folder()).expect("the folder of the charts");
        owned_tree::write_tree(&repository.folder(), &wanted, HandEdits::Keep).expect("the chart");
        fs::write(repository.root().join("README.md"), "x").expect("a file");
        repository.commit();
        repository
    }

    fn root(&self) -> &Utf8Path {
        Utf8Path::from_path(self.0.path()).expect("UTF-8")
    }

    fn folder(&self) -> Utf8PathBuf {
        self.root().join(FOLDER)
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "A change"]);
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]);
        git.args(["-c", "tag.gpgsign=false"]).args(arguments).current_dir(self.root());
        let output = git.output().expect("git");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Replaces a text in a file of the charts that has it.
    #[track_caller]
    fn replace(&self, path: &str, from: &str, to: &str) {
        let path = self.folder().join(path);
        let text = fs::read_to_string(&path).expect("a file of the chart");
        assert!(text.contains(from), "{path} has no {from}");
        fs::write(&path, text.replace(from, to)).expect("a file");
    }

    fn outcome(&self, notes: &[MigrationNote]) -> Outcome {
        outcome(self.root(), notes, false)
    }
}

/// The second platform with these notes on version 1.5.0.
fn platform(notes: &[MigrationNote]) -> vocabulary::Resolved {
    let earlier = |version: &EarlierVersion| EarlierVersion {
        migrations: if version.version.as_str() == "1.5.0" { notes.to_vec().leak() } else { &[] },
        ..*version
    };
    let earlier: Vec<_> = second_platform::EARLIER.iter().map(earlier).collect();
    let platform = Platform { earlier_versions: earlier.leak(), ..second_platform::platform() };
    platform.resolve().expect("the platform has no mistake")
}

fn outcome(root: &Utf8Path, notes: &[MigrationNote], strict: bool) -> Outcome {
    let settings = Settings { strict, ..Settings::default() };
    let mut context = VerifyContext::new(root, &platform(notes), &settings).expect("a context");
    context.cases.retain(|case| CASES.contains(&case.name.as_str()));
    upgrade(&context).expect("an outcome")
}

const STATEFUL_SET: &str = "shop-floor/charts/orders-broker/templates/statefulset.yaml";

#[test]
fn the_same_chart_can_be_upgraded() {
    let outcome = Repository::released("v1.5.0").outcome(&[]);
    assert_eq!((&outcome.wrong, &outcome.notes), (&Vec::new(), &Vec::new()));
    assert!(outcome.summary.ends_with(" objects in 3 cases of v1.5.0"), "{}", outcome.summary);
    let objects: usize = outcome.summary.split(' ').next().and_then(|number| number.parse().ok()).expect("a number");
    assert!(objects > 60, "{objects}");
}

#[test]
fn an_immutable_field_needs_a_note() {
    let repository = Repository::released("v1.5.0");
    repository.replace(STATEFUL_SET, "serviceName: ", "serviceName: a-");
    let outcome = repository.outcome(&[]);
    let problem = "StatefulSet afp-orders-broker has another spec.serviceName than in v1.5.0, which the API server refuses to change\n  \
         Undo the change, or say in `earlier_versions` what an installer does: EarlierVersion::new(\"1.5.0\", …)\
         .migrations(&[field_changed(\"StatefulSet\", \"orders-broker\", \"spec.serviceName\", \"…\")]) (in every case)";
    assert_eq!(outcome.wrong, [problem]);

    let note = || field_changed("StatefulSet", "orders-broker", "spec.serviceName", "Delete it without its Pods.");
    assert_eq!(repository.outcome(&[note()]).wrong, [""; 0]);
    // A note on another field leaves the change undeclared, and has no change.
    let other = field_changed("StatefulSet", "orders-broker", "spec.selector", "Delete it without its Pods.");
    let outcome = repository.outcome(&[other]);
    assert_eq!(outcome.wrong.len(), 2, "{:?}", outcome.wrong);
    assert_eq!(outcome.wrong[0], problem);
    let idle =
        "spec.selector of StatefulSet <release>-orders-broker does not differ from v1.5.0, but the migration note at ";
    assert!(outcome.wrong[1].starts_with(idle), "{}", outcome.wrong[1]);
    // The change is there, and a second note is not needed.
    let gone = object_removed("StatefulSet", "orders-broker", "Dump it.");
    let outcome = repository.outcome(&[note(), gone]);
    assert!(
        outcome.wrong[0].starts_with("StatefulSet <release>-orders-broker is not one that v1.5.0 has"),
        "{outcome:?}"
    );
}

#[test]
fn an_object_that_is_gone_needs_a_note() {
    let repository = Repository::released("v1.5.0");
    fs::write(repository.folder().join(STATEFUL_SET), "").expect("a file");
    let outcome = repository.outcome(&[]);
    assert_eq!(outcome.wrong.len(), 1, "{:?}", outcome.wrong);
    assert!(outcome.wrong[0].starts_with("StatefulSet afp-orders-broker of v1.5.0 is gone, and with it the data"));
    let note = object_removed("StatefulSet", "orders-broker", "Consume its messages first.");
    assert_eq!(repository.outcome(&[note]).wrong, [""; 0]);
}

#[test]
fn a_default_that_becomes_an_immutable_field_needs_a_note() {
    let repository = Repository::released("v1.5.0");
    let values = fs::read_to_string(repository.folder().join("shop-floor/values.yaml")).expect("values");
    let size = values.lines().find(|line| line.starts_with("    size: ")).expect("a size").to_owned();
    repository.replace("shop-floor/values.yaml", &size, "    size: 777Gi");
    let found = repository.outcome(&[]).wrong;
    assert!(found.iter().any(|one| one.contains("has another spec.volumeClaimTemplates")), "{found:?}");
}

#[test]
fn a_case_that_the_release_does_not_accept_is_named() {
    let repository = Repository::changed_before("v1.5.0", |folder| {
        fs::remove_file(folder.join("environments/values-live.yaml")).expect("an overlay");
        fs::write(folder.join("environments/values-former.yaml"), "{}").expect("an overlay");
        let refusal = "{{ if .Values.shop.nodeSelector }}{{ fail \"shop.nodeSelector is unknown\" }}{{ end }}";
        fs::write(folder.join("shop-floor/templates/refusal.yaml"), refusal).expect("a template");
    });
    let outcome = repository.outcome(&[]);
    assert_eq!(outcome.wrong, [""; 0]);
    assert!(outcome.summary.ends_with(" in 1 cases of v1.5.0"), "{}", outcome.summary);
    assert_eq!(outcome.notes.len(), 3, "{:?}", outcome.notes);
    let [rejected, lacking, gone] = [0, 1, 2].map(|number: usize| outcome.notes[number].as_str());
    assert!(rejected.starts_with("not compared: the chart of v1.5.0 rejects the values: "), "{rejected}");
    assert!(rejected.ends_with("shop.nodeSelector is unknown (in placed)"), "{rejected}");
    assert_eq!(lacking, "not compared: v1.5.0 has no environments/values-live.yaml (in live)");
    assert_eq!(gone, "not compared: environments/values-former.yaml, which only v1.5.0 has");

    let nothing = Repository::changed_before("v1.5.0", |folder| {
        fs::write(folder.join("shop-floor/templates/refusal.yaml"), "{{ fail \"no\" }}").expect("a template");
    });
    let wrong = nothing.outcome(&[]).wrong;
    assert_eq!(wrong, ["no case renders with the chart of v1.5.0, so nothing was compared"]);
}

#[test]
fn without_a_release_nothing_is_compared() {
    // The tag of the commit itself is the release that is being made.
    let repository = Repository::released("no-version");
    repository.git(&["tag", "v2.0.0"]);
    let note = field_changed("StatefulSet", "orders-broker", "spec.serviceName", "Delete it without its Pods.");
    let outcome = repository.outcome(&[note]);
    assert_eq!(outcome.summary, "nothing compared: no commit before this one has the tag of a version, such as v1.0.0");
    assert_eq!(outcome.wrong, [""; 0]);
    assert_eq!(outcome.notes, ["the migration notes of version 1.5.0 are not checked"]);

    let reinstalled = Repository::released("v1.0.0").outcome(&[]);
    assert_eq!(reinstalled.summary, "nothing compared: a release of v1.0.0 is reinstalled, not upgraded");
    assert_eq!(reinstalled.wrong, [""; 0]);

    let elsewhere = Repository::changed_before("v1.5.0", |folder| {
        fs::rename(folder, folder.with_file_name("charts")).expect("another folder");
        fs::create_dir(folder).expect("a folder");
    });
    assert_eq!(elsewhere.outcome(&[]).summary, "nothing compared: the commit of v1.5.0 has no folder generated-chart");
}

#[test]
fn notes_are_on_a_version_that_was_released() {
    let repository = Repository::released("v1.4.0");
    repository.git(&["tag", "v1.3.9", "v1.4.0"]);
    let note = field_changed("StatefulSet", "orders-broker", "spec.serviceName", "Delete it without its Pods.");
    let wrong = repository.outcome(&[note]).wrong;
    assert!(wrong[0].starts_with("version 1.5.0 has migration notes, but the last release is v1.4.0"), "{wrong:?}");
    assert_eq!(wrong.len(), 1);
    // Notes of a version before the last release are history.
    let later = Repository::released("v1.6.0");
    assert_eq!(later.outcome(&[note]).wrong, [""; 0]);
}

#[test]
fn a_history_that_is_cut_off_is_an_error_where_nothing_may_be_left_out() {
    let repository = Repository::released("v1.5.0");
    let clone = tempfile::tempdir().expect("a folder");
    let clone = Utf8Path::from_path(clone.path()).expect("UTF-8");
    let source = format!("file://{}", repository.root());
    repository.git(&["clone", "--quiet", "--depth", "1", &source, clone.as_str()]);
    let nowhere = tempfile::tempdir().expect("a folder");
    let nowhere = Utf8Path::from_path(nowhere.path()).expect("UTF-8");
    for (root, why) in [(clone, "in GitHub Actions set `fetch-depth: 0`"), (nowhere, "is in no work tree of git")] {
        let (lenient, strict) = (outcome(root, &[], false), outcome(root, &[], true));
        assert!(lenient.wrong.is_empty() && lenient.notes[0].contains(why), "{lenient:?}");
        assert!(strict.wrong[0].contains(why), "{strict:?}");
    }
}
