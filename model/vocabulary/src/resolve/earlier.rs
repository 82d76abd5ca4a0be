//! Checks of earlier versions. That a new key exists is checked by the generator, which knows the values.

#[cfg(test)]
mod tests;

use super::{calls, servers, texts};
use crate::diagnostic::{codes, repeated};
use crate::{
    Diagnostic, EarlierServer, EarlierVersion, Fate, ObjectChange, Owners, Platform, Reinstallation, SourceLocation,
};

codes! {
    /// A version that is declared twice, or is that of the chart.
    EarlierVersionRepeated,
    /// A key that is no path in values.
    EarlierKeyPath,
    /// A key that is declared twice, or below another one.
    EarlierKeyRepeated,
    /// Environment variables of something that is no service.
    VariablesOfNoService,
    /// Several versions whose releases must be reinstalled.
    SeveralReinstallations,
    /// A service or server that moves twice.
    MovesTwice,
    /// A name that cannot be that of an object or of a login.
    EarlierServerName,
    /// Two notes about one change.
    MigrationRepeated,
    /// Notes about the upgrade from a version whose releases are reinstalled.
    MigrationOfReinstalled,
}

pub(super) fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    let own = (platform.version, platform.location);
    let versions = platform.earlier_versions.iter().map(|earlier| (earlier.version, earlier.location));
    for (version, locations) in repeated(std::iter::once(own).chain(versions)) {
        diagnostics.push(
            Diagnostic::new(Code::EarlierVersionRepeated, format!("version `{version}` is declared several times"))
                .at_each(locations.into_iter().map(|location| ("declared", location)))
                .help("the platform's `version` and its `earlier_versions` are different: correct one of them, or merge the keys of the two"),
        );
    }
    let all = platform.earlier_versions.iter().filter(|earlier| earlier.reinstallation.is_some());
    if all.clone().count() > 1 {
        diagnostics.push(
            Diagnostic::new(Code::SeveralReinstallations, "releases of several versions must be reinstalled")
                .at_each(all.map(|earlier| ("declared", earlier.location)))
                .help("keep the reinstallation of one: the chart cannot tell their releases apart; releases of the others are upgraded in two steps"),
        );
    }
    let mut paths: Vec<(String, SourceLocation)> = Vec::new();
    for earlier in platform.earlier_versions {
        keys(platform, earlier, &mut paths, diagnostics);
        if let Some(reinstallation) = &earlier.reinstallation {
            reinstalled(platform, earlier, reinstallation, diagnostics);
        }
        migrations(earlier, diagnostics);
    }
    paths.sort_by(|(one, _), (other, _)| one.split('.').cmp(other.split('.')));
    for pair in paths.windows(2) {
        let [(upper, first), (lower, second)] = pair else { continue };
        let below = lower.strip_prefix(upper.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        if below {
            let problem = if upper == lower { " twice".to_owned() } else { format!(", and so is `{lower}` below it") };
            diagnostics.push(
                Diagnostic::new(Code::EarlierKeyRepeated, format!("the earlier key `{upper}` is declared{problem}"))
                    .at("declared", *first)
                    .at("declared", *second)
                    .help("keep one: a key stands for everything below it"),
            );
        }
    }
}

/// Checks the keys of a version, and adds their paths from the top of the values.
fn keys(
    platform: &Platform,
    earlier: &EarlierVersion,
    paths: &mut Vec<(String, SourceLocation)>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let reference = format!("the values of version `{}`", earlier.version);
    for group in earlier.keys {
        let sections: Vec<&str> = match group.owners {
            Owners::Chart => vec![""],
            Owners::Services(services) => {
                for service in services {
                    calls::find(platform, *service, &reference, earlier.location, diagnostics);
                }
                services.iter().map(|service| service.as_str()).collect()
            }
            Owners::Servers(all) => {
                for server in all {
                    servers::find(platform, *server, &reference, earlier.location, diagnostics);
                }
                all.iter().map(|server| server.as_str()).collect()
            }
        };
        for key in group.keys {
            let is_part = |part: &str| {
                !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            };
            if !key.key.split('.').all(is_part) {
                diagnostics.push(
                    Diagnostic::new(Code::EarlierKeyPath, format!("the earlier key `{}` is no path in values", key.key))
                        .at("declared", key.location)
                        .help("write keys of A-Z, a-z, 0-9, - and _, joined by dots, such as `image.tag`; for the elements of a list, name the key of the list"),
                );
                continue;
            }
            if let Fate::Removed(reason) = key.fate {
                texts::line(
                    &format!("the reason why the key `{}` was removed", key.key),
                    reason,
                    key.location,
                    diagnostics,
                );
            }
            if matches!(key.fate, Fate::Variables) && !matches!(group.owners, Owners::Services(_)) {
                diagnostics.push(
                    Diagnostic::new(
                        Code::VariablesOfNoService,
                        format!("the earlier key `{}` held the variables of no service", key.key),
                    )
                    .at("declared", key.location)
                    .help("move it to a group `of_services(…)`, or declare it with `removed(…)`: only services declare variables"),
                );
            }
            let path = |section: &&str| {
                let path = if section.is_empty() { key.key.to_owned() } else { format!("{section}.{}", key.key) };
                (path, key.location)
            };
            paths.extend(sections.iter().map(path));
        }
    }
}

