//! The umbrella chart: files that concern several components.

use askama::Template;
use vocabulary::limits::YAML_WORDS;
use vocabulary::{DefaultTag, Scaling, ServerVersion};

use super::publication::{self, Metadata};
use super::{earlier, images};
use crate::addons::{backup, exporter, instrumentation};
use crate::expr::{bare, enabled_service, inert, template_scalar, value};
use crate::files::Files;
use crate::graph::{CredentialUser, Graph, Service};
use crate::password_rules::{self, PasswordFault, WordList};
use crate::text::scalar;

pub(super) fn files(graph: &Graph, files: &mut Files) {
    let chart = |component: &crate::graph::Component| ChartRef {
        name: component.name.to_owned(),
        is_service: component.is_optional(),
    };
    for image in images::all(graph) {
        let version = image.version.and_then(|version| ServerVersion::checked(version).ok());
        files.image(graph.name, image.title(), image.image, version);
    }
    files.umbrella(
        "Chart.yaml",
        &ChartYaml {
            c: graph,
            source: graph.source,
            doc: scalar(graph.doc),
            version: graph.version,
            metadata: Metadata::of(graph, None, files.images()),
            charts: graph.components.iter().map(chart).collect(),
        },
    );
    files.umbrella(".helmignore", &HelmIgnore { omits_pages: true });
    if let Some(text) = publication::licence(graph) {
        files.text("LICENSE", text);
    }
    let recipients = || graph.credentials().filter_map(crate::graph::Credential::recipient);
    let libpq = recipients().any(|recipient| recipient.libpq_value);
    let has_service_credentials = recipients().next().is_some();
    let has_credentials = graph.credentials().next().is_some();
    let has_secrets = graph.has_secrets();
    files.umbrella(
        "templates/_helpers.tpl",
        &Helpers {
            c: graph,
            has_credentials,
            has_secrets,
            backing: graph.servers().map(|(server, _)| server.name).collect(),
            libpq,
        },
    );
    files.umbrella("templates/_services.tpl", &Services { c: graph, has_credentials: has_service_credentials, libpq });
    files.umbrella("templates/_declared.tpl", &declared(graph));
    let has_servers = graph.servers().next().is_some();
    let backed_up = backup::names(graph);
    files.umbrella("templates/_installed.tpl", &Installed { c: graph, has_credentials, has_servers, backed_up });
    files.umbrella(
        "templates/checks.yaml",
        &Checks {
            c: graph,
            longest_release_name: graph.longest_release_name,
            yaml_words: YAML_WORDS,
            exposed: graph.exposed().map(|(service, _)| service).collect(),
            autoscaled: names(graph, |service| service.scaling != Scaling::Fixed),
            has_credentials,
            has_secrets,
            has_servers,
            has_metrics: graph.has_metrics(),
            has_traces: instrumentation::has_traces(graph),
            has_earlier: earlier::has_checks(graph),
            is_reinstalled: earlier::reinstalled(graph).is_some(),
            rules: RulesOfTemplate::new(),
        },
    );
    files.umbrella("templates/_checks.tpl", &check_helpers(graph, has_credentials));
    let exposed: Vec<_> = graph.exposed().map(|(service, _)| service).collect();
    if !exposed.is_empty() {
        files.umbrella("templates/_edge.tpl", &Edge { c: graph, exposed });
    }
    if has_secrets {
        let proxied = graph.exposed().map(|(service, _)| service).collect();
        files.umbrella("templates/credentials.yaml", &Source { c: graph, has_credentials, proxied });
    }
    let exposed_ports = graph.exposed().map(|(service, port)| ExposedPort {
        service,
        enabled: enabled_service(service),
        exposure: value(&[service, "exposure"]),
        port,
    });
    let backed_up = backup::backed_up(graph).map(|(server, _)| BackedUp {
        name: server.name,
        enabled: value(&[server.name, "backup", "enabled"]),
        suspend: value(&[server.name, "backup", "suspend"]),
        schedule: bare(&value(&[server.name, "backup", "schedule"])),
        before_upgrade: value(&[server.name, "backup", "beforeUpgrade", "enabled"]),
        on_failure: value(&[server.name, "backup", "beforeUpgrade", "onFailure"]),
        on_volume: format!(r#"eq {} "Volume""#, value(&[server.name, "backup", "storage"])),
    });
    files.umbrella(
        "templates/NOTES.txt",
        &Notes { c: graph, has_secrets, exposed_ports: exposed_ports.collect(), backed_up: backed_up.collect() },
    );
}

/// The names of the services that match a condition.
fn names(graph: &Graph, holds: impl Fn(&Service) -> bool) -> Vec<&'static str> {
    graph.services().filter(|(_, service)| holds(service)).map(|(component, _)| component.name).collect()
}

