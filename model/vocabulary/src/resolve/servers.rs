//! Checks of servers and their clients, whatever their kind.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::amounts;
use crate::diagnostic::{codes, repeated, sentence};
use crate::kinds::ServerClient;
use crate::{Backing, BackingName, Client, DefaultTag, Diagnostic, Kind, Platform, Service, SourceLocation, Use};

codes! {
    /// A server that no service uses.
    ServerUnused,
    /// A version that the chart cannot run.
    ServerVersionUnsupported,
    /// An image whose tag shows another version than the declared one.
    ImageOfOtherVersion,
    /// A reference to a server that the platform does not list.
    ServerNotListed,
    /// A client of a server that is listed with another kind.
    ServerOfAnotherKind,
    /// Several clients of a service at one server.
    DuplicateClient,
    /// A client that declares no use.
    ClientIdle,
    /// Handles that a service uses through a client of another server.
    ForeignHandle,
    /// A handle that is declared as several constants.
    HandleDeclaredRepeatedly,
}

pub(super) fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    for server in &platform.backing {
        let (name, location) = (server.name(), server.location());
        amounts::resources(name.as_str(), server.resources(), location, diagnostics);
        diagnostics.extend(amounts::storage(name.as_str(), server.storage(), location));
        check_version(server, diagnostics);
        if clients(platform).all(|client| client.common.backing != name) {
            diagnostics.push(
                Diagnostic::new(Code::ServerUnused, format!("no service uses {name}"))
                    .at("declared", location)
                    .help("add a client (`.client(…)`) to the `uses` of a service, or remove the server with everything that refers to it"),
            );
        }
    }
    for client in clients(platform) {
        check_client(platform, client, diagnostics);
    }
    duplicate_clients(platform, diagnostics);
    handles(platform, diagnostics);
}

/// Checks the version of a server, and whether its image's tag shows another one.
fn check_version(server: &Backing, diagnostics: &mut Vec<Diagnostic>) {
    let (name, location, version) = (server.name(), server.location(), server.version());
    let (product, oldest) = (server.kind().product(), server.kind().oldest());
    if version.numbers().len() != oldest.numbers().len() || version.numbers() < oldest.numbers() {
        let numbers = if oldest.numbers().len() == 1 { "its major version" } else { "its major and minor version" };
        diagnostics.push(
            Diagnostic::new(
                Code::ServerVersionUnsupported,
                format!("version {version} of {name} is not a version of {product} that the chart can run"),
            )
            .at("declared", location)
            .help(format!("declare {numbers}, {oldest} or later: `version: ServerVersion::new(\"{oldest}\")`")),
        );
        return;
    }
    if let (DefaultTag::Fixed(tag), None) = (server.image().tag, server.image().digest)
        && !version.fits(tag)
    {
        diagnostics.push(
            Diagnostic::new(
                Code::ImageOfOtherVersion,
                format!("the image of {name} has the tag {tag}, but {name} is declared with version {version} of {product}"),
            )
            .at("declared", location)
            .help(format!(
                "use an image of {product} {version}, or declare the image's version (`version: ServerVersion::new(\"…\")`)"
            )),
        );
    }
}

/// A client with its service, and what depends on its kind.
#[derive(Clone, Copy)]
struct Context<'a> {
    service: &'a Service,
    common: &'a Client,
    kind: Kind,
    of_kind: &'a dyn ServerClient,
}

fn clients(platform: &Platform) -> impl Iterator<Item = Context<'_>> {
    let of_service = |service| {
        move |service_use: &'static Use| {
            let (common, kind) = (service_use.client()?, service_use.kind()?);
            Some(Context { service, common, kind, of_kind: service_use.server_client()? })
        }
    };
    platform.services.iter().flat_map(move |service| service.uses.iter().filter_map(of_service(service)))
}

fn check_client(platform: &Platform, client: Context, diagnostics: &mut Vec<Diagnostic>) {
    let Context { service, common, kind, of_kind } = client;
    let (name, server, location) = (service.name, common.backing, common.location);
    let reference = format!("the client of {name}");
    // Several servers of one name are another mistake.
    let is_listed = platform.backing.iter().any(|backing| backing.name() == server && backing.kind() == kind);
    if !is_listed && let Some(listed) = find(platform, server, &reference, location, diagnostics) {
        diagnostics.push(
            Diagnostic::new(
                Code::ServerOfAnotherKind,
                format!(
                    "server `{server}` is used as {}, but is listed as {}",
                    kind.product(),
                    listed.kind().product()
                ),
            )
            .at("listed", listed.location())
            .at(reference, location)
            .help("two servers cannot have one name: rename one of them, and list both in the platform's `backing`"),
        );
    }
    if of_kind.is_idle() {
        let is_only_client = clients(platform).filter(|other| other.common.backing == server).count() == 1;
        let remove = if is_only_client { "remove the server" } else { "remove the client" };
        diagnostics.push(
            Diagnostic::new(Code::ClientIdle, format!("{name} has a client of {server}, but declares no use of it"))
                .at("the client", location)
                .help(format!("{}, or {remove} with everything that refers to it", kind.use_help())),
        );
    }
    let mut foreign: BTreeMap<BackingName, Vec<String>> = BTreeMap::new();
    for handle in of_kind.handles().into_iter().filter(|handle| handle.server != server) {
        foreign.entry(handle.server).or_default().push(handle.what);
    }
    for (owner, handles) in foreign {
        let handles = sentence(handles.iter().map(String::as_str), "and");
        diagnostics.push(
            Diagnostic::new(
                Code::ForeignHandle,
                format!("{name} uses {handles} of {owner} through its client of {server}"),
            )
            .at("the client", location)
            .help(format!("use what belongs to {owner} through a client of {owner}")),
        );
    }
}

fn duplicate_clients(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    for ((service, server), clients) in repeated(clients(platform).map(|c| ((c.service.name, c.common.backing), c))) {
        diagnostics.push(
            Diagnostic::new(Code::DuplicateClient, format!("{service} has several clients of {server}"))
                .at_each(clients.iter().map(|client| ("a client", client.common.location)))
                .help(format!("a service has one login at a server: {}", clients[0].kind.merge_help())),
        );
    }
}

/// A handle is a constant, so all its uses have one location; several locations are several declarations.
fn handles(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    let handles = clients(platform).flat_map(|client| client.of_kind.handles());
    for ((what, server), locations) in repeated(handles.map(|handle| ((handle.what, handle.server), handle.location))) {
        if locations.iter().any(|location| *location != locations[0]) {
            diagnostics.push(
                Diagnostic::new(
                    Code::HandleDeclaredRepeatedly,
                    format!("{what} of {server} is declared more than once"),
                )
                .at_each(locations.into_iter().map(|location| ("declared", location)))
                .help("declare it once, as a constant, and use that constant everywhere"),
            );
        }
    }
}

/// Finds a server by name, and reports a reference to one that the platform does not list. `reference` names what refers to it.
pub(super) fn find<'a>(
    platform: &'a Platform,
    name: BackingName,
    reference: &str,
    location: SourceLocation,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<&'a Backing> {
    let server = platform.backing.iter().find(|server| server.name() == name);
    if server.is_none() {
        diagnostics.push(
            Diagnostic::new(
                Code::ServerNotListed,
                format!("server `{name}` is used, but is not in the platform's `backing`"),
            )
            .at(reference, location)
            .help("add it to `backing`, or remove every reference to it"),
        );
    }
    server
}
