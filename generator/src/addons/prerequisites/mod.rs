//! What a cluster needs before the chart: pinned operators with values, the life of their definitions, and a script that reports what is missing.
//!
//! The files are beside the charts: an operator of the cluster uses them before the first release, and no release stores them.

mod kinds;
mod operators;

use std::collections::BTreeSet;

use askama::Template;

use super::AddOn;
use crate::files::{Files, render};
use crate::graph::Graph;
use crate::kubernetes::MINOR_VERSIONS;
use crate::text::{Row, code_cell, list};

pub use kinds::CustomKind;
pub(crate) use kinds::kinds;
use kinds::{Condition, Setting};
use operators::{GATEWAY_API, GATEWAY_API_COMMAND, METRICS_SERVER, Owner, PinnedChart, TRAEFIK, owners};

/// The folder of the files.
const FOLDER: &str = "prerequisites";

/// The add-on.
pub(super) struct Prerequisites;

/// A chart of another project, with the values that fit the platform's chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prerequisite {
    /// Its chart's name.
    pub chart: &'static str,
    /// Its chart's version.
    pub version: &'static str,
    /// The path of the values file, below the folder that holds the chart.
    pub values: String,
    /// The level of Pod Security that its namespace enforces.
    pub pod_security: &'static str,
}

/// The charts that the platform's chart can use.
pub(crate) fn prerequisites(graph: &Graph) -> Vec<Prerequisite> {
    let prerequisite = |(owner, chart): (&Owner, &PinnedChart)| Prerequisite {
        chart: chart.name,
        version: chart.version,
        values: format!("{FOLDER}/{}", values_file(owner)),
        pod_security: chart.pod_security,
    };
    charts(&owners(graph)).map(prerequisite).collect()
}

/// A chart of another project as a release, for the examples for Argo CD and Flux.
pub(crate) struct PinnedRelease {
    /// Its release's name.
    pub(crate) name: &'static str,
    /// Its chart's name.
    pub(crate) chart: &'static str,
    /// The address of its repository.
    pub(crate) repository: &'static str,
    /// Its chart's version.
    pub(crate) version: &'static str,
    /// Its namespace.
    pub(crate) namespace: &'static str,
    /// The level of Pod Security that its namespace enforces; none for a namespace of the cluster itself.
    pub(crate) pod_security: Option<&'static str>,
    /// The text of its values file.
    pub(crate) values: &'static str,
    /// The releases that must be there before, as namespace and name.
    pub(crate) after: Vec<(&'static str, &'static str)>,
}

/// The charts that the platform's chart can use, as releases.
pub(crate) fn pinned_releases(graph: &Graph) -> Vec<PinnedRelease> {
    let owners = owners(graph);
    let release = |(owner, chart): (&'static Owner, &'static PinnedChart)| PinnedRelease {
        name: owner.name,
        chart: chart.name,
        repository: chart.repository,
        version: chart.version,
        namespace: chart.namespace,
        pod_security: (chart.namespace != "kube-system").then_some(chart.pod_security),
        values: chart.values,
        after: before(&owners, chart).collect(),
    };
    charts(&owners).map(release).collect()
}

/// The releases that must be there before a chart, as namespace and name.
fn before<'a>(
    owners: &'a [&'static Owner],
    chart: &'static PinnedChart,
) -> impl Iterator<Item = (&'static str, &'static str)> + 'a {
    let needed = charts(owners).filter(|(owner, _)| chart.after.contains(&owner.name));
    needed.map(|(owner, before)| (before.namespace, owner.name))
}

impl AddOn for Prerequisites {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let owners = owners(graph);
        let kinds = kinds(graph);
        files.beside("CRDS.md", render(&CrdsPage::of(graph, &owners, &kinds)));
        let file = |name: &str| format!("{FOLDER}/{name}");
        files.beside(&file("README.md"), render(&Readme::of(graph, &owners, &kinds)));
        if charts(&owners).next().is_some() {
            files.beside(&file("helmfile.yaml"), render(&Helmfile::of(&owners)));
        }
        for (owner, chart) in charts(&owners) {
            files.beside(&file(&values_file(owner)), chart.values.to_owned());
        }
        files.beside(&file("doctor"), render(&Doctor::of(graph, &owners, &kinds)));
    }
}

