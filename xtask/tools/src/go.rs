//! Runs Go to build a tool or to download a module.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::{GoError, Tool};

/// The oldest supported Go for modules whose `go.mod` names no version.
pub(crate) const OLDEST_GO: &str = "1.26";

/// The `go` on `PATH`.
pub(crate) struct Go {
    path: Utf8PathBuf,
}

/// A module in Go's module cache.
#[derive(Debug, Deserialize)]
pub(crate) struct Module {
    /// The read-only folder of its files.
    #[serde(rename = "Dir")]
    pub(crate) folder: String,
    /// The checksum of its content, in the format of `go.sum`.
    #[serde(rename = "Sum")]
    pub(crate) checksum: String,
}

impl Go {
    pub(crate) fn find(search_path: &[Utf8PathBuf], needed: &str) -> Result<Self, GoError> {
        let name = format!("go{}", std::env::consts::EXE_SUFFIX);
        let path = search_path.iter().map(|folder| folder.join(&name)).find(|path| path.is_file());
        path.map(|path| Self { path }).ok_or_else(|| GoError::Missing { needed: needed.to_owned() })
    }

    /// Builds a tool from the Go module in `module_folder` into the file `target`.
    pub(crate) fn build(&self, tool: Tool, module_folder: &Utf8Path, target: &Utf8Path) -> Result<(), GoError> {
        let mut command = self.command(module_folder);
        command.args(["build", "-trimpath", "-ldflags", &tool.linker_flags(), "-o", target.as_str(), &tool.package()]);
        self.run(command, oldest_go(tool.go_mod())).map(drop)
    }

    /// Downloads a module into Go's module cache, unless it is there already. The caller compares its checksum.
    pub(crate) fn download(&self, module: &str, version: &str, folder: &Utf8Path) -> Result<Module, GoError> {
        let mut command = self.command(folder);
        // The caller compares the checksum with the pinned one, which is stricter than the checksum database.
        command.env("GOSUMDB", "off").args(["mod", "download", "-json", &format!("{module}@{version}")]);
        let shown = show(&command);
        let output = self.run(command, OLDEST_GO)?;
        serde_json::from_str(&output)
            .map_err(|error| GoError::Failed { command: shown, output: format!("{error} in its output:\n{output}") })
    }

    /// A `go` command that ignores the user's settings: it builds for this machine, in module mode, and changes no module file.
    fn command(&self, folder: &Utf8Path) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(folder);
        command.envs([
            ("GOFLAGS", "-mod=readonly -buildvcs=false"),
            ("GO111MODULE", "on"),
            ("GOWORK", "off"),
            ("CGO_ENABLED", "0"),
        ]);
        for variable in ["GOOS", "GOARCH", "GOEXPERIMENT"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs the command and returns its standard output.
    fn run(&self, mut command: Command, needed: &str) -> Result<String, GoError> {
        let shown = show(&command);
        let failed = |output| GoError::Failed { command: shown, output };
        let output = match command.output() {
            Ok(output) if output.status.success() => return Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            Ok(output) => output,
            Err(error) => return Err(failed(error.to_string())),
        };
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // Go 1.21 and newer print "requires go >= 1.26.0"; older versions cannot parse a version with a patch number.
        if said.contains("requires go >= ") || said.contains("invalid go version") {
            return Err(GoError::TooOld { path: self.path.clone(), found: self.version(), needed: needed.to_owned() });
        }
        let lines: Vec<&str> = said.trim().lines().collect();
        Err(failed(lines[lines.len().saturating_sub(12)..].join("\n")))
    }

    fn version(&self) -> String {
        let output = Command::new(&self.path).args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local").output();
        let version =
            output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
        if version.is_empty() { "a Go of unknown version".to_owned() } else { version }
    }
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// The Go version that a `go.mod` requires.
pub(crate) fn oldest_go(go_mod: &str) -> &str {
    go_mod.lines().find_map(|line| line.strip_prefix("go ")).unwrap_or(OLDEST_GO)
}
