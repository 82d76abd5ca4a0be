//! Checks of keys, commands and logins.

use std::collections::BTreeMap;

use super::{CacheLogin, ValkeyClient, ValkeyCommand};
use crate::resolve::code;
use crate::{BackingName, Diagnostic, Platform, ServiceName, SourceLocation, Use};

pub(super) fn check(platform: &Platform, found: &mut Vec<Diagnostic>) {
    for service in &platform.services {
        for service_use in service.uses {
            let Use::Valkey(ValkeyClient { client, keys, .. }) = service_use else { continue };
            commands(service.name.as_str(), client.backing.as_str(), keys.commands, client.location, found);
        }
    }
    anonymous(platform, found);
}

fn anonymous(platform: &Platform, found: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<BackingName, (ServiceName, SourceLocation)> = BTreeMap::new();
    for service in &platform.services {
        for one in service.uses {
            let Use::Valkey(client) = one else { continue };
            if !matches!(client.env.login, CacheLogin::Anonymous) {
                continue;
            }
            let second = client.client.location;
            let (before, first) = *seen.entry(client.client.backing).or_insert((service.name, second));
            if before != service.name {
                found.push(Diagnostic::AnonymousTwice {
                    backing: client.client.backing.as_str(),
                    one: before.as_str(),
                    other: service.name.as_str(),
                    first,
                    second,
                });
            }
        }
    }
}

fn commands(
    service: &'static str,
    backing: &'static str,
    commands: &'static [&'static str],
    location: SourceLocation,
    found: &mut Vec<Diagnostic>,
) {
    for command in commands {
        if let Err(refused) = ValkeyCommand::checked(command) {
            let command = code(command);
            found.push(Diagnostic::CommandRefused { service, backing, command, rule: refused.rule, location });
        }
    }
}
