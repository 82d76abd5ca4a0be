//! The objects that the chart renders, as an input of scenarios: a template that renders the same objects as before makes no pass outdated.

use std::sync::{Arc, Mutex};
use std::{fmt, fs};

use anyhow::{Context as _, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use generator::{AccessPath, Chart, Resolved};
use render::Case;
use render::cases;
use serde_json::{Value, json};
use tools::Tool;

/// Renders the chart in all cases.
#[derive(Clone)]
pub(super) struct Rendering {
    render: Arc<dyn Fn() -> anyhow::Result<String> + Send + Sync>,
    /// The digest of the files that were rendered last, and that of the result.
    last: Arc<Mutex<Option<(String, String)>>>,
}

impl Rendering {
    /// The rendering of a platform's chart, which lies with its values below `folder`; `generated` names its files.
    pub(super) fn of(platform: &Resolved, generated: &Chart, folder: &Utf8Path) -> Self {
        let chart = folder.join(&generated.paths().umbrella);
        let mut all = cases::all(platform, generated, folder);
        all.extend(cases::without_snapshots(platform, generated, folder));
        // The alerts are a group of their own.
        all.retain(|case| !case.arguments.iter().any(|argument| argument.ends_with("global.alerts.enabled=true")));
        let further = further(platform, &all[0]);
        all.extend(further);
        Self::new(move || Ok(objects(&all, &chart)? + &defaults(&chart)?))
    }

    pub(super) fn new(render: impl Fn() -> anyhow::Result<String> + Send + Sync + 'static) -> Self {
        Self { render: Arc::new(render), last: Arc::default() }
    }

    /// The digest of what the chart renders while its files have the digest `files`.
    pub(super) fn digest(&self, files: String, digest: impl Fn(&str) -> String) -> anyhow::Result<String> {
        let mut last = self.last.lock().map_err(|_| anyhow!("another thread has failed to render the chart"))?;
        match &*last {
            Some((of, rendered)) if *of == files => Ok(rendered.clone()),
            _ => {
                let rendered = digest(&(self.render)()?);
                *last = Some((files, rendered.clone()));
                Ok(rendered)
            }
        }
    }
}

impl fmt::Debug for Rendering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendering").finish_non_exhaustive()
    }
}

/// Values that scenarios set and no check needs: special characters, second revisions, several pods, an upgrade.
fn further(platform: &Resolved, defaults: &Case) -> Vec<Case> {
    let mut credentials = Vec::new();
    for (number, credential) in generator::credential_paths(platform).iter().enumerate() {
        let password = json!(format!("it's \"{number}\" {{{{ $x }}}} \\ $y # %s 漢"));
        credentials.push(format!("--set-json={}={password}", credential.value.join(".")));
        credentials.push(format!("--set={}=2", credential.revision.join(".")));
    }
    let services = platform.platform().services.iter();
    let replicas = services.map(|service| format!("--set={}.replicas=2", service.name)).collect();
    let servers = generator::traffic(platform).backup;
    let on = |path: &AccessPath| {
        [
            format!("--set={}.backup.enabled=true", path.to),
            format!("--set={}.backup.beforeUpgrade.onFailure=Continue", path.to),
        ]
    };
    let upgrade = servers.iter().flat_map(on).chain(["--is-upgrade".to_owned()]).collect();
    let case = |(name, arguments): (&str, Vec<String>)| Case {
        name: name.to_owned(),
        arguments: [defaults.arguments.clone(), arguments].concat(),
        ..defaults.clone()
    };
    [("credentials", credentials), ("replicas", replicas), ("upgrade", upgrade)].map(case).into()
}

/// The default values without comments, and without those of the alerts.
fn defaults(chart: &Utf8Path) -> anyhow::Result<String> {
    let file = chart.join("values.yaml");
    let text = fs::read_to_string(&file).with_context(|| file.to_string())?;
    let mut values: Value = serde_yaml::from_str(&text).with_context(|| file.to_string())?;
    if let Some(global) = values["global"].as_object_mut() {
        global.remove("alerts");
    }
    Ok(values.to_string())
}

/// What Helm renders, without the objects of `helm test`.
fn objects(cases: &[Case], chart: &Utf8PathBuf) -> anyhow::Result<String> {
    let helm = Tool::BatchHelm4.ensure()?;
    let rendered_case = |case: &Case| -> anyhow::Result<String> {
        let manifest = case.render(&helm, chart)?;
        let documents = manifest.split("\n---\n").filter(|document| !is_of_tests(document));
        Ok(std::iter::once(case.name.as_str()).chain(documents).collect::<Vec<_>>().join("\n---\n"))
    };
    let rendered = render::in_parallel(cases, |_, case| rendered_case(case));
    Ok(rendered.into_iter().collect::<anyhow::Result<Vec<_>>>()?.join("\n"))
}

fn is_of_tests(document: &str) -> bool {
    let source = document.lines().find_map(|line| line.strip_prefix("# Source: "));
    source.is_some_and(|path| path.split('/').any(|part| part == "tests"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn the_chart_is_rendered_again_when_its_files_differ() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let rendering = Rendering::new(move || Ok(counted.fetch_add(1, Ordering::Relaxed).to_string()));
        let digest = |files: &str| rendering.digest(files.to_owned(), str::to_owned).expect("it renders");
        assert_eq!([digest("a"), digest("a"), digest("b"), digest("b")], ["0", "0", "1", "1"]);
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_comment_of_a_default_value_is_no_input_and_its_value_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let chart = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let of = |text: &str| {
            fs::write(chart.join("values.yaml"), text).expect("a file");
            defaults(chart).expect("YAML")
        };
        let before = of("global: { alerts: { enabled: false } }\ndb: { backup: { timeoutSeconds: 240 } } # once\n");
        assert_eq!(
            of("# Of all.\nglobal: { alerts: { enabled: true } }\ndb: { backup: { timeoutSeconds: 240 } }\n"),
            before
        );
        assert_ne!(of("global: {}\ndb: { backup: { timeoutSeconds: 200 } }\n"), before);
    }

    #[test]
    fn objects_of_helm_test_are_known_by_their_template() {
        assert!(is_of_tests("# Source: x/templates/tests/job.yaml\nkind: Job"));
        assert!(!is_of_tests("# Source: x/charts/shop/templates/deployment.yaml\nkind: Deployment"));
    }
}
