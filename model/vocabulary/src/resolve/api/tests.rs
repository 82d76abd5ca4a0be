use super::CODES;
use crate::testing::{check, fix, list, platform, service};
use crate::{ApiRule, Platform, Service};

#[track_caller]
fn may(rules: impl Into<Vec<ApiRule>>) -> Platform {
    platform([Service { kubernetes: list(rules), ..service("web") }])
}

#[track_caller]
fn rule(group: &'static str, resources: &'static [&'static str], verbs: &'static [&'static str]) -> ApiRule {
    ApiRule::new("Reads the prices.", group, resources, verbs)
}

#[test]
fn every_help_can_be_followed() {
    let get = || may([rule("", &["configmaps"], &["get"])]);
    check(
        "api",
        CODES,
        vec![
            fix("ApiRuleEmpty", may([rule("", &[], &[])]), [get(), may([])]),
            fix("ApiRuleTooWide", may([rule("*", &["configmaps"], &["get"])]), [get()]),
            fix("ApiRuleTooWide", may([rule("", &["*"], &["get"])]), [get()]),
            fix("ApiRuleTooWide", may([rule("", &["configmaps"], &["*"])]), [get()]),
            fix(
                "ApiWord",
                may([rule("apps/v1", &["deployments"], &["get"])]),
                [may([rule("apps", &["deployments"], &["get"])])],
            ),
            fix("ApiWord", may([rule("core", &["pods/log"], &["get"])]), [may([rule("", &["pods/log"], &["get"])])]),
            fix("ApiWord", may([rule("", &["ConfigMap"], &["get"])]), [get()]),
            fix("ApiWord", may([rule("", &["configmaps"], &["read"])]), [get()]),
            fix(
                "ApiWord",
                may([rule("", &["configmaps"], &["get"]).only(&["Prices"])]),
                [may([rule("", &["configmaps"], &["get"]).only(&["prices"])])],
            ),
            fix(
                "ApiVerbWithNames",
                may([rule("", &["configmaps"], &["get", "list", "watch"]).only(&["prices"])]),
                [
                    may([rule("", &["configmaps"], &["get"]).only(&["prices"])]),
                    may([
                        rule("", &["configmaps"], &["get"]).only(&["prices"]),
                        rule("", &["configmaps"], &["list", "watch"]),
                    ]),
                ],
            ),
        ],
    );
}