fn check_helpers(graph: &Graph, has_credentials: bool) -> CheckHelpers<'_> {
    CheckHelpers {
        c: graph,
        charts: graph.components.iter().map(|component| component.name).collect(),
        services: names(graph, |_| true),
        servers: graph.servers().map(|(server, _)| server.name).collect(),
        backed_up: backup::names(graph),
        with_exporter: exporter::exporters(graph).map(|(server, _)| server.name).collect(),
        kubernetes: names(graph, |service| !service.api_rules.is_empty()),
        with_secret: graph.components.iter().filter(|one| !one.credentials.is_empty()).map(|one| one.name).collect(),
        exposed: graph.exposed().map(|(service, _)| service).collect(),
        has_credentials,
        has_metrics: graph.has_metrics(),
        has_traces: instrumentation::has_traces(graph),
    }
}

fn declared(graph: &Graph) -> Declared<'_> {
    let image = |image: images::ChartImage| Image {
        path: image.name(),
        version: image.version,
        variant: image.variant,
        remedy: template_scalar(&match image.image.tag {
            DefaultTag::Fixed(tag) => format!("Omit the tag to use the default, {tag}, or set another"),
            DefaultTag::Absent(reason) => format!("There is no default ({reason}). Name one"),
        }),
    };
    let credential = |credential: &crate::graph::Credential| Credential {
        owner: credential.path.owner,
        key: template_scalar(&credential.path.key),
        field: credential.path.field,
        stored: match (credential.server(), credential.recipient()) {
            (Some(server), _) => format!("server: {server}"),
            (None, Some(recipient)) => format!("variable: {}", scalar(recipient.variable)),
            (None, None) => unreachable!("a credential without a server is a variable"),
        },
        login: match credential.user {
            CredentialUser::Administrator => None,
            CredentialUser::AddOn { section } => Some(section),
            CredentialUser::Service(_) => credential.server().map(|_| credential.path.owner),
        },
        switch: credential.switch().map(|[_, section, _]| section),
        purpose: template_scalar(&credential.doc),
        words: list(&password_rules::words_of_name(&credential.path.name())),
    };
    let calls = graph.edges.iter().filter(|edge| graph.component(edge.target).is_optional());
    let words = |list: WordList| Words { reason: template_scalar(list.fault.reason()), words: self::list(&list.words) };
    let has_credentials = graph.credentials().next().is_some();
    let lists = if has_credentials { password_rules::word_lists(graph.published_passwords) } else { Vec::new() };
    Declared {
        c: graph,
        password_words: lists.into_iter().map(words).collect(),
        credentials: graph.credentials().map(credential).collect(),
        images: images::all(graph).map(image).collect(),
        calls: calls.map(|edge| Call { caller: edge.client, callee: edge.target }).collect(),
    }
}

/// A YAML flow list without Helm actions. A long list spans several lines.
fn list(texts: &[String]) -> String {
    const WIDTH: usize = 120;
    let (mut out, mut column) = (String::from("["), 0);
    for (position, text) in texts.iter().map(|text| scalar(text)).enumerate() {
        if position > 0 && column + text.len() > WIDTH {
            out.push_str(",\n    ");
            column = 0;
        } else if position > 0 {
            out.push_str(", ");
        }
        column += text.len() + 2;
        out.push_str(&text);
    }
    inert(&(out + "]"))
}

#[derive(Template)]
#[template(path = "umbrella/Chart.yaml")]
struct ChartYaml<'a> {
    c: &'a Graph,
    source: &'a str,
    doc: String,
    version: &'a str,
    metadata: Metadata,
    charts: Vec<ChartRef>,
}

struct ChartRef {
    name: String,
    is_service: bool,
}

#[derive(Template)]
#[template(path = "umbrella/helmignore.txt")]
pub(super) struct HelmIgnore {
    /// Whether a package omits the reference pages.
    pub(super) omits_pages: bool,
}

#[derive(Template)]
#[template(path = "umbrella/templates/_helpers.tpl")]
struct Helpers<'a> {
    c: &'a Graph,
    has_credentials: bool,
    /// Whether the chart can have Secrets.
    has_secrets: bool,
    backing: Vec<&'static str>,
    libpq: bool,
}

#[derive(Template)]
#[template(path = "umbrella/templates/_services.tpl")]
struct Services<'a> {
    c: &'a Graph,
    /// Whether a service has a credential.
    has_credentials: bool,
    /// Whether one of them is written as a libpq value.
    libpq: bool,
}

#[derive(Template)]
#[template(path = "umbrella/templates/_declared.tpl")]
struct Declared<'a> {
    c: &'a Graph,
    credentials: Vec<Credential>,
    password_words: Vec<Words>,
    images: Vec<Image>,
    calls: Vec<Call>,
}

