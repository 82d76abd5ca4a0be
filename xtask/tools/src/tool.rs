//! The tools, their supported versions, and the commands that run them.

use std::process::Command;

use camino::Utf8PathBuf;

use crate::{ToolError, Toolbox, version::Version};

/// An external program with a pinned version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// Helm 3, since 3.18.5, which checks `values.schema.json` like Helm 4.
    Helm3,
    /// Helm 4.
    Helm4,
    /// kubeconform, which validates manifests against JSON schemas.
    Kubeconform,
    /// conftest, which checks manifests against rules in Rego. Since 0.60, whose default is the Rego version with `contains` and `if`.
    Conftest,
    /// sops, which encrypts the values of a file and leaves its keys readable. Since 3.13: this crate relies on its messages and its handling of
    /// standard input.
    Sops,
    /// age-keygen, which creates keys for sops.
    AgeKeygen,
    /// promtool, which checks and tests rules of Prometheus.
    Promtool,
    /// amtool, which checks configurations of Alertmanager and tries their routes.
    Amtool,
    /// The OpenTelemetry Collector, which validates its configurations.
    Collector,
    /// crane, which asks registries for tags and digests.
    Crane,
    /// cosign, which signs what is in a registry. Since 3.0, which stores signatures as referrers.
    Cosign,
    /// The registry of Distribution, for tests on the loopback interface.
    Registry,
    /// `read-dashboards` of this crate, which decodes dashboards with Grafana's own types and their queries with Prometheus's parser. It is never looked
    /// for on `PATH`.
    ReadDashboards,
    /// `read-releases` of this crate, which decodes `HelmRelease` objects with Flux's own types. It is never looked for on `PATH`.
    ReadReleases,
    /// `helm template` of Helm 3 in a program that renders many charts without a new start for each. Always built: Helm has no such program.
    BatchHelm3,
    /// As [`Tool::BatchHelm3`], of Helm 4.
    BatchHelm4,
}

impl Tool {
    /// All tools.
    pub const ALL: [Self; 16] = [
        Self::Helm3,
        Self::Helm4,
        Self::Kubeconform,
        Self::Conftest,
        Self::Sops,
        Self::AgeKeygen,
        Self::Promtool,
        Self::Amtool,
        Self::Collector,
        Self::Crane,
        Self::Cosign,
        Self::Registry,
        Self::ReadDashboards,
        Self::ReadReleases,
        Self::BatchHelm3,
        Self::BatchHelm4,
    ];

    /// Finds this tool on `PATH` in a supported version, or builds the pinned version, with the [`Toolbox`] of the environment.
    ///
    /// The first build of Helm, conftest or sops takes minutes and is announced on standard error. Each call runs the tool to get its version
    /// (about 50 ms for Helm), so keep the result.
    ///
    /// # Errors
    /// [`ToolError::Unavailable`] if neither works; its text lists the attempts and the remedy.
    pub fn ensure(self) -> Result<ToolBinary, ToolError> {
        Toolbox::from_environment()?.ensure(self)
    }

