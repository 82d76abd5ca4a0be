//! Validates manifests against schemas with kubeconform.

use std::{
    fmt,
    io::{ErrorKind, Write as _},
    process::Stdio,
};

use serde::Deserialize;

use crate::{KubernetesVersion, Tool, ToolBinary, ToolError, Toolbox};

/// Validates manifests (YAML, any number of documents) with `kubeconform -strict` against the schemas of this version of
/// Kubernetes and of custom resources. The crate [`schemas`](::schemas) describes the schemas.
///
/// No object is skipped: a kind without a schema is reported as [`Verdict::NoSchema`], which is a failure, like a document
/// that cannot be parsed. Empty documents are not reported.
///
/// A chart with a hundred objects takes less than a second, once the tool and the schemas are cached.
///
/// # Errors
/// The errors of [`Tool::ensure`] and [`kubernetes_schemas`](crate::kubernetes_schemas), and [`ToolError::Failed`] if
/// kubeconform prints no report. Invalid objects are not an error but part of the report.
pub fn kubeconform(version: KubernetesVersion, manifests: &str) -> Result<KubeconformReport, ToolError> {
    Toolbox::from_environment()?.kubeconform(version, &[], manifests)
}

/// Like [`kubeconform`], with further sources for the schemas of custom resources, which are searched first: folders or URLs with files
/// `<group>/<kind>_<version>.json` in lower case, or templates for kubeconform's option `-schema-location`.
///
/// # Errors
/// Those of [`kubeconform`].
pub fn kubeconform_with(
    version: KubernetesVersion,
    further: &[String],
    manifests: &str,
) -> Result<KubeconformReport, ToolError> {
    Toolbox::from_environment()?.kubeconform(version, further, manifests)
}

/// The report of kubeconform on a set of manifests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct KubeconformReport {
    /// One entry per object, in the order of the manifests. The items of a `List` are separate objects.
    pub resources: Vec<ResourceReport>,
}

impl KubeconformReport {
    /// Whether every object is valid. True for a report without objects.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The objects that are not valid.
    pub fn failures(&self) -> impl Iterator<Item = &ResourceReport> {
        self.resources.iter().filter(|resource| resource.verdict != Verdict::Valid)
    }
}

/// The result for one object. `Display` prints all of it in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceReport {
    /// Its API version, such as `apps/v1`; empty if unknown.
    pub api_version: String,
    /// Its kind; empty if unknown.
    pub kind: String,
    /// Its name; empty if it has none.
    pub name: String,
    /// Whether the object is valid, or why not.
    pub verdict: Verdict,
}

/// Whether an object is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The object matches its schema.
    Valid,
    /// The object violates its schema: at least one violation, ordered by path.
    Invalid(Vec<Violation>),
    /// There is no schema for its kind and API version.
    NoSchema,
    /// The document cannot be read: invalid YAML, a duplicate key, or no `kind`. Contains kubeconform's message.
    Unreadable(String),
    /// kubeconform skipped the object. No option asks for this, so it counts as a failure.
    Skipped,
}

/// A violation of the schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Violation {
    /// The JSON pointer of the value, such as `/spec/template/spec/containers/0`; empty for the object itself.
    pub path: String,
    /// The message, such as `additional properties 'imagee' not allowed`.
    #[serde(rename = "msg")]
    pub message: String,
}

impl fmt::Display for ResourceReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<&str> =
            [self.api_version.as_str(), &self.kind, &self.name].into_iter().filter(|word| !word.is_empty()).collect();
        let subject = if known.is_empty() { "a document".to_owned() } else { known.join(" ") };
        write!(formatter, "{subject}: ")?;
        match &self.verdict {
            Verdict::Valid => formatter.write_str("valid"),
            Verdict::NoSchema => formatter.write_str("there is no schema for this kind in this API version"),
            Verdict::Skipped => formatter.write_str("kubeconform skipped it"),
            Verdict::Unreadable(reason) => formatter.write_str(reason),
            Verdict::Invalid(violations) => {
                let all: Vec<String> = violations.iter().map(Violation::to_string).collect();
                formatter.write_str(&all.join("; "))
            }
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        write!(formatter, "at {path}: {}", self.message)
    }
}

/// The maximum size of an input. kubeconform reads into a buffer of 4 MiB and may move its content while workers still read
/// it; it never moves content of up to half of that size.
const BATCH: usize = 2 * 1024 * 1024;

impl Toolbox {
    /// Like [`kubeconform_with`], with this toolbox.
    ///
    /// # Errors
    /// Those of [`kubeconform`].
    pub fn kubeconform(
        &self,
        version: KubernetesVersion,
        further: &[String],
        manifests: &str,
    ) -> Result<KubeconformReport, ToolError> {
        let kubeconform = self.ensure(Tool::Kubeconform)?;
        let mut locations: Vec<String> = further.iter().map(|place| location(place)).collect();
        locations.extend([self.kubernetes_schemas(version)?.into_string(), location(self.crd_schemas()?.as_str())]);
        let mut report = KubeconformReport::default();
        for batch in batches(manifests, BATCH) {
            report.resources.extend(run(&kubeconform, version, &locations, batch)?);
        }
        Ok(report)
    }
}

