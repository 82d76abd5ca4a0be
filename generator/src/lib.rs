//! A resolved platform in, its whole Helm chart out.
//!
//! ```text
//! Resolved ─▶ access graph ─▶ values ─▶ views ─▶ askama templates ─▶ Chart (path → text)
//! ```
//!
//! **Invariant.** Pure: no disk, no clock, no environment, no randomness. The same [`Resolved`] gives the same bytes.
//! **Invariant.** Nothing here knows AuditFlow: what is particular to a platform comes from its declaration alone.

mod access;
mod backing;
mod chart;
mod context;
mod credentials;
mod files;
mod images;
mod names;
mod pods;
mod text;
mod values;
pub mod yaml;

pub use files::{Chart, ChartPaths};
pub use vocabulary::{Platform, Resolved};

use access::Access;
use context::Context;
use files::Files;

/// Renders the whole chart: every file that the generator owns, below the folder that holds the chart.
#[must_use]
pub fn generate(platform: &Resolved) -> Chart {
    let declared = platform.platform();
    let context = Context { platform, name: declared.name.as_str() };
    let access = Access::of(platform);
    let mut files = Files::new(context.name);
    chart::files(&context, &access, &mut files);
    for one in &declared.backing {
        backing::files(&context, one, &access, &mut files);
    }
    files.into_chart()
}

/// A path over the network that a declaration needs: pods of `from` open connections to `port` of pods of `to`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccessPath {
    /// The service that connects.
    pub from: String,
    /// The service or backing service that is connected to.
    pub to: String,
    /// The port's number, the same on the pod and on its Service.
    pub port: u16,
}

/// Every path that the declared uses need, in order: what the NetworkPolicies of [`generate`] let through between the pods of a release,
/// and what a proof on a cluster is held against.
#[must_use]
pub fn access_paths(platform: &Resolved) -> Vec<AccessPath> {
    let paths = Access::of(platform).paths;
    let path = |p: access::Path| AccessPath { from: p.from.to_string(), to: p.to.name().to_owned(), port: p.port };
    let mut all: Vec<_> = paths.into_iter().map(path).collect();
    all.sort();
    all
}

/// All traffic that the NetworkPolicies of [`generate`] let through, and on what it hangs: what a proof of them is held against.
///
/// Beside this, all pods may ask the cluster's DNS, and what a service's `network.extraIngress` and `network.extraEgress` say in the values is
/// let through as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The label whose value tells the policies who a pod is.
    pub identity_label: String,
    /// The services; each is there when `<service>.enabled` says so.
    pub services: Vec<String>,
    /// The backing services, always there.
    pub backing: Vec<String>,
    /// What the declared uses need, as [`access_paths`]: open while the services at its ends are there.
    pub paths: Vec<AccessPath>,
    /// From the Jobs that make the logins of a server, by their identity, to the server.
    pub provisioning: Vec<AccessPath>,
    /// What the pods of `helm test` need, while they run.
    pub tests: TestTraffic,
    /// Ports that users reach through a service's `exposure.via`: from the edge's namespace or from anywhere.
    pub exposed_ports: Vec<Port>,
    /// Ports that the monitoring's namespace reaches when `global.metrics.enabled` says so.
    pub metrics: Vec<Port>,
    /// Services that always may connect to the Kubernetes API server; others may with rules in `<service>.rbac.extraRules`.
    pub kubernetes: Vec<String>,
}

impl Traffic {
    /// The identities that a pod of a release can have, each once.
    pub fn identities(&self) -> impl Iterator<Item = &str> {
        let tests = &self.tests;
        let end_to_end = (!tests.end_to_end_paths.is_empty()).then_some(&tests.end_to_end);
        let provisioning = self.provisioning.iter().map(|path| &path.from);
        let all = self
            .services
            .iter()
            .chain(&self.backing)
            .chain(provisioning)
            .chain([&tests.network_policy])
            .chain(end_to_end);
        all.map(String::as_str)
    }
}