/// Whether the objects and fields exist is a question for `verify`, which has the charts of both versions.
fn migrations(earlier: &EarlierVersion, diagnostics: &mut Vec<Diagnostic>) {
    let version = earlier.version;
    for note in earlier.migrations {
        let what = format!("the migration note on {} `{}`", note.kind, note.object);
        texts::line(&what, note.text, note.location, diagnostics);
        for command in note.commands {
            texts::line(&format!("a command of {what}"), command, note.location, diagnostics);
        }
    }
    let notes = earlier.migrations.iter().map(|note| {
        let field = match note.change {
            ObjectChange::Field(path) => path,
            ObjectChange::Removed => "",
        };
        ((note.kind, note.object, field), note.location)
    });
    for ((kind, object, _), locations) in repeated(notes) {
        diagnostics.push(
            Diagnostic::new(
                Code::MigrationRepeated,
                format!("version `{version}` has several migration notes on one change of {kind} `{object}`"),
            )
            .at_each(locations.into_iter().map(|location| ("declared", location)))
            .help("keep one, with all commands"),
        );
    }
    if let (Some(first), Some(_)) = (earlier.migrations.first(), &earlier.reinstallation) {
        diagnostics.push(
            Diagnostic::new(
                Code::MigrationOfReinstalled,
                format!("a release of version `{version}` is reinstalled, and it has migration notes"),
            )
            .at("declared", first.location)
            .help("remove the notes: the chart refuses to upgrade such a release"),
        );
    }
}

fn reinstalled(
    platform: &Platform,
    earlier: &EarlierVersion,
    reinstallation: &Reinstallation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let (version, location) = (earlier.version, earlier.location);
    let reference = format!("the reinstallation from version `{version}`");
    let what = format!("the reason why a release of version `{version}` is not upgraded");
    texts::line(&what, reinstallation.reason, location, diagnostics);
    let stopped = reinstallation.stops.iter().copied().flatten();
    for service in stopped.clone() {
        calls::find(platform, *service, &reference, location, diagnostics);
    }
    for server in reinstallation.servers {
        servers::find(platform, server.server, &reference, location, diagnostics);
        names(server, location, diagnostics);
    }
    let services = stopped.map(|service| (service.as_str(), ()));
    let servers = reinstallation.servers.iter().map(|server| (server.server.as_str(), ()));
    for (name, _) in repeated(services).into_iter().chain(repeated(servers)) {
        diagnostics.push(
            Diagnostic::new(Code::MovesTwice, format!("{reference} lists {name} several times"))
                .at("declared", location)
                .help("keep it once"),
        );
    }
}

/// The names become parts of commands.
fn names(server: &EarlierServer, location: SourceLocation, diagnostics: &mut Vec<Diagnostic>) {
    let is_label = |text: &&str| {
        !text.is_empty()
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let is_login = |text: &&str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let of_claim = server.claim.map(|claim| [claim.template, claim.component]).into_iter().flatten();
    let labels = std::iter::once(server.stateful_set).chain(of_claim);
    let wrong = labels.filter(|text| !is_label(text));
    let wrong_login = server.login.map(|(login, _)| login).filter(|login| !is_login(login));
    for name in wrong.chain(wrong_login) {
        diagnostics.push(
            Diagnostic::new(
                Code::EarlierServerName,
                format!("the earlier server of {} has the name {}", server.server, crate::diagnostic::code(name)),
            )
            .at("declared", location)
            .help("a StatefulSet, a claim and a component are named with a-z, 0-9 and -, neither first nor last; a login with a-z, 0-9 and _"),
        );
    }
}
