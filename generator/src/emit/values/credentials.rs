//! The values of credentials, and of where they come from.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::rules::{SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY};
use super::tree::{Entry, Section};
use crate::graph::Credential;

/// How credentials reach the programs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Secrets {
    /// `inline`: the chart makes a Secret for each program from the passwords in the values. `external`: External Secrets makes them, from
    /// a store. `existing`: they are there already.
    mode: SecretMode,
    store: Store,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum SecretMode {
    Inline,
    #[expect(dead_code, reason = "no default, but whoever installs may choose it")]
    External,
    #[expect(dead_code, reason = "no default, but whoever installs may choose it")]
    Existing,
}

/// The store that `external` reads from. Without a name it is one of the chart's own, over a Secret with the passwords in the values.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Store {
    /// Its kind.
    kind: StoreKind,
    /// Its name; empty is the chart's own.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    name: String,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
enum StoreKind {
    SecretStore,
    #[expect(dead_code, reason = "no default, but whoever installs may choose it")]
    ClusterSecretStore,
}

impl Secrets {
    pub(super) fn inline() -> Self {
        Self { mode: SecretMode::Inline, store: Store { kind: StoreKind::SecretStore, name: String::new() } }
    }
}

/// One credential.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CredentialValues {
    /// Raised by one to replace the credential: the new login and the old one are there side by side until nobody uses the old one.
    #[schemars(range(min = 1, max = 9999))]
    revision: u16,
    remote_ref: RemoteRef,
}

/// Where it lies in a store that `global.secrets.store` names.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
struct RemoteRef {
    /// Its key; empty is `<release>-credentials`, with the property `<chart>.<credential>.r<revision>`.
    key: String,
    /// The part of what lies under that key; empty is all of it.
    property: String,
}

/// The values of several credentials, by key, as they are written.
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
        // The logins at a server all have the same values; a secret variable has a sentence of its own.
        let server = credential.recipient.as_ref().and_then(|recipient| recipient.login_at);
        entry.definition = server.map(|server| format!("credentials.{server}"));
        entry
    };
    Section(credentials.iter().map(entry).collect())
}

fn section(credential: &Credential) -> Section {
    let mut section = Section::of(&CredentialValues { revision: 1, remote_ref: RemoteRef::default() });
    let is_variable = credential.recipient.as_ref().is_some_and(|recipient| recipient.login_at.is_none());
    if let Some(revision) = section.entry_mut("revision").filter(|_| is_variable) {
        revision.document("Raised by one to replace the credential: the pods are replaced and get another Secret.");
    }
    if credential.recipient.is_none() {
        // An administrator's login keeps its name, so there is never a second one.
        if let Some(revision) = section.entry_mut("revision") {
            revision.document("Raised by one with another password, which the server then takes without a restart.");
        }
    }
    let (field, doc) = (credential.path.field, &credential.doc);
    section.0.insert(0, Entry::leaf(field, doc, serde_yaml::Value::from(""), password_schema()));
    section
}

/// A password, or nothing yet: what it may be is checked when the chart is rendered. A schema that refuses a value shows it.
fn password_schema() -> serde_json::Value {
    serde_json::json!({ "type": "string" })
}