/// The traffic of the pods of `helm test` that have an identity of their own; the others have that of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestTraffic {
    /// The identity of the pod that is nobody: it is let out to every pod of the release, and in nowhere. It is there when
    /// `global.tests.isolation` says so.
    pub network_policy: String,
    /// The identity of the pod that follows something through the platform.
    pub end_to_end: String,
    /// What that one needs; nothing where no journey is declared. Open when `global.tests.end_to_end` says so.
    pub end_to_end_paths: Vec<AccessPath>,
    /// The services without which there is no journey.
    pub end_to_end_services: Vec<String>,
}

/// A port of the pods of a service or backing service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// Whose it is.
    pub of: String,
    /// Its number.
    pub number: u16,
}

/// All traffic of a platform, from its access graph.
#[must_use]
pub fn traffic(platform: &Resolved) -> Traffic {
    let declared = platform.platform();
    let (services, backing) = (&declared.services, &declared.backing);
    let port = |of: &str, number| Port { of: of.to_owned(), number };
    let provisioning = |b: &vocabulary::Backing| AccessPath {
        from: chart::provisioning_identity(b.name().as_str()),
        to: b.name().to_string(),
        port: b.kind().administration_port(),
    };
    let end_to_end =
        |(to, port): (&str, u16)| AccessPath { from: names::END_TO_END_TEST.to_owned(), to: to.to_owned(), port };
    Traffic {
        identity_label: format!("{}/identity", declared.name),
        services: services.iter().map(|service| service.name.to_string()).collect(),
        backing: backing.iter().map(|one| one.name().to_string()).collect(),
        paths: access_paths(platform),
        provisioning: backing.iter().map(provisioning).collect(),
        tests: TestTraffic {
            network_policy: names::NETWORK_POLICY_TEST.to_owned(),
            end_to_end: names::END_TO_END_TEST.to_owned(),
            end_to_end_paths: chart::end_to_end_paths(declared).into_iter().map(end_to_end).collect(),
            end_to_end_services: chart::end_to_end_services(declared).into_iter().map(str::to_owned).collect(),
        },
        exposed_ports: services.iter().filter_map(|s| Some(port(s.name.as_str(), s.exposure?.port.number))).collect(),
        metrics: access::scraped(declared).map(|(of, number)| port(of, number)).collect(),
        kubernetes: services.iter().filter(|s| !s.kubernetes.is_empty()).map(|s| s.name.to_string()).collect(),
    }
}

/// A secret that whoever installs has to give, and where it lies in the umbrella chart's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialPath {
    /// Its name, such as `audit-log-analysis.rabbitmq`: whose it is, and for what. Unique in a platform.
    pub name: String,
    /// The path of the secret text itself in the values.
    pub value: Vec<String>,
    /// The path of its revision in the values: an integer from 1 on, 1 when nothing is said.
    pub revision: Vec<String>,
    /// What it is for, as a sentence.
    pub doc: String,
}

/// The paths in the values of the tags that whoever installs has to name, or a digest in their place: of images that have neither by default.
#[must_use]
pub fn unnamed_tags(platform: &Platform) -> Vec<Vec<&'static str>> {
    images::unnamed(platform).map(|(of, _)| of.path("tag")).collect()
}

/// Every credential of a platform: the services' in the order of their declaration, then the backing services' administrators.
#[must_use]
pub fn credential_paths(platform: &Resolved) -> Vec<CredentialPath> {
    let access = Access::of(platform);
    let context = Context { platform, name: platform.platform().name.as_str() };
    let path = |path: [&str; 4]| path.map(str::to_owned).to_vec();
    let one = |credential: &credentials::Credential| CredentialPath {
        name: format!("{}.{}", credential.at.owner, credential.at.key),
        value: path(credential.at.text()),
        revision: path(credential.at.revision()),
        doc: credential.doc.to_owned(),
    };
    credentials::all(&context, &access).iter().map(one).collect()
}
