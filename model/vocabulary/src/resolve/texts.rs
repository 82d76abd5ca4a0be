//! Free texts: what may stand in them. Values of variables may hold anything that an environment variable can; texts that
//! explain something become comments and table cells and so are one line each.

use crate::{Change, Mistake, Place, Platform, Reconnects, Setting, Use, VariableSource};

pub(super) fn check(platform: &Platform, found: &mut Vec<Mistake>) {
    let mut line = |of: String, what, text: &str, place| {
        if let Some(why) = not_a_line(text) {
            found.push(Mistake::TextRefused { of, what, why, place });
        }
    };
    line(format!("platform {}", platform.name), "description", platform.doc, platform.place);
    line(format!("platform {}", platform.name), "home page", platform.home, platform.place);
    for service in &platform.services {
        let name = service.name.to_string();
        line(name.clone(), "description", service.doc, service.place);
        for rule in service.kubernetes {
            line(name.clone(), "reason of a rule at the Kubernetes API", rule.reason, rule.place);
        }
        for one in service.uses {
            if let Some(Reconnects::Never(reason)) = one.client().map(|c| c.reconnects) {
                line(name.clone(), "reason why it never reconnects", reason, one.place());
            }
            let Use::Amqp(client) = one else { continue };
            for queue in client.queues.iter().map(crate::QueueUse::queue) {
                let of = format!("queue `{}`", queue.name);
                let outside = [queue.filled_from_outside, queue.emptied_from_outside];
                for text in outside.into_iter().flatten() {
                    line(of.clone(), "reason why somebody outside uses it", text, queue.place);
                }
            }
        }
        for variable in service.environment {
            let of = format!("variable `{}` of {name}", variable.name);
            match variable.source {
                VariableSource::Setting(setting) => line(of, "description", setting.doc(), variable.place),
                VariableSource::Secret(doc) => line(of, "description", doc, variable.place),
                VariableSource::Fixed(_) | VariableSource::Port(_) => {}
            }
        }
    }
    for environment in &platform.environments {
        line(format!("environment {}", environment.name), "description", environment.doc, environment.place);
    }
    values(platform, found);
}

fn values(platform: &Platform, found: &mut Vec<Mistake>) {
    let mut value = |of: String, variable, text: &str, place: Place| {
        if text.contains('\0') {
            found.push(Mistake::ValueRefused { of, variable, why: "has a NUL character", place });
        }
    };
    for service in &platform.services {
        for variable in service.environment {
            let texts: Vec<&str> = match variable.source {
                VariableSource::Fixed(text) | VariableSource::Setting(Setting::Text { default: text, .. }) => {
                    vec![text]
                }
                VariableSource::Setting(Setting::Choice { default, options, .. }) => {
                    options.iter().copied().chain([default]).collect()
                }
                VariableSource::Setting(Setting::Integer { .. })
                | VariableSource::Secret(_)
                | VariableSource::Port(_) => Vec::new(),
            };
            if let Some(text) = texts.into_iter().find(|t| t.contains('\0')) {
                value(service.name.to_string(), variable.name.as_str(), text, variable.place);
            }
        }
    }
    for environment in &platform.environments {
        for change in environment.changes {
            if let Change::Setting { service, variable, value: text } = change {
                let of = format!("{service} in environment {}", environment.name);
                value(of, variable.as_str(), text, environment.place);
            }
        }
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
