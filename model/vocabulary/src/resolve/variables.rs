//! What can be wrong with a service's environment variables and settings.

use std::collections::BTreeMap;

use super::report::code;
use super::services::listed;
use crate::{
    BackingName, Diagnostic, Service, ServiceName, Setting, SourceLocation, Use, Variable, VariableName, VariableSource,
};

/// The largest number up to which all are exact in JSON, and so in the values: 2⁵³ − 1.
const LARGEST_EXACT: i64 = (1 << 53) - 1;

pub(super) fn check(service: &Service, found: &mut Vec<Diagnostic>) {
    set_twice(service, found);
    keys(service, found);
    for variable in service.environment {
        match variable.source {
            VariableSource::Setting(setting) => check_setting(service, variable, &setting, found),
            VariableSource::Port(port) => {
                let by = format!("variable `{}` of {}", variable.name, service.name);
                listed(service, port, &by, variable.location, found);
            }
            VariableSource::Fixed(_) | VariableSource::Secret(_) => {}
        }
    }
}

/// To what a use connects: two uses that connect to the same are a mistake of their own.
#[derive(PartialEq)]
enum End {
    Backing(BackingName),
    Service(ServiceName, u16),
}

fn end(one: &Use) -> End {
    match one {
        Use::Call(call) => End::Service(call.endpoint.service, call.endpoint.port.number),
        server_use => End::Backing(server_use.client().expect("every use except a call has a client").backing),
    }
}

fn set_twice(service: &Service, found: &mut Vec<Diagnostic>) {
    let name = service.name.as_str();
    let used = service.uses.iter().enumerate().flat_map(|(i, one)| {
        let variables: Vec<VariableName> = one.variables();
        variables.into_iter().map(move |variable| (variable, one.location(), Some(i)))
    });
    let own = service.environment.iter().map(|v| (v.name, v.location, None));
    let mut seen: BTreeMap<&str, (SourceLocation, Option<usize>)> = BTreeMap::new();
    // A client that was copied sets all its variables again: one mistake.
    let mut twice: BTreeMap<(SourceLocation, SourceLocation), Vec<String>> = BTreeMap::new();
    for (variable, location, by) in used.chain(own) {
        let variable = variable.as_str();
        if ["KUBERNETES_SERVICE_", "KUBERNETES_PORT"].iter().any(|prefix| variable.starts_with(prefix)) {
            found.push(Diagnostic::VariableReserved { service: name, variable, location });
        }
        let Some((first, before)) = seen.insert(variable, (location, by)) else { continue };
        let one_end = before.zip(by).is_some_and(|(a, b)| a != b && end(&service.uses[a]) == end(&service.uses[b]));
        if !one_end {
            twice.entry((first, location)).or_default().push(code(variable));
        }
    }
    for ((first, second), variables) in twice {
        found.push(Diagnostic::VariableTwice { service: name, variables: variables.join(", "), first, second });
    }
}

/// Settings and credentials are two sections of the values, with keys in camelCase.
fn keys(service: &Service, found: &mut Vec<Diagnostic>) {
    let mut settings: BTreeMap<String, (String, SourceLocation)> = BTreeMap::new();
    let logins = service.uses.iter().filter(|one| one.login().is_some());
    let login = |one: &Use| Some((one.client()?.backing.to_string(), ("the login".to_owned(), one.location())));
    let mut credentials: BTreeMap<String, (String, SourceLocation)> = logins.filter_map(login).collect();
    for variable in service.environment {
        let keys = match variable.source {
            VariableSource::Setting(_) => &mut settings,
            VariableSource::Secret(_) => &mut credentials,
            VariableSource::Port(_) | VariableSource::Fixed(_) => continue,
        };
        let (key, other) = (variable.name.camel_case(), code(variable.name.as_str()));
        let Some((one, first)) = keys.insert(key.clone(), (other.clone(), variable.location)) else { continue };
        // Of one name they are a variable that is set twice.
        if one != other {
            let (service, second) = (service.name.as_str(), variable.location);
            found.push(Diagnostic::KeyTwice { service, key, one, other, first, second });
        }
    }
}

fn check_setting(service: &Service, declared: &Variable, setting: &Setting, found: &mut Vec<Diagnostic>) {
    let (service, variable, location) = (service.name.as_str(), declared.name.as_str(), declared.location);
    match setting {
        Setting::Text { .. } => {}
        Setting::Integer { min, max, .. } => {
            if min > max {
                let why = format!("its smallest value, {min}, is above its largest, {max}");
                found.push(Diagnostic::SettingAllowsNothing { service, variable, why, location });
            }
            for bound in [*min, *max].into_iter().filter(|bound| bound.unsigned_abs() > LARGEST_EXACT.unsigned_abs()) {
                let largest = LARGEST_EXACT;
                found.push(Diagnostic::IntegerTooWide { service, variable, bound, largest, location });
            }
        }
        Setting::Choice { options, .. } => {
            if options.is_empty() {
                let why = "it has no options".to_owned();
                found.push(Diagnostic::SettingAllowsNothing { service, variable, why, location });
            }
            for (i, option) in options.iter().enumerate() {
                if options[..i].contains(option) {
                    let option = code(option);
                    found.push(Diagnostic::OptionTwice { service, variable, option, location });
                }
            }
        }
    }
    if let Some((value, allowed)) = refusal(setting, None) {
        let (what, at) = ("default", String::new());
        found.push(Diagnostic::SettingRefuses { what, variable, service, at, value, allowed, location });
    }
}

/// The value in words (the default when none is given) and what it should have been, if a setting refuses it. One that refuses every value
/// is a mistake of its own.
pub(super) fn refusal(setting: &Setting, value: Option<&str>) -> Option<(String, String)> {
    match *setting {
        Setting::Text { .. } => None,
        Setting::Integer { default, min, max, .. } => {
            let shown = value.map_or_else(|| default.to_string(), str::to_owned);
            let number: Option<i64> = shown.parse().ok();
            // `+5` and `007` would arrive in other digits.
            let is_plain = number.is_none_or(|n| n.to_string() == shown);
            let fits = is_plain && number.is_some_and(|n| (min..=max).contains(&n));
            let form = if is_plain { "" } else { ", without a plus sign and leading zeros" };
            (!fits && min <= max).then(|| (code(&shown), format!("a whole number from {min} to {max}{form}")))
        }
        Setting::Choice { default, options, .. } => {
            let value = value.unwrap_or(default);
            let fits = options.is_empty() || options.contains(&value);
            let all = || options.iter().map(|option| code(option)).collect::<Vec<_>>().join(", ");
            (!fits).then(|| (code(value), format!("one of {}", all())))
        }
    }
}
