//! One Pod: data in, the text of its `spec` in a Helm template out.

use askama::Template;

use super::parts::{Probes, container_security};
use crate::emit::service::Variable;
use crate::expr::{bare, go_string, value};
use crate::files::render;
use crate::graph::Graph;

/// A Pod. All of its texts may contain Helm actions; they are final, and are written as they are.
pub(crate) struct Pod {
    /// The chart whose values decide image, scheduling and pull secrets.
    pub(crate) scope: Scope,
    /// The name of its ServiceAccount.
    pub(crate) service_account: String,
    /// Whether it mounts a token of that account.
    pub(crate) token: String,
    /// Why its environment gets no variables for the Services of its namespace, where a reader would wonder.
    pub(crate) no_service_links: Option<&'static str>,
    /// What happens when a container ends; none is `Always`, the default.
    pub(crate) restart_policy: Option<RestartPolicy>,
    /// The time to end after SIGTERM, in seconds, with the reason; none is Kubernetes' default of 30.
    pub(crate) grace_period: Option<Noted<u32>>,
    /// Its security context, a block of YAML.
    pub(crate) security: String,
    /// Containers that run before the others, one after the other.
    pub(crate) init_containers: Vec<Container>,
    /// Its containers.
    pub(crate) containers: Vec<Container>,
    /// Its volumes.
    pub(crate) volumes: Vec<Volume>,
    /// Further init containers and volumes.
    pub(crate) further: FurtherOfPod,
}

/// Expressions that print further items of a Pod's lists, or nothing.
#[derive(Default)]
pub(crate) struct FurtherOfPod {
    pub(crate) init_containers: Option<String>,
    pub(crate) volumes: Option<String>,
}

/// Expressions that print further items of a container's lists, or nothing. A container with further variables has others, too.
#[derive(Default)]
pub(crate) struct FurtherOfContainer {
    pub(crate) env: Option<String>,
    pub(crate) mounts: Option<String>,
}

/// The chart whose values a Pod's text refers to, as it is reached from the template.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The template's own chart.
    Own,
    /// A server's chart, which the umbrella's template has in `$server`.
    Server,
    /// A chart beside the umbrella: the template's own, without values in `global`.
    Further,
    /// A chart beside the umbrella with several programs: the section of this one's values, as the `Values` of this variable of the template.
    Section(&'static str),
}

/// Something with the reason for it, which becomes a comment above it.
pub(crate) struct Noted<T> {
    pub(crate) value: T,
    pub(crate) note: &'static str,
}

/// The restart policy of a Job's Pod.
pub(crate) struct RestartPolicy {
    pub(crate) value: String,
    pub(crate) note: Option<&'static str>,
}

/// A container.
pub(crate) struct Container {
    /// Comment lines above it.
    pub(crate) notes: Vec<String>,
    /// Its name.
    pub(crate) name: String,
    /// Its image; none is that of the Pod's chart.
    pub(crate) image: Option<ContainerImage>,
    /// Its command, a block of YAML or a list on one line; none is the image's.
    pub(crate) command: Option<String>,
    /// Its arguments, a block of YAML.
    pub(crate) args: Option<String>,
    /// The ports that it listens on, by name.
    pub(crate) ports: Vec<(String, u16)>,
    /// The name of the Secret of which each key becomes a variable.
    pub(crate) env_from: Option<String>,
    /// Its variables.
    pub(crate) env: Vec<EnvVar>,
    /// Its probes.
    pub(crate) probes: Option<Probes>,
    /// The comment of its liveness probe.
    pub(crate) liveness_note: Option<&'static str>,
    /// Its security context, a block of YAML.
    pub(crate) security: String,
    /// Its requests and limits, a block of YAML; none takes those of the chart's values.
    pub(crate) resources: Option<String>,
    /// Where its volumes are mounted.
    pub(crate) mounts: Vec<Mount>,
    /// Further variables and mounts.
    pub(crate) further: FurtherOfContainer,
}

/// An image that is not that of the Pod's chart.
pub(crate) struct ContainerImage {
    /// The reference, as text.
    pub(crate) reference: String,
    /// The pull policy, as text.
    pub(crate) pull_policy: String,
}