struct Credential {
    owner: &'static str,
    key: String,
    field: &'static str,
    /// The server whose Secret contains it in the mode `inline`; for a secret variable, its key in the service's Secret.
    stored: String,
    /// The owner of the login in the key of the server's Secret, which ends with the revision. An administrator's key has no revision.
    login: Option<&'static str>,
    /// The section of the owner's values whose `enabled` must be true for the credential to be used.
    switch: Option<&'static str>,
    purpose: String,
    /// The words of its name, as a YAML list.
    words: String,
}

/// Words that mark a password as weak.
struct Words {
    reason: String,
    /// A YAML list.
    words: String,
}

struct Image {
    path: String,
    remedy: String,
    version: Option<&'static str>,
    variant: Option<&'static str>,
}

struct Call {
    caller: &'static str,
    callee: &'static str,
}

#[derive(Template)]
#[template(path = "umbrella/templates/checks.yaml")]
struct Checks<'a> {
    c: &'a Graph,
    longest_release_name: u8,
    /// Words that YAML reads as a boolean or null.
    yaml_words: &'static [&'static str],
    /// The services that users outside the cluster can reach.
    exposed: Vec<&'static str>,
    /// The services with autoscaling.
    autoscaled: Vec<&'static str>,
    has_credentials: bool,
    /// Whether the chart can have Secrets.
    has_secrets: bool,
    has_servers: bool,
    has_metrics: bool,
    has_traces: bool,
    /// Whether earlier versions of the chart had other values.
    has_earlier: bool,
    /// Whether a release of an earlier version must be reinstalled.
    is_reinstalled: bool,
    rules: RulesOfTemplate,
}

/// The checks that compare the values with the installed release.
#[derive(Template)]
#[template(path = "umbrella/templates/_installed.tpl")]
struct Installed<'a> {
    c: &'a Graph,
    has_credentials: bool,
    has_servers: bool,
    /// The servers that can have backups.
    backed_up: Vec<&'static str>,
}

/// The rules for passwords, with texts as Go string literals.
struct RulesOfTemplate {
    shortest: usize,
    fewest_different: usize,
    brackets: String,
    control: String,
    is_in_brackets: String,
    is_the_name: String,
    is_short: String,
    is_repetitive: String,
    has_control: String,
}

impl RulesOfTemplate {
    fn new() -> Self {
        // Rust's and Go's escapes are the same for printable ASCII.
        let literal = |text: &str| format!("{text:?}");
        let reason = |fault: PasswordFault| literal(fault.reason());
        Self {
            shortest: password_rules::SHORTEST,
            fewest_different: password_rules::FEWEST_DIFFERENT,
            brackets: literal(password_rules::BRACKETS),
            control: literal(password_rules::CONTROL),
            is_in_brackets: reason(PasswordFault::Brackets),
            is_the_name: reason(PasswordFault::Name),
            is_short: reason(PasswordFault::Short),
            is_repetitive: reason(PasswordFault::Repetitive),
            has_control: reason(PasswordFault::Control),
        }
    }
}

/// The checks that a schema pattern cannot express.
#[derive(Template)]
#[template(path = "umbrella/templates/_checks.tpl")]
struct CheckHelpers<'a> {
    c: &'a Graph,
    /// All charts.
    charts: Vec<&'static str>,
    services: Vec<&'static str>,
    servers: Vec<&'static str>,
    /// The servers with backups.
    backed_up: Vec<&'static str>,
    with_exporter: Vec<&'static str>,
    /// The services that declare access to the Kubernetes API server.
    kubernetes: Vec<&'static str>,
    /// The charts with credentials.
    with_secret: Vec<&'static str>,
    /// The services that users outside the cluster can reach.
    exposed: Vec<&'static str>,
    has_credentials: bool,
    has_metrics: bool,
    has_traces: bool,
}

/// Helpers and checks for the services that users outside the cluster can reach.
#[derive(Template)]
#[template(path = "umbrella/templates/_edge.tpl")]
struct Edge<'a> {
    c: &'a Graph,
    exposed: Vec<&'static str>,
}

/// The chart's own store for External Secrets: a Secret and a `SecretStore`.
#[derive(Template)]
#[template(path = "umbrella/templates/credentials.yaml")]
struct Source<'a> {
    c: &'a Graph,
    has_credentials: bool,
    /// The services that a proxy can authenticate.
    proxied: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "umbrella/templates/NOTES.txt")]
struct Notes<'a> {
    c: &'a Graph,
    /// Whether the chart can have Secrets.
    has_secrets: bool,
    exposed_ports: Vec<ExposedPort>,
    backed_up: Vec<BackedUp>,
}

/// A server that can have backups, with expressions of its values.
struct BackedUp {
    name: &'static str,
    enabled: String,
    suspend: String,
    schedule: String,
    before_upgrade: String,
    on_failure: String,
    on_volume: String,
}

struct ExposedPort {
    service: &'static str,
    enabled: String,
    exposure: String,
    port: u16,
}
