//! What can be wrong with a service by itself and with the services it calls.

use std::collections::BTreeMap;

use crate::variable::{Setting, VariableSource};
use crate::{
    BackingName, Health, HealthRoute, Mistake, Place, Platform, Port, Probe, Protocol, Quantity, Reconnects, Resources,
    Service, ServiceName, Use,
};

pub(super) fn check(platform: &Platform, found: &mut Vec<Mistake>) {
    if platform.services.is_empty() {
        found.push(Mistake::NoService { platform: platform.name.to_string(), place: platform.place });
    }
    chart_names(platform, found);
    for service in &platform.services {
        ports(service, found);
        health(service, found);
        variables(service, found);
        folders(service, found);
        api_rules(service, found);
        calls(platform, service, found);
        resources(service.name.as_str(), service.resources, service.place, found);
        if service.user == 0 {
            found.push(Mistake::RunsAsRoot { service: service.name.as_str(), place: service.place });
        }
        if let Some(exposure) = service.exposure {
            http_port(service, exposure.port, "the exposure", exposure.place, found);
        }
    }
}

fn chart_names(platform: &Platform, found: &mut Vec<Mistake>) {
    let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
    let services = platform.services.iter().map(|s| (s.name.as_str(), s.place));
    let backing = platform.backing.iter().map(|b| (b.name().as_str(), b.place()));
    for (name, place) in services.chain(backing) {
        if let Some(first) = seen.insert(name, place) {
            found.push(Mistake::ChartTwice { name, first, second: place });
        }
        let meaning = match name {
            "global" => Some("where Helm keeps the values that all charts share"),
            "enabled" => Some("what a parent chart switches this one off by"),
            "tags" | "exports" | "import-values" => Some("a key of Helm's own in the values"),
            "administrator" | "default" | "guest" | "postgres" | "probe" | "superuser" => Some("a login that a backing service has of its own"),
            _ if name.starts_with("pg-") => Some("a role that PostgreSQL keeps for itself once it is `pg_…`"),
            _ if name == platform.name.as_str() => Some("the platform's own name"),
            _ => None,
        };
        if let Some(meaning) = meaning {
            found.push(Mistake::NameReserved { name, meaning, place });
        }
    }
}

fn ports(service: &Service, found: &mut Vec<Mistake>) {
    let name = service.name.as_str();
    for (i, port) in service.ports.iter().enumerate() {
        for before in &service.ports[..i] {
            let (first, second) = (before.place, port.place);
            if before.name == port.name {
                found.push(Mistake::PortNameTwice { service: name, port: port.name.as_str(), first, second });
            }
            if before.number == port.number {
                found.push(Mistake::PortNumberTwice { service: name, number: port.number, first, second });
            }
        }
    }
}

fn health(service: &Service, found: &mut Vec<Mistake>) {
    let name = service.name.as_str();
    let lost = service.uses.iter().filter_map(Use::client).filter(|c| matches!(c.reconnects, Reconnects::Never(_)));
    match service.health {
        Health::Connections(_) => {
            if lost.count() == 0 {
                found.push(Mistake::NothingToWatch { service: name, place: service.place });
            }
        }
        Health::Probes { readiness, liveness } => {
            for client in lost {
                let (backing, client) = (client.backing.as_str(), client.place);
                found.push(Mistake::LossUnseen { service: name, backing, client, place: service.place });
            }
            probe(service, readiness, "the readiness probe", found);
            probe(service, liveness, "the liveness probe", found);
            if let Probe::Http(route) = liveness
                && !route.fails_without.is_empty()
            {
                found.push(Mistake::LivenessFollowsDependency {
                    service: name,
                    path: route.path.to_string(),
                    dependencies: route.fails_without.iter().map(|b| b.as_str()).collect::<Vec<_>>().join(" or "),
                    port: route.port.name.to_string(),
                    route: route.place,
                    place: service.place,
                });
            }
        }
    }
}

fn probe(service: &Service, probe: Probe, which: &str, found: &mut Vec<Mistake>) {
    match probe {
        Probe::Tcp(port) => listed(service, port, which, service.place, found),
        Probe::Http(route) => {
            http_port(service, route.port, which, service.place, found);
            route_dependencies(service, route, found);
        }
    }
}

fn route_dependencies(service: &Service, route: HealthRoute, found: &mut Vec<Mistake>) {
    let used = |backing: BackingName| service.uses.iter().filter_map(Use::client).any(|c| c.backing == backing);
    for backing in route.fails_without.iter().filter(|b| !used(**b)) {
        let mistake = Mistake::RouteFollowsStranger {
            service: service.name.as_str(),
            path: route.path.to_string(),
            backing: backing.as_str(),
            place: route.place,
        };
        // Readiness and liveness may ask one route: its mistake is one.
        if !found.contains(&mistake) {
            found.push(mistake);
        }
    }
}

fn listed(service: &Service, port: Port, by: &str, place: Place, found: &mut Vec<Mistake>) {
    if !service.ports.contains(&port) {
        let (port, by) = (port.name.as_str(), format!("{by} of {}", service.name));
        found.push(Mistake::PortNotListed { service: service.name.as_str(), port, by, place });
    }
}

fn http_port(service: &Service, port: Port, by: &str, place: Place, found: &mut Vec<Mistake>) {
    listed(service, port, by, place, found);
    if port.protocol != Protocol::Http {
        let (port, by) = (port.name.as_str(), format!("{by} of {}", service.name));
        found.push(Mistake::PortNotHttp { service: service.name.as_str(), port, by, place });
    }
}

