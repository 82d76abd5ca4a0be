//! The page about Argo CD and Flux, and their examples: one Application and one `HelmRelease` for each mode of secrets, and the operators before them.
//!
//! The files are beside the charts: they describe how a chart is delivered, and no release stores them.

mod values;

use askama::Template;

use super::AddOn;
use super::prerequisites::{PinnedRelease, pinned_releases};
use crate::addons::backup;
use crate::files::{Files, render};
use crate::graph::Graph;
use crate::password_files;

use values::Example;

/// The folder of the examples.
const FOLDER: &str = "gitops";

/// The folder of the repository that has the charts: that of `owned-tree`. `verify --only gitops` looks for the paths of the examples there.
const CHARTS: &str = "generated-chart";

/// The add-on.
pub(super) struct GitOps;

impl AddOn for GitOps {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let examples = values::examples(graph);
        let operators = Operator::all(graph);
        let x = &Context::of(graph, !operators.is_empty());
        files.beside("GITOPS.md", render(&Page::of(graph, x, &examples)));
        let file = |name: &str| format!("{FOLDER}/{name}");
        for example in &examples {
            let application = Application { x, e: example, values: example.indented(8) };
            files.beside(&file(&format!("argocd/application{}.yaml", example.suffix())), render(&application));
            let release = Release { x, e: example, values: example.indented(4) };
            files.beside(&file(&format!("flux/release{}.yaml", example.suffix())), render(&release));
        }
        files.beside(&file("argocd/root.yaml"), render(&Root { x }));
        files.beside(&file("flux/source.yaml"), render(&Source { x }));
        if graph.credentials().next().is_some() {
            files.beside(&file("flux/secrets.yaml"), render(&Secrets { x }));
        }
        if !operators.is_empty() {
            files.beside(&file("argocd/operators.yaml"), render(&Operators { operators: &operators }));
            files.beside(&file("flux/operators.yaml"), render(&Releases { operators: &operators }));
        }
    }
}

/// What all examples name.
struct Context<'a> {
    c: &'a Graph,
    release: &'static str,
    charts: &'static str,
    /// The address of the repository: a name that is reserved for examples.
    repository: String,
    /// The overlay of the environment, as a path below the folder of the charts.
    overlay: Option<String>,
    /// The encrypted file of passwords, as a path below the folder of the charts.
    passwords: String,
    has_operators: bool,
}

impl<'a> Context<'a> {
    fn of(graph: &'a Graph, has_operators: bool) -> Self {
        let environment = values::environment(graph).map(|environment| environment.name.as_str());
        Self {
            c: graph,
            release: graph.example_release(),
            charts: CHARTS,
            repository: format!("https://git.example.org/{}.git", graph.name),
            overlay: environment.map(|environment| format!("environments/values-{environment}.yaml")),
            passwords: environment.map_or_else(
                || format!("secrets-{}.yaml", graph.example_release()),
                |environment| format!("environments/{}", password_files::encrypted(environment)),
            ),
            has_operators,
        }
    }
}

/// An operator as a view.
struct Operator {
    release: PinnedRelease,
    /// Its wave: before the platform, and after the operators that it needs.
    wave: i32,
    /// Its values, indented for an Application and for a `HelmRelease`.
    argocd_values: String,
    flux_values: String,
}

impl Operator {
    fn all(graph: &Graph) -> Vec<Self> {
        let releases = pinned_releases(graph);
        let mut steps: Vec<(&str, i32)> = Vec::new();
        for release in &releases {
            // The releases that it needs come before it in the list.
            let before = steps.iter().filter(|(name, _)| release.after.iter().any(|(_, needed)| needed == name));
            let step = before.map(|(_, step)| step + 1).max().unwrap_or_default();
            steps.push((release.name, step));
        }
        let last = steps.iter().map(|(_, step)| *step).max().unwrap_or_default();
        let view = |(release, (_, step)): (PinnedRelease, (&str, i32))| Self {
            wave: step - last - 1,
            argocd_values: values::of_file(release.values, 8),
            flux_values: values::of_file(release.values, 4),
            release,
        };
        releases.into_iter().zip(steps).map(view).collect()
    }
}

#[derive(Template)]
#[template(path = "addons/gitops/argocd/application.yaml")]
struct Application<'a> {
    x: &'a Context<'a>,
    e: &'a Example,
    values: String,
}

#[derive(Template)]
#[template(path = "addons/gitops/argocd/root.yaml")]
struct Root<'a> {
    x: &'a Context<'a>,
}

#[derive(Template)]
#[template(path = "addons/gitops/flux/release.yaml")]
struct Release<'a> {
    x: &'a Context<'a>,
    e: &'a Example,
    values: String,
}

#[derive(Template)]
#[template(path = "addons/gitops/flux/source.yaml")]
struct Source<'a> {
    x: &'a Context<'a>,
}

#[derive(Template)]
#[template(path = "addons/gitops/flux/secrets.yaml")]
struct Secrets<'a> {
    x: &'a Context<'a>,
}

#[derive(Template)]
#[template(path = "addons/gitops/argocd/operators.yaml")]
struct Operators<'a> {
    operators: &'a [Operator],
}

#[derive(Template)]
#[template(path = "addons/gitops/flux/operators.yaml")]
struct Releases<'a> {
    operators: &'a [Operator],
}

#[derive(Template)]
#[template(path = "addons/gitops/GITOPS.md")]
struct Page<'a> {
    x: &'a Context<'a>,
    examples: &'a [Example],
    has_credentials: bool,
    is_stateful: bool,
    autoscales: bool,
    backed_up: Vec<&'static str>,
    /// The service whose Deployment the recipe changes: the last one.
    patched: Option<&'static str>,
    /// Whether an image has no default tag.
    untagged: bool,
}

impl<'a> Page<'a> {
    fn of(graph: &'a Graph, x: &'a Context<'a>, examples: &'a [Example]) -> Self {
        Self {
            x,
            examples,
            has_credentials: graph.credentials().next().is_some(),
            is_stateful: graph.servers().next().is_some(),
            autoscales: graph.autoscales(),
            backed_up: backup::names(graph),
            patched: graph.services().last().map(|(component, _)| component.name),
            untagged: crate::emit::images::without_default(graph).next().is_some(),
        }
    }
}
