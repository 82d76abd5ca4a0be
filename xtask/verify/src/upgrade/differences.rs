//! The changes of objects that the API server refuses, or with which data is lost.

use render::Object;
use serde_json::{Map, Value, json};
use vocabulary::{MigrationNote, ObjectChange, Quantity};

/// A change of an object that needs a migration note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    kind: String,
    name: String,
    /// The name behind `<release>-`.
    object: String,
    /// The path of an immutable field; none if the object is gone.
    field: Option<String>,
}

impl Difference {
    /// Whether a note is about this change.
    pub(super) fn is_of(&self, note: &MigrationNote) -> bool {
        let field = match note.change {
            ObjectChange::Field(path) => Some(path),
            ObjectChange::Removed => None,
        };
        self.kind == note.kind && self.object == note.object && self.field.as_deref() == field
    }

    /// The finding, with a note to declare.
    pub(super) fn told(&self, tag: &str) -> String {
        let Self { kind, name, object, field } = self;
        let version = tag.trim_start_matches('v');
        let (problem, remedy, note) = match field {
            Some(field) => (
                format!("{kind} {name} has another {field} than in {tag}, which the API server refuses to change"),
                "Undo the change",
                format!(r#"field_changed("{kind}", "{object}", "{field}", "…")"#),
            ),
            None => (
                format!("{kind} {name} of {tag} is gone, and with it the data"),
                "Keep the object",
                format!(r#"object_removed("{kind}", "{object}", "…")"#),
            ),
        };
        format!(
            "{problem}\n  {remedy}, or say in `earlier_versions` what an installer does: EarlierVersion::new(\"{version}\", …).migrations(&[{note}])"
        )
    }
}

/// The differences between the objects of a release and those after an upgrade. Hooks are left out: Helm deletes one before it creates the next.
pub(super) fn differences(old: &[Object], new: &[Object], release: &str) -> Vec<Difference> {
    let mut found = Vec::new();
    for before in old.iter().filter(|object| !is_hook(object)) {
        let difference = |field: Option<String>| Difference {
            kind: before.kind.clone(),
            name: before.name.clone(),
            object: before.name.strip_prefix(&format!("{release}-")).unwrap_or(&before.name).to_owned(),
            field,
        };
        match new.iter().find(|after| identity(after) == identity(before)) {
            Some(after) => {
                let fields = immutable_fields(before, &after.value);
                found.extend(fields.into_iter().map(|field| difference(Some(field))));
            }
            None if holds_data(before) && !is_kept(before) => found.push(difference(None)),
            None => {}
        }
    }
    found
}

/// By what the API server knows an object: group, kind, namespace and name. The version of the group can change.
fn identity(object: &Object) -> (&str, &str, &str, &str) {
    let namespace = object.value["metadata"]["namespace"].as_str().unwrap_or_default();
    (group(&object.value), &object.kind, namespace, &object.name)
}

fn group(value: &Value) -> &str {
    let version = value["apiVersion"].as_str().unwrap_or_default();
    version.split_once('/').map_or("", |(group, _)| group)
}

fn annotation<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.value["metadata"]["annotations"][name].as_str()
}

fn is_hook(object: &Object) -> bool {
    annotation(object, "helm.sh/hook").is_some()
}

/// Whether Helm leaves the object in the cluster.
fn is_kept(object: &Object) -> bool {
    annotation(object, "helm.sh/resource-policy") == Some("keep")
}

/// The kinds whose objects hold data. The claims of a StatefulSet stay, but no Pod uses them; the operators delete those of their clusters.
fn holds_data(object: &Object) -> bool {
    matches!(
        (group(&object.value), object.kind.as_str()),
        ("", "PersistentVolumeClaim")
            | ("apps", "StatefulSet")
            | ("postgresql.cnpg.io", "Cluster")
            | ("rabbitmq.com", "RabbitmqCluster")
    )
}

/// The immutable fields of a kind that differ.
fn immutable_fields(old: &Object, new: &Value) -> Vec<String> {
    let kind = (group(&old.value), old.kind.as_str());
    let old = &old.value;
    let paths: &[&str] = match kind {
        ("apps", "Deployment" | "DaemonSet" | "ReplicaSet") => &["spec.selector"],
        ("apps", "StatefulSet") => return all_but(&stateful_set(old), &stateful_set(new), STATEFUL_SET),
        ("batch", "Job") => return all_but(&job(old), &job(new), JOB),
        ("", "PersistentVolumeClaim") => return all_but(&claim(old, old), &claim(new, old), CLAIM),
        ("", "Service") => return service(old, new),
        ("", "ConfigMap" | "Secret") => return constant(old, new),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => &["roleRef"],
        ("scheduling.k8s.io", "PriorityClass") => &["value", "preemptionPolicy"],
        ("storage.k8s.io", "StorageClass") => &["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"],
        ("networking.k8s.io", "IngressClass") => &["spec.controller"],
        // Rules `self == oldSelf` of the definitions.
        ("postgresql.cnpg.io", "Cluster") => &["spec.serviceAccountName"],
        ("postgresql.cnpg.io", "Database") => DATABASE,
        ("postgresql.cnpg.io", "DatabaseRole") => &["spec.name", "spec.cluster"],
        ("postgresql.cnpg.io", "ScheduledBackup") => &["spec.cluster"],
        _ => &[],
    };
    let differs = |path: &&&str| at(old, path) != at(new, path);
    paths.iter().filter(differs).map(|path| (*path).to_owned()).collect()
}

const DATABASE: &[&str] = &[
    "spec.name",
    "spec.cluster",
    "spec.template",
    "spec.encoding",
    "spec.locale",
    "spec.localeProvider",
    "spec.localeCType",
    "spec.localeCollate",
    "spec.icuLocale",
    "spec.icuRules",
    "spec.builtinLocale",
    "spec.collationVersion",
];

fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(value, |value, key| &value[key])
}

