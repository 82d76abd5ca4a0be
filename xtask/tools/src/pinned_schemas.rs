//! The folders with JSON schemas for kubeconform, created from pinned Go modules.

use std::{collections::BTreeMap, fmt, fs};

use camino::{Utf8Path, Utf8PathBuf};
use schemas::ConvertError;
use serde_json::Value;

use crate::{
    ToolError, Toolbox, cache,
    go::{Go, OLDEST_GO},
};

/// A version of Kubernetes whose schemas are pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KubernetesVersion {
    /// 1.34.4
    V1_34,
    /// 1.35.4
    V1_35,
    /// 1.36.3
    V1_36,
    /// 1.37.2
    V1_37,
}

/// All pinned versions of Kubernetes, the oldest first.
pub const KUBERNETES_VERSIONS: [KubernetesVersion; 4] =
    [KubernetesVersion::V1_34, KubernetesVersion::V1_35, KubernetesVersion::V1_36, KubernetesVersion::V1_37];

impl KubernetesVersion {
    /// The version without a `v`, as in the options of Helm and kubeconform: `1.37.2`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_34 => "1.34.4",
            Self::V1_35 => "1.35.4",
            Self::V1_36 => "1.36.3",
            Self::V1_37 => "1.37.2",
        }
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A Go module with custom resource definitions. Each module needs a line in `modules.sum`; its checksum is the `Sum` that
/// `go mod download -json <module>@<version>` prints.
struct CrdModule {
    module: &'static str,
    version: &'static str,
    /// The folder of the module whose `.yaml` files are read.
    folder: &'static str,
}

const CRD_MODULES: &[CrdModule] = &[
    CrdModule { module: "github.com/cert-manager/cert-manager", version: "v1.21.2", folder: "deploy/crds" },
    CrdModule {
        module: "github.com/cilium/cilium",
        version: "v1.20.2",
        folder: "pkg/k8s/apis/cilium.io/client/crds/v2",
    },
    CrdModule { module: "sigs.k8s.io/gateway-api", version: "v1.6.3", folder: "config/crd/standard" },
    CrdModule {
        module: "github.com/external-secrets/external-secrets",
        version: "v1.3.2",
        folder: "config/crds/bases",
    },
    CrdModule {
        module: "github.com/prometheus-operator/prometheus-operator",
        version: "v0.85.0",
        folder: "example/prometheus-operator-crd",
    },
    CrdModule {
        module: "github.com/open-telemetry/opentelemetry-operator",
        version: "v0.153.0",
        folder: "config/crd/bases",
    },
    CrdModule { module: VELERO, version: "v1.18.3", folder: "config/crd/v1/bases" },
];

/// The modules with the kinds of Argo CD and Flux. No module has the definition of Flux's `HelmRelease`; [`Tool::ReadReleases`](crate::Tool) reads that.
///
/// They are apart from [`CRD_MODULES`], because Argo CD's module is large and only the examples need it.
const GITOPS_MODULES: &[CrdModule] = &[
    CrdModule { module: "github.com/argoproj/argo-cd/v3", version: "v3.5.7", folder: "manifests/crds" },
    CrdModule { module: "github.com/fluxcd/source-controller", version: "v1.9.6", folder: "config/crd/bases" },
    CrdModule { module: "github.com/fluxcd/kustomize-controller", version: "v1.9.6", folder: "config/crd/bases" },
];

/// The checksums of modules that are only read, in the format of `go.sum`.
const PINNED: &str = include_str!("../modules.sum");
const KUBERNETES: &str = "k8s.io/kubernetes";
const SWAGGER: &str = "api/openapi-spec/swagger.json";

