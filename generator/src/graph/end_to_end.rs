//! The end-to-end test: what it sends, what it waits for, and what it needs on the way.

use vocabulary::{EndToEndTest, Endpoint, HttpPath, ServiceName};

use super::Edge;

/// The end-to-end test of a platform.
pub(crate) struct EndToEnd {
    /// What becomes of what, as a sentence.
    pub(crate) doc: &'static str,
    /// The file that declares it.
    pub(crate) source: &'static str,
    /// Where it sends its request.
    pub(crate) sent: HttpEnd,
    /// What it sends, as JSON.
    pub(crate) body: &'static str,
    /// The page that shows the result.
    pub(crate) seen: HttpEnd,
    /// The services on the way, in its order: the first takes the request, the last shows the page.
    pub(crate) way: Vec<&'static str>,
    /// How long the result may take, in seconds.
    pub(crate) within_seconds: u16,
    /// What it leaves behind, and how that is removed.
    pub(crate) leftovers: Option<Leftovers>,
    /// The ports that its Pod connects to, in order.
    pub(crate) paths: Vec<(&'static str, u16)>,
    /// The services without which it is left out, in order.
    pub(crate) services: Vec<&'static str>,
}

/// A route of a service.
pub(crate) struct HttpEnd {
    /// The service.
    pub(crate) service: &'static str,
    /// Its port.
    pub(crate) port: u16,
    /// The route.
    pub(crate) path: &'static str,
}

/// What an end-to-end test leaves in a database.
pub(crate) struct Leftovers {
    /// The service that owns the database, whose login removes it.
    pub(crate) owner: &'static str,
    /// The database's server.
    pub(crate) server: &'static str,
    /// The statement that removes it.
    pub(crate) statement: &'static str,
}

impl EndToEnd {
    /// The edge under whose login the leftovers are removed.
    pub(crate) fn cleanup<'a>(&self, edges: &'a [Edge]) -> Option<(&Leftovers, &'a Edge)> {
        let leftovers = self.leftovers.as_ref()?;
        let is_it = |edge: &&Edge| edge.client == leftovers.owner && edge.target == leftovers.server;
        Some((leftovers, edges.iter().find(is_it)?))
    }
}

pub(super) fn of(test: &EndToEndTest, edges: &[Edge]) -> EndToEnd {
    let leftovers = test.leftovers.and_then(|leftovers| {
        let (server, database) = (leftovers.database.server.as_str(), leftovers.database.name.as_str());
        let owns = |edge: &&Edge| {
            edge.target == server
                && edge.login.as_ref().is_some_and(|login| login.grants.owned_database() == Some(database))
        };
        let owner = edges.iter().find(owns)?;
        Some((Leftovers { owner: owner.client, server, statement: leftovers.statement }, owner))
    });
    let ends = [test.request.endpoint, test.page.endpoint];
    let way = std::iter::once(ends[0].service).chain(test.through.iter().copied()).chain([ends[1].service]);
    let way: Vec<&'static str> = way.map(ServiceName::as_str).collect();

    let of_database = leftovers.iter().flat_map(|(_, owner)| owner.ports.iter().map(|port| (owner.target, *port)));
    let of_ends = ends.iter().map(|end| (end.service.as_str(), end.port.number));
    let mut paths: Vec<_> = of_ends.chain(of_database).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut services: Vec<_> = way.iter().copied().chain(leftovers.iter().map(|(left, _)| left.owner)).collect();
    services.sort_unstable();
    services.dedup();
    EndToEnd {
        doc: test.doc,
        source: test.location.file(),
        sent: http_end(test.request.endpoint, test.request.path),
        body: test.request.body,
        seen: http_end(test.page.endpoint, test.page.path),
        way,
        within_seconds: test.timeout_seconds,
        leftovers: leftovers.map(|(leftovers, _)| leftovers),
        paths,
        services,
    }
}

fn http_end(endpoint: Endpoint, path: HttpPath) -> HttpEnd {
    HttpEnd { service: endpoint.service.as_str(), port: endpoint.port.number, path: path.as_str() }
}
