//! The pinned Go module of each tool, and what a build of it needs.

use crate::{Tool, version::Version};

impl Tool {
    /// The pinned version, which is built if necessary, such as `v4.3.1`.
    #[must_use]
    pub fn pinned(self) -> &'static str {
        if self == Self::Promtool {
            return PROMETHEUS;
        }
        self.required(self.module()).unwrap_or_default()
    }

    /// The Go package that is built.
    pub(crate) fn package(self) -> String {
        match self {
            Self::BatchHelm3 | Self::BatchHelm4 => ".".to_owned(),
            Self::Conftest => self.module().to_owned(),
            // A program of this repository, which consists of the Collector's modules.
            Self::Collector => "charttools/collector".to_owned(),
            Self::ReadDashboards => "charttools/dashboards".to_owned(),
            Self::ReadReleases => "charttools/releases".to_owned(),
            _ => format!("{}/cmd/{}", self.module(), self.binary()),
        }
    }

    /// The linker flags that the tool's own release build sets.
    ///
    /// Without them Helm reports `v3.22` instead of `v3.22.0`, Helm 3 renders for Kubernetes 1.20 instead of the version of its
    /// client library (Helm 4 detects that version), and age-keygen reports no version.
    pub(crate) fn linker_flags(self) -> String {
        let version = self.pinned();
        let mut flags = vec!["-s".to_owned(), "-w".to_owned()];
        let mut set = |variable: &str, value: &str| flags.push(format!("-X {variable}={value}"));
        match self {
            Self::Helm3 | Self::Helm4 | Self::BatchHelm3 | Self::BatchHelm4 => {
                set(&format!("{}/internal/version.version", self.module()), version);
            }
            Self::Kubeconform => set("main.version", version),
            Self::Conftest => set(&format!("{}/internal/version.Version", self.module()), version),
            Self::Sops => set(&format!("{}/version.Version", self.module()), version.trim_start_matches('v')),
            Self::AgeKeygen => set("main.Version", version),
            Self::Collector => set("main.version", version.trim_start_matches('v')),
            Self::Promtool | Self::Amtool => {
                set("github.com/prometheus/common/version.Version", version.trim_start_matches('v'));
            }
            Self::Crane => set("github.com/google/go-containerregistry/cmd/crane/cmd.Version", version),
            Self::Cosign => set("sigs.k8s.io/release-utils/version.gitVersion", version),
            Self::Registry => set(&format!("{}/version.version", self.module()), version),
            Self::ReadDashboards | Self::ReadReleases => {}
        }
        if matches!(self, Self::Helm3 | Self::BatchHelm3)
            && let Some(client) = self.required("k8s.io/client-go").and_then(Version::parse)
        {
            for package in ["pkg/lint/rules", "pkg/chartutil"] {
                set(&format!("{}/{package}.k8sVersionMajor", self.module()), &(client.0 + 1).to_string());
                set(&format!("{}/{package}.k8sVersionMinor", self.module()), &client.1.to_string());
            }
        }
        flags.join(" ")
    }

    pub(crate) const fn go_mod(self) -> &'static str {
        match self {
            Self::Helm3 | Self::BatchHelm3 => include_str!("../helm3/go.mod"),
            Self::Helm4 | Self::BatchHelm4 => include_str!("../helm4/go.mod"),
            Self::Kubeconform => include_str!("../kubeconform/go.mod"),
            Self::Conftest => include_str!("../conftest/go.mod"),
            Self::Sops => include_str!("../sops/go.mod"),
            Self::AgeKeygen => include_str!("../age/go.mod"),
            Self::Promtool => include_str!("../promtool/go.mod"),
            Self::Amtool => include_str!("../amtool/go.mod"),
            Self::Collector => include_str!("../collector/go.mod"),
            Self::Crane => include_str!("../crane/go.mod"),
            Self::Cosign => include_str!("../cosign/go.mod"),
            Self::Registry => include_str!("../registry/go.mod"),
            Self::ReadDashboards => include_str!("../dashboards/go.mod"),
            Self::ReadReleases => include_str!("../releases/go.mod"),
        }
    }

    pub(crate) const fn go_sum(self) -> &'static str {
        match self {
            Self::Helm3 | Self::BatchHelm3 => include_str!("../helm3/go.sum"),
            Self::Helm4 | Self::BatchHelm4 => include_str!("../helm4/go.sum"),
            Self::Kubeconform => include_str!("../kubeconform/go.sum"),
            Self::Conftest => include_str!("../conftest/go.sum"),
            Self::Sops => include_str!("../sops/go.sum"),
            Self::AgeKeygen => include_str!("../age/go.sum"),
            Self::Promtool => include_str!("../promtool/go.sum"),
            Self::Amtool => include_str!("../amtool/go.sum"),
            Self::Collector => include_str!("../collector/go.sum"),
            Self::Crane => include_str!("../crane/go.sum"),
            Self::Cosign => include_str!("../cosign/go.sum"),
            Self::Registry => include_str!("../registry/go.sum"),
            Self::ReadDashboards => include_str!("../dashboards/go.sum"),
            Self::ReadReleases => include_str!("../releases/go.sum"),
        }
    }

    /// The source of a program of this repository.
    pub(crate) const fn source(self) -> Option<&'static str> {
        match self {
            Self::Collector => Some(include_str!("../collector/main.go")),
            Self::ReadDashboards => Some(include_str!("../dashboards/main.go")),
            Self::ReadReleases => Some(include_str!("../releases/main.go")),
            Self::BatchHelm3 => Some(include_str!("../helm3/batch.go")),
            Self::BatchHelm4 => Some(include_str!("../helm4/batch.go")),
            _ => None,
        }
    }

    const fn module(self) -> &'static str {
        match self {
            Self::Helm3 | Self::BatchHelm3 => "helm.sh/helm/v3",
            Self::Helm4 | Self::BatchHelm4 => "helm.sh/helm/v4",
            Self::Kubeconform => "github.com/yannh/kubeconform",
            Self::Conftest => "github.com/open-policy-agent/conftest",
            Self::Sops => "github.com/getsops/sops/v3",
            Self::AgeKeygen => "filippo.io/age",
            Self::Promtool => "github.com/prometheus/prometheus",
            Self::Amtool => "github.com/prometheus/alertmanager",
            // Its version is that of the Collector; the parts beside it have versions of their own.
            Self::Collector => "go.opentelemetry.io/collector/otelcol",
            Self::Crane => "github.com/google/go-containerregistry",
            Self::Cosign => "github.com/sigstore/cosign/v3",
            Self::Registry => "github.com/distribution/distribution/v3",
            Self::ReadDashboards => "github.com/grafana/grafana-foundation-sdk/go",
            Self::ReadReleases => "github.com/fluxcd/helm-controller/api",
        }
    }

    /// The version of a module in this tool's `go.mod`.
    fn required(self, module: &str) -> Option<&'static str> {
        self.go_mod().lines().find_map(|line| {
            let mut words = line.split_whitespace().filter(|word| *word != "require");
            (words.next() == Some(module)).then(|| words.next()).flatten()
        })
    }
}

