//! Checks of the end-to-end test.

#[cfg(test)]
mod tests;

use super::calls::{find, find_endpoint};
use super::ports::http_port;
use crate::diagnostic::codes;
use crate::{Diagnostic, EndToEndTest, Endpoint, Platform, SourceLocation};

codes! {
    /// A text of the end-to-end test that does not tell its runs apart.
    MarkerMissing,
}

pub(super) fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    let Some(EndToEndTest { request, page, through, location, .. }) = platform.tests.end_to_end else { return };
    endpoint(platform, request.endpoint, "the request of the end-to-end test", location, diagnostics);
    endpoint(platform, page.endpoint, "the page of the end-to-end test", location, diagnostics);
    for service in through {
        find(platform, *service, "the end-to-end test", location, diagnostics);
    }
    marked("the body that the end-to-end test sends", request.body, location, diagnostics);
}

fn endpoint(
    platform: &Platform,
    endpoint: Endpoint,
    reference: &str,
    location: SourceLocation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if let Some(service) = find_endpoint(platform, endpoint, reference, location, diagnostics) {
        http_port(service, endpoint.port, reference, location, diagnostics);
    }
}

/// Reports a text without the marker that tells one run of the end-to-end test from another. `what` names the text.
pub(crate) fn marked(what: &str, text: &str, location: SourceLocation, diagnostics: &mut Vec<Diagnostic>) {
    let marker = EndToEndTest::MARKER;
    if !text.contains(marker) {
        diagnostics.push(
            Diagnostic::new(Code::MarkerMissing, format!("{what} has no `{marker}`"))
                .at("declared", location)
                .help(format!(
                    "put `{marker}` where the text may have any value: each run replaces it with a value of its own, to recognise its event"
                )),
        );
    }
}
