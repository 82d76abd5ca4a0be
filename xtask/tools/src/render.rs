//! Renders and lints charts with Helm.

use camino::Utf8Path;

use crate::{KUBERNETES_VERSIONS, ToolBinary, ToolError, batch};

/// The input of `helm template`.
#[derive(Clone, Copy, Debug)]
pub struct Template<'a> {
    /// The chart's folder.
    pub chart: &'a Utf8Path,
    /// The release's name.
    pub release: &'a str,
    /// Values files; later files override earlier ones.
    pub values: &'a [&'a Utf8Path],
    /// Further arguments, such as `--set a=b`.
    pub arguments: &'a [&'a str],
}

/// Helm's output, or its error message.
pub type Rendered = Result<String, String>;

/// One object of a rendered chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its text, without the document separator and the comment with the template's name.
    pub text: String,
}

impl ToolBinary {
    /// Renders a chart with `helm template`, in namespace `default` and for the newest pinned version of Kubernetes. Returns the manifest, or Helm's
    /// error message. A program of many renderings ([`Tool::BatchHelm4`](crate::Tool::BatchHelm4)) gives the same and takes less than half the time.
    ///
    /// # Errors
    /// If this tool is not Helm, or cannot be run.
    pub fn template(&self, template: &Template<'_>) -> Result<Rendered, ToolError> {
        let [.., newest] = KUBERNETES_VERSIONS;
        // The default is the version that Helm was built for; an older Helm 3 has one below the chart's `kubeVersion`.
        let mut words = vec!["template", template.release, template.chart.as_str(), "--kube-version", newest.as_str()];
        for file in template.values {
            words.extend(["--values", file.as_str()]);
        }
        words.extend(template.arguments);
        if self.tool.is_batch() {
            return batch::run(self, &words);
        }
        let output = self.run(self.command().args(words))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) })
    }

    /// Runs `helm lint --strict` on a chart, with further arguments such as `--set a=b`. Returns Helm's output, or its error message.
    ///
    /// # Errors
    /// If this tool is not Helm, or cannot be run.
    pub fn lint(&self, chart: &Utf8Path, values: &[&Utf8Path], arguments: &[&str]) -> Result<Rendered, ToolError> {
        let mut words = vec!["lint", "--strict", chart.as_str()];
        for file in values {
            words.extend(["--values", file.as_str()]);
        }
        words.extend(arguments);
        if self.tool.is_batch() {
            return batch::run(self, &words);
        }
        let output = self.run(self.command().args(words))?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        Ok(if output.status.success() { Ok(said) } else { Err(said) })
    }

    fn run(&self, command: &mut std::process::Command) -> Result<std::process::Output, ToolError> {
        command.output().map_err(ToolError::io("run", &self.path))
    }
}

/// The objects of a rendered chart, in Helm's order.
///
/// # Errors
/// If a document is not YAML, or has no kind or name. The error names the template, and does not show the document: it may be a Secret.
pub fn objects(manifest: &str) -> Result<Vec<Object>, String> {
    let documents = manifest.split("\n---\n").map(|text| text.strip_prefix("---\n").unwrap_or(text));
    let mut all = Vec::new();
    for document in documents {
        let source = document.lines().find_map(|line| line.strip_prefix("# Source: ")).unwrap_or("the manifest");
        let text: String = document.lines().filter(|l| !l.starts_with("# Source: ")).flat_map(|l| [l, "\n"]).collect();
        let invalid = |error: serde_yaml::Error| {
            let line = error.location().map_or(0, |place| place.line());
            format!("{source} renders invalid YAML, at line {line} of the object")
        };
        let value: serde_yaml::Value = serde_yaml::from_str(&text).map_err(invalid)?;
        if value.is_null() {
            continue;
        }
        let word = |value: &serde_yaml::Value| value.as_str().map(str::to_owned);
        match (word(&value["kind"]), word(&value["metadata"]["name"])) {
            (Some(kind), Some(name)) => all.push(Object { kind, name, text: text.trim().to_owned() + "\n" }),
            _ => return Err(format!("{source} renders an object that has no kind or no name")),
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::objects;

    #[test]
    fn an_error_names_the_template_and_shows_no_secret() {
        let secret = "---\n# Source: shop/templates/secret.yaml\nkind: Secret\nstringData:\n  password: hunter2\n";
        for (text, problem) in [
            (secret.to_owned(), "renders an object that has no kind or no name"),
            (format!("{secret}  x: \"hunter2\n"), "renders invalid YAML, at line"),
        ] {
            let error = objects(&text).expect_err("an error");
            assert!(error.starts_with(&format!("shop/templates/secret.yaml {problem}")), "{error}");
            assert!(!error.contains("hunter2"));
        }
    }
}
