//! Credentials and what they are at one time, by what the model says of them and not by what the chart renders.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use camino::Utf8PathBuf;
use generator::CredentialPath;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::e2e::flow::{BROKER, DATABASE};
use crate::e2e::release::Release;
use crate::e2e::{bench::Bench, space};

/// A credential of the platform: a service's at a server, or a server's administrator.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    pub(super) path: CredentialPath,
    /// Whose it is.
    pub(super) of: String,
    /// Where one logs in with it.
    pub(super) server: String,
    pub(super) administrator: bool,
}

impl Credential {
    /// All of them, the services' first.
    pub(super) fn all(bench: &Bench) -> anyhow::Result<Vec<Self>> {
        let servers: Vec<_> = bench.platform.platform().backing.iter().map(|one| one.name().as_str()).collect();
        let read = |path: CredentialPath| {
            let (of, key) = path.value.first().zip(path.value.get(2)).context("a credential's path is too short")?;
            let administrator = servers.contains(&of.as_str());
            let server = if administrator { of.clone() } else { key.clone() };
            ensure!(servers.contains(&server.as_str()), "nobody knows at which server {} is valid", path.name);
            Ok(Self { of: of.clone(), server, administrator, path })
        };
        generator::credential_paths(&bench.platform).into_iter().map(read).collect()
    }

    /// The network identity that somebody must have who is to log in with it.
    pub(super) fn identity(&self) -> String {
        if self.administrator { format!("{}-provisioning", self.server) } else { self.of.clone() }
    }

    /// The name of its login, as the chart's README has it.
    pub(super) fn user(&self, release: &Release, revision: u32) -> String {
        let (space, release) = (&release.space.name, &release.name);
        if self.administrator {
            return if self.server == DATABASE { "postgres" } else { "administrator" }.to_owned();
        }
        if self.server == BROKER {
            return format!("{space}.{release}.{}.r{revision}", self.of);
        }
        let digest = Sha256::digest(format!("{space}/{release}"));
        let mark = digest.iter().take(4).fold(0, |mark, byte| mark << 8 | u32::from(*byte));
        format!("{}_r{revision}_{mark:08x}", self.of.replace('-', "_"))
    }
}

/// A name and a password at a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

/// What every credential is at one time.
#[derive(Clone, Debug)]
pub(super) struct Purse {
    credentials: Vec<Credential>,
    /// Revision and password, by the credential's name.
    held: BTreeMap<String, (u32, String)>,
}

impl Purse {
    /// The passwords that the bench gives to every installation.
    pub(super) fn first(bench: &Bench) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(&bench.passwords).with_context(|| bench.passwords.to_string())?;
        let values: serde_yaml::Value = serde_yaml::from_str(&text)?;
        let credentials = Credential::all(bench)?;
        let mut held = BTreeMap::new();
        for Credential { path, .. } in &credentials {
            let at = path.value.iter().try_fold(&values, |value, key| value.get(key.as_str()));
            let password = at.and_then(serde_yaml::Value::as_str);
            let password =
                password.with_context(|| format!("{} has no password for {}", bench.passwords, path.name))?;
            held.insert(path.name.clone(), (1, password.to_owned()));
        }
        Ok(Self { credentials, held })
    }

    /// Those of services, or of administrators.
    pub(super) fn credentials(&self, administrators: bool) -> Vec<Credential> {
        self.credentials.iter().filter(|one| one.administrator == administrators).cloned().collect()
    }

    pub(super) fn credential(&self, name: &str) -> anyhow::Result<Credential> {
        let found = self.credentials.iter().find(|one| one.path.name == name).cloned();
        found.with_context(|| format!("there is no credential {name}"))
    }

    /// The same, with another password and the next revision for one of them.
    pub(super) fn with_another(&self, credential: &Credential) -> Self {
        let mut next = self.clone();
        if let Some((revision, password)) = next.held.get_mut(&credential.path.name) {
            *revision += 1;
            *password = strong();
        }
        next
    }

    /// What a credential is now.
    pub(super) fn login(&self, release: &Release, credential: &Credential) -> anyhow::Result<Login> {
        let name = &credential.path.name;
        let (revision, password) = self.held.get(name).with_context(|| format!("no {name}"))?;
        Ok(Login { user: credential.user(release, *revision), password: password.clone() })
    }

    /// The revision that a credential has now.
    pub(super) fn revision(&self, credential: &Credential) -> u32 {
        self.held.get(&credential.path.name).map_or(1, |(revision, _)| *revision)
    }

    /// The credentials that are another in `other`.
    pub(super) fn differing(&self, other: &Self) -> Vec<Credential> {
        let differs = |one: &&Credential| self.held.get(&one.path.name) != other.held.get(&one.path.name);
        self.credentials.iter().filter(differs).cloned().collect()
    }

    /// A values file that says all of it.
    pub(super) fn file(&self, bench: &Bench) -> anyhow::Result<Utf8PathBuf> {
        let mut values = Value::Object(Map::new());
        for Credential { path, .. } in &self.credentials {
            let (revision, password) = self.held.get(&path.name).with_context(|| format!("no {}", path.name))?;
            set(&mut values, &path.value, json!(password));
            set(&mut values, &path.revision, json!(revision));
        }
        bench.file("purse.yaml", &values.to_string())
    }
}

fn set(values: &mut Value, path: &[String], to: Value) {
    match path {
        [] => *values = to,
        [key, rest @ ..] => set(&mut values[key.as_str()], rest, to),
    }
}

/// A password that nobody guesses, with everything that some language on its way reads otherwise.
fn strong() -> String {
    let random: String = (0..5).map(|_| space::random()).collect();
    format!("{random} ' \" $HOME $(id) {{{{ .Values }}}} \\n\\ %41 # é 語")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_set_at_their_paths() {
        let mut values = json!({});
        let path = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        set(&mut values, &path("a/b/password"), json!("x"));
        set(&mut values, &path("a/b/revision"), json!(2));
        assert_eq!(values, json!({"a": {"b": {"password": "x", "revision": 2}}}));
    }

    #[test]
    fn no_password_is_made_twice() {
        assert_ne!(strong(), strong());
    }
}
