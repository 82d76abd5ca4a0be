//! The platform's credentials, derived from the declaration and not from the rendered chart.

use anyhow::Context as _;
use e2e_kit::context::E2eContext;
use e2e_kit::release::Release;
use generator::CredentialPath;
use sha2::{Digest as _, Sha256};
use vocabulary::Kind;

/// A credential of the platform: a service's login at a server, or a server's administrator.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    pub(super) path: CredentialPath,
    /// The service or server that owns it.
    pub(super) owner: String,
    /// The server that accepts it.
    pub(super) server: String,
    pub(super) kind: Kind,
    pub(super) administrator: bool,
    /// The network identity that may connect to the server with it.
    pub(super) identity: String,
}

impl Credential {
    /// All logins; the services' logins come first.
    pub(super) fn all(context: &E2eContext) -> anyhow::Result<Vec<Self>> {
        let provisioning = generator::traffic(&context.platform).provisioning;
        let servers = &context.platform.platform().backing;
        let read = |path: CredentialPath| {
            if path.switch.is_some() {
                // Off by default.
                return Ok(None);
            }
            let (of, key) = path.value.first().zip(path.value.get(2)).context("a credential's path is too short")?;
            let named = |name: &String| servers.iter().find(|one| one.name().as_str() == name);
            let administrator = named(of).is_some();
            // A service's secret that is not a login has no server.
            let Some(server) = named(of).or_else(|| named(key)) else { return Ok(None) };
            let (kind, server) = (server.kind(), server.name().to_string());
            let jobs = provisioning.iter().find(|jobs| administrator && jobs.to == server);
            let identity = jobs.map_or(of, |jobs| &jobs.from).clone();
            Ok(Some(Self { owner: of.clone(), server, kind, administrator, identity, path }))
        };
        generator::credential_paths(&context.platform).into_iter().filter_map(|path| read(path).transpose()).collect()
    }

    /// The user name of the login, as the chart's README documents it.
    pub(super) fn user(&self, release: &Release, revision: u32) -> String {
        let (namespace, release) = (&release.namespace.name, &release.name);
        let (owner, kind) = (&self.owner, self.kind);
        match (kind, self.administrator) {
            (Kind::PostgreSql, true) => "postgres".to_owned(),
            (Kind::RabbitMq | Kind::Valkey, true) => "administrator".to_owned(),
            (Kind::RabbitMq | Kind::Valkey, false) => format!("{namespace}.{release}.{owner}.r{revision}"),
            // An SQL identifier: no dots and hyphens, at most 63 bytes.
            (Kind::PostgreSql, false) => {
                let digest = Sha256::digest(format!("{namespace}/{release}"));
                let hash = digest.iter().take(4).fold(0, |hash, byte| hash << 8 | u32::from(*byte));
                format!("{}_r{revision}_{hash:08x}", owner.replace('-', "_"))
            }
        }
    }
}