fn variables(service: &Service, found: &mut Vec<Mistake>) {
    let name = service.name.as_str();
    let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
    let used = service.uses.iter().flat_map(|u| u.variables().into_iter().map(|v| (v, u.place())));
    let own = service.environment.iter().map(|v| (v.name, v.place));
    for (variable, place) in used.chain(own) {
        let variable = variable.as_str();
        if let Some(first) = seen.insert(variable, place) {
            found.push(Mistake::VariableTwice { service: name, variable, first, second: place });
        }
    }

    // Settings and credentials are two sections of the values, with keys in camelCase.
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    let clients = service.uses.iter().filter_map(Use::client).map(|c| c.backing.to_string());
    let mut credentials: BTreeMap<String, String> = clients.map(|b| (b.clone(), b)).collect();
    for variable in service.environment {
        let keys = match variable.source {
            VariableSource::Setting(setting) => {
                if let Some(allowed) = refusal(&setting, None) {
                    found.push(Mistake::SettingRefuses {
                        service: name,
                        variable: variable.name.as_str(),
                        by: "its own default".into(),
                        value: allowed.0,
                        allowed: allowed.1,
                        place: variable.place,
                    });
                }
                &mut settings
            }
            VariableSource::Secret(_) => &mut credentials,
            VariableSource::Port(port) => {
                listed(service, port, &format!("variable `{}`", variable.name), variable.place, found);
                continue;
            }
            VariableSource::Fixed(_) => continue,
        };
        let key = variable.name.camel_case();
        let other = variable.name.to_string();
        if let Some(one) = keys.insert(key.clone(), other.clone())
            && one != other
        {
            found.push(Mistake::KeyTwice { service: name, key, one, other, place: variable.place });
        }
    }
}

/// The value (the default when none is given) and what it should have been, if a setting refuses it.
pub(super) fn refusal(setting: &Setting, value: Option<&str>) -> Option<(String, String)> {
    match *setting {
        Setting::Text { .. } => None,
        Setting::Integer { default, min, max, .. } => {
            let number = value.map_or(Ok(default), str::parse);
            let fits = number.as_ref().is_ok_and(|n| (min..=max).contains(n));
            let shown = value.map_or_else(|| default.to_string(), str::to_owned);
            (!fits).then(|| (shown, format!("a whole number from {min} to {max}")))
        }
        Setting::Choice { default, options, .. } => {
            let value = value.unwrap_or(default);
            (!options.contains(&value)).then(|| (value.to_owned(), format!("one of {}", options.join(", "))))
        }
    }
}

fn folders(service: &Service, found: &mut Vec<Mistake>) {
    for (i, folder) in service.writable.iter().enumerate() {
        for before in &service.writable[..i] {
            let (a, b) = (before.path.as_str(), folder.path.as_str());
            let within = |inner: &str, outer: &str| inner == outer || inner.starts_with(&format!("{outer}/"));
            if within(a, b) || within(b, a) {
                found.push(Mistake::FolderTwice {
                    service: service.name.as_str(),
                    path: a.into(),
                    other: b.into(),
                    first: before.place,
                    second: folder.place,
                });
            }
        }
    }
}

fn api_rules(service: &Service, found: &mut Vec<Mistake>) {
    for rule in service.kubernetes {
        let all = || rule.resources.iter().chain(rule.verbs).chain(rule.names).chain([&rule.group]);
        let plain = |word: &&str| word.chars().all(|c| c.is_ascii_alphanumeric() || "-./:_".contains(c));
        let unnameable = ["list", "watch", "create", "deletecollection"];
        let what = if rule.resources.is_empty() || rule.verbs.is_empty() {
            "names no kind or no verb".to_owned()
        } else if all().any(|word| word.contains('*')) {
            "has a `*`, which is more than anybody can say yes to".to_owned()
        } else if let Some(odd) = all().find(|word| !plain(word)) {
            format!("has {odd:?}, which is no word of that API")
        } else if let Some(verb) = rule.verbs.iter().find(|v| !rule.names.is_empty() && unnameable.contains(*v)) {
            format!("narrows `{verb}` by name, which the API server does not do")
        } else {
            continue;
        };
        found.push(Mistake::ApiRuleUnclear { service: service.name.as_str(), what, place: rule.place });
    }
}

fn calls(platform: &Platform, service: &Service, found: &mut Vec<Mistake>) {
    let mut seen: BTreeMap<(ServiceName, u16), Place> = BTreeMap::new();
    for one in service.uses {
        let Use::Call(call) = one else { continue };
        let (endpoint, place, by) = (call.endpoint, call.place, format!("a call of {}", service.name));
        if endpoint.service == service.name {
            found.push(Mistake::CallsItself { service: service.name.as_str(), place });
        }
        match platform.services.iter().find(|s| s.name == endpoint.service) {
            None => found.push(Mistake::ServiceNotListed { service: endpoint.service.as_str(), by, place }),
            Some(callee) if !callee.ports.contains(&endpoint.port) => {
                let (service, port) = (callee.name.as_str(), endpoint.port.name.as_str());
                found.push(Mistake::PortNotListed { service, port, by, place });
            }
            Some(_) => {}
        }
        if let Some(first) = seen.insert((endpoint.service, endpoint.port.number), place) {
            found.push(Mistake::CalledTwice {
                service: service.name.as_str(),
                callee: endpoint.service.as_str(),
                port: endpoint.port.name.as_str(),
                first,
                second: place,
            });
        }
    }
}

pub(super) fn resources(of: &'static str, resources: Resources, place: Place, found: &mut Vec<Mistake>) {
    for (what, range) in [("processor time", resources.cpu), ("memory", resources.memory)] {
        if let Some(limit) = range.limit.filter(|limit| limit.thousandths() < range.request.thousandths()) {
            let shown = |quantity: Quantity| quantity.to_string();
            found.push(Mistake::LimitBelowRequest {
                of,
                what,
                request: shown(range.request),
                limit: shown(limit),
                place,
            });
        }
    }
}