/// The owners that have a chart.
fn charts<'a>(owners: &'a [&'static Owner]) -> impl Iterator<Item = (&'static Owner, &'static PinnedChart)> + 'a {
    owners.iter().filter_map(|owner| Some((*owner, owner.chart.as_ref()?)))
}

/// The name of an owner's values file.
fn values_file(owner: &Owner) -> String {
    format!("values-{}.yaml", owner.name)
}

/// The settings that need an owner, each once.
fn settings_for(graph: &Graph, owner: &Owner, kinds: &[CustomKind]) -> Vec<String> {
    let of_kinds = kinds.iter().filter(|kind| kind.owner == owner.name).flat_map(|kind| &kind.settings);
    let mut settings: Vec<String> = of_kinds.map(Setting::code).collect();
    if owner.name == TRAEFIK.name {
        settings.extend(
            graph.exposed().flat_map(|(service, _)| {
                ["Ingress", "HTTPRoute"].map(|via| format!("`{service}.exposure.via: {via}`"))
            }),
        );
    }
    if owner.name == METRICS_SERVER.name {
        settings.extend(autoscaled(graph).map(|service| format!("`{service}.autoscaling.enabled: true`")));
    }
    let mut seen = BTreeSet::new();
    settings.retain(|setting| seen.insert(setting.clone()));
    // One with a further condition says nothing new.
    let is_new = |setting: &&String| !seen.iter().any(|other| setting.starts_with(&format!("{other} with ")));
    settings.iter().filter(is_new).cloned().collect()
}

/// The services that a value lets scale by load.
fn autoscaled(graph: &Graph) -> impl Iterator<Item = &'static str> + '_ {
    let scales = graph.services().filter(|(_, service)| service.scaling != vocabulary::Scaling::Fixed);
    scales.map(|(component, _)| component.name)
}

/// A chart as a view.
struct ChartView {
    title: &'static str,
    name: &'static str,
    chart: &'static PinnedChart,
    /// The repository's name in a helmfile.
    repository: String,
    values: String,
    /// The releases that must be there before.
    needs: Vec<String>,
}

impl ChartView {
    fn all(owners: &[&'static Owner]) -> Vec<Self> {
        let needs = |chart: &'static PinnedChart| {
            before(owners, chart).map(|(namespace, name)| format!("{namespace}/{name}")).collect()
        };
        let view = |(owner, chart): (&'static Owner, &'static PinnedChart)| Self {
            title: owner.title,
            name: owner.name,
            chart,
            repository: owner.name.to_owned(),
            values: values_file(owner),
            needs: needs(chart),
        };
        charts(owners).map(view).collect()
    }
}

#[derive(Template)]
#[template(path = "addons/prerequisites/README.md")]
struct Readme<'a> {
    c: &'a Graph,
    /// Project, chart with version, program, namespace, Pod Security, where the versions were found.
    versions: Vec<Row>,
    /// Setting of the values, what it needs.
    features: Vec<Row>,
    charts: Vec<ChartView>,
    has_gateway_api: bool,
    gateway_api: &'static str,
    exposed: Vec<&'static str>,
    has_metrics: bool,
    has_external_secrets: bool,
    has_velero: bool,
    example: String,
    is_rendered: String,
    is_not_rendered: String,
}

impl<'a> Readme<'a> {
    fn of(graph: &'a Graph, owners: &[&'static Owner], kinds: &[CustomKind]) -> Self {
        let version = |(owner, chart): (&Owner, &PinnedChart)| {
            Row::of(&[
                format!("[{}]({})", owner.title, owner.home),
                format!("{} {}", code_cell(chart.name), chart.version),
                chart.program.to_owned(),
                code_cell(chart.namespace),
                code_cell(chart.pod_security),
                chart.confirmed.to_owned(),
            ])
        };
        let feature = |owner: &&'static Owner| {
            let settings = settings_for(graph, owner, kinds);
            (!settings.is_empty()).then(|| Row::of(&[settings.join(", "), owner.title.to_owned()]))
        };
        let has = |name: &str| owners.iter().any(|owner| owner.name == name);
        let titles = |rendered: bool| {
            let found = charts(owners).filter(|(_, chart)| chart.confirmed.contains("rendered") == rendered);
            list(&found.map(|(owner, _)| owner.title.to_owned()).collect::<Vec<_>>(), "and")
        };
        Self {
            c: graph,
            versions: charts(owners).map(version).collect(),
            features: owners.iter().filter_map(feature).collect(),
            charts: ChartView::all(owners),
            has_gateway_api: has(GATEWAY_API.name),
            gateway_api: GATEWAY_API_COMMAND,
            exposed: graph.exposed().map(|(service, _)| service).collect(),
            has_metrics: graph.has_metrics(),
            has_external_secrets: has(operators::EXTERNAL_SECRETS.name),
            has_velero: has(operators::VELERO.name),
            example: example(graph),
            is_rendered: titles(true),
            is_not_rendered: titles(false),
        }
    }
}

/// The options of the script for an environment, with a space before them; nothing if there is no environment.
fn example(graph: &Graph) -> String {
    let environment = graph.environments.first();
    environment.map_or_else(String::new, |environment| {
        format!(" --values environments/values-{}.yaml", environment.name.as_str())
    })
}

#[derive(Template)]
#[template(path = "addons/prerequisites/helmfile.yaml")]
struct Helmfile {
    charts: Vec<ChartView>,
}

impl Helmfile {
    fn of(owners: &[&'static Owner]) -> Self {
        Self { charts: ChartView::all(owners) }
    }
}

#[derive(Template)]
#[template(path = "addons/prerequisites/CRDS.md")]
struct CrdsPage<'a> {
    c: &'a Graph,
    /// Kind, version, definition, other versions, setting, owner.
    kinds: Vec<Row>,
    /// Owner, place, upgrade, removal.
    owners: Vec<Row>,
    /// The commands that apply definitions.
    commands: Vec<(&'static str, &'static str)>,
    /// The names of the definitions, for a command.
    definitions: String,
    has_external_secrets: bool,
    has_certificates: bool,
    has_velero: bool,
    has_gateways: bool,
    /// Versions that are still in a definition.
    older: Vec<String>,
}

