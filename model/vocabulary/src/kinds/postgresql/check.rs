//! Checks of databases, of roles and passwords, and of the rows that the end-to-end test leaves.

use super::SqlClient;
use crate::diagnostic::{codes, repeated};
use crate::resolve::{line, marked};
use crate::{Diagnostic, EndToEndTest, Kind, Leftovers, Platform, Service, Use};

codes! {
    /// A database with several owners.
    SeveralOwners,
    /// A password for another kind of server that is written for libpq.
    LibpqElsewhere,
    /// A service whose role would have a name that PostgreSQL reserves.
    RoleNameReserved,
    /// A statement for the leftovers of the end-to-end test that deletes nothing.
    LeftoversNotDeleted,
    /// Leftovers of the end-to-end test in a database without an owner.
    LeftoversWithoutOwner,
}

pub(super) fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    owners(platform, diagnostics);
    passwords(platform, diagnostics);
    role_names(platform, diagnostics);
    leftovers(platform, diagnostics);
}

fn clients(platform: &Platform) -> impl Iterator<Item = (&Service, &'static SqlClient)> {
    platform.services.iter().flat_map(|service| {
        service.uses.iter().filter_map(move |service_use| match service_use {
            Use::PostgreSql(client) => Some((service, client)),
            _ => None,
        })
    })
}

fn owners(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    let by_database = clients(platform).map(|(service, client)| {
        let database = client.database.database;
        ((database.server, database.name), (service.name, client.client.location))
    });
    for ((server, database), owners) in repeated(by_database) {
        // Several clients of one service are another mistake.
        if owners.iter().any(|(service, _)| *service != owners[0].0) {
            diagnostics.push(
                Diagnostic::new(Code::SeveralOwners, format!("database `{database}` of {server} has several owners"))
                    .at_each(owners.iter().map(|(service, location)| (service.as_str(), *location)))
                    .help(
                        "keep one owner, and give each of the others a database of its own (`.database(…)`) or a call to the owner \
                         (`.called(…)`) in place of its client",
                    ),
            );
        }
    }
}

fn passwords(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    for service in &platform.services {
        for service_use in service.uses {
            let Some((login, kind)) = service_use.login().zip(service_use.kind()) else { continue };
            if login.password.libpq_value && kind != Kind::PostgreSql {
                let (name, variable, product) = (service.name, login.password.name, kind.product());
                diagnostics.push(
                    Diagnostic::new(
                        Code::LibpqElsewhere,
                        format!("`{variable}` of {name} is a password for {product}, but is written as a libpq value, which only PostgreSQL has"),
                    )
                    .at("the client", service_use.location())
                    .help(format!("use `plain(\"{variable}\")` in place of `libpq_value(\"{variable}\")`")),
                );
            }
        }
    }
}

/// The add-ons of a server that have a login at it, which is named after them.
const ADD_ONS: &[&str] = &["backup", "exporter"];

fn role_names(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    for (service, _) in clients(platform).filter(|(service, _)| ADD_ONS.contains(&service.name.as_str())) {
        diagnostics.push(
            Diagnostic::new(
                Code::RoleNameReserved,
                format!("the role of {} would have the name of the login of an add-on of the server", service.name),
            )
            .at("declared", service.location)
            .help("rename the service"),
        );
    }
    for (service, _) in clients(platform).filter(|(service, _)| service.name.as_str().starts_with("pg-")) {
        diagnostics.push(
            Diagnostic::new(
                Code::RoleNameReserved,
                format!(
                    "the role of {} would have a name that begins with `pg_`, which PostgreSQL reserves",
                    service.name
                ),
            )
            .at("declared", service.location)
            .help("rename the service, so that its name does not begin with `pg-`"),
        );
    }
}

/// Checks how the end-to-end test deletes the rows that it leaves.
fn leftovers(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    let Some(EndToEndTest { leftovers: Some(leftovers), location, .. }) = platform.tests.end_to_end else { return };
    let Leftovers { database, statement } = leftovers;
    let what = "the statement that deletes the leftovers of the end-to-end test";
    line(what, statement, location, diagnostics);
    marked(what, statement, location, diagnostics);
    let verb = statement.split_whitespace().next().unwrap_or_default();
    if !verb.eq_ignore_ascii_case("delete") {
        diagnostics.push(
            Diagnostic::new(Code::LeftoversNotDeleted, format!("{what} is no `DELETE`: `{statement}`"))
                .at("declared", location)
                .help("write one `DELETE FROM … WHERE …`: the test checks how many rows it deletes"),
        );
    }
    let is_owned = |(_, client): (&Service, &SqlClient)| {
        client.client.backing == database.server && client.database.database.name == database.name
    };
    if !clients(platform).any(is_owned) {
        diagnostics.push(
            Diagnostic::new(
                Code::LeftoversWithoutOwner,
                format!("the end-to-end test leaves rows in database `{}`, which no service owns", database.name),
            )
            .at("the test", location)
            .at("the database", database.location)
            .help("name a database that a service owns (`owns(…)`): its login deletes the rows"),
        );
    }
}
