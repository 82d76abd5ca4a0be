//! Credentials that the installer provides, and their paths in the values.

use vocabulary::{LoginEnv, VariableName};

use super::Edge;
use crate::kinds::Administrator;

/// A credential: the password of a service's login, a secret variable of a service, or the password of a server's administrator.
pub(crate) struct Credential {
    /// Its path in the values.
    pub(crate) path: CredentialPath,
    /// Its purpose, as a sentence.
    pub(crate) doc: String,
    /// The environment variable that receives it. `None` for an administrator's password.
    pub(crate) recipient: Option<Recipient>,
}

/// The path of a credential in the umbrella chart's values. The chart of its owner omits the first part.
pub(crate) struct CredentialPath {
    /// The component that owns it.
    pub(crate) owner: &'static str,
    /// Its key in the owner's `credentials`.
    pub(crate) key: String,
    /// The key of the secret text: `password` for a login, `value` for a secret variable.
    pub(crate) field: &'static str,
}

/// The environment variable of a service that contains a credential.
pub(crate) struct Recipient {
    /// Name of the variable.
    pub(crate) variable: &'static str,
    /// Whether the program inserts it into a libpq connection string, so that it needs libpq quoting.
    pub(crate) libpq_value: bool,
    /// The server of the login, if this is a login's password.
    pub(crate) login_at: Option<&'static str>,
}

impl CredentialPath {
    /// The path of its section.
    pub(crate) fn section(&self) -> [&str; 3] {
        [self.owner, "credentials", &self.key]
    }

    /// Its name, unique in a platform: `web-shop.broker`.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.owner, self.key)
    }

    /// The path of the secret text.
    pub(crate) fn text(&self) -> [&str; 4] {
        [self.owner, "credentials", &self.key, self.field]
    }

    /// The path of the revision.
    pub(crate) fn revision(&self) -> [&str; 4] {
        [self.owner, "credentials", &self.key, "revision"]
    }
}

impl Credential {
    /// The password of an edge's login, or `None` if the client has no login.
    pub(super) fn of_login(edge: &Edge) -> Option<Self> {
        let LoginEnv { password, .. } = edge.login.as_ref()?.variables?;
        Some(Self {
            path: CredentialPath { owner: edge.client, key: edge.target.to_owned(), field: "password" },
            doc: format!("Password of the service's login at {}.", edge.target),
            recipient: Some(Recipient {
                variable: password.name.as_str(),
                libpq_value: password.libpq_value,
                login_at: Some(edge.target),
            }),
        })
    }

    pub(super) fn of_variable(owner: &'static str, variable: VariableName, doc: &str) -> Self {
        let recipient = Recipient { variable: variable.as_str(), libpq_value: false, login_at: None };
        Self {
            path: CredentialPath { owner, key: variable.camel_case(), field: "value" },
            doc: doc.to_owned(),
            recipient: Some(recipient),
        }
    }

    pub(super) fn of_administrator(server: &'static str, administrator: &Administrator) -> Self {
        Self {
            path: CredentialPath { owner: server, key: administrator.key.to_owned(), field: "password" },
            doc: administrator.doc.to_owned(),
            recipient: None,
        }
    }
}
