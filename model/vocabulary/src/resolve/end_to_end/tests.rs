use super::CODES;
use crate::testing::{HTTP, check, fix, platform, service};
use crate::{EndToEndTest, Endpoint, Platform, ServiceName, Tests};

#[track_caller]
fn sends(body: &'static str) -> Platform {
    let endpoint = Endpoint::new(ServiceName::new("web"), HTTP);
    let test = EndToEndTest::new("An order is shown.", endpoint.posts("/orders", body), &[], endpoint.page("/"));
    Platform { tests: Tests::DEFAULT.end_to_end(test), ..platform([service("web")]) }
}

#[test]
fn every_help_can_be_followed() {
    let marked = r#"{"article": 1, "comment": "{marker}"}"#;
    check(
        "end_to_end",
        CODES,
        vec![fix("MarkerMissing", sends(r#"{"article": 1, "comment": "any"}"#), [sends(marked)])],
    );
}