/// The folder with the schemas of Kubernetes' kinds, for kubeconform's option `-schema-location`. It contains files such as
/// `v1.37.2-standalone-strict/deployment-apps-v1.json`.
///
/// The first call for a version downloads the module `k8s.io/kubernetes` (about 20 MB) into Go's module cache, compares its
/// checksum and converts its OpenAPI document. Later calls use the cached folder. The crate [`schemas`](::schemas) describes the schemas.
///
/// # Errors
/// [`ToolError::Module`] if Go or the module is not available, [`ToolError::Checksum`] if the module differs from the pinned
/// one, and [`ToolError::Convert`] or [`ToolError::Io`] if it cannot be converted or written.
pub fn kubernetes_schemas(version: KubernetesVersion) -> Result<Utf8PathBuf, ToolError> {
    Toolbox::from_environment()?.kubernetes_schemas(version)
}

/// The folder with the schemas of custom resources (Gateway API, cert-manager, Cilium, External Secrets, OpenTelemetry operator,
/// Prometheus operator and Velero), one
/// file per kind, such as `gateway.networking.k8s.io/httproute_v1.json`.
///
/// They come from pinned Go modules, like those of [`kubernetes_schemas`]. The newest pinned version of Kubernetes defines
/// the schema of the object metadata.
///
/// # Errors
/// The errors of [`kubernetes_schemas`].
pub fn crd_schemas() -> Result<Utf8PathBuf, ToolError> {
    Toolbox::from_environment()?.crd_schemas()
}

/// The folder with the schemas of Argo CD's kinds and of Flux's sources and `Kustomization`, in the form of [`crd_schemas`].
///
/// # Errors
/// The errors of [`kubernetes_schemas`].
pub fn gitops_schemas() -> Result<Utf8PathBuf, ToolError> {
    let toolbox = Toolbox::from_environment()?;
    toolbox.custom_resources("gitops", GITOPS_MODULES)
}

/// A definition of two releases of its project, for a test of an upgrade.
#[derive(Clone, Debug)]
pub struct UpgradedDefinition {
    /// The text of the older release.
    pub older: String,
    /// The text of the pinned release.
    pub newer: String,
}

/// The two releases of Velero's `Schedule`: an older one, and the one of [`CRD_MODULES`].
const SCHEDULES: [CrdModule; 2] = [
    CrdModule { module: VELERO, version: "v1.14.0", folder: "config/crd/v1/bases" },
    CrdModule { module: VELERO, version: "v1.18.3", folder: "config/crd/v1/bases" },
];
const VELERO: &str = "github.com/vmware-tanzu/velero";

/// The definition of Velero's `Schedule`.
///
/// # Errors
/// [`ToolError::Module`] if Go or a module is not available, [`ToolError::Checksum`] if a module differs from the pinned one, and [`ToolError::Io`] if it
/// cannot be read.
pub fn upgraded_definition() -> Result<UpgradedDefinition, ToolError> {
    let toolbox = Toolbox::from_environment()?;
    let text = |CrdModule { module, version, folder }: &CrdModule| {
        let file = toolbox.module(module, version)?.join(folder).join("velero.io_schedules.yaml");
        fs::read_to_string(&file).map_err(ToolError::io("read", &file))
    };
    let [older, newer] = &SCHEDULES;
    Ok(UpgradedDefinition { older: text(older)?, newer: text(newer)? })
}

impl Toolbox {
    /// Like [`kubernetes_schemas`], with this toolbox.
    ///
    /// # Errors
    /// The errors of [`kubernetes_schemas`].
    pub fn kubernetes_schemas(&self, version: KubernetesVersion) -> Result<Utf8PathBuf, ToolError> {
        let release = format!("v{version}");
        let ingredients = [schemas::SOURCE, pinned(KUBERNETES, &release)?];
        cache::entry(&self.folder, &format!("kubernetes-{release}"), &ingredients, |folder| {
            let (file, swagger) = self.swagger(version)?;
            let schemas = schemas::kubernetes(&swagger).map_err(|reason| ToolError::Convert { file, reason })?;
            write(&folder.join(format!("{release}-standalone-strict")), &schemas)
        })
    }

    /// Like [`crd_schemas`], with this toolbox.
    ///
    /// # Errors
    /// The errors of [`kubernetes_schemas`].
    pub fn crd_schemas(&self) -> Result<Utf8PathBuf, ToolError> {
        self.custom_resources("custom-resources", CRD_MODULES)
    }

