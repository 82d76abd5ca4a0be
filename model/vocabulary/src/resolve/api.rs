//! Checks of a service's rules at the Kubernetes API.

#[cfg(test)]
mod tests;

use crate::diagnostic::{code, codes, sentence};
use crate::{ApiRule, Diagnostic, Service};

codes! {
    /// A rule without resources or verbs.
    ApiRuleEmpty,
    /// A rule with `*`.
    ApiRuleTooWide,
    /// A word that the Kubernetes API does not have.
    ApiWord,
    /// Verbs that cannot be restricted to objects by name.
    ApiVerbWithNames,
}

/// The verbs of the Kubernetes API.
const VERBS: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// The verbs that concern all objects of a resource, or an object that has no name yet.
const VERBS_WITHOUT_NAME: &[&str] = &["list", "watch", "create", "deletecollection"];

pub(super) fn check(service: &Service, diagnostics: &mut Vec<Diagnostic>) {
    for rule in service.kubernetes {
        empty(service, rule, diagnostics);
        words(service, rule, diagnostics);
        names(service, rule, diagnostics);
    }
}

fn empty(service: &Service, rule: &ApiRule, diagnostics: &mut Vec<Diagnostic>) {
    let lists = [("resources", rule.resources.is_empty()), ("verbs", rule.verbs.is_empty())];
    let missing: Vec<&str> = lists.into_iter().filter(|(_, is_empty)| *is_empty).map(|(what, _)| what).collect();
    if !missing.is_empty() {
        let missing = sentence(missing, "or");
        diagnostics.push(
            Diagnostic::new(Code::ApiRuleEmpty, format!("an API rule of {} names no {missing}", service.name))
                .at("declared", rule.location)
                .help("name exactly the resources and verbs that the program needs, or remove the rule"),
        );
    }
}

fn words(service: &Service, rule: &ApiRule, diagnostics: &mut Vec<Diagnostic>) {
    let mut check = |place: &str, word: &str, is_valid: bool, help: &str| {
        if word.contains('*') {
            diagnostics.push(
                Diagnostic::new(
                    Code::ApiRuleTooWide,
                    format!("an API rule of {} has {} {place}, which allows too much", service.name, code(word)),
                )
                .at("declared", rule.location)
                .help("name exactly the group, resources, verbs and objects that the program needs"),
            );
        } else if !is_valid {
            diagnostics.push(
                Diagnostic::new(
                    Code::ApiWord,
                    format!("an API rule of {} has {} {place}, which is not valid there", service.name, code(word)),
                )
                .at("declared", rule.location)
                .help(help),
            );
        }
    };
    let group = "write the part of `apiVersion` before the slash, such as `apps`; for the core group, whose `apiVersion` is `v1`, write an empty text";
    check("as its group", rule.group, is_group(rule.group), group);
    for resource in rule.resources {
        let help =
            "write the plural in lower case, such as `configmaps`; a subresource follows after `/`, as in `pods/log`";
        check("among its resources", resource, is_resource(resource), help);
    }
    for verb in rule.verbs {
        let help = "use the verbs get, list, watch, create, update, patch, delete and deletecollection";
        check("among its verbs", verb, VERBS.contains(verb), help);
    }
    for name in rule.names {
        let help = "an object's name has a-z, 0-9, `.`, `-` and `:`; it begins and ends with a letter or digit";
        check("among its names", name, is_name(name), help);
    }
}

fn names(service: &Service, rule: &ApiRule, diagnostics: &mut Vec<Diagnostic>) {
    let verbs: Vec<&str> = rule.verbs.iter().filter(|verb| VERBS_WITHOUT_NAME.contains(verb)).copied().collect();
    if rule.names.is_empty() || verbs.is_empty() {
        return;
    }
    let verbs = sentence(verbs.iter().map(|verb| code(verb)).collect::<Vec<_>>().iter().map(String::as_str), "and");
    diagnostics.push(
        Diagnostic::new(
            Code::ApiVerbWithNames,
            format!("an API rule of {} restricts {verbs} to names, which the Kubernetes API cannot do", service.name),
        )
        .at("declared", rule.location)
        .help(format!(
            "remove {verbs} from the rule; if the program needs it, add a further rule for it without `.only(…)`"
        )),
    );
}

fn is_group(text: &str) -> bool {
    text.is_empty() || (is_name(text) && !text.contains(':') && text != "core" && text != "v1")
}

fn is_resource(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let is_word = |part: &&str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    parts.len() <= 2 && parts.iter().all(is_word)
}

/// Whether a text is the name of an object: a DNS subdomain (RFC 1123), in which roles may also have `:`.
fn is_name(text: &str) -> bool {
    let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let is_inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".:-".contains(c);
    text.len() <= 253 && is_end(text.chars().next()) && is_end(text.chars().last()) && text.chars().all(is_inside)
}
