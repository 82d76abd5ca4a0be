//! The objects that the chart renders, as an input of scenarios: a template that renders the same objects as before makes no pass outdated.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::{fmt, fs};

use anyhow::{Context as _, anyhow};
use camino::Utf8Path;
use generator::{AccessPath, Chart, Resolved};
use render::Case;
use render::cases;
use serde_json::{Value, json};
use tools::Tool;

use super::files::{is_of_alerts, is_of_authentication, is_of_backups, is_of_exporters, is_of_traces};

/// An add-on that is off by default: what it renders is an input of the scenarios that switch it on alone.
pub(super) struct AddOn {
    /// The name of its input group.
    pub(super) group: &'static str,
    /// The end of the Helm argument that switches it on.
    switch: &'static str,
    /// The key of its sections in the values.
    section: &'static str,
    /// Whether a file of the umbrella chart, by its path, belongs to it alone.
    pub(super) owns: fn(&Utf8Path) -> bool,
}

/// The add-ons. A case that switches on several is an input of the last of them.
pub(super) const ADD_ONS: &[AddOn] = &[
    AddOn { group: "metrics", switch: "global.metrics.enabled=true", section: "metrics", owns: |_| false },
    AddOn { group: "backups", switch: ".backup.enabled=true", section: "backup", owns: is_of_backups },
    AddOn { group: "exporters", switch: ".exporter.enabled=true", section: "exporter", owns: is_of_exporters },
    AddOn { group: "tracing", switch: "global.tracing.enabled=true", section: "tracing", owns: is_of_traces },
    AddOn {
        group: "authentication",
        switch: ".exposure.authentication.mode=OAuth2Proxy",
        section: "authentication",
        owns: is_of_authentication,
    },
    AddOn { group: "alerts", switch: "global.alerts.enabled=true", section: "alerts", owns: is_of_alerts },
];

/// The add-on of a group.
pub(super) fn add_on(group: &str) -> Option<&'static AddOn> {
    ADD_ONS.iter().find(|add_on| add_on.group == group)
}

/// The group of what is rendered while every add-on is off.
pub(super) const CHART: &str = "chart";

/// What renders the chart in the cases of the named group.
type Render = dyn Fn(&str) -> anyhow::Result<String> + Send + Sync;

/// Renders the chart in the cases of a group.
#[derive(Clone)]
pub(super) struct Rendering {
    render: Arc<Render>,
    /// By group, the digest of the files that were rendered last, and that of the result.
    last: Arc<Mutex<BTreeMap<String, (String, String)>>>,
}

impl Rendering {
    /// The rendering of a platform's chart, which lies with its values below `folder`; `generated` names its files.
    pub(super) fn of(platform: &Resolved, generated: &Chart, folder: &Utf8Path) -> Self {
        let chart = folder.join(&generated.paths().umbrella);
        let mut all = cases::all(platform, generated, folder);
        all.extend(cases::without_snapshots(platform, generated, folder));
        // The charts beside the umbrella are groups of their own.
        all.retain(|case| case.chart == chart);
        let further = further(platform, &all[0]);
        all.extend(further);
        Self::new(move |group| {
            let cases: Vec<_> = all.iter().filter(|case| group_of(case) == group).cloned().collect();
            Ok(objects(&cases)? + &defaults(&chart, group)?)
        })
    }

    pub(super) fn new(render: impl Fn(&str) -> anyhow::Result<String> + Send + Sync + 'static) -> Self {
        Self { render: Arc::new(render), last: Arc::default() }
    }

