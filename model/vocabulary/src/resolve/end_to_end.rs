//! What can be wrong with what the tests follow through the platform.

use super::services::http_port;
use crate::{Diagnostic, EndToEndTest, Endpoint, Platform, SourceLocation};

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
    marked("the body that it sends", end_to_end.sent.body, location, found);
}

/// Reports a text without the marker that tells one run of the end-to-end test from another.
pub(crate) fn marked(what: &'static str, text: &str, location: SourceLocation, found: &mut Vec<Diagnostic>) {
    if !text.contains(EndToEndTest::MARKER) {
        found.push(Diagnostic::JourneyUnmarked { what, marker: EndToEndTest::MARKER, location });
    }
}

fn end(platform: &Platform, endpoint: Endpoint, which: &str, location: SourceLocation, found: &mut Vec<Diagnostic>) {
    let by = format!("the {which} of the tests' journey");
    match platform.services.iter().find(|s| s.name == endpoint.service) {
        None => found.push(Diagnostic::ServiceNotListed { service: endpoint.service.as_str(), by, location }),
        Some(service) => http_port(service, endpoint.port, &by, location, found),
    }
}
