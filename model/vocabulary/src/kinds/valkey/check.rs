//! Checks of commands and logins.

use super::{CacheLogin, ValkeyClient, ValkeyCommand};
use crate::diagnostic::{code, codes, repeated, sentence};
use crate::{Diagnostic, Platform, Service, Use};

codes! {
    /// Several services that use a cache without a login.
    SeveralAnonymousClients,
    /// A service whose login would have the name of an add-on's.
    UserNameReserved,
    /// A command that an ACL does not have.
    CommandInvalid,
}

pub(super) fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    for (service, client) in clients(platform) {
        if service.name.as_str() == EXPORTER && matches!(client.env.login, CacheLogin::Own { .. }) {
            diagnostics.push(
                Diagnostic::new(
                    Code::UserNameReserved,
                    format!("the user of {EXPORTER} would have the name of the login of the server's exporter"),
                )
                .at("declared", service.location)
                .help("rename the service"),
            );
        }
        commands(service, client, diagnostics);
    }
    anonymous(platform, diagnostics);
}

/// The add-on of a server that has a login at it, which is named after it.
const EXPORTER: &str = "exporter";

fn clients(platform: &Platform) -> impl Iterator<Item = (&Service, &'static ValkeyClient)> {
    platform.services.iter().flat_map(|service| {
        service.uses.iter().filter_map(move |service_use| match service_use {
            Use::Valkey(client) => Some((service, client)),
            _ => None,
        })
    })
}

fn anonymous(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    let anonymous = clients(platform).filter(|(_, client)| matches!(client.env.login, CacheLogin::Anonymous));
    let by_cache = anonymous.map(|(service, client)| (client.client.backing, (service.name, client.client.location)));
    for (cache, services) in repeated(by_cache) {
        // Several clients of one service are another mistake.
        if services.iter().any(|(service, _)| *service != services[0].0) {
            diagnostics.push(
                Diagnostic::new(Code::SeveralAnonymousClients, format!("several services use {cache} without a login"))
                    .at_each(services.iter().map(|(service, location)| (service.as_str(), *location)))
                    .help(
                        "they would share the default user, and so each other's rights: let all but one log in (`CacheLogin::Own`), or give \
                         each of these a cache of its own (`Valkey::named(…)`, listed in the platform's `backing`)",
                    ),
            );
        }
    }
}

fn commands(service: &Service, client: &ValkeyClient, diagnostics: &mut Vec<Diagnostic>) {
    let check = |command: &&'static str| ValkeyCommand::checked(command).err().map(|error| (code(command), error.rule));
    let invalid: Vec<(String, &str)> = client.keys.commands.iter().filter_map(check).collect();
    let Some((_, rule)) = invalid.first() else { return };
    let commands = sentence(invalid.iter().map(|(command, _)| command.as_str()), "and");
    diagnostics.push(
        Diagnostic::new(
            Code::CommandInvalid,
            format!(
                "{} sends {commands} to {}, which is not how an ACL names a command",
                service.name, client.client.backing
            ),
        )
        .at("the client", client.client.location)
        .help(format!("{rule}; declare the commands with `keys(…)`, which checks this when it is compiled")),
    );
}
