//! Checks of a service's environment variables.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::ports::listed;
use super::settings;
use crate::diagnostic::{code, codes, repeated, sentence};
use crate::{BackingName, Diagnostic, Service, ServiceName, SourceLocation, Use, VariableSource};

codes! {
    /// Variables that are set several times.
    VariableSetRepeatedly,
    /// A variable that Kubernetes or the chart sets itself.
    VariableReserved,
    /// Several settings or secrets with one key in the values.
    DuplicateKey,
}

pub(super) fn check(service: &Service, diagnostics: &mut Vec<Diagnostic>) {
    set_repeatedly(service, diagnostics);
    keys(service, diagnostics);
    for variable in service.environment {
        match variable.source {
            VariableSource::Setting(setting) => settings::check(service, variable, &setting, diagnostics),
            VariableSource::Port(port) => {
                let reference = format!("variable `{}` of {}", variable.name, service.name);
                listed(service, port, &reference, variable.location, diagnostics);
            }
            VariableSource::Fixed(_) | VariableSource::Secret(_) => {}
        }
    }
}

/// What a use connects to. Several uses that connect to the same are another mistake.
#[derive(PartialEq)]
enum Target {
    Server(BackingName),
    Service(ServiceName, u16),
}

fn target(service_use: &Use) -> Target {
    match service_use {
        Use::Call(call) => Target::Service(call.endpoint.service, call.endpoint.port.number),
        server_use => Target::Server(server_use.client().expect("every use except a call has a client").backing),
    }
}

/// A place where a variable is set: by a use, or in the service's environment.
struct Setter<'a> {
    location: SourceLocation,
    service_use: Option<&'a Use>,
}

fn set_repeatedly(service: &Service, diagnostics: &mut Vec<Diagnostic>) {
    let by_uses = service.uses.iter().flat_map(|service_use| {
        let setter = move || Setter { location: service_use.location(), service_use: Some(service_use) };
        service_use.variables().into_iter().map(move |variable| (variable, setter()))
    });
    let own = service.environment.iter().map(|v| (v.name, Setter { location: v.location, service_use: None }));
    let setters: Vec<_> = by_uses.chain(own).collect();
    for (variable, setter) in &setters {
        if ["KUBERNETES_SERVICE_", "KUBERNETES_PORT"].iter().any(|prefix| variable.as_str().starts_with(prefix)) {
            diagnostics.push(
                Diagnostic::new(
                    Code::VariableReserved,
                    format!("{} sets `{variable}`, which Kubernetes itself sets in every pod", service.name),
                )
                .at("declared", setter.location)
                .help("let the program read another variable"),
            );
        } else if service.runtime.sets(variable.as_str()) {
            diagnostics.push(
                Diagnostic::new(
                    Code::VariableReserved,
                    format!("{} sets `{variable}`, which the chart sets for every Python program", service.name),
                )
                .at("declared", setter.location)
                .help("remove it, or remove `runtime: Runtime::Python` from the service"),
            );
        }
    }
    // A copied client sets all its variables again: variables that are set in the same places are one mistake.
    let mut groups: BTreeMap<Vec<SourceLocation>, Vec<String>> = BTreeMap::new();
    for (variable, setters) in repeated(setters) {
        if !are_uses_of_one_target(&setters) {
            let locations = setters.iter().map(|setter| setter.location).collect();
            groups.entry(locations).or_default().push(code(variable.as_str()));
        }
    }
    for (locations, variables) in groups {
        let variables = sentence(variables.iter().map(String::as_str), "and");
        diagnostics.push(
            Diagnostic::new(Code::VariableSetRepeatedly, format!("{} sets {variables} more than once", service.name))
                .at_each(locations.into_iter().map(|location| ("set", location)))
                .help(
                    "a variable has one value: keep one of these places, or let the program read different variables",
                ),
        );
    }
}

/// Whether all places are different uses that connect to the same: then the uses are to be merged, and the variables with them.
fn are_uses_of_one_target(setters: &[Setter]) -> bool {
    let uses: Option<Vec<&Use>> = setters.iter().map(|setter| setter.service_use).collect();
    let Some(uses) = uses else { return false };
    let one_target = uses.iter().all(|service_use| target(service_use) == target(uses[0]));
    one_target && uses.iter().enumerate().all(|(i, a)| uses[..i].iter().all(|b| !std::ptr::eq(*a, *b)))
}

/// Settings and credentials are two sections of the values, with keys in camelCase.
fn keys(service: &Service, diagnostics: &mut Vec<Diagnostic>) {
    let variable = |section, variable: &crate::Variable| {
        ((section, variable.name.camel_case()), (format!("variable `{}`", variable.name), variable.location))
    };
    let logins = service.uses.iter().filter(|service_use| service_use.login().is_some()).filter_map(Use::client);
    let logins = logins.map(|client| {
        (("credentials", client.backing.to_string()), (format!("the login at {}", client.backing), client.location))
    });
    let variables = service.environment.iter().filter_map(|v| match v.source {
        VariableSource::Setting(_) => Some(variable("settings", v)),
        VariableSource::Secret(_) => Some(variable("credentials", v)),
        VariableSource::Port(_) | VariableSource::Fixed(_) => None,
    });
    for ((section, key), mut owners) in repeated(logins.chain(variables)) {
        // Several of one name are a variable that is set repeatedly, or several clients of one server.
        let first = owners[0].0.clone();
        if owners.iter().all(|(role, _)| *role == first) {
            continue;
        }
        owners.dedup_by(|a, b| a.0 == b.0);
        diagnostics.push(
            Diagnostic::new(
                Code::DuplicateKey,
                format!("the `{section}` of {} would have several values with the key `{key}`", service.name),
            )
            .at_each(owners)
            .help("the key of a variable is its name in camelCase without underscores: rename all but one of the variables"),
        );
    }
}