impl ContainerImage {
    /// The image of a server, as text of a template of any component's chart.
    pub(crate) fn of_server(graph: &Graph, server: &str) -> Self {
        let reference = format!(r#"(dict "global" .Values.global "section" {})"#, go_string(server));
        Self {
            reference: format!(r#"{{{{ include "{}.globalImage" {reference} | quote }}}}"#, graph.name),
            pull_policy: format!("{{{{ {} }}}}", bare(&value(&["global", server, "image", "pullPolicy"]))),
        }
    }
}

/// A variable of a container.
pub(crate) struct EnvVar {
    pub(crate) note: Option<&'static str>,
    pub(crate) name: String,
    /// Where its value comes from, as lines of YAML without indentation.
    source: String,
}

/// A volume in a container's file system.
pub(crate) struct Mount {
    /// The condition of the values under which it exists; none is always.
    pub(crate) when: Option<&'static str>,
    pub(crate) note: Option<&'static str>,
    pub(crate) volume: String,
    pub(crate) path: String,
    /// The single file of the volume that is mounted, if it is not the whole.
    pub(crate) sub_path: Option<&'static str>,
    pub(crate) read_only: bool,
}

/// A volume of a Pod.
pub(crate) struct Volume {
    /// The condition of the values under which it exists; none is always.
    pub(crate) when: Option<&'static str>,
    pub(crate) note: Option<&'static str>,
    pub(crate) name: String,
    /// Its source, as lines of YAML without indentation.
    pub(crate) source: String,
}

impl Pod {
    /// The Pod's `spec`, to stand in a template at this indentation behind its first line's spaces.
    pub(crate) fn text(&self, graph: &Graph, indent: usize) -> String {
        let containers = |all: &[Container]| all.iter().map(|one| one.text(graph, self.scope, indent + 2)).collect();
        let view = PodView {
            c: graph,
            indent,
            pod: self,
            init_containers: containers(&self.init_containers),
            containers: containers(&self.containers),
            pull_secrets: self.scope.pull_secrets(),
            scope: self.scope.expression(),
        };
        indented(&render(&view), indent)
    }
}

impl Container {
    /// A container of the Pod's own image that runs that image's command, under Pod Security `restricted`.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            notes: Vec::new(),
            name: name.to_owned(),
            image: None,
            command: None,
            args: None,
            ports: Vec::new(),
            env_from: None,
            env: Vec::new(),
            probes: None,
            liveness_note: None,
            security: container_security(),
            resources: None,
            mounts: Vec::new(),
            further: FurtherOfContainer::default(),
        }
    }

    fn text(&self, graph: &Graph, scope: Scope, indent: usize) -> String {
        render(&ContainerView {
            c: graph,
            indent,
            container: self,
            command: self.command.as_deref().map(|command| behind_key(command, 4)),
            values: scope.values(),
            scope: scope.expression(),
        })
    }
}

impl Scope {
    /// The expression that helpers take.
    const fn expression(self) -> &'static str {
        match self {
            Self::Own | Self::Further => ".",
            Self::Server => "$server",
            Self::Section(variable) => variable,
        }
    }

    /// The expression in front of `.Values`.
    const fn values(self) -> &'static str {
        match self {
            Self::Own | Self::Further => "",
            Self::Server => "$server",
            Self::Section(variable) => variable,
        }
    }

    /// The expression for the Secrets of registries.
    const fn pull_secrets(self) -> &'static str {
        match self {
            Self::Own => ".Values.global.imagePullSecrets",
            Self::Server => "$server.Values.global.imagePullSecrets",
            Self::Further | Self::Section(_) => ".Values.imagePullSecrets",
        }
    }
}

impl EnvVar {
    /// Variables as a view of the graph has them.
    pub(crate) fn all(variables: Vec<Variable>) -> Vec<Self> {
        variables.into_iter().map(|Variable { name, value }| Self::new(&name, value)).collect()
    }

    /// A variable with this value.
    pub(crate) fn new(name: &str, value: impl AsRef<str>) -> Self {
        Self { note: None, name: name.to_owned(), source: format!("value: {}", value.as_ref()) }
    }

    /// A variable with the value of a key of a Secret.
    pub(crate) fn of_secret(name: &str, secret: &str, key: &str) -> Self {
        let source = format!("valueFrom:\n  secretKeyRef:\n    name: {secret}\n    key: {key}");
        Self { note: None, name: name.to_owned(), source }
    }

    /// A variable with the value of a field of the Pod.
    pub(crate) fn of_field(name: &str, path: &str) -> Self {
        let source = format!("valueFrom:\n  fieldRef:\n    fieldPath: {path}");
        Self { note: None, name: name.to_owned(), source }
    }

    pub(crate) fn note(self, note: &'static str) -> Self {
        Self { note: Some(note), ..self }
    }

