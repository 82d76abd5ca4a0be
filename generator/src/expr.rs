//! Every Helm expression that a view or template of the chart uses, built from names and paths of the graph.
//!
//! Two forms occur. An *expression* stands within an action or as an argument of another one: `.Values.a.b`, `(index .Values "a-b")`. A *text*
//! stands in the file itself and contains its own actions: `{{ .Release.Name }}-web`.

use crate::graph::{Component, Edge, EndToEnd, EnvValue, Graph, LoginName};
use crate::text::{scalar, variable_value};

use vocabulary::Setting;

/// An expression for a value of the chart: `.Values.a.b` where a template can write it so, `(index .Values "a-b" "c")` otherwise.
#[must_use]
pub(crate) fn value(path: &[&str]) -> String {
    let identifier = |part: &&str| part.chars().all(|c| c.is_ascii_alphanumeric());
    if path.iter().all(identifier) {
        format!(".Values.{}", path.join("."))
    } else {
        format!("(index .Values {})", path.iter().map(|p| go_string(p)).collect::<Vec<_>>().join(" "))
    }
}

/// An expression that is the whole of its action, without the parentheses that hold it together among others.
#[must_use]
pub(crate) fn bare(expression: &str) -> String {
    let inner = expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    inner.unwrap_or(expression).to_owned()
}

/// An expression that holds when one of these does, as the whole of its action; none when there are none.
#[must_use]
pub(crate) fn any_of(conditions: &[String]) -> Option<String> {
    match conditions {
        [] => None,
        [condition] => Some(bare(condition)),
        several => Some(format!("or {}", several.join(" "))),
    }
}

/// A string literal within an action: `"…"` as Go reads it.
#[must_use]
pub(crate) fn go_string(text: &str) -> String {
    serde_json::to_string(text).expect("a string is always JSON")
}

/// Text for the inside of a string literal within an action.
#[must_use]
pub(crate) fn in_go_string(text: &str) -> String {
    let literal = go_string(text);
    literal.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned()
}

/// Text in which Helm finds no action: `{{` is written as an action that prints it.
#[must_use]
pub(crate) fn inert(text: &str) -> String {
    text.replace("{{", r#"{{ "{{" }}"#)
}

/// A YAML scalar in a template, in which Helm finds no action.
#[must_use]
pub(crate) fn template_scalar(text: &str) -> String {
    inert(&scalar(text))
}

/// Whether a component is installed, as an expression of the umbrella's templates; none for one that always is.
#[must_use]
pub(crate) fn enabled(component: &Component) -> Option<String> {
    component.is_optional().then(|| enabled_service(component.name))
}

/// Whether a service is installed, as an expression of the umbrella's templates.
#[must_use]
pub(crate) fn enabled_service(name: &str) -> String {
    value(&[name, "enabled"])
}

/// Whether the end-to-end test runs, as the whole of an action of the umbrella's templates.
#[must_use]
pub(crate) fn end_to_end_enabled(test: &EndToEnd) -> String {
    let services = test.services.iter().map(|service| enabled_service(service));
    let all: Vec<_> = std::iter::once(value(&["global", "tests", "endToEnd"])).chain(services).collect();
    format!("and {}", all.join(" "))
}

/// A variable's value, as the text of a template of its service's chart: a YAML scalar.
///
/// # Panics
/// For a value that comes from a Secret, which is never written into a Pod.
#[must_use]
pub(crate) fn env_value(graph: &Graph, value: &EnvValue) -> String {
    match value {
        EnvValue::HostOf(target) => host(graph, target),
        EnvValue::Port(number) => scalar(&number.to_string()),
        EnvValue::Text(text) => template_scalar(&variable_value(text)),
        EnvValue::Setting { key, setting: Setting::Integer { .. } } => {
            format!("{{{{ .Values.settings.{key} | int64 | quote }}}}")
        }
        // The kubelet would replace `$(NAME)`: a doubled dollar sign arrives as one.
        EnvValue::Setting { key, setting: Setting::Text { .. } | Setting::Choice { .. } } => {
            format!(r#"{{{{ .Values.settings.{key} | replace "$" "$$" | quote }}}}"#)
        }
        EnvValue::UserName | EnvValue::Password | EnvValue::SecretKey(_) => {
            unreachable!("a Pod refers to its Secret, and never contains what is in it")
        }
    }
}

/// The name of a service's Secret, as text of a template of its own chart.
#[must_use]
pub(crate) fn secret_name(graph: &Graph) -> String {
    format!(r#"{{{{ include "{}.secretName" . | quote }}}}"#, graph.name)
}

/// The name of a service's Secret, as text of a template of the umbrella.
#[must_use]
pub(crate) fn secret_name_in_umbrella(graph: &Graph, service: &str) -> String {
    format!(r#"{{{{ include "{}.secretName" (index .Subcharts "{service}") | quote }}}}"#, graph.name)
}

/// The host name of a component, as text.
#[must_use]
pub(crate) fn host(graph: &Graph, target: &str) -> String {
    if graph.component(target).is_optional() {
        format!("{{{{ .Release.Name }}}}-{target}")
    } else {
        format!(r#"{{{{ include "{}.{target}.host" . }}}}"#, graph.name)
    }
}

/// The name of an edge's login, for a reader of the documentation.
///
/// It carries the credential's revision, so that a new login and the one before it exist side by side; and the release, so that on a server
/// that several releases use each finds its own.
#[must_use]
pub(crate) fn login_name_for_readers(edge: &Edge) -> String {
    let service = edge.client;
    match edge.login.as_ref().map_or(LoginName::Default, |login| login.name) {
        LoginName::Default => "default".to_owned(),
        LoginName::Dotted => format!("<namespace>.<release>.{service}.r<revision>"),
        LoginName::SqlIdentifier => format!("{}_r<revision>_<mark>", sql_identifier(service)),
    }
}

/// A service's name as an SQL identifier: it has no underscore, so no two services become one.
fn sql_identifier(service: &str) -> String {
    service.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::inert;

    #[test]
    fn helm_finds_no_action_in_a_model_s_text() {
        assert_eq!(inert("{{ .Values.x }}"), r#"{{ "{{" }} .Values.x }}"#);
    }
}
