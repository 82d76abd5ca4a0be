//! What can be wrong with what a pod takes: processor time, memory, and the folders that it writes to.

use std::collections::BTreeMap;

use crate::limits::LABEL;
use crate::{Diagnostic, Health, Quantity, Range, Resources, Service, SourceLocation};

pub(super) fn check(service: &Service, found: &mut Vec<Diagnostic>) {
    resources(service.name.as_str(), service.resources, service.location, found);
    folders(service, found);
    volumes(service, found);
    for folder in service.writable {
        let of = format!("folder `{}` of {}", folder.path, service.name);
        found.extend(space(of, folder.size, folder.location));
    }
}

pub(super) fn resources(of: &'static str, resources: Resources, location: SourceLocation, found: &mut Vec<Diagnostic>) {
    let Resources { cpu, memory } = resources;
    if !is_time(cpu.request) && matches!(memory.request.suffix(), "m" | "") {
        let (cpu, memory) = (cpu.request.to_string(), memory.request.to_string());
        found.push(Diagnostic::ResourcesSwapped { of, cpu, memory, location });
        return;
    }
    range(of, "processor time", cpu, time, location, found);
    range(of, "memory", memory, bytes, location, found);
}

fn range(
    of: &'static str,
    what: &'static str,
    range: Range,
    refused: impl Fn(String, Quantity, SourceLocation) -> Option<Diagnostic>,
    location: SourceLocation,
    found: &mut Vec<Diagnostic>,
) {
    let mut amounts = [Some(range.request), range.limit].into_iter().flatten();
    if let Some(diagnostic) = amounts.find_map(|amount| refused(of.to_owned(), amount, location)) {
        found.push(diagnostic);
    } else if let Some(limit) = range.limit.filter(|limit| limit.thousandths() < range.request.thousandths()) {
        let (request, limit) = (range.request.to_string(), limit.to_string());
        found.push(Diagnostic::LimitBelowRequest { of, what, request, limit, location });
    }
}

fn is_time(amount: Quantity) -> bool {
    matches!(amount.suffix(), "" | "m")
}

fn time(of: String, amount: Quantity, location: SourceLocation) -> Option<Diagnostic> {
    if is_time(amount) {
        zero(of, "processor time", amount, location)
    } else {
        Some(Diagnostic::AmountOfBytes { of, amount: amount.to_string(), location })
    }
}

fn bytes(of: String, amount: Quantity, location: SourceLocation) -> Option<Diagnostic> {
    whole(of, "memory", amount, location)
}

/// What is wrong with an amount of space in a volume.
pub(super) fn space(of: String, amount: Quantity, location: SourceLocation) -> Option<Diagnostic> {
    whole(of, "space", amount, location)
}

fn whole(of: String, what: &'static str, amount: Quantity, location: SourceLocation) -> Option<Diagnostic> {
    let how = match amount.suffix() {
        "m" => "an amount in thousandths of a byte",
        "" if amount.as_str().contains('.') => "a fraction of a byte",
        _ => return zero(of, what, amount, location),
    };
    let number = amount.as_str().trim_end_matches('m').to_owned();
    Some(Diagnostic::AmountFraction { of, what, amount: amount.to_string(), how, number, location })
}

fn zero(of: String, what: &'static str, amount: Quantity, location: SourceLocation) -> Option<Diagnostic> {
    let amount = (amount.thousandths() == 0).then(|| amount.to_string())?;
    Some(Diagnostic::AmountZero { of, what, amount, location })
}

fn within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn folders(service: &Service, found: &mut Vec<Diagnostic>) {
    let name = service.name.as_str();
    for (i, folder) in service.writable.iter().enumerate() {
        let path = folder.path.as_str();
        if let Some(owner) = owner(service, path) {
            found.push(Diagnostic::FolderReserved {
                service: name,
                path: path.into(),
                owner,
                location: folder.location,
            });
        }
        for before in &service.writable[..i] {
            let (outer, inner) = if within(before.path.as_str(), path) { (folder, before) } else { (before, folder) };
            if within(inner.path.as_str(), outer.path.as_str()) {
                found.push(Diagnostic::FolderTwice {
                    service: name,
                    outer: outer.path.to_string(),
                    inner: inner.path.to_string(),
                    how: if inner.path == outer.path { "is the same folder" } else { "lies in it" },
                    first: outer.location,
                    second: inner.location,
                });
            }
        }
    }
}

/// Whose a folder is, when it is not the program's.
fn owner(service: &Service, path: &str) -> Option<&'static str> {
    let by_connections = matches!(service.health, Health::Connections(_));
    if ["/proc", "/sys", "/dev"].into_iter().any(|outer| within(path, outer)) {
        Some("a folder of the kernel's")
    } else if ["/var/run/secrets", "/run/secrets"].into_iter().any(|outer| within(path, outer)) {
        Some("where Kubernetes puts tokens")
    } else if by_connections && within(path, Health::CONNECTIONS_FOLDER) {
        Some("where the script lies that judges it by its connections")
    } else {
        None
    }
}

fn volumes(service: &Service, found: &mut Vec<Diagnostic>) {
    let name = service.name.as_str();
    let mut seen = BTreeMap::new();
    for folder in service.writable {
        let (volume, path) = (folder.volume(), folder.path.to_string());
        let taken = matches!(service.health, Health::Connections(_)) && volume == Health::CONNECTIONS_VOLUME;
        let why = if volume.is_empty() {
            Some("have no name".to_owned())
        } else if volume.len() > LABEL {
            Some(format!("have a name of {} characters, {LABEL} are allowed", volume.len()))
        } else if taken {
            Some(format!("be called `{volume}`, as that of the script that judges it by its connections"))
        } else {
            None
        };
        if let Some(why) = why {
            found.push(Diagnostic::VolumeRefused { service: name, path, why, location: folder.location });
            continue;
        }
        let Some(before) = seen.insert(volume.clone(), folder) else { continue };
        // One folder, or one in the other, is a mistake already.
        if before.path != folder.path {
            found.push(Diagnostic::VolumeTwice {
                service: name,
                one: before.path.to_string(),
                other: path,
                volume,
                first: before.location,
                second: folder.location,
            });
        }
    }
}
