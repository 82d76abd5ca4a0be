//! What can be wrong between services and the brokers, databases and caches that they use, of whatever kind.

use std::collections::BTreeMap;

use super::amounts;
use crate::kinds::Handle;
use crate::{BackingName, Diagnostic, Platform, Service, SourceLocation, Use};

pub(super) fn check(platform: &Platform, found: &mut Vec<Diagnostic>) {
    for backing in &platform.backing {
        let (name, location) = (backing.name().as_str(), backing.location());
        amounts::resources(name, backing.resources(), location, found);
        found.extend(amounts::space(name.to_owned(), backing.storage(), location));
        let used = |s: &Service| s.uses.iter().filter_map(Use::client).any(|c| c.backing == backing.name());
        if !platform.services.iter().any(used) {
            found.push(Diagnostic::BackingUnused { backing: name, location });
        }
    }
    for service in &platform.services {
        clients(platform, service, found);
    }
}

fn clients(platform: &Platform, service: &Service, found: &mut Vec<Diagnostic>) {
    let name = service.name.as_str();
    let mut seen: BTreeMap<BackingName, SourceLocation> = BTreeMap::new();
    for one in service.uses {
        let (Some(client), Some(kind)) = (one.client(), one.kind()) else { continue };
        let (backing, location) = (client.backing.as_str(), client.location);
        if !platform.backing.iter().any(|b| b.name() == client.backing && b.kind() == kind) {
            let (what, by) = (kind.product(), format!("a client of {name}"));
            found.push(Diagnostic::BackingNotListed { backing, what, by, location });
        }
        if let Some(first) = seen.insert(client.backing, location) {
            found.push(Diagnostic::ClientTwice { service: name, backing, first, second: location });
        }
        let Some(server_client) = one.server_client() else { continue };
        for Handle { what, server } in server_client.handles() {
            if server != client.backing {
                found.push(Diagnostic::ForeignHandle {
                    service: name,
                    backing,
                    what,
                    owner: server.as_str(),
                    location,
                });
            }
        }
        if server_client.is_idle() {
            found.push(Diagnostic::ClientIdle { service: name, backing, location });
        }
    }
}

/// A handle is a constant, so all its uses have one place; two places are two declarations.
pub(crate) fn twice(
    what: &'static str,
    name: &'static str,
    server: BackingName,
    first: SourceLocation,
    second: SourceLocation,
    found: &mut Vec<Diagnostic>,
) {
    if first != second {
        found.push(Diagnostic::DeclaredTwice { what, name, server: server.as_str(), first, second });
    }
}
