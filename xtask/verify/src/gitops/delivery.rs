//! The release that an example for Argo CD or Flux describes.

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use render::{Case, Object, objects};
use serde_json::Value;
use tempfile::TempDir;

use super::RELEASE;
use crate::context::VerifyContext;
use crate::paths::resolved;

/// The file of the chart that stands for encrypted passwords.
const FAKE_PASSWORDS: &str = "ci/default-values.yaml";

/// A release that an example describes.
#[derive(Debug, PartialEq)]
pub(super) struct Delivery {
    release: String,
    chart: Source,
    /// Values files, as paths below the root of the repository.
    files: Vec<Utf8PathBuf>,
    /// Whether further values come from an encrypted file or Secret, with the passwords.
    has_passwords: bool,
    values: Value,
}

/// Where the chart is.
#[derive(Debug, PartialEq)]
enum Source {
    /// A folder of the repository.
    Folder(Utf8PathBuf),
    /// A chart of another project: its name and version.
    Repository { chart: String, version: String },
}

impl Delivery {
    /// The release of an `Application` with a chart or of a `HelmRelease`; none for another object.
    pub(super) fn of(object: &Value) -> anyhow::Result<Option<Self>> {
        match object["kind"].as_str() {
            // One without Helm creates other Applications.
            Some("Application") if !object["spec"]["source"]["helm"].is_null() => {
                Self::of_application(object).map(Some)
            }
            Some(RELEASE) => Self::of_helm_release(object).map(Some),
            _ => Ok(None),
        }
    }

    fn of_application(object: &Value) -> anyhow::Result<Self> {
        let source = &object["spec"]["source"];
        let helm = &source["helm"];
        let chart = match source["path"].as_str() {
            Some(path) => Source::Folder(path.into()),
            None => Source::Repository {
                chart: text(&source["chart"], "spec.source.chart")?,
                version: text(&source["targetRevision"], "spec.source.targetRevision")?,
            },
        };
        let (mut files, mut has_passwords) = (Vec::new(), false);
        for file in helm["valueFiles"].as_array().into_iter().flatten() {
            let file = text(file, "spec.source.helm.valueFiles")?;
            let Source::Folder(folder) = &chart else { bail!("a chart of another project has no file {file}") };
            if file.starts_with("secrets+") {
                has_passwords = true;
            } else {
                files.push(normal(&folder.join(file))?);
            }
        }
        let release = text(&helm["releaseName"], "spec.source.helm.releaseName")?;
        Ok(Self { release, chart, files, has_passwords, values: helm["valuesObject"].clone() })
    }

    fn of_helm_release(object: &Value) -> anyhow::Result<Self> {
        let spec = &object["spec"];
        let source = &spec["chart"]["spec"];
        let name = text(&source["chart"], "spec.chart.spec.chart")?;
        let chart = match source["sourceRef"]["kind"].as_str() {
            Some("GitRepository") => Source::Folder(normal(Utf8Path::new(&name))?),
            _ => Source::Repository { chart: name, version: text(&source["version"], "spec.chart.spec.version")? },
        };
        let files = source["valuesFiles"].as_array().into_iter().flatten();
        let file = |file: &Value| normal(Utf8Path::new(&text(file, "spec.chart.spec.valuesFiles")?));
        Ok(Self {
            release: text(&spec["releaseName"], "spec.releaseName")?,
            chart,
            files: files.map(file).collect::<anyhow::Result<_>>()?,
            has_passwords: spec["valuesFrom"].is_array(),
            values: spec["values"].clone(),
        })
    }

    /// Whether it is a release of the platform's chart, and not of an operator.
    pub(super) fn is_own(&self) -> bool {
        matches!(self.chart, Source::Folder(_))
    }

    /// What is wrong with it.
    pub(super) fn check(&self, context: &VerifyContext) -> anyhow::Result<Vec<String>> {
        match &self.chart {
            Source::Folder(folder) => self.check_own(context, folder),
            Source::Repository { chart, version } => self.check_operator(context, chart, version),
        }
    }

    /// Renders the platform's chart with the values.
    fn check_own(&self, context: &VerifyContext, folder: &Utf8Path) -> anyhow::Result<Vec<String>> {
        let chart = context.root.join(folder);
        if chart != context.umbrella() {
            return Ok(vec![format!("its chart is {folder}, but the platform's chart is {}", context.umbrella())]);
        }
        let missing: Vec<String> = self
            .files
            .iter()
            .filter(|file| !context.root.join(file).is_file())
            .map(|file| format!("the repository has no file {file}"))
            .collect();
        if !missing.is_empty() {
            return Ok(missing);
        }
        let temporary = tempfile::tempdir()?;
        let mut values: Vec<_> = self.files.iter().map(|file| context.root.join(file)).collect();
        values.extend(self.has_passwords.then(|| context.umbrella().join(FAKE_PASSWORDS)));
        values.push(written(&temporary, &self.values)?);
        let case = Case {
            name: "the example".to_owned(),
            chart,
            release: self.release.clone(),
            environment: None,
            values,
            arguments: kinds(context),
        };
        let manifest = match case.render(context.batch()?) {
            Ok(manifest) => manifest,
            Err(error) => return Ok(vec![format!("Helm refuses its values: {error:#}")]),
        };
        Ok(self.wrong_secrets(&objects(&manifest)?))
    }