    /// The digest of what the chart renders in the cases of `group` while its files have the digest `files`.
    pub(super) fn digest(&self, group: &str, files: String, digest: impl Fn(&str) -> String) -> anyhow::Result<String> {
        let mut last = self.last.lock().map_err(|_| anyhow!("another thread has failed to render the chart"))?;
        match last.get(group) {
            Some((of, rendered)) if *of == files => Ok(rendered.clone()),
            _ => {
                let rendered = digest(&(self.render)(group)?);
                last.insert(group.to_owned(), (files, rendered.clone()));
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

/// The group of a case.
fn group_of(case: &Case) -> &'static str {
    // An environment can switch on several add-ons. The scenarios that install one have its files as an input.
    if case.environment.is_some() {
        return "environments";
    }
    let switches = |add_on: &&AddOn| case.arguments.iter().any(|argument| argument.ends_with(add_on.switch));
    ADD_ONS.iter().rfind(switches).map_or(CHART, |add_on| add_on.group)
}

/// Values that scenarios set and no check needs: special characters, second revisions, several pods, an upgrade.
fn further(platform: &Resolved, defaults: &Case) -> Vec<Case> {
    let mut credentials = Vec::new();
    let used = generator::credential_paths(platform).into_iter().filter(|credential| credential.switch.is_none());
    for credential in used {
        let name = credential.name;
        let password = json!(format!("it's \"{name}\" {{{{ $x }}}} \\ $y # %s 漢"));
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
    let upgrade = vec!["--is-upgrade".to_owned()];
    let with_backups = servers.iter().flat_map(on).chain(upgrade.clone()).collect();
    let case = |(name, arguments): (&str, Vec<String>)| Case {
        name: name.to_owned(),
        arguments: [defaults.arguments.clone(), arguments].concat(),
        ..defaults.clone()
    };
    let all = [
        ("credentials", credentials),
        ("replicas", replicas),
        ("upgrade", upgrade),
        ("upgrade-with-backups", with_backups),
    ];
    all.map(case).into()
}

/// The default values of a group, without comments.
fn defaults(chart: &Utf8Path, group: &str) -> anyhow::Result<String> {
    let file = chart.join("values.yaml");
    let text = fs::read_to_string(&file).with_context(|| file.to_string())?;
    let mut values: Value = serde_yaml::from_str(&text).with_context(|| file.to_string())?;
    let mut of_group = Vec::new();
    for add_on in ADD_ONS {
        let mut sections = Vec::new();
        take(&mut values, add_on.section, &mut sections);
        if add_on.group == group {
            of_group = sections;
        }
    }
    Ok(if group == CHART { values } else { Value::from(of_group) }.to_string())
}

/// Moves the sections with this key from the values, at whatever depth they are.
fn take(values: &mut Value, key: &str, sections: &mut Vec<Value>) {
    let Some(object) = values.as_object_mut() else { return };
    sections.extend(object.shift_remove(key));
    for section in object.values_mut() {
        take(section, key, sections);
    }
}

/// What Helm renders, without the objects of `helm test`.
fn objects(cases: &[Case]) -> anyhow::Result<String> {
    let helm = Tool::BatchHelm4.ensure()?;
    let rendered_case = |case: &Case| -> anyhow::Result<String> {
        let manifest = case.render(&helm)?;
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
        let rendering = Rendering::new(move |_| Ok(counted.fetch_add(1, Ordering::Relaxed).to_string()));
        let digest = |group, files: &str| rendering.digest(group, files.to_owned(), str::to_owned).expect("it renders");
        assert_eq!(
            [digest(CHART, "a"), digest(CHART, "a"), digest(CHART, "b"), digest(CHART, "b")],
            ["0", "0", "1", "1"]
        );
        assert_eq!([digest("backups", "b"), digest(CHART, "b")], ["2", "1"]);
        assert_eq!(count.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_comment_of_a_default_value_is_no_input_and_its_value_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let chart = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let of = |text: &str| {
            fs::write(chart.join("values.yaml"), text).expect("a file");
            [CHART, "alerts", "backups"].map(|group| defaults(chart, group).expect("YAML"))
        };
        let before =
            of("global: { alerts: { enabled: false } }\ndb: { backup: { timeoutSeconds: 240 }, replicas: 1 } # once\n");
        assert_eq!(
            of(
                "# Of all.\nglobal: { alerts: { enabled: false } }\ndb: { backup: { timeoutSeconds: 240 }, replicas: 1 }\n"
            ),
            before
        );
        let [chart_now, alerts, backups] =
            of("global: { alerts: { enabled: true } }\ndb: { backup: { timeoutSeconds: 200 }, replicas: 1 }\n");
        assert_eq!(chart_now, before[0]);
        assert!(alerts != before[1] && backups != before[2]);
        let [chart_now, alerts, backups] =
            of("global: { alerts: { enabled: false } }\ndb: { backup: { timeoutSeconds: 240 }, replicas: 2 }\n");
        assert_ne!(chart_now, before[0]);
        assert_eq!([alerts, backups], before[1..]);
    }

    #[test]
    fn a_case_belongs_to_the_last_add_on_that_it_switches_on() {
        let case = |arguments: &[&str]| Case {
            chart: camino::Utf8PathBuf::new(),
            name: String::new(),
            release: String::new(),
            environment: None,
            values: Vec::new(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        };
        let of = |arguments| group_of(&case(arguments));
        assert_eq!(of(&["--set=shop.replicas=2"]), CHART);
        assert_eq!(of(&["--set=db.backup.enabled=true"]), "backups");
        assert_eq!(of(&["--set=global.alerts.enabled=true", "--set=global.metrics.enabled=true"]), "alerts");
    }

    #[test]
    fn objects_of_helm_test_are_known_by_their_template() {
        assert!(is_of_tests("# Source: x/templates/tests/job.yaml\nkind: Job"));
        assert!(!is_of_tests("# Source: x/charts/shop/templates/deployment.yaml\nkind: Deployment"));
    }
}
