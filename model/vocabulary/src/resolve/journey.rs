//! What can be wrong with what the tests follow through the platform.

use super::services::http_port;
use crate::{Endpoint, Journey, Mistake, Platform, Use};

pub(super) fn check(platform: &Platform, found: &mut Vec<Mistake>) {
    let Some(journey) = platform.tests.journey else { return };
    let place = journey.place;
    end(platform, journey.sent.endpoint, "start", place, found);
    end(platform, journey.seen.endpoint, "end", place, found);
    for service in journey.through {
        if !platform.services.iter().any(|s| s.name == *service) {
            let by = "the journey of the tests".to_owned();
            found.push(Mistake::ServiceNotListed { service: service.as_str(), by, place });
        }
    }
    let mut unmarked = |what, text: &str| {
        if !text.contains(Journey::MARKER) {
            found.push(Mistake::JourneyUnmarked { what, marker: Journey::MARKER, place });
        }
    };
    unmarked("the body that it sends", journey.sent.body);
    if let Some(leftovers) = journey.leftovers {
        unmarked("the statement that deletes what it leaves", leftovers.statement);
        let verb = leftovers.statement.split_whitespace().next().unwrap_or_default();
        if !verb.eq_ignore_ascii_case("delete") {
            let statement = leftovers.statement;
            found.push(Mistake::JourneyDeletesNothing { statement, place });
        }
        let owns = |one: &Use| matches!(one, Use::Sql(client) if client.database.database.name == leftovers.database.name && client.client.backing == leftovers.database.server);
        if !platform.services.iter().flat_map(|service| service.uses).any(owns) {
            let database = leftovers.database.name.as_str();
            found.push(Mistake::JourneyForgetsNowhere { database, place, declared: leftovers.database.place });
        }
    }
}

fn end(platform: &Platform, endpoint: Endpoint, which: &str, place: crate::Place, found: &mut Vec<Mistake>) {
    let by = format!("the {which} of the tests' journey");
    match platform.services.iter().find(|s| s.name == endpoint.service) {
        None => found.push(Mistake::ServiceNotListed { service: endpoint.service.as_str(), by, place }),
        Some(service) => http_port(service, endpoint.port, &by, place, found),
    }
}
