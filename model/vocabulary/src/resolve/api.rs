//! What can be wrong with a rule at the Kubernetes API.

use super::report::code;
use crate::{ApiRule, Diagnostic, Service};

/// What may be done with the objects of a kind.
const VERBS: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// What concerns all objects of a kind, or one that has no name yet.
const UNNAMED: &[&str] = &["list", "watch", "create", "deletecollection"];

pub(super) fn check(service: &Service, found: &mut Vec<Diagnostic>) {
    for rule in service.kubernetes {
        check_rule(service.name.as_str(), rule, found);
    }
}

fn check_rule(service: &'static str, rule: &ApiRule, found: &mut Vec<Diagnostic>) {
    let location = rule.location;
    for (lacks, words) in [("kind", rule.resources), ("verb", rule.verbs)] {
        if words.is_empty() {
            found.push(Diagnostic::ApiRuleEmpty { service, lacks, location });
        }
    }
    let mut word = |what, word: &str, fits: bool, must: &'static str| {
        if word.contains('*') {
            found.push(Diagnostic::ApiRuleTooWide { service, word: code(word), location });
        } else if !fits {
            found.push(Diagnostic::ApiWordUnknown { service, what, word: code(word), rule: must, location });
        }
    };
    word(
        "group",
        rule.group,
        is_group(rule.group),
        "a group is the part of `apiVersion` before the slash, such as `apps`; the core group, of which `apiVersion` is `v1`, is the empty text",
    );
    for resource in rule.resources {
        word(
            "kind",
            resource,
            is_kind(resource),
            "a kind is its plural in lower case, such as `configmaps`, with `/` before a subresource, such as `pods/log`",
        );
    }
    for verb in rule.verbs {
        word(
            "verb",
            verb,
            VERBS.contains(verb),
            "the verbs are get, list, watch, create, update, patch, delete and deletecollection",
        );
    }
    for name in rule.names {
        word(
            "object's name",
            name,
            is_name(name),
            "an object's name is of a-z, 0-9, ., - and :; it begins and ends with a letter or digit",
        );
    }
    for verb in rule.verbs.iter().filter(|verb| !rule.names.is_empty() && UNNAMED.contains(*verb)) {
        found.push(Diagnostic::ApiVerbNarrowed { service, verb, location });
    }
}

fn is_group(text: &str) -> bool {
    text.is_empty() || (is_name(text) && !text.contains(':') && text != "core" && text != "v1")
}

fn is_kind(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let letters = |part: &&str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    parts.len() <= 2 && parts.iter().all(letters)
}

/// What most objects are called by: a DNS subdomain (RFC 1123), and `:` within, which roles have.
fn is_name(text: &str) -> bool {
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".:-".contains(c);
    text.len() <= 253 && end(text.chars().next()) && end(text.chars().last()) && text.chars().all(inside)
}
