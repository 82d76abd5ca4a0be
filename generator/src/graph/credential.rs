//! Secrets that an installer has to give, and where they lie in the values.

use vocabulary::{LoginEnv, VariableName};

use super::Edge;
use crate::kinds::Administrator;

/// A secret: the password of a service's login, a secret variable of a service, or the password of a server's administrator.
pub(crate) struct Credential {
    /// Where it lies in the values.
    pub(crate) path: CredentialPath,
    /// What it is for, as a sentence.
    pub(crate) doc: String,
    /// The service's variable that gets it; an administrator's password reaches no service.
    pub(crate) recipient: Option<Recipient>,
}

/// The path of a credential in the umbrella chart's values. In the chart of its owner the paths lack the first part.
pub(crate) struct CredentialPath {
    /// The component that it belongs to.
    pub(crate) owner: &'static str,
    /// Its key in the owner's `credentials`.
    pub(crate) key: String,
    /// The key of the secret text below that: `password` of a login, `value` of a secret variable.
    pub(crate) field: &'static str,
}

/// The variable that a service reads a credential from.
pub(crate) struct Recipient {
    /// The variable.
    pub(crate) variable: &'static str,
    /// Whether the program pastes it into a libpq connection string, so that it has to be quoted as a value of one.
    pub(crate) libpq_value: bool,
    /// The server that it is the login's password of, if it is one.
    pub(crate) login_at: Option<&'static str>,
}

impl CredentialPath {
    /// Everything that the values say of it.
    pub(crate) fn section(&self) -> [&str; 3] {
        [self.owner, "credentials", &self.key]
    }

    /// Its name, which is unique in a platform: `web-shop.broker`.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.owner, self.key)
    }

    /// The secret text.
    pub(crate) fn text(&self) -> [&str; 4] {
        [self.owner, "credentials", &self.key, self.field]
    }

    /// The revision.
    pub(crate) fn revision(&self) -> [&str; 4] {
        [self.owner, "credentials", &self.key, "revision"]
    }
}

impl Credential {
    /// The password of an edge's login; nothing where the client cannot log in.
    pub(super) fn of_login(edge: &Edge) -> Option<Self> {
        let LoginEnv { password, .. } = edge.login.as_ref()?.variables?;
        Some(Self {
            path: CredentialPath { owner: edge.client, key: edge.target.to_owned(), field: "password" },
            doc: format!("The password of its own login at {}.", edge.target),
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
