//! The input of the steps: the chart, its cases, and the manifest of each case, rendered once.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use generator::{AlertProof, CredentialPath, EarlierValue, ExportedMetric, Resolved, Traffic};
use helm_values::Redaction;
use owned_tree::Wanted;
use render::cases::{self, Case};
use render::{NAMESPACE, Object, objects};
use serde_json::Value;
use tempfile::TempDir;
use tools::{Tool, ToolBinary};
use vocabulary::{Change, Environment};

use super::Settings;
use super::report::Progress;

/// The input of the steps.
pub(super) struct VerifyContext {
    pub(super) root: Utf8PathBuf,
    /// The folder that holds the chart.
    pub(super) folder: Utf8PathBuf,
    /// The charts: first the umbrella, then those beside it.
    pub(super) charts: Vec<Utf8PathBuf>,
    /// The files generated from the platform, by path below `folder`.
    pub(super) wanted: Wanted,
    pub(super) traffic: Traffic,
    /// The alerts of the release of the cases in [`NAMESPACE`].
    pub(super) alerts: Vec<AlertProof>,
    /// The metrics that the dashboards may show.
    pub(super) exported_metrics: Vec<ExportedMetric>,
    /// The names of the services.
    pub(super) services: Vec<&'static str>,
    pub(super) credentials: Vec<CredentialPath>,
    /// The environments that declare a host, each with the host.
    pub(super) hosts: Vec<(&'static str, vocabulary::HostName)>,
    /// The values of earlier versions.
    pub(super) earlier_values: Vec<EarlierValue>,
    pub(super) platform: Resolved,
    /// The services with a tag that can move, by environment.
    pub(super) moving_tags: BTreeMap<String, Vec<&'static str>>,
    pub(super) cases: Vec<Case>,
    /// The passwords in the values files that were given, which no message shows.
    pub(super) redaction: Redaction,
    /// Whether a check that could not be made is a failure.
    pub(super) strict: bool,
    /// Further folders or URLs with schemas of custom resources.
    pub(super) crd_schemas: Vec<String>,
    pub(super) progress: Progress,
    helms: OnceLock<Result<[ToolBinary; 2], String>>,
    batches: OnceLock<Result<[ToolBinary; 2], String>>,
    manifests: OnceLock<Result<Vec<Rendered>, String>>,
    /// For each chart, one with the same values, whose only template prints them.
    mirrors: OnceLock<Result<Vec<TempDir>, String>>,
}

/// The name of an environment, and the services whose tag can move there.
fn moving_tags(environment: &Environment) -> (String, Vec<&'static str>) {
    let moving = environment.changes.iter().filter_map(|change| match change {
        Change::ImageTag { service, tag } if tag.moves() => Some(service.as_str()),
        _ => None,
    });
    (environment.name.as_str().to_owned(), moving.collect())
}

/// A case and its manifest, rendered by Helm 4.
pub(super) struct Rendered {
    pub(super) case: Case,
    /// Its values, as Helm merges defaults, files and arguments.
    pub(super) values: Value,
    pub(super) manifest: String,
    pub(super) objects: Vec<Object>,
}

impl Rendered {
    /// The object of a kind whose name ends like this.
    pub(super) fn object(&self, kind: &str, end: &str) -> Option<&Value> {
        let found = self.objects.iter().find(|object| object.kind == kind && object.name.ends_with(end));
        found.map(|object| &object.value)
    }

    /// The texts in the `ConfigMaps` of a chart beside the umbrella, each with the name of its object; `chart` is what its name has behind the platform's.
    pub(super) fn texts(&self, chart: &str) -> impl Iterator<Item = (&str, &str)> {
        let is_of_chart = self.case.chart.as_str().ends_with(&format!("-{chart}"));
        let objects = self.objects.iter().filter(move |object| is_of_chart && object.kind == "ConfigMap");
        objects.flat_map(|object| {
            let texts = object.value["data"].as_object().into_iter().flatten();
            texts.filter_map(|(_, text)| Some((object.name.as_str(), text.as_str()?)))
        })
    }
}

/// Runs a program that checks something, and returns what it says against it.
///
/// # Errors
/// If it cannot be run.
pub(super) fn check(command: &mut Command) -> anyhow::Result<Result<(), String>> {
    let output = command.output().with_context(|| command.get_program().to_string_lossy().into_owned())?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    Ok(if output.status.success() { Ok(()) } else { Err(said) })
}

impl VerifyContext {
    pub(super) fn new(root: &Utf8Path, platform: &Resolved, settings: &Settings) -> anyhow::Result<Self> {
        let folder = root.join(owned_tree::FOLDER);
        let rendered = generator::generate(platform);
        let mut cases = cases::all(platform, &rendered, &folder);
        cases.extend(cases::without_snapshots(platform, &rendered, &folder));
        cases.extend(cases::from_files(platform, &rendered, &folder, &settings.values)?);
        let given = settings.values.iter().map(|file| {
            let text = std::fs::read_to_string(file).with_context(|| file.to_string())?;
            // Helm's message for a file that it cannot read may quote it.
            helm_values::documents(&text).with_context(|| format!("cannot read the values file {file}"))
        });
        let given = given.collect::<anyhow::Result<Vec<_>>>()?.concat();
        Ok(Self {
            charts: std::iter::once(&rendered.paths().umbrella)
                .chain(rendered.paths().further.iter().map(|chart| &chart.folder))
                .map(|chart| folder.join(chart))
                .collect(),
            traffic: generator::traffic(platform),
            alerts: generator::alerts(platform, NAMESPACE, cases::release_name(platform)),
            exported_metrics: generator::exported_metrics(platform),
            services: platform.platform().services.iter().map(|service| service.name.as_str()).collect(),
            credentials: generator::credential_paths(platform),
            hosts: super::hosts::declared(platform.platform()),
            earlier_values: generator::earlier_values(platform),
            platform: platform.clone(),
            moving_tags: platform.platform().environments.iter().map(moving_tags).collect(),
            cases,
            progress: Progress::default(),
            helms: OnceLock::new(),
            batches: OnceLock::new(),
            manifests: OnceLock::new(),
            mirrors: OnceLock::new(),
            root: root.to_owned(),
            folder,
            redaction: Redaction::of_values(&given),
            strict: settings.strict,
            crd_schemas: settings.crd_schemas.clone(),
            wanted: rendered.into_files(),
        })
    }