/// The `-schema-location` template for a source of schemas of custom resources.
fn location(place: &str) -> String {
    if place.contains("{{") {
        return place.to_owned();
    }
    format!("{}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json", place.trim_end_matches('/'))
}

fn run(
    kubeconform: &ToolBinary,
    version: KubernetesVersion,
    locations: &[String],
    manifests: &str,
) -> Result<Vec<ResourceReport>, ToolError> {
    let failed = |output| ToolError::Failed { path: kubeconform.path.clone(), output };
    let mut command = kubeconform.command();
    // One worker, so that the results keep the order of the manifests.
    command.args(["-strict", "-verbose", "-output", "json", "-n", "1", "-kubernetes-version", version.as_str()]);
    for location in locations {
        command.args(["-schema-location", location]);
    }
    let mut child = command
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(ToolError::io("run", &kubeconform.path))?;
    if let Some(mut input) = child.stdin.take() {
        match input.write_all(manifests.as_bytes()) {
            // kubeconform stopped reading; its output contains the reason.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            written => written.map_err(ToolError::io("write to", &kubeconform.path))?,
        }
    }
    let output = child.wait_with_output().map_err(ToolError::io("run", &kubeconform.path))?;
    let answer: Answer = serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        failed(if said.is_empty() { format!("cannot parse its report: {error}") } else { said })
    })?;
    Ok(answer.resources.into_iter().filter(|resource| !resource.status.is_empty()).map(ResourceReport::from).collect())
}

#[derive(Deserialize)]
struct Answer {
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    kind: String,
    name: String,
    version: String,
    /// Empty for a document without content.
    status: String,
    msg: String,
    #[serde(default)]
    validation_errors: Vec<Violation>,
}

impl From<Resource> for ResourceReport {
    fn from(resource: Resource) -> Self {
        let Resource { kind, name, version, status, msg, validation_errors } = resource;
        let verdict = match status.as_str() {
            "statusValid" => Verdict::Valid,
            "statusSkipped" => Verdict::Skipped,
            "statusInvalid" => Verdict::Invalid(match violations(&msg) {
                all if !all.is_empty() => all,
                _ if !validation_errors.is_empty() => validation_errors,
                _ => vec![Violation { path: String::new(), message: msg }],
            }),
            _ if msg.starts_with("could not find schema for ") => Verdict::NoSchema,
            _ => Verdict::Unreadable(msg),
        };
        Self { api_version: version, kind, name, verdict }
    }
}

/// The violations in kubeconform's message, which has the form `… - at '/spec': validation failed   - at '/spec/a': …`.
///
/// The list `validationErrors` is not sufficient: for several violations at different depths it contains only their common
/// ancestor, with the message "validation failed". kubeconform before 0.7 has a different message, and only the list.
fn violations(message: &str) -> Vec<Violation> {
    let entries = message.split(" - at '").skip(1).filter_map(|entry| entry.split_once("': "));
    let all = entries.map(|(path, message)| Violation { path: path.to_owned(), message: message.trim().to_owned() });
    let mut all: Vec<_> = all.filter(|violation| violation.message != "validation failed").collect();
    // kubeconform reports violations in random order.
    all.sort();
    all
}

/// Splits manifests between documents into pieces of at most `limit` bytes. A longer document is a separate piece.
fn batches(manifests: &str, limit: usize) -> Vec<&str> {
    let mut batches = Vec::new();
    let mut rest = manifests;
    while rest.len() > limit {
        let starts = || rest.match_indices("\n---").map(|(position, _)| position + 1);
        let last_that_fits = starts().take_while(|start| *start <= limit).last();
        let Some(cut) = last_that_fits.or_else(|| starts().next()) else { break };
        let (batch, left) = rest.split_at(cut);
        batches.push(batch);
        rest = left;
    }
    if !rest.is_empty() {
        batches.push(rest);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::{batches, violations};

    #[test]
    fn reads_violations_at_every_depth() {
        let message = "problem validating schema. Check JSON formatting: jsonschema validation failed with 'file:///a#' \
             - at '': missing property 'spec' - at '/a/b': validation failed   - at '/a/b/c': got null, want string   \
             - at '/a/b/d~1e': 'x' does not match pattern '^y$'";
        let all: Vec<String> = violations(message).iter().map(ToString::to_string).collect();
        let expected = [
            "at /: missing property 'spec'",
            "at /a/b/c: got null, want string",
            "at /a/b/d~1e: 'x' does not match pattern '^y$'",
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn cuts_between_documents_only() {
        let text = "a: 1\n---\nb: 2\n---\nc: 33333333333333333333\n---\nd: 4\n";
        assert_eq!(batches(text, 1000), [text]);
        let pieces = batches(text, 20);
        assert_eq!(pieces, ["a: 1\n---\nb: 2\n", "---\nc: 33333333333333333333\n", "---\nd: 4\n"]);
        assert_eq!(pieces.concat(), text);
    }

    #[test]
    fn one_long_document_stays_whole() {
        assert_eq!(batches("a: 1111111111", 4), ["a: 1111111111"]);
        assert!(batches("", 4).is_empty());
    }
}
