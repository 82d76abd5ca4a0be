//! Values of credentials and their sources.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;
use vocabulary::SecretSource;

use super::kubernetes;
use super::rules::{SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY};
use super::tree::{Entry, Section};
use crate::graph::{Credential, CredentialUser};

/// How pods receive credentials.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Secrets {
    /// Source of the Secrets. `inline`: the chart creates them from the passwords in the values. `external`: the External Secrets
    /// operator creates them from a store. `existing`: they exist before the installation.
    mode: SecretMode,
    store: Store,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum SecretMode {
    Inline,
    External,
    #[expect(dead_code, reason = "not a default; an installer can select it")]
    Existing,
}

/// Store that `external` reads. Without a name, the chart creates its own store from the passwords in the values.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Store {
    /// Kind of the store.
    kind: StoreKind,
    /// Name of the store. Empty selects the chart's own store.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    name: String,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
enum StoreKind {
    SecretStore,
    ClusterSecretStore,
}

impl Secrets {
    /// The mode `external`, with the store of an environment.
    pub(super) fn external(source: SecretSource) -> Self {
        let (kind, name) = match source {
            SecretSource::Values => (StoreKind::SecretStore, ""),
            SecretSource::Store(name) => (StoreKind::SecretStore, name.as_str()),
            SecretSource::ClusterStore(name) => (StoreKind::ClusterSecretStore, name.as_str()),
        };
        Self { mode: SecretMode::External, store: Store { kind, name: name.to_owned() } }
    }

    pub(super) fn inline() -> Self {
        Self { mode: SecretMode::Inline, store: Store { kind: StoreKind::SecretStore, name: String::new() } }
    }
}

/// Values of one credential.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CredentialValues {
    /// Increase by one to replace the credential. The old and the new login both exist until no pod uses the old one.
    #[schemars(range(min = 1, max = 9999))]
    revision: u16,
    remote_ref: RemoteRef,
}

/// Location of the credential in the store that `global.secrets.store` names.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(super) struct RemoteRef {
    /// Key in the store. Empty selects `<release>-credentials`, with the property `<chart>.<credential>.r<revision>`.
    #[schemars(schema_with = "kubernetes::text")]
    key: String,
    /// Property of the entry under that key. Empty selects the whole entry, or the default property if `key` is empty.
    #[schemars(schema_with = "kubernetes::text")]
    property: String,
}

/// Default values of credentials, by key.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Credentials(IndexMap<String, serde_yaml::Value>);

impl Credentials {
    pub(super) fn of(credentials: &[Credential]) -> Self {
        let default = |credential: &Credential| (credential.path.key.clone(), section(credential).defaults());
        Self(credentials.iter().map(default).collect())
    }
}

pub(super) fn entries(credentials: &[Credential]) -> Section {
    let entry = |credential: &Credential| {
        let mut entry = Entry::section(&credential.path.key, "", section(credential));
        // All logins at a server share one schema definition; a secret variable has its own documentation.
        let server = credential.recipient().and_then(|recipient| recipient.login_at);
        entry.definition = server.map(|server| format!("credentials.{server}"));
        entry
    };
    Section(credentials.iter().map(entry).collect())
}

fn section(credential: &Credential) -> Section {
    let mut section = Section::of(&CredentialValues { revision: 1, remote_ref: RemoteRef::default() });
    let is_variable = credential.server().is_none();
    if let Some(revision) = section.entry_mut("revision").filter(|_| is_variable) {
        revision
            .document("Increase by one to replace the credential. New pods with a new Secret replace the old ones.");
    }
    if matches!(credential.user, CredentialUser::Administrator) {
        // An administrator's login keeps its name, so old and new logins never coexist.
        if let Some(revision) = section.entry_mut("revision") {
            revision.document(
                "Increase by one together with a new password. The server applies the password without a restart.",
            );
        }
    }
    let (field, doc) = (credential.path.field, &credential.doc);
    section.0.insert(0, Entry::leaf(field, doc, serde_yaml::Value::from(""), password_schema()));
    section
}

/// Schema of a password: any string. The chart's checks validate it, because a schema error would print its value.
fn password_schema() -> serde_json::Value {
    serde_json::json!({ "type": "string" })
}
