//! Checks of texts. A description becomes a comment and a table cell, so it is one line; the value of a variable may be any text that an
//! environment variable can hold.

#[cfg(test)]
mod tests;

use crate::diagnostic::codes;
use crate::{
    Change, DefaultTag, Diagnostic, Platform, Reconnects, Setting, SourceLocation, Variable, VariableName,
    VariableSource,
};

codes! {
    /// A text that is not one line.
    TextNotOneLine,
    /// A value that no environment variable can hold.
    VariableValue,
}

pub(super) fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    let mut line = |what: String, text: &str, location| line(&what, text, location, diagnostics);
    line(format!("the description of platform `{}`", platform.name), platform.doc, platform.location);
    line(format!("the home page of platform `{}`", platform.name), platform.home, platform.location);
    for service in &platform.services {
        let name = service.name;
        line(format!("the description of {name}"), service.doc, service.location);
        if let DefaultTag::Absent(reason) = service.image.tag {
            line(format!("the reason why the image of {name} has no tag"), reason, service.location);
        }
        if let Some(text) = service.personal_log {
            line(format!("the personal data in the log of {name}"), text, service.location);
        }
        for rule in service.kubernetes {
            line(format!("the reason for an API rule of {name}"), rule.reason, rule.location);
        }
        for service_use in service.uses {
            if let Some(client) = service_use.client()
                && let Reconnects::Never(reason) = client.reconnects
            {
                let what = format!("the reason why {name} never reconnects to {}", client.backing);
                line(what, reason, client.location);
            }
        }
        for metric in service.metrics {
            line(format!("the help of metric `{}` of {name}", metric.name), metric.help, metric.location);
        }
        for variable in service.environment {
            let what = format!("the description of variable `{}` of {name}", variable.name);
            match variable.source {
                VariableSource::Setting(setting) => line(what, setting.doc(), variable.location),
                VariableSource::Secret(doc) => line(what, doc, variable.location),
                VariableSource::Fixed(_) | VariableSource::Port(_) => {}
            }
        }
    }
    if let Some(end_to_end) = platform.tests.end_to_end {
        line("the description of the end-to-end test".to_owned(), end_to_end.doc, end_to_end.location);
        line("the body that the end-to-end test sends".to_owned(), end_to_end.request.body, end_to_end.location);
    }
    for server in &platform.backing {
        if let DefaultTag::Absent(reason) = server.image().tag {
            line(format!("the reason why the image of {} has no tag", server.name()), reason, server.location());
        }
    }
    for environment in &platform.environments {
        line(format!("the description of environment `{}`", environment.name), environment.doc, environment.location);
    }
    values(platform, diagnostics);
}

/// Reports a text that is not one line. `what` names the text.
pub(crate) fn line(what: &str, text: &str, location: SourceLocation, diagnostics: &mut Vec<Diagnostic>) {
    // Beside control characters: the separators that YAML 1.1 reads as line breaks, and the byte order mark, which it refuses.
    let is_break =
        |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    let problem = if text.trim().is_empty() {
        "is empty"
    } else if text.contains(is_break) {
        "has a line break or another control character"
    } else {
        return;
    };
    diagnostics.push(
        Diagnostic::new(Code::TextNotOneLine, format!("{what} {problem}"))
            .at("declared", location)
            .help("write one line of plain text"),
    );
}

/// The longest `NAME=value` in the environment of a Linux program, with the NUL that ends it.
const LONGEST_VARIABLE: usize = 128 * 1024;

/// Whether no YAML document can contain a character; the API server refuses it in objects that Helm 4 applies.
fn is_unprintable(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}') || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn values(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    let mut value = |owner: String, variable: VariableName, text: &str, location: SourceLocation| {
        let problem = if text.chars().any(is_unprintable) {
            "has a control character"
        } else if variable.as_str().len() + "=".len() + text.len() + "\0".len() > LONGEST_VARIABLE {
            "is too long"
        } else {
            return;
        };
        diagnostics.push(
            Diagnostic::new(Code::VariableValue, format!("the value of variable `{variable}` of {owner} {problem}"))
                .at("declared", location)
                .help("the value becomes part of a YAML document, which holds no control characters but tabs and line breaks, and Linux allows 128 KiB including the name: encode or shorten the value"),
        );
    };
    for service in &platform.services {
        for variable in service.environment {
            let texts: &[&str] = match &variable.source {
                VariableSource::Fixed(text) | VariableSource::Setting(Setting::Text { default: text, .. }) => {
                    std::slice::from_ref(text)
                }
                // The default of a choice is one of its options; otherwise that is another mistake.
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
            let Change::Setting { service: name, variable, value: text } = change else { continue };
            // Other settings have a list or range of allowed values.
            let is_text = |v: &&Variable| {
                v.name == *variable && matches!(v.source, VariableSource::Setting(Setting::Text { .. }))
            };
            let service = platform.services.iter().find(|s| s.name == *name);
            if service.is_some_and(|s| s.environment.iter().any(|v| is_text(&v))) {
                value(format!("{name} in environment `{}`", environment.name), *variable, text, environment.location);
            }
        }
    }
}
