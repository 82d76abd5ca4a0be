//! The graph: everything that follows from a declaration, as data.
//!
//! [`Graph::of`] reads the [`Resolved`] platform once. After that no code of this crate reads the platform or a service's uses again: emitters
//! and add-ons read components and edges only.
//!
//! **Invariant.** No Helm text. Names, numbers and texts are those of the model; `expr.rs` turns them into Helm expressions.

mod component;
mod credential;
mod edge;
mod end_to_end;

use vocabulary::{EarlierVersion, Environment, Image, Publication, Resolved, Scaling, Use};

pub(crate) use component::{Component, Port, Purpose, Role, Server, Service};
pub(crate) use credential::{Credential, CredentialUser, Recipient};
pub(crate) use edge::{Edge, EnvBinding, EnvValue, Login, LoginName, LoginScripts, Runner, Script, Watch};
pub(crate) use end_to_end::{EndToEnd, HttpEnd};

use crate::kinds;

/// A platform's components, and who of them uses what of whom.
pub(crate) struct Graph {
    /// The platform's name: the umbrella chart's, and the prefix of helpers and labels.
    pub(crate) name: &'static str,
    /// Its description, one line.
    pub(crate) doc: &'static str,
    /// The chart's version.
    pub(crate) version: &'static str,
    /// The address of its home page.
    pub(crate) home: &'static str,
    /// What chart repositories show.
    pub(crate) publication: Publication,
    /// The file that declares it.
    pub(crate) source: &'static str,
    /// The most characters that a release's name may have.
    pub(crate) longest_release_name: u8,
    /// Passwords that were published, which the chart refuses.
    pub(crate) published_passwords: &'static [&'static str],
    /// Versions of the chart that had other values.
    pub(crate) earlier_versions: &'static [EarlierVersion],
    /// Services, then servers, each in the order of the declaration.
    pub(crate) components: Vec<Component>,
    /// By client, in the order of its uses.
    pub(crate) edges: Vec<Edge>,
    /// The environments it is installed in.
    pub(crate) environments: Vec<Environment>,
    /// The image of the Pods of `helm test` that speak no server's own protocol.
    pub(crate) test_image: Image,
    /// The end-to-end test, if one is declared.
    pub(crate) end_to_end: Option<EndToEnd>,
}

/// See [`Graph::example_release`].
const EXAMPLE_RELEASE: &str = "demo";

impl Graph {
    /// Derives the graph of a platform.
    pub(crate) fn of(resolved: &Resolved) -> Self {
        let declared = resolved.platform();
        let edges: Vec<Edge> = declared.services.iter().flat_map(edges_of).collect();
        let services = declared.services.iter().map(|service| {
            let own_edges = edges.iter().filter(|edge| edge.client == service.name.as_str());
            component::of_service(service, own_edges)
        });
        let servers = declared.backing.iter().map(|server| component::of_server(server, &edges));
        let end_to_end = declared.tests.end_to_end.map(|test| end_to_end::of(&test, &edges));
        Self {
            name: declared.name.as_str(),
            doc: declared.doc,
            version: declared.version.as_str(),
            home: declared.home,
            publication: declared.publication,
            source: declared.location.file(),
            longest_release_name: declared.longest_release_name,
            published_passwords: declared.published_passwords,
            earlier_versions: declared.earlier_versions,
            components: services.chain(servers).collect(),
            environments: declared.environments.clone(),
            test_image: declared.tests.image,
            end_to_end,
            edges,
        }
    }

    /// A release's name for commands that can be pasted.
    pub(crate) fn example_release(&self) -> &'static str {
        EXAMPLE_RELEASE.get(..usize::from(self.longest_release_name)).unwrap_or(EXAMPLE_RELEASE)
    }

    /// The services, in the order of the declaration.
    pub(crate) fn services(&self) -> impl Iterator<Item = (&Component, &Service)> {
        self.components.iter().filter_map(|component| Some((component, component.service()?)))
    }

    /// The servers, in the order of the declaration.
    pub(crate) fn servers(&self) -> impl Iterator<Item = (&Component, &Server)> {
        self.components.iter().filter_map(|component| Some((component, component.server()?)))
    }

    /// Whether something reports metrics: a component, or the exporter of a server.
    pub(crate) fn has_metrics(&self) -> bool {
        self.components.iter().any(Component::has_metrics)
    }

    /// The component of this name.
    pub(crate) fn component(&self, name: &str) -> &Component {
        let found = self.components.iter().find(|component| component.name == name);
        found.expect("edges lead to components, since `resolve` refuses references to others")
    }

    /// The edges that leave a component.
    pub(crate) fn edges_from(&self, client: &str) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(move |edge| edge.client == client)
    }

    /// The edges that lead to a component.
    pub(crate) fn edges_to(&self, target: &str) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(move |edge| edge.target == target)
    }

    /// The logins at a server, each with its edge.
    pub(crate) fn logins_at(&self, server: &str) -> impl Iterator<Item = (&Edge, &Login)> {
        self.edges_to(server).filter_map(|edge| Some((edge, edge.login.as_ref()?)))
    }

    /// The services that users outside the cluster can reach, each with its port.
    pub(crate) fn exposed(&self) -> impl Iterator<Item = (&'static str, u16)> {
        self.services().filter_map(|(component, service)| Some((component.name, service.exposed?.number)))
    }

    /// Whether the chart can have Secrets: of credentials, or of the proxies of exposed services.
    pub(crate) fn has_secrets(&self) -> bool {
        self.credentials().next().is_some() || self.exposed().next().is_some()
    }

    /// Whether a service can scale by load.
    pub(crate) fn autoscales(&self) -> bool {
        self.services().any(|(_, service)| service.scaling != Scaling::Fixed)
    }

    /// Every credential: the services' in the order of their declaration, then the servers' administrators' and add-ons'.
    pub(crate) fn credentials(&self) -> impl Iterator<Item = &Credential> {
        self.components.iter().flat_map(|component| &component.credentials)
    }
}

/// The edges of a service.
fn edges_of(service: &vocabulary::Service) -> Vec<Edge> {
    let client = service.name.as_str();
    let edge = |used: &Use| match (used, used.client()) {
        (Use::Call(call), _) => edge::of_call(client, call),
        (_, Some(declared)) => edge::of_client(client, declared, kinds::client(used)),
        (_, None) => unreachable!("only a call has no server"),
    };
    let mut edges: Vec<Edge> = service.uses.iter().map(edge).collect();
    edge::keep_watched(&mut edges);
    edges
}