/// The fields of the spec of a StatefulSet that can change.
const STATEFUL_SET: &[&str] = &[
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

/// The fields of the spec of a Job that can change. The number of completions can in an indexed Job only.
const JOB: &[&str] = &["parallelism", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "suspend"];

/// The fields of the spec of a claim that can change.
const CLAIM: &[&str] = &["volumeAttributesClassName"];

/// The fields of two specs that differ, but those that can change.
fn all_but(old: &Value, new: &Value, mutable: &[&str]) -> Vec<String> {
    let keys = |spec: &Value| spec.as_object().map_or_else(Vec::new, |map| map.keys().cloned().collect());
    let mut all: Vec<String> = keys(old);
    all.extend(keys(new).into_iter().filter(|key| old.get(key).is_none()));
    all.retain(|key| !mutable.contains(&key.as_str()) && old[key.as_str()] != new[key.as_str()]);
    all.into_iter().map(|key| format!("spec.{key}")).collect()
}

/// A spec with the defaults of the API server, so that writing one out is no change.
fn with_defaults(spec: &Value, defaults: &[(&str, &str)]) -> Value {
    let mut spec = if spec.is_object() { spec.clone() } else { json!({}) };
    for (key, default) in defaults {
        if spec[*key].is_null() {
            spec[*key] = json!(default);
        }
    }
    spec
}

fn stateful_set(object: &Value) -> Value {
    let mut spec = with_defaults(&object["spec"], &[("podManagementPolicy", "OrderedReady")]);
    for template in spec["volumeClaimTemplates"].as_array_mut().into_iter().flatten() {
        let normal = storage_in_thousandths(&with_defaults(&template["spec"], &[("volumeMode", "Filesystem")]));
        // The API server adds kind and version to a template that lacks them.
        *template = json!({ "metadata": template["metadata"], "spec": normal });
    }
    spec
}

fn job(object: &Value) -> Value {
    with_defaults(&object["spec"], &[("completionMode", "NonIndexed"), ("podReplacementPolicy", "TerminatingOrFailed")])
}

/// The spec of a claim, with the size of an older one if it grows: a storage class can allow that.
fn claim(object: &Value, old: &Value) -> Value {
    let size = |value: &Value| storage(&value["spec"]);
    let mut spec = storage_in_thousandths(&with_defaults(&object["spec"], &[("volumeMode", "Filesystem")]));
    if let (Some(size), Some(before)) = (size(object), size(old))
        && size > before
    {
        spec["resources"]["requests"]["storage"] = json!(before.to_string());
    }
    spec
}

/// The size that the spec of a claim asks for, in thousandths of a byte.
fn storage(spec: &Value) -> Option<u128> {
    let text = match &spec["resources"]["requests"]["storage"] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Quantity::checked(text.leak()).ok().map(Quantity::thousandths)
}

/// Equal sizes have equal texts: `1Gi` is `1024Mi`.
fn storage_in_thousandths(spec: &Value) -> Value {
    let mut spec = spec.clone();
    if let Some(size) = storage(&spec) {
        spec["resources"]["requests"]["storage"] = json!(size.to_string());
    }
    spec
}

/// A Service keeps its address, so it neither becomes headless nor ceases to be.
fn service(old: &Value, new: &Value) -> Vec<String> {
    let is_alias = |service: &Value| service["spec"]["type"] == "ExternalName";
    if is_alias(old) || is_alias(new) {
        return Vec::new();
    }
    let paths = ["clusterIP", "ipFamilies"];
    // Of the families, the first one stays.
    let value = |service: &Value, key: &str| match &service["spec"][key] {
        Value::Array(families) => families.first().cloned().unwrap_or_default(),
        Value::String(text) if text.is_empty() => Value::Null,
        other => other.clone(),
    };
    let differs = |key: &&str| value(old, key) != value(new, key);
    paths.into_iter().filter(differs).map(|key| format!("spec.{key}")).collect()
}

/// The data of an immutable ConfigMap or Secret, and the type of a Secret.
fn constant(old: &Value, new: &Value) -> Vec<String> {
    let kind = |object: &Value| object["type"].as_str().unwrap_or("Opaque").to_owned();
    let mut found = Vec::new();
    if kind(old) != kind(new) {
        found.push("type".to_owned());
    }
    if old["immutable"] == true {
        let empty = Value::Object(Map::new());
        let data = |object: &Value, key: &str| if object[key].is_null() { empty.clone() } else { object[key].clone() };
        let keys = ["data", "binaryData", "stringData"];
        found.extend(keys.into_iter().filter(|key| data(old, key) != data(new, key)).map(str::to_owned));
        if new["immutable"] != true {
            found.push("immutable".to_owned());
        }
    }
    found
}