    /// The folder of this name in the cache, with the schemas of the kinds in these modules.
    fn custom_resources(&self, name: &str, modules: &[CrdModule]) -> Result<Utf8PathBuf, ToolError> {
        let [.., newest] = KUBERNETES_VERSIONS;
        let mut ingredients = vec![schemas::SOURCE, pinned(KUBERNETES, &format!("v{newest}"))?];
        for CrdModule { module, version, folder } in modules {
            ingredients.extend([*module, *folder, pinned(module, version)?]);
        }
        cache::entry(&self.folder, name, &ingredients, |target| {
            let (_, swagger) = self.swagger(newest)?;
            for CrdModule { module, version, folder } in modules {
                for file in yaml_files(&self.module(module, version)?.join(folder))? {
                    let yaml = fs::read_to_string(&file).map_err(ToolError::io("read", &file))?;
                    let schemas = schemas::custom_resources(&yaml, &swagger)
                        .map_err(|reason| ToolError::Convert { file, reason })?;
                    write(target, &schemas)?;
                }
            }
            Ok(())
        })
    }

    fn swagger(&self, version: KubernetesVersion) -> Result<(Utf8PathBuf, Value), ToolError> {
        let file = self.module(KUBERNETES, &format!("v{version}"))?.join(SWAGGER);
        let text = fs::read(&file).map_err(ToolError::io("read", &file))?;
        match serde_json::from_slice(&text) {
            Ok(swagger) => Ok((file, swagger)),
            Err(error) => Err(ToolError::Convert { file, reason: ConvertError::Syntax(error.to_string()) }),
        }
    }

    /// The folder of a pinned module, after a check of its checksum.
    pub(crate) fn module(&self, module: &str, version: &str) -> Result<Utf8PathBuf, ToolError> {
        let failed = |reason| ToolError::Module { module: module.to_owned(), version: version.to_owned(), reason };
        let found = Go::find(&self.search_path, OLDEST_GO)
            .and_then(|go| go.download(module, version, &self.folder))
            .map_err(failed)?;
        let pinned = pinned(module, version)?;
        if found.checksum != pinned {
            return Err(ToolError::Checksum {
                module: module.to_owned(),
                version: version.to_owned(),
                pinned: pinned.to_owned(),
                found: found.checksum,
            });
        }
        Ok(found.folder.into())
    }
}

/// The checksum of a module in `modules.sum`.
pub(crate) fn pinned(module: &str, version: &str) -> Result<&'static str, ToolError> {
    let checksum = PINNED.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(module) && words.next() == Some(version)).then(|| words.next()).flatten()
    });
    checksum.ok_or_else(|| ToolError::NotPinned { module: module.to_owned(), version: version.to_owned() })
}

fn yaml_files(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, ToolError> {
    let read = ToolError::io("read", folder);
    let entries = folder.read_dir_utf8().and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(read)?;
    let mut files: Vec<_> = entries.into_iter().map(camino::Utf8DirEntry::into_path).collect();
    files.retain(|file| file.extension() == Some("yaml"));
    files.sort();
    Ok(files)
}

fn write(folder: &Utf8Path, schemas: &BTreeMap<String, Value>) -> Result<(), ToolError> {
    for (name, schema) in schemas {
        let file = folder.join(name);
        let parent = file.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(ToolError::io("create", parent))?;
        fs::write(&file, schema.to_string()).map_err(ToolError::io("write", &file))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_read_is_pinned() {
        for version in KUBERNETES_VERSIONS {
            assert!(pinned(KUBERNETES, &format!("v{version}")).expect("a checksum").starts_with("h1:"));
        }
        for CrdModule { module, version, .. } in CRD_MODULES.iter().chain(GITOPS_MODULES).chain(&SCHEDULES) {
            assert!(pinned(module, version).expect("a checksum").starts_with("h1:"));
        }
        assert!(matches!(pinned(KUBERNETES, "v1.0.0"), Err(ToolError::NotPinned { .. })));
    }
}