/// The release of Prometheus in `promtool/go.mod`: Go's version of the module, v0.313.5, has major and minor version in one number.
const PROMETHEUS: &str = "v3.13.5";

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
    fn the_release_of_prometheus_is_that_of_its_module() {
        let module = Version::parse(Tool::Promtool.required(Tool::Promtool.module()).unwrap_or_default());
        let Version(major, minor, patch) = Version::parse(PROMETHEUS).expect("a release");
        assert_eq!(module, Some(Version(0, major * 100 + minor, patch)));
    }

    #[test]
    fn a_build_has_the_flags_of_a_release() {
        let flags = Tool::Helm3.linker_flags();
        let version = format!("-X helm.sh/helm/v3/internal/version.version={} ", Tool::Helm3.pinned());
        assert!(flags.contains(&version), "{flags}");
        assert!(flags.contains("-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 "), "{flags}");
        assert!(!Tool::Helm4.linker_flags().contains("k8sVersion"));
        assert!(Tool::Kubeconform.linker_flags().contains("-X main.version=v"));
        assert!(
            Tool::Conftest
                .linker_flags()
                .contains("-X github.com/open-policy-agent/conftest/internal/version.Version=v0.")
        );
        assert!(Tool::Sops.linker_flags().contains("-X github.com/getsops/sops/v3/version.Version=3."));
        assert!(Tool::AgeKeygen.linker_flags().contains("-X main.Version=v1."));
    }

    #[test]
    fn every_build_is_a_package_of_what_is_pinned() {
        for tool in Tool::ALL.into_iter().filter(|tool| !tool.is_batch()) {
            assert!(tool.go_mod().contains(&format!("\ntool {}\n", tool.package())), "{}", tool.title());
        }
    }
}
