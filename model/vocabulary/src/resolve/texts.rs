//! Free texts: what may stand in them. Values of variables may hold anything that an environment variable can; texts that
//! explain something become comments and table cells and so are one line each.

use crate::{
    Change, DefaultTag, Diagnostic, Platform, Reconnects, Setting, SourceLocation, Variable, VariableName,
    VariableSource,
};

pub(super) fn check(platform: &Platform, found: &mut Vec<Diagnostic>) {
    let mut line = |what, text: &str, location| line(what, text, location, found);
    line(format!("description of platform `{}`", platform.name), platform.doc, platform.location);
    line(format!("home page of platform `{}`", platform.name), platform.home, platform.location);
    for service in &platform.services {
        let name = service.name;
        line(format!("description of {name}"), service.doc, service.location);
        if let DefaultTag::Absent(why) = service.image.tag {
            line(format!("reason why the image of {name} has no tag"), why, service.location);
        }
        for rule in service.kubernetes {
            line(format!("reason of a rule of {name} at the Kubernetes API"), rule.reason, rule.location);
        }
        for one in service.uses {
            if let Some(client) = one.client()
                && let Reconnects::Never(reason) = client.reconnects
            {
                line(format!("reason why {name} never reconnects to {}", client.backing), reason, client.location);
            }
        }
        for variable in service.environment {
            let what = format!("description of variable `{}` of {name}", variable.name);
            match variable.source {
                VariableSource::Setting(setting) => line(what, setting.doc(), variable.location),
                VariableSource::Secret(doc) => line(what, doc, variable.location),
                VariableSource::Fixed(_) | VariableSource::Port(_) => {}
            }
        }
    }
    if let Some(end_to_end) = platform.tests.end_to_end {
        line("description of the tests' journey".to_owned(), end_to_end.doc, end_to_end.location);
        line("body that the tests' journey sends".to_owned(), end_to_end.sent.body, end_to_end.location);
    }
    for one in &platform.backing {
        if let DefaultTag::Absent(why) = one.image().tag {
            line(format!("reason why the image of {} has no tag", one.name()), why, one.location());
        }
    }
    for environment in &platform.environments {
        line(format!("description of environment `{}`", environment.name), environment.doc, environment.location);
    }
    values(platform, found);
}

/// The longest that `NAME=value` may be in the environment of a Linux program, with the NUL behind it.
const LONGEST_VARIABLE: usize = 128 * 1024;

fn values(platform: &Platform, found: &mut Vec<Diagnostic>) {
    let mut value = |of: String, variable: VariableName, text: &str, location: SourceLocation| {
        let variable = variable.as_str();
        let why = if text.contains('\0') {
            "has a NUL character"
        } else if variable.len() + "=".len() + text.len() + "\0".len() > LONGEST_VARIABLE {
            "is longer than one can be"
        } else {
            return;
        };
        found.push(Diagnostic::ValueRefused { of, variable, why, location });
    };
    for service in &platform.services {
        for variable in service.environment {
            let texts: &[&str] = match &variable.source {
                VariableSource::Fixed(text) | VariableSource::Setting(Setting::Text { default: text, .. }) => {
                    std::slice::from_ref(text)
                }
                // Its default is one of them, or a mistake of its own.
                VariableSource::Setting(Setting::Choice { options, .. }) => options,
                VariableSource::Setting(Setting::Integer { .. })
                | VariableSource::Secret(_)
                | VariableSource::Port(_) => &[],
            };
            for text in texts {
                value(service.name.to_string(), variable.name, text, variable.location);
            }
        }
    }
    for environment in &platform.environments {
        for change in environment.changes {
            let Change::Setting { service: of, variable, value: text } = change else { continue };
            // A value of another setting fits its declaration, or is a mistake of its own.
            let is_text = |v: &&Variable| {
                v.name == *variable && matches!(v.source, VariableSource::Setting(Setting::Text { .. }))
            };
            let service = platform.services.iter().find(|s| s.name == *of);
            if service.is_some_and(|s| s.environment.iter().any(|v| is_text(&v))) {
                value(format!("{of} in environment `{}`", environment.name), *variable, text, environment.location);
            }
        }
    }
}

/// Reports a text that is not one line.
pub(crate) fn line(what: String, text: &str, location: SourceLocation, found: &mut Vec<Diagnostic>) {
    if let Some(why) = not_a_line(text) {
        found.push(Diagnostic::TextRefused { what, why, location });
    }
}

/// Why a text cannot be shown as one line.
fn not_a_line(text: &str) -> Option<&'static str> {
    // Beside control characters: the separators that YAML 1.1 takes for line breaks, and the byte order mark, which it refuses.
    let breaks =
        |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    if text.trim().is_empty() {
        Some("is empty")
    } else if text.contains(breaks) {
        Some("has a line break or another control character")
    } else {
        None
    }
}