    /// Its name in messages, such as `helm 3`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Helm3 | Self::BatchHelm3 => "helm 3",
            Self::Helm4 | Self::BatchHelm4 => "helm 4",
            Self::Kubeconform => "kubeconform",
            Self::Conftest => "conftest",
            Self::Sops => "sops",
            Self::AgeKeygen => "age-keygen",
            Self::Promtool => "promtool",
            Self::Amtool => "amtool",
            Self::Collector => "otelcol-contrib",
            Self::Crane => "crane",
            Self::Cosign => "cosign",
            Self::Registry => "registry",
            Self::ReadDashboards => "read-dashboards",
            Self::ReadReleases => "read-releases",
        }
    }

    /// The supported versions, as text.
    #[must_use]
    pub const fn fitting(self) -> &'static str {
        match self {
            Self::Helm3 | Self::BatchHelm3 => "3.18.5 or newer, below 4",
            Self::Helm4 | Self::BatchHelm4 => "4.0.0 or newer, below 5",
            Self::Kubeconform => "0.6.0 or newer, below 1",
            Self::Conftest => "0.60.0 or newer, below 1",
            Self::Sops => "3.13.0 or newer, below 4",
            Self::AgeKeygen => "1.1.0 or newer, below 2",
            Self::Promtool | Self::Cosign | Self::Registry => "3.0.0 or newer, below 4",
            Self::Amtool => "0.28.0 or newer, below 1",
            Self::Collector => "0.160.0 or newer, below 1",
            Self::Crane => "0.20.0 or newer, below 1",
            Self::ReadDashboards | Self::ReadReleases => "of this repository",
        }
    }

    pub(crate) fn fits(self, version: Version) -> bool {
        let (oldest, too_new) = match self {
            Self::Helm3 | Self::BatchHelm3 => (Version(3, 18, 5), Version(4, 0, 0)),
            Self::Helm4 | Self::BatchHelm4 => (Version(4, 0, 0), Version(5, 0, 0)),
            Self::Kubeconform => (Version(0, 6, 0), Version(1, 0, 0)),
            Self::Conftest => (Version(0, 60, 0), Version(1, 0, 0)),
            Self::Sops => (Version(3, 13, 0), Version(4, 0, 0)),
            Self::AgeKeygen => (Version(1, 1, 0), Version(2, 0, 0)),
            Self::Promtool | Self::Cosign | Self::Registry => (Version(3, 0, 0), Version(4, 0, 0)),
            Self::Amtool => (Version(0, 28, 0), Version(1, 0, 0)),
            Self::Collector => (Version(0, 160, 0), Version(1, 0, 0)),
            Self::Crane => (Version(0, 20, 0), Version(1, 0, 0)),
            Self::ReadDashboards => (Version(0, 0, 0), Version(1, 0, 0)),
            Self::ReadReleases => (Version(0, 0, 0), Version(2, 0, 0)),
        };
        oldest <= version && version < too_new
    }

    /// Its possible names on `PATH`, the most specific first; none if it is always built.
    pub(crate) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Helm3 => &["helm3", "helm"],
            Self::Helm4 => &["helm4", "helm"],
            Self::Kubeconform => &["kubeconform"],
            Self::Conftest => &["conftest"],
            Self::Sops => &["sops"],
            Self::AgeKeygen => &["age-keygen"],
            Self::Promtool => &["promtool"],
            Self::Amtool => &["amtool"],
            Self::Collector => &["otelcol-contrib"],
            Self::Crane => &["crane"],
            Self::Cosign => &["cosign"],
            Self::Registry => &["registry"],
            Self::ReadDashboards | Self::ReadReleases | Self::BatchHelm3 | Self::BatchHelm4 => &[],
        }
    }

    pub(crate) const fn version_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Helm3 | Self::Helm4 | Self::BatchHelm3 | Self::BatchHelm4 => {
                &["version", "--template", "{{.Version}}"]
            }
            Self::Kubeconform => &["-v"],
            Self::Crane | Self::Cosign => &["version"],
            // Without the first option sops requests the latest version over the network.
            Self::Sops => &["--disable-version-check", "--version"],
            Self::Conftest
            | Self::AgeKeygen
            | Self::Promtool
            | Self::Amtool
            | Self::Collector
            | Self::Registry
            | Self::ReadDashboards
            | Self::ReadReleases => &["--version"],
        }
    }

    /// The version in the tool's output for [`Tool::version_arguments`]. Some tools print a name before it, and conftest prints the version of its
    /// library after it.
    pub(crate) fn version_in(self, answer: &str) -> &str {
        let mut lines = answer.trim().lines();
        let first = match self {
            // Its name in large letters comes before the version.
            Self::Cosign => lines.find(|line| line.starts_with("GitVersion:")).unwrap_or_default(),
            _ => lines.next().unwrap_or_default(),
        };
        let name = match self {
            Self::Sops => "sops ",
            Self::Conftest => "Conftest: ",
            // promtool, version 3.13.5 (branch: …)
            Self::Promtool => "promtool, version ",
            Self::Amtool => "amtool, version ",
            Self::Collector => "otelcol-contrib version ",
            Self::Cosign => "GitVersion:",
            _ => "",
        };
        let version = first.strip_prefix(name).unwrap_or(first);
        match self {
            Self::Promtool | Self::Amtool => version.split(' ').next().unwrap_or(version),
            // Its own path and its module come before the version.
            Self::Registry => version.rsplit(' ').next().unwrap_or(version),
            _ => version.trim(),
        }
    }

    pub(crate) const fn is_helm(self) -> bool {
        matches!(self, Self::Helm3 | Self::Helm4) || self.is_batch()
    }

    pub(crate) const fn is_batch(self) -> bool {
        matches!(self, Self::BatchHelm3 | Self::BatchHelm4)
    }

    /// The duration of its first build, as text.
    pub(crate) const fn build_time(self) -> &'static str {
        match self {
            Self::Kubeconform | Self::AgeKeygen | Self::ReadReleases => "which takes some seconds",
            _ => "which takes a few minutes the first time",
        }
    }

    /// The folder of its Go module beside this crate's `Cargo.toml`.
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Helm3 | Self::BatchHelm3 => "helm3",
            Self::Helm4 | Self::BatchHelm4 => "helm4",
            Self::Kubeconform => "kubeconform",
            Self::Conftest => "conftest",
            Self::Sops => "sops",
            Self::AgeKeygen => "age",
            Self::Promtool => "promtool",
            Self::Amtool => "amtool",
            Self::Collector => "collector",
            Self::Crane => "crane",
            Self::Cosign => "cosign",
            Self::Registry => "registry",
            Self::ReadDashboards => "dashboards",
            Self::ReadReleases => "releases",
        }
    }

    /// The program's file name, without the platform's suffix.
    pub(crate) const fn binary(self) -> &'static str {
        match self {
            Self::Helm3 | Self::Helm4 => "helm",
            Self::BatchHelm3 | Self::BatchHelm4 => "helm-batch",
            Self::Kubeconform => "kubeconform",
            Self::Conftest => "conftest",
            Self::Sops => "sops",
            Self::AgeKeygen => "age-keygen",
            Self::Promtool => "promtool",
            Self::Amtool => "amtool",
            Self::Collector => "otelcol-contrib",
            Self::Crane => "crane",
            Self::Cosign => "cosign",
            Self::Registry => "registry",
            Self::ReadDashboards => "read-dashboards",
            Self::ReadReleases => "read-releases",
        }
    }

    /// Its name in the cache.
    pub(crate) const fn cached_as(self) -> &'static str {
        match self {
            Self::BatchHelm3 => "helm3-batch",
            Self::BatchHelm4 => "helm4-batch",
            _ => self.folder(),
        }
    }
}

/// An available tool in a supported version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolBinary {
    /// Which tool this is.
    pub tool: Tool,
    /// The program, as an absolute path.
    pub path: Utf8PathBuf,
    /// The version that it reports, such as `v4.3.1`.
    pub version: String,
    /// Its origin.
    pub origin: Origin,
    /// The folder of its Helm home; see [`ToolBinary::command`].
    pub home: Utf8PathBuf,
}

/// The origin of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Found on `PATH`.
    OnPath,
    /// Built from the pinned Go module, now or earlier.
    Built,
}

impl ToolBinary {
    /// A command that runs this tool, still without arguments.
    ///
    /// Helm does not use the plugins, repositories and registry logins of the user, nor any `HELM_…` environment variable: it
    /// gets a separate home ([`ToolBinary::home`]), which it creates on first use. `KUBECONFIG` stays.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        // Each runs for a tenth of a second, many times: with Go's default, a fifth of that is garbage collection.
        command.env("GOGC", if self.tool.is_batch() { "1000" } else { "400" });
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
