//! Which tools there are, which versions of them fit, and a tool that was found.

use std::process::Command;

use camino::Utf8PathBuf;

use crate::{ToolError, Toolbox, version::Version};

/// An external program this project runs, pinned to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// Helm 3, from 3.18.5 on, where it began to check `values.schema.json` as Helm 4 does.
    Helm3,
    /// Helm 4.
    Helm4,
    /// kubeconform, which checks manifests against JSON schemas.
    Kubeconform,
}

impl Tool {
    /// Every tool.
    pub const ALL: [Self; 3] = [Self::Helm3, Self::Helm4, Self::Kubeconform];

    /// Finds this tool on `PATH` in a fitting version, or builds the pinned one, in the [`Toolbox`] of the environment.
    ///
    /// The first build of a Helm takes minutes and is announced on standard error. Each call asks the tool for its version
    /// (some 50 ms for Helm), so keep the answer instead of asking again.
    ///
    /// # Errors
    /// [`ToolError::Unavailable`] if neither works, with all that was tried and what to install.
    pub fn ensure(self) -> Result<Located, ToolError> {
        Toolbox::from_environment()?.ensure(self)
    }

    /// The name in messages, such as `helm 3`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Helm3 => "helm 3",
            Self::Helm4 => "helm 4",
            Self::Kubeconform => "kubeconform",
        }
    }

    /// The versions that fit, in words.
    #[must_use]
    pub const fn fitting(self) -> &'static str {
        match self {
            Self::Helm3 => "3.18.5 or newer, below 4",
            Self::Helm4 => "4.0.0 or newer, below 5",
            Self::Kubeconform => "0.6.0 or newer, below 1",
        }
    }

    /// The pinned version, the one that is built, such as `v4.3.1`.
    #[must_use]
    pub fn pinned(self) -> &'static str {
        self.required(self.module()).unwrap_or_default()
    }

    pub(crate) fn fits(self, version: Version) -> bool {
        let (oldest, too_new) = match self {
            Self::Helm3 => (Version(3, 18, 5), Version(4, 0, 0)),
            Self::Helm4 => (Version(4, 0, 0), Version(5, 0, 0)),
            Self::Kubeconform => (Version(0, 6, 0), Version(1, 0, 0)),
        };
        oldest <= version && version < too_new
    }

    /// The names it may have on `PATH`, the most telling first.
    pub(crate) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Helm3 => &["helm3", "helm"],
            Self::Helm4 => &["helm4", "helm"],
            Self::Kubeconform => &["kubeconform"],
        }
    }

    pub(crate) const fn version_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Helm3 | Self::Helm4 => &["version", "--template", "{{.Version}}"],
            Self::Kubeconform => &["-v"],
        }
    }

    pub(crate) const fn is_helm(self) -> bool {
        matches!(self, Self::Helm3 | Self::Helm4)
    }

    /// The folder of its Go module beside this crate's `Cargo.toml`, also its name in the cache.
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Helm3 => "helm3",
            Self::Helm4 => "helm4",
            Self::Kubeconform => "kubeconform",
        }
    }

    /// The program's file name, without the platform's suffix.
    pub(crate) const fn binary(self) -> &'static str {
        if self.is_helm() { "helm" } else { "kubeconform" }
    }

    const fn module(self) -> &'static str {
        match self {
            Self::Helm3 => "helm.sh/helm/v3",
            Self::Helm4 => "helm.sh/helm/v4",
            Self::Kubeconform => "github.com/yannh/kubeconform",
        }
    }

    /// The Go package that is built.
    pub(crate) fn package(self) -> String {
        format!("{}/cmd/{}", self.module(), self.binary())
    }

    pub(crate) const fn go_mod(self) -> &'static str {
        match self {
            Self::Helm3 => include_str!("../helm3/go.mod"),
            Self::Helm4 => include_str!("../helm4/go.mod"),
            Self::Kubeconform => include_str!("../kubeconform/go.mod"),
        }
    }

    pub(crate) const fn go_sum(self) -> &'static str {
        match self {
            Self::Helm3 => include_str!("../helm3/go.sum"),
            Self::Helm4 => include_str!("../helm4/go.sum"),
            Self::Kubeconform => include_str!("../kubeconform/go.sum"),
        }
    }

    /// The linker flags a release of the tool is built with, as its Makefile sets them.
    ///
    /// Without them Helm says `v3.22` for `v3.22.0`, and Helm 3 renders for Kubernetes 1.20 instead of the version of its
    /// client library. (Helm 4 finds that version out by itself.)
    pub(crate) fn linker_flags(self) -> String {
        let version = self.pinned();
        let mut flags = vec!["-s".to_owned(), "-w".to_owned()];
        let mut set = |variable: &str, value: &str| flags.push(format!("-X {variable}={value}"));
        match self {
            Self::Helm3 | Self::Helm4 => set(&format!("{}/internal/version.version", self.module()), version),
            Self::Kubeconform => set("main.version", version),
        }
        if self == Self::Helm3
            && let Some(client) = self.required("k8s.io/client-go").and_then(Version::parse)
        {
            for package in ["pkg/lint/rules", "pkg/chartutil"] {
                set(&format!("{}/{package}.k8sVersionMajor", self.module()), &(client.0 + 1).to_string());
                set(&format!("{}/{package}.k8sVersionMinor", self.module()), &client.1.to_string());
            }
        }
        flags.join(" ")
    }

    /// The version of a module in this tool's `go.mod`.
    fn required(self, module: &str) -> Option<&'static str> {
        self.go_mod().lines().find_map(|line| {
            let mut words = line.split_whitespace().filter(|word| *word != "require");
            (words.next() == Some(module)).then(|| words.next()).flatten()
        })
    }
}

/// A tool that is there, in a fitting version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Which tool this is.
    pub tool: Tool,
    /// The program, as an absolute path.
    pub path: Utf8PathBuf,
    /// What it says its version is, such as `v4.3.1`.
    pub version: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The folder its Helm home lies in; see [`Located::command`].
    pub home: Utf8PathBuf,
}

/// Where a located tool comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was on `PATH`.
    OnPath,
    /// It was built from the Go module pinned here, now or earlier.
    Built,
}

impl Located {
    /// A command that runs this tool, without arguments.
    ///
    /// A Helm neither sees its user's plugins, repositories and registry logins nor any `HELM_…` variable of the
    /// environment: it gets a home of its own ([`Located::home`]), which it makes when it first needs it. `KUBECONFIG` stays.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        if self.tool.is_helm() {
            isolate_helm(&mut command, &self.home);
        }
        command
    }
}

pub(crate) fn isolate_helm(command: &mut Command, home: &camino::Utf8Path) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HELM_")) {
        command.env_remove(name);
    }
    for part in ["cache", "config", "data"] {
        command.env(format!("HELM_{}_HOME", part.to_uppercase()), home.join(part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pinned_is_a_release_that_fits() {
        for tool in Tool::ALL {
            let pinned = Version::parse(tool.pinned()).expect("a release");
            assert!(tool.fits(pinned), "{} {pinned:?}", tool.title());
        }
    }

    #[test]
    fn a_build_has_the_flags_of_a_release() {
        let flags = Tool::Helm3.linker_flags();
        let version = format!("-X helm.sh/helm/v3/internal/version.version={} ", Tool::Helm3.pinned());
        assert!(flags.contains(&version), "{flags}");
        assert!(flags.contains("-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 "), "{flags}");
        assert!(!Tool::Helm4.linker_flags().contains("k8sVersion"));
        assert!(Tool::Kubeconform.linker_flags().contains("-X main.version=v"));
    }
}
