//! Credentials that the installer provides, and their paths in the values.

use vocabulary::{LoginEnv, VariableName};

use super::Edge;
use crate::kinds::{AddOnLogin, Administrator};

/// A credential: the password of a service's login, a secret variable of a service, or the password of a server's administrator.
pub(crate) struct Credential {
    /// Its path in the values.
    pub(crate) path: CredentialPath,
    /// Its purpose, as a sentence.
    pub(crate) doc: String,
    /// What uses it.
    pub(crate) user: CredentialUser,
}

/// What uses a credential.
pub(crate) enum CredentialUser {
    /// A service, in an environment variable.
    Service(Recipient),
    /// The administrator of the server that owns it.
    Administrator,
    /// An add-on of the server that owns it, with a login of its own.
    AddOn {
        /// The section of the server's values whose `enabled` switches the add-on on; also the login's name.
        section: &'static str,
    },
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
    /// The environment variable of a service that receives it.
    pub(crate) fn recipient(&self) -> Option<&Recipient> {
        match &self.user {
            CredentialUser::Service(recipient) => Some(recipient),
            CredentialUser::Administrator | CredentialUser::AddOn { .. } => None,
        }
    }

    /// The server whose login it belongs to, or `None` for a secret variable.
    pub(crate) fn server(&self) -> Option<&'static str> {
        match &self.user {
            CredentialUser::Service(recipient) => recipient.login_at,
            CredentialUser::Administrator | CredentialUser::AddOn { .. } => Some(self.path.owner),
        }
    }

    /// The path of the value that must be true for the credential to be used, besides `<owner>.enabled`.
    pub(crate) fn switch(&self) -> Option<[&'static str; 3]> {
        match self.user {
            CredentialUser::AddOn { section } => Some([self.path.owner, section, "enabled"]),
            CredentialUser::Service(_) | CredentialUser::Administrator => None,
        }
    }

    /// The password of an edge's login, or `None` if the client has no login.
    pub(super) fn of_login(edge: &Edge) -> Option<Self> {
        let LoginEnv { password, .. } = edge.login.as_ref()?.variables?;
        Some(Self {
            path: CredentialPath { owner: edge.client, key: edge.target.to_owned(), field: "password" },
            doc: format!("Password of the service's login at {}.", edge.target),
            user: CredentialUser::Service(Recipient {
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
            user: CredentialUser::Service(recipient),
        }
    }

    pub(super) fn of_administrator(server: &'static str, administrator: &Administrator) -> Self {
        Self {
            path: CredentialPath { owner: server, key: administrator.key.to_owned(), field: "password" },
            doc: administrator.doc.to_owned(),
            user: CredentialUser::Administrator,
        }
    }

    pub(super) fn of_add_on(server: &'static str, login: &AddOnLogin) -> Self {
        Self {
            path: CredentialPath { owner: server, key: login.section.to_owned(), field: "password" },
            doc: login.doc.to_owned(),
            user: CredentialUser::AddOn { section: login.section },
        }
    }
}
