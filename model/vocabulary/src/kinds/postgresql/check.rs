//! Checks of databases.

use std::collections::BTreeMap;

use crate::resolve::{line, marked, twice};
use crate::{BackingName, Diagnostic, EndToEndTest, Kind, Leftovers, Platform, ServiceName, SourceLocation, Use};

/// A database, with who owns it first.
struct Owned {
    owner: ServiceName,
    client: SourceLocation,
    declared: SourceLocation,
}

pub(super) fn check(platform: &Platform, found: &mut Vec<Diagnostic>) {
    owners(platform, found);
    passwords(platform, found);
    role_names(platform, found);
    leftovers(platform, found);
}

fn owners(platform: &Platform, found: &mut Vec<Diagnostic>) {
    let mut owned: BTreeMap<(BackingName, &'static str), Owned> = BTreeMap::new();
    for service in &platform.services {
        for one in service.uses {
            let Use::PostgreSql(client) = one else { continue };
            let (database, location) = (client.database.database, client.client.location);
            let first = owned.entry((database.server, database.name.as_str())).or_insert(Owned {
                owner: service.name,
                client: location,
                declared: database.location,
            });
            twice("database", database.name.as_str(), database.server, first.declared, database.location, found);
            if first.owner != service.name {
                found.push(Diagnostic::DatabaseOwnedTwice {
                    database: database.name.as_str(),
                    one: first.owner.as_str(),
                    other: service.name.as_str(),
                    first: first.client,
                    second: location,
                });
            }
        }
    }
}

/// Reports passwords of other servers that are written for libpq.
fn passwords(platform: &Platform, found: &mut Vec<Diagnostic>) {
    for service in &platform.services {
        for service_use in service.uses {
            let Some((login, kind)) = service_use.login().zip(service_use.kind()) else { continue };
            if login.password.libpq_value && kind != Kind::PostgreSql {
                found.push(Diagnostic::LibpqElsewhere {
                    service: service.name.as_str(),
                    variable: login.password.name.as_str(),
                    product: kind.product(),
                    location: service_use.location(),
                });
            }
        }
    }
}

/// Reports services whose roles would have names that PostgreSQL reserves.
fn role_names(platform: &Platform, found: &mut Vec<Diagnostic>) {
    for service in &platform.services {
        if service.name.as_str().starts_with("pg-") && service.uses.iter().any(|u| matches!(u, Use::PostgreSql(_))) {
            found.push(Diagnostic::NameReserved {
                name: service.name.as_str(),
                what: "service",
                meaning: "a role that PostgreSQL keeps for itself, once it is `pg_…`",
                location: service.location,
            });
        }
    }
}

/// Checks how the end-to-end test removes its rows.
fn leftovers(platform: &Platform, found: &mut Vec<Diagnostic>) {
    let Some(EndToEndTest { leftovers: Some(leftovers), location, .. }) = platform.tests.end_to_end else { return };
    let Leftovers { database, statement } = leftovers;
    line("statement that deletes what the tests' journey leaves".to_owned(), statement, location, found);
    marked("the statement that deletes what it leaves", statement, location, found);
    let verb = statement.split_whitespace().next().unwrap_or_default();
    if !verb.eq_ignore_ascii_case("delete") {
        found.push(Diagnostic::JourneyDeletesNothing { statement, location });
    }
    let owns = |service_use: &Use| matches!(service_use, Use::PostgreSql(client) if client.client.backing == database.server && client.database.database.name == database.name);
    if !platform.services.iter().flat_map(|service| service.uses).any(owns) {
        let name = database.name.as_str();
        found.push(Diagnostic::JourneyForgetsNowhere { database: name, location, declared: database.location });
    }
}