    /// The item of a container's `env`.
    pub(crate) fn text(&self) -> String {
        let note = self.note.map(|note| format!("# {note}\n")).unwrap_or_default();
        format!("{note}- name: {}\n  {}", self.name, indented(&self.source, 2))
    }
}

impl Mount {
    pub(crate) fn new(volume: &str, path: &str) -> Self {
        Self {
            when: None,
            note: None,
            volume: volume.to_owned(),
            path: path.to_owned(),
            sub_path: None,
            read_only: false,
        }
    }

    pub(crate) fn read_only(self) -> Self {
        Self { read_only: true, ..self }
    }

    /// The mount of a volume that exists under the same condition.
    pub(crate) fn when(self, condition: &'static str) -> Self {
        Self { when: Some(condition), ..self }
    }

    pub(crate) fn sub_path(self, file: &'static str) -> Self {
        Self { sub_path: Some(file), ..self }
    }

    pub(crate) fn note(self, note: &'static str) -> Self {
        Self { note: Some(note), ..self }
    }
}

impl Volume {
    fn new(name: &str, source: String) -> Self {
        Self { when: None, note: None, name: name.to_owned(), source }
    }

    /// The volume under a condition of the values.
    pub(crate) fn when(self, condition: &'static str) -> Self {
        Self { when: Some(condition), ..self }
    }

    /// A folder on the node's disk that goes with the Pod.
    pub(crate) fn scratch(name: &str, size: &str) -> Self {
        Self::new(name, format!("emptyDir:\n  sizeLimit: {size}"))
    }

    /// A folder in memory that goes with the Pod.
    pub(crate) fn memory(name: &str, size: &str) -> Self {
        Self::new(name, format!("emptyDir:\n  medium: Memory\n  sizeLimit: {size}"))
    }

    /// The keys of a ConfigMap as files: all of them, or those that are named.
    pub(crate) fn config_map(name: &str, config_map: &str, keys: &[&str]) -> Self {
        let items: Vec<String> = keys.iter().map(|key| format!("\n    - key: {key}\n      path: {key}")).collect();
        let items = items.concat();
        let items = if keys.is_empty() { items } else { format!("\n  items:{items}") };
        Self::new(name, format!("configMap:\n  name: {config_map}{items}"))
    }

    /// A volume that outlives the Pod.
    pub(crate) fn claim(name: &str, claim: &str) -> Self {
        Self::new(name, format!("persistentVolumeClaim:\n  claimName: {claim}"))
    }

    /// A folder of the node.
    pub(crate) fn host_path(name: &str, path: &str, kind: &str) -> Self {
        Self::new(name, format!("hostPath:\n  path: {path}\n  type: {kind}"))
    }

    /// Sources in one folder; `sources` is a block of YAML, or an action that prints one.
    pub(crate) fn projected(name: &str, sources: &str) -> Self {
        Self::new(name, format!("projected:\n  sources:\n    {sources}"))
    }

    /// The keys of a Secret as files.
    pub(crate) fn secret(name: &str, secret: &str) -> Self {
        Self::new(name, format!("secret:\n  secretName: {secret}"))
    }

    pub(crate) fn note(self, note: &'static str) -> Self {
        Self { note: Some(note), ..self }
    }
}

/// A value behind its key: on the same line, or below it where it takes several lines.
fn behind_key(value: &str, indent: usize) -> String {
    let is_block = value.starts_with("- ");
    if is_block { format!("\n{}{}", " ".repeat(indent), indented(value, indent)) } else { format!(" {value}") }
}

/// A text whose lines but the first are indented; empty ones stay empty.
fn indented(text: &str, by: usize) -> String {
    let indent = " ".repeat(by);
    let mut lines = text.lines();
    let mut out = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        out.push('\n');
        if !line.is_empty() {
            out.push_str(&indent);
        }
        out.push_str(line);
    }
    out
}

#[derive(Template)]
#[template(path = "partials/pod.yaml")]
struct PodView<'a> {
    c: &'a Graph,
    indent: usize,
    pod: &'a Pod,
    init_containers: Vec<String>,
    containers: Vec<String>,
    pull_secrets: &'static str,
    scope: &'static str,
}

#[derive(Template)]
#[template(path = "partials/container.yaml")]
struct ContainerView<'a> {
    c: &'a Graph,
    indent: usize,
    container: &'a Container,
    command: Option<String>,
    values: &'static str,
    scope: &'static str,
}

#[cfg(test)]
mod tests {
    use super::indented;

    #[test]
    fn lines_but_the_first_are_indented() {
        assert_eq!(indented("a:\n  - b\n\nc: d", 4), "a:\n      - b\n\n    c: d");
    }
}
