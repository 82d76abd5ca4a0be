//! Checks of the folders that a service writes to, and of their volumes.

#[cfg(test)]
mod tests;

use super::amounts::storage;
use crate::diagnostic::{codes, repeated};
use crate::limits::LABEL;
use crate::{Diagnostic, Health, Runtime, Service, WritablePath};

codes! {
    /// A folder that is listed several times.
    DuplicateFolder,
    /// Folders that lie in another one.
    FolderInFolder,
    /// A folder that belongs to the system or to the chart.
    FolderReserved,
    /// Several folders whose volumes would have one name.
    DuplicateVolume,
    /// A folder whose volume would have an invalid name.
    VolumeName,
}

pub(super) fn check(service: &Service, diagnostics: &mut Vec<Diagnostic>) {
    reserved(service, diagnostics);
    overlaps(service, diagnostics);
    volumes(service, diagnostics);
    for folder in service.writable {
        let owner = format!("folder `{}` of {}", folder.path, service.name);
        diagnostics.extend(storage(&owner, folder.size, folder.location));
    }
}

fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn overlaps(service: &Service, diagnostics: &mut Vec<Diagnostic>) {
    let name = service.name;
    for (path, folders) in repeated(service.writable.iter().map(|folder| (folder.path, folder))) {
        diagnostics.push(
            Diagnostic::new(Code::DuplicateFolder, format!("{name} lists folder `{path}` more than once"))
                .at_each(folders.iter().map(|folder| ("listed", folder.location)))
                .help("list each folder once"),
        );
    }
    let lies_in = |inner: &WritablePath, outer: &WritablePath| {
        inner.path != outer.path && is_within(inner.path.as_str(), outer.path.as_str())
    };
    for (i, outer) in service.writable.iter().enumerate() {
        let is_outermost = !service.writable.iter().any(|folder| lies_in(outer, folder));
        let is_first = service.writable[..i].iter().all(|folder| folder.path != outer.path);
        let inner: Vec<&WritablePath> = service.writable.iter().filter(|folder| lies_in(folder, outer)).collect();
        if is_outermost && is_first && !inner.is_empty() {
            diagnostics.push(
                Diagnostic::new(
                    Code::FolderInFolder,
                    format!("{name} writes to `{}` and to folders in it", outer.path),
                )
                .at(outer.path.as_str(), outer.location)
                .at_each(inner.iter().map(|folder| (folder.path.as_str(), folder.location)))
                .help(format!("one volume is enough: keep `{}`, large enough for all of them", outer.path)),
            );
        }
    }
}

fn reserved(service: &Service, diagnostics: &mut Vec<Diagnostic>) {
    let is_judged_by_connections = matches!(service.health, Health::Connections(_));
    let instrumentation = [Runtime::INSTRUMENTATION_FOLDER, Runtime::INSTRUMENTATION_ADDITIONS_FOLDER];
    for folder in service.writable {
        let path = folder.path.as_str();
        let owner = if ["/proc", "/sys", "/dev"].into_iter().any(|outer| is_within(path, outer)) {
            "it belongs to the kernel"
        } else if ["/var/run/secrets", "/run/secrets"].into_iter().any(|outer| is_within(path, outer)) {
            "Kubernetes mounts tokens there"
        } else if is_judged_by_connections && is_within(path, Health::CONNECTIONS_FOLDER) {
            "the script that watches its connections is mounted there"
        } else if service.runtime == Runtime::Python && instrumentation.into_iter().any(|outer| is_within(path, outer))
        {
            "the instrumentation for traces is mounted there"
        } else {
            continue;
        };
        diagnostics.push(
            Diagnostic::new(Code::FolderReserved, format!("{} cannot write to `{path}`: {owner}", service.name))
                .at("declared", folder.location)
                .help("let the program write to another folder"),
        );
    }
}

fn volumes(service: &Service, diagnostics: &mut Vec<Diagnostic>) {
    let name = service.name;
    let is_judged_by_connections = matches!(service.health, Health::Connections(_));
    let mut valid = Vec::new();
    for folder in service.writable {
        let volume = folder.volume();
        let reason = if volume.is_empty() {
            "it would be empty".to_owned()
        } else if volume.len() > LABEL {
            format!("it would have {} characters, {LABEL} are allowed", volume.len())
        } else if is_judged_by_connections && volume == Health::CONNECTIONS_VOLUME {
            format!("`{volume}` is the volume of the script that watches its connections")
        } else if service.runtime == Runtime::Python && Runtime::VOLUMES.contains(&volume.as_str()) {
            format!("`{volume}` is a volume of the instrumentation for traces")
        } else {
            valid.push((volume, folder));
            continue;
        };
        diagnostics.push(
            Diagnostic::new(
                Code::VolumeName,
                format!("the volume of folder `{}` of {name} cannot have its name: {reason}", folder.path),
            )
            .at("declared", folder.location)
            .help("a volume is named after its folder, in lower case with dashes: use another folder, or one that contains it"),
        );
    }
    for (volume, folders) in repeated(valid) {
        // The same folder twice, or a folder in another one, is another mistake.
        if folders.iter().any(|folder| folder.path != folders[0].path) {
            diagnostics.push(
                Diagnostic::new(Code::DuplicateVolume, format!("several volumes of {name} would be named `{volume}`"))
                    .at_each(folders.iter().map(|folder| (folder.path.as_str(), folder.location)))
                    .help("a volume is named after its folder, in lower case with dashes: use one folder that contains them"),
            );
        }
    }
}