impl<'a> CrdsPage<'a> {
    fn of(graph: &'a Graph, owners: &[&'static Owner], kinds: &[CustomKind]) -> Self {
        let title = |name: &str| {
            let owner = owners.iter().find(|owner| owner.name == name);
            owner.expect("each kind's owner is listed for the same reason as the kind").title.to_owned()
        };
        let kind = |kind: &CustomKind| {
            let settings: Vec<String> = kind.settings.iter().map(Setting::code).collect();
            Row::of(&[
                code_cell(kind.kind),
                code_cell(&kind.api_version()),
                code_cell(&kind.definition()),
                if kind.others.is_empty() { "–".to_owned() } else { kind.others.to_owned() },
                settings.join(", "),
                title(kind.owner),
            ])
        };
        let with_definitions = || owners.iter().filter(|owner| !owner.definitions.place.is_empty());
        let owner = |owner: &&'static Owner| {
            let definitions = &owner.definitions;
            Row::of(&[
                owner.title.to_owned(),
                definitions.place.into(),
                definitions.upgrade.into(),
                definitions.removal.into(),
            ])
        };
        let has = |name: &str| kinds.iter().any(|kind| kind.owner == name);
        Self {
            c: graph,
            kinds: kinds.iter().map(kind).collect(),
            owners: with_definitions().map(owner).collect(),
            commands: with_definitions().filter_map(|owner| Some((owner.title, owner.definitions.command?))).collect(),
            definitions: kinds.iter().map(CustomKind::definition).collect::<Vec<_>>().join(" "),
            has_external_secrets: has(operators::EXTERNAL_SECRETS.name),
            has_certificates: has(operators::CERT_MANAGER.name),
            has_velero: has(operators::VELERO.name),
            has_gateways: has(GATEWAY_API.name),
            older: kinds
                .iter()
                .filter(|kind| !kind.others.is_empty())
                .map(|kind| format!("{} ({})", code_cell(kind.kind), kind.others))
                .collect(),
        }
    }
}

#[derive(Template)]
#[template(path = "addons/prerequisites/doctor.sh", escape = "none")]
struct Doctor<'a> {
    c: &'a Graph,
    oldest_minor: u8,
    /// The commands that note what the values need.
    requirements: Vec<String>,
    kinds: Vec<Definition>,
    /// The exposed services, separated by spaces.
    exposed: String,
    autoscaled: Vec<&'static str>,
    /// The paths of the storage classes in the values, separated by spaces.
    volumes: String,
}

/// A definition that the script looks for.
struct Definition {
    name: String,
    version: &'static str,
    remedy: String,
}

impl<'a> Doctor<'a> {
    fn of(graph: &'a Graph, owners: &[&'static Owner], kinds: &[CustomKind]) -> Self {
        let of_kinds = kinds.iter().flat_map(|kind| {
            kind.settings.iter().map(|setting| requirement(&kind.definition(), &setting.text(), &setting.conditions))
        });
        let of_scaling = autoscaled(graph).map(|service| {
            let enabled = Condition::new(&format!("{service}.autoscaling.enabled"), "false", true, "true");
            let setting = Setting::of_service(service, vec![enabled]);
            requirement("metrics-api", &setting.text(), &setting.conditions)
        });
        let definition = |kind: &CustomKind| {
            let owner = owners.iter().find(|owner| owner.name == kind.owner);
            let owner = owner.expect("each kind's owner is listed for the same reason as the kind");
            let remedy = match (&owner.chart, owner.definitions.command) {
                (Some(_), _) => format!("Install or upgrade {}: README.md beside this script", owner.title),
                (None, Some(command)) => format!("Run: {command}"),
                (None, None) => format!("Install {} ({}), or change the setting", owner.title, owner.home),
            };
            Definition { name: kind.definition(), version: kind.version, remedy }
        };
        let exposed: Vec<&str> = graph.exposed().map(|(service, _)| service).collect();
        let volumes: Vec<String> =
            graph.servers().map(|(component, _)| format!("{}.persistence.storageClassName", component.name)).collect();
        Self {
            c: graph,
            oldest_minor: *MINOR_VERSIONS.start(),
            requirements: of_kinds.chain(of_scaling).collect(),
            kinds: kinds.iter().map(definition).collect(),
            exposed: exposed.join(" "),
            autoscaled: autoscaled(graph).collect(),
            volumes: volumes.join(" "),
        }
    }
}

/// The command of the script that notes a need if the values have a setting.
fn requirement(subject: &str, setting: &str, conditions: &[Condition]) -> String {
    let condition = |condition: &Condition| {
        let Condition { path, default, equal, wanted, .. } = condition;
        format!("{}is {path} '{default}' '{wanted}'", if *equal { "" } else { "! " })
    };
    let conditions: Vec<String> = conditions.iter().map(condition).collect();
    format!("if {}; then need {subject} '{setting}'; fi", conditions.join(" && "))
}

#[cfg(test)]
mod tests;
