//! A set of credentials with their passwords and revisions.

use std::collections::BTreeMap;

use anyhow::Context as _;
use camino::Utf8PathBuf;
use e2e_kit::release::Release;
use e2e_kit::{context::E2eContext, random};
use generator::yaml;
use serde_yaml::Value;

use crate::credentials::Credential;

/// User name and password at a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

/// Password and revision of every credential at one point in time.
#[derive(Clone, Debug)]
pub(super) struct CredentialSet {
    credentials: Vec<Credential>,
    /// Revision and password, by the credential's name.
    current: BTreeMap<String, (u32, String)>,
}

impl CredentialSet {
    /// The initial credentials of every installation.
    pub(super) fn initial(context: &E2eContext) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(&context.passwords).with_context(|| context.passwords.to_string())?;
        let values: Value = serde_yaml::from_str(&text)?;
        let credentials = Credential::all(context)?;
        let mut current = BTreeMap::new();
        for Credential { path, .. } in &credentials {
            let at = path.value.iter().try_fold(&values, |value, key| value.get(key.as_str()));
            let password = at.and_then(Value::as_str);
            let password =
                password.with_context(|| format!("{} has no password for {}", context.passwords, path.name))?;
            current.insert(path.name.clone(), (1, password.to_owned()));
        }
        Ok(Self { credentials, current })
    }

    /// The credentials of the administrators, or those of the services.
    pub(super) fn credentials(&self, administrators: bool) -> Vec<Credential> {
        self.credentials.iter().filter(|one| one.administrator == administrators).cloned().collect()
    }

    pub(super) fn credential(&self, name: &str) -> anyhow::Result<Credential> {
        let found = self.credentials.iter().find(|one| one.path.name == name).cloned();
        found.with_context(|| format!("the platform has no credential {name}"))
    }

    /// A copy with a new password and the next revision for one credential.
    pub(super) fn with_replaced(&self, credential: &Credential) -> Self {
        let mut next = self.clone();
        if let Some((revision, password)) = next.current.get_mut(&credential.path.name) {
            *revision += 1;
            *password = strong_password();
        }
        next
    }

    /// The current user name and password of a credential.
    pub(super) fn login(&self, release: &Release, credential: &Credential) -> anyhow::Result<Login> {
        let name = &credential.path.name;
        let (revision, password) = self.current.get(name).with_context(|| format!("no {name}"))?;
        Ok(Login { user: credential.user(release, *revision), password: password.clone() })
    }

    /// The current revision of a credential.
    pub(super) fn revision(&self, credential: &Credential) -> u32 {
        self.current.get(&credential.path.name).map_or(1, |(revision, _)| *revision)
    }

    /// The credentials that differ in `other`.
    pub(super) fn differing(&self, other: &Self) -> Vec<Credential> {
        let differs = |one: &&Credential| self.current.get(&one.path.name) != other.current.get(&one.path.name);
        self.credentials.iter().filter(differs).cloned().collect()
    }

    /// Writes a values file with all passwords and revisions.
    pub(super) fn file(&self, context: &E2eContext) -> anyhow::Result<Utf8PathBuf> {
        let mut values = Value::Null;
        for Credential { path, .. } in &self.credentials {
            let (revision, password) = self.current.get(&path.name).with_context(|| format!("no {}", path.name))?;
            yaml::put(&mut values, &path.value, password.as_str().into());
            yaml::put(&mut values, &path.revision, (*revision).into());
        }
        context.file("credentials.yaml", &yaml::write(&values))
    }
}

/// A random password with special characters of shells, Helm, templates and URLs.
fn strong_password() -> String {
    let random: String = (0..5).map(|_| random::suffix()).collect();
    format!("{random} ' \" $HOME $(id) {{{{ .Values }}}} \\n\\ %41 # é 語")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_made_twice() {
        assert_ne!(strong_password(), strong_password());
    }
}