    /// Helm 3 and Helm 4.
    pub(super) fn helms(&self) -> anyhow::Result<&[ToolBinary; 2]> {
        let both = || Ok::<_, tools::ToolError>([Tool::Helm3.ensure()?, Tool::Helm4.ensure()?]);
        self.helms
            .get_or_init(|| both().map_err(|error| error.to_string()))
            .as_ref()
            .map_err(|error| anyhow!("{error}"))
    }

    /// Helm 4.
    pub(super) fn helm(&self) -> anyhow::Result<&ToolBinary> {
        Ok(&self.helms()?[1])
    }

    /// The programs that render many charts with the code of Helm 3 and of Helm 4. The step `template` compares them with Helm.
    pub(super) fn batches(&self) -> anyhow::Result<&[ToolBinary; 2]> {
        let both = || Ok::<_, tools::ToolError>([Tool::BatchHelm3.ensure()?, Tool::BatchHelm4.ensure()?]);
        self.batches
            .get_or_init(|| both().map_err(|error| error.to_string()))
            .as_ref()
            .map_err(|error| anyhow!("{error}"))
    }

    /// The program that renders many charts with the code of Helm 4.
    pub(super) fn batch(&self) -> anyhow::Result<&ToolBinary> {
        Ok(&self.batches()?[1])
    }

    /// The manifests of all cases, rendered by Helm 4.
    ///
    /// # Errors
    /// If Helm rejects a case; the step `template` names it.
    pub(super) fn manifests(&self) -> anyhow::Result<&[Rendered]> {
        let all = || -> anyhow::Result<Vec<Rendered>> {
            let helm = self.batch()?;
            let render = |case: &Case| {
                let manifest = case.render(helm)?;
                Ok(Rendered { case: case.clone(), values: self.values(case)?, objects: objects(&manifest)?, manifest })
            };
            in_parallel(&self.cases, &Progress::default(), render).into_iter().collect()
        };
        let all = self.manifests.get_or_init(|| all().map_err(|error| format!("{error:#}")));
        all.as_ref().map(Vec::as_slice).map_err(|error| anyhow!("{error}"))
    }

    /// The values of a case, as Helm merges defaults, files and arguments.
    pub(super) fn values(&self, case: &Case) -> anyhow::Result<Value> {
        let all = || self.charts.iter().map(|chart| mirror(chart)).collect::<anyhow::Result<_>>();
        let mirrors = self.mirrors.get_or_init(|| all().map_err(|error| format!("{error:#}")));
        let mirrors = mirrors.as_ref().map_err(|error| anyhow!("{error}"))?;
        let mut pairs = self.charts.iter().zip(mirrors);
        let (_, mirror) = pairs.find(|(chart, _)| **chart == case.chart).context("the chart of the case is unknown")?;
        let chart = Utf8PathBuf::try_from(mirror.path().to_owned())?;
        let shown = Case { chart, ..case.clone() }.render(self.batch()?)?;
        // The parser's message may quote the values.
        serde_yaml::from_str(&shown).map_err(|_| anyhow!("cannot parse the values that Helm printed"))
    }

    /// The umbrella chart.
    pub(super) fn umbrella(&self) -> &Utf8Path {
        &self.charts[0]
    }

    /// The cases of a chart; the first has its default values.
    pub(super) fn cases_of<'a>(&'a self, chart: &'a Utf8Path) -> impl Iterator<Item = &'a Case> {
        self.cases.iter().filter(move |case| case.chart == chart)
    }

    /// The manifests of the cases of a chart; the first has its default values.
    ///
    /// # Errors
    /// As [`Self::manifests`].
    pub(super) fn manifests_of(&self, chart: &Utf8Path) -> anyhow::Result<Vec<&Rendered>> {
        Ok(self.manifests()?.iter().filter(|one| one.case.chart == chart).collect())
    }
}

fn mirror(chart: &Utf8Path) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join("templates"))?;
    std::fs::copy(chart.join("values.yaml"), folder.path().join("values.yaml"))?;
    std::fs::write(folder.path().join("Chart.yaml"), "apiVersion: v2\nname: mirror\nversion: 0.0.0\n")?;
    std::fs::write(folder.path().join("templates/values.yaml"), "{{ toJson .Values }}\n")?;
    Ok(folder)
}

/// As [`render::in_parallel`], and reports each item that it begins.
pub(super) fn in_parallel<T: Sync, R: Send>(items: &[T], progress: &Progress, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    render::in_parallel(items, |position, item| {
        progress.at(position, items.len());
        work(item)
    })
}
