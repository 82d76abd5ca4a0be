//! The commands of the chart's documents, run as a reader would paste them.

use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use e2e_kit::process;
use e2e_kit::release::Release;
use tools::Tool;

/// The longest that one block of commands may take.
const LIMIT: Duration = Duration::from_mins(6);

/// A document of the chart.
pub(crate) struct Document {
    name: &'static str,
    text: String,
}

impl Document {
    /// Reads a document of the chart, such as `UPGRADING.md`.
    pub(crate) fn read(chart: &Utf8Path, name: &'static str) -> anyhow::Result<Self> {
        let path = chart.join(name);
        Ok(Self { name, text: std::fs::read_to_string(&path).with_context(|| path.to_string())? })
    }

    /// The blocks of shell commands below a heading, up to the next heading of any level. Blocks in a list lose its indentation.
    ///
    /// # Errors
    /// If the document has no such heading, or no commands below it.
    pub(crate) fn commands(&self, heading: &str) -> anyhow::Result<Vec<String>> {
        self.below(heading, "sh")
    }

    /// The blocks of values below a heading.
    ///
    /// # Errors
    /// If the document has no such heading, or no values below it.
    pub(crate) fn values(&self, heading: &str) -> anyhow::Result<Vec<String>> {
        self.below(heading, "yaml")
    }

    /// All blocks of shell commands, each with the heading above it.
    pub(crate) fn all_commands(&self) -> impl Iterator<Item = (String, String)> {
        self.blocks().into_iter().filter(|block| block.language == "sh").map(|block| (block.heading, block.text))
    }

    fn below(&self, heading: &str, language: &str) -> anyhow::Result<Vec<String>> {
        let mut blocks = self.blocks();
        blocks.retain(|block| block.heading == heading && block.language == language);
        ensure!(!blocks.is_empty(), "{} has no block of `{language}` below the heading `{heading}`", self.name);
        Ok(blocks.into_iter().map(|block| block.text).collect())
    }

    /// All fenced blocks.
    fn blocks(&self) -> Vec<Block> {
        let (mut heading, mut indent, mut blocks) = (String::new(), None, Vec::<Block>::new());
        for line in self.text.lines() {
            let bare = line.trim_start();
            match indent {
                Some(_) if bare == "```" => indent = None,
                Some(spaces) => {
                    let block = blocks.last_mut().expect("a fence has begun a block");
                    block.text.push_str(line.get(spaces..).unwrap_or_default());
                    block.text.push('\n');
                }
                None => {
                    if let Some(language) = bare.strip_prefix("```") {
                        indent = Some(line.len() - bare.len());
                        let (heading, language) = (heading.clone(), language.trim().to_owned());
                        blocks.push(Block { heading, language, text: String::new() });
                    } else if line.starts_with('#') {
                        line.trim_start_matches('#').trim().clone_into(&mut heading);
                    }
                }
            }
        }
        blocks
    }
}

/// A fenced block of a document.
struct Block {
    heading: String,
    /// What follows the opening fence, such as `sh`; empty for a plain block.
    language: String,
    text: String,
}

/// A home folder in which a reader runs commands: with the chart, and with helm, sops and age-keygen on `PATH`.
pub(crate) struct Reader<'a> {
    release: &'a Release<'a>,
    folder: Utf8PathBuf,
    variables: Vec<(String, String)>,
}

impl<'a> Reader<'a> {
    /// A folder for a release. The commands find `RELEASE` and `NAMESPACE` set.
    pub(crate) fn of(release: &'a Release<'a>) -> anyhow::Result<Self> {
        let context = release.namespace.context;
        let folder = context.folder("reader")?;
        let platform = context.platform.platform().name.as_str();
        symlink(&context.chart, folder.join(platform))?;
        if let Some(parent) = context.chart.parent() {
            symlink(parent.join("environments"), folder.join("environments"))?;
        }
        std::fs::create_dir(folder.join("bin"))?;
        symlink(&release.helm.path, folder.join("bin/helm"))?;
        for (tool, name) in [(Tool::Sops, "sops"), (Tool::AgeKeygen, "age-keygen")] {
            symlink(tool.ensure()?.path, folder.join("bin").join(name))?;
        }
        let home = folder.to_string();
        let variables = [("RELEASE", &release.name), ("NAMESPACE", &release.namespace.name), ("HOME", &home)];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.clone())).into();
        Ok(Self { release, folder, variables })
    }

    /// Sets a further variable.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// The path of a file in the folder.
    pub(crate) fn path(&self, file: &str) -> Utf8PathBuf {
        self.folder.join(file)
    }

    /// Runs a block of commands and returns its standard output.
    ///
    /// # Errors
    /// If a command fails; the message contains the block and its output.
    pub(crate) fn run(&self, block: &str) -> anyhow::Result<String> {
        let mut command = Command::new("bash");
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .args(["-euo", "pipefail", "-c", block])
            .current_dir(&self.folder)
            .env("PATH", format!("{}:{path}", self.folder.join("bin")))
            .envs(self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let what = format!("in {}, the commands\n{block}", self.release.namespace.name);
        Ok(process::run(command, "", LIMIT, false)?.ok(&what)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocks_below_a_heading_are_found_by_language() {
        let text = "# A\n\n```sh\none\n```\n## B\n1. Do:\n\n   ```sh\n   # a comment\n   two \\\n     three\n   ```\n\n   ```sh\n   four\n   ```\n### C\n```sh\nfive\n```\n```yaml\n# not a heading\nsix: {}\n```\n```\nseven\n```\n";
        let document = Document { name: "X.md", text: text.to_owned() };
        assert_eq!(document.commands("A").expect("commands"), ["one\n"]);
        assert_eq!(document.commands("B").expect("commands"), ["# a comment\ntwo \\\n  three\n", "four\n"]);
        assert_eq!(document.commands("C").expect("commands"), ["five\n"]);
        assert_eq!(document.values("C").expect("values"), ["# not a heading\nsix: {}\n"]);
        assert_eq!(document.all_commands().count(), 4);
        let error = document.values("B").expect_err("there are no values").to_string();
        assert_eq!(error, "X.md has no block of `yaml` below the heading `B`");
    }
}
