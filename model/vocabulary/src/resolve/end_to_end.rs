//! What can be wrong with what the tests follow through the platform.

use super::services::http_port;
use crate::{Diagnostic, EndToEndTest, Endpoint, Platform, Use};

pub(super) fn check(platform: &Platform, found: &mut Vec<Diagnostic>) {
    let Some(end_to_end) = platform.tests.end_to_end else { return };
    let location = end_to_end.location;
    end(platform, end_to_end.sent.endpoint, "start", location, found);
    end(platform, end_to_end.seen.endpoint, "end", location, found);
    for service in end_to_end.through {
        if !platform.services.iter().any(|s| s.name == *service) {
            let by = "the journey of the tests".to_owned();
            found.push(Diagnostic::ServiceNotListed { service: service.as_str(), by, location });
        }
    }
    let mut unmarked = |what, text: &str| {
        if !text.contains(EndToEndTest::MARKER) {
            found.push(Diagnostic::JourneyUnmarked { what, marker: EndToEndTest::MARKER, location });
        }
    };
    unmarked("the body that it sends", end_to_end.sent.body);
    if let Some(leftovers) = end_to_end.leftovers {
        unmarked("the statement that deletes what it leaves", leftovers.statement);
        let verb = leftovers.statement.split_whitespace().next().unwrap_or_default();
        if !verb.eq_ignore_ascii_case("delete") {
            let statement = leftovers.statement;
            found.push(Diagnostic::JourneyDeletesNothing { statement, location });
        }
        let owns = |one: &Use| matches!(one, Use::Sql(client) if client.database.database.name == leftovers.database.name && client.client.backing == leftovers.database.server);
        if !platform.services.iter().flat_map(|service| service.uses).any(owns) {
            let database = leftovers.database.name.as_str();
            found.push(Diagnostic::JourneyForgetsNowhere { database, location, declared: leftovers.database.location });
        }
    }
}

fn end(
    platform: &Platform,
    endpoint: Endpoint,
    which: &str,
    location: crate::SourceLocation,
    found: &mut Vec<Diagnostic>,
) {
    let by = format!("the {which} of the tests' journey");
    match platform.services.iter().find(|s| s.name == endpoint.service) {
        None => found.push(Diagnostic::ServiceNotListed { service: endpoint.service.as_str(), by, location }),
        Some(service) => http_port(service, endpoint.port, &by, location, found),
    }
}