    /// Secrets in a manifest whose values have no password, and the reverse.
    fn wrong_secrets(&self, objects: &[Object]) -> Vec<String> {
        let mode = self.values["global"]["secrets"]["mode"].as_str();
        let secrets: Vec<&str> =
            objects.iter().filter(|object| object.kind == "Secret").map(|object| object.name.as_str()).collect();
        if mode.is_some() && self.has_passwords == secrets.is_empty() {
            let found = if secrets.is_empty() { "no Secret".to_owned() } else { secrets.join(", ") };
            return vec![format!("with this mode of secrets it renders {found}")];
        }
        Vec::new()
    }

    /// Compares an operator with the prerequisites.
    fn check_operator(&self, context: &VerifyContext, chart: &str, version: &str) -> anyhow::Result<Vec<String>> {
        let all = generator::prerequisites(&context.platform);
        let Some(pinned) = all.iter().find(|one| one.chart == chart) else {
            return Ok(vec![format!("the chart {chart} is none of the prerequisites")]);
        };
        let file = context.folder.join(&pinned.values);
        let values: Value = serde_yaml::from_str(&std::fs::read_to_string(&file).with_context(|| file.to_string())?)?;
        let mut wrong = Vec::new();
        if version != pinned.version {
            wrong.push(format!("{chart} has version {version}, the prerequisites have {}", pinned.version));
        }
        if values != self.values {
            wrong.push(format!("the values of {chart} differ from {}", pinned.values));
        }
        Ok(wrong)
    }
}

/// The option for each kind of another project: Argo CD passes the kinds of the cluster, and Flux asks it.
fn kinds(context: &VerifyContext) -> Vec<String> {
    let kinds = generator::custom_kinds(&context.platform);
    kinds.iter().map(|kind| format!("--api-versions={}/{}", kind.api_version(), kind.kind)).collect()
}

fn written(folder: &TempDir, values: &Value) -> anyhow::Result<Utf8PathBuf> {
    let path = Utf8PathBuf::try_from(folder.path().join("values.yaml"))?;
    let values = if values.is_null() { "{}".to_owned() } else { values.to_string() };
    // JSON is YAML.
    std::fs::write(&path, values)?;
    Ok(path)
}

fn text(value: &Value, field: &str) -> anyhow::Result<String> {
    value.as_str().map(str::to_owned).with_context(|| format!("{field} is missing"))
}

/// A path without `.` and `..`.
fn normal(path: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    resolved(Utf8Path::new(""), path.as_str()).with_context(|| format!("{path} leads out of the repository"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_application_and_a_release_of_flux_are_read() {
        let application = json!({ "kind": "Application", "spec": { "source": {
            "path": "charts/shop",
            "helm": {
                "releaseName": "demo", "valuesObject": { "a": 1 },
                "valueFiles": ["../values-main.yaml", "secrets+age-import:///key.txt?../secrets-main.yaml"],
            },
        } } });
        let release = json!({ "kind": "HelmRelease", "spec": {
            "releaseName": "demo", "values": { "a": 1 }, "valuesFrom": [{ "kind": "Secret", "name": "p" }],
            "chart": { "spec": {
                "chart": "./charts/shop", "sourceRef": { "kind": "GitRepository" }, "valuesFiles": ["./charts/values-main.yaml"],
            } },
        } });
        let expected = Delivery {
            release: "demo".to_owned(),
            chart: Source::Folder("charts/shop".into()),
            files: vec!["charts/values-main.yaml".into()],
            has_passwords: true,
            values: json!({ "a": 1 }),
        };
        for object in [application, release] {
            assert_eq!(Delivery::of(&object).expect("it is complete").as_ref(), Some(&expected));
        }
        assert_eq!(Delivery::of(&json!({ "kind": "Namespace" })).expect("another kind"), None);
        assert_eq!(Delivery::of(&json!({ "kind": "Application", "spec": {} })).expect("no chart"), None);
        let error = Delivery::of(&json!({ "kind": "Application", "spec": { "source": { "helm": {} } } }))
            .expect_err("it is incomplete")
            .to_string();
        assert_eq!(error, "spec.source.chart is missing");
    }

    #[test]
    fn a_path_stays_in_the_repository() {
        assert_eq!(normal(Utf8Path::new("./a/../b/c.yaml")).expect("a path"), "b/c.yaml");
        assert!(normal(Utf8Path::new("a/../../b")).is_err());
    }

    #[test]
    fn a_rendered_password_is_found() {
        let delivery = |mode: &str, has_passwords| Delivery {
            release: "demo".to_owned(),
            chart: Source::Folder("a".into()),
            files: Vec::new(),
            has_passwords,
            values: json!({ "global": { "secrets": { "mode": mode } } }),
        };
        let secret = objects("kind: Secret\nmetadata: {name: x}\n").expect("objects");
        assert_eq!(delivery("existing", false).wrong_secrets(&secret), ["with this mode of secrets it renders x"]);
        assert_eq!(delivery("inline", true).wrong_secrets(&[]), ["with this mode of secrets it renders no Secret"]);
        assert!(delivery("inline", true).wrong_secrets(&secret).is_empty());
        assert!(delivery("existing", false).wrong_secrets(&[]).is_empty());
    }
}
