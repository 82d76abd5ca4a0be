//! Finds or builds the external tools and schemas, each in a pinned version. The checks of the chart use Helm 3, Helm 4,
//! kubeconform, conftest, and the JSON schemas of Kubernetes and of custom resources. The passwords are encrypted with
//! sops; age-keygen creates keys for it.
//!
//! A tool on `PATH` is used if its version is supported; otherwise the pinned version is built from its Go module. This
//! needs only Go and a Go module proxy, and every download is verified with a checksum from this folder:
//!
//! - `helm3/`, `helm4/`, `kubeconform/`, `conftest/`, `sops/`, `age/`, `crane/`, `cosign/` and `registry/` are small Go modules. They are separate, because they
//!   need different versions of the same libraries. `go.mod` contains the version and `go.sum` the checksums. The Rust code
//!   reads both, so `go get` in the tool's folder is enough to update a tool.
//! - `dashboards/` is a Go module with a program of its own, `read-dashboards`, on pinned libraries of Grafana and Prometheus.
//! - `helm3/batch.go` and `helm4/batch.go` are programs of this crate. Each runs `helm template` many times in one process, with the code of the pinned
//!   Helm ([`Tool::BatchHelm3`], [`Tool::BatchHelm4`]).
//! - `modules.sum` contains checksums, in the format of `go.sum`, of the modules that are only read: Kubernetes, and the
//!   modules with custom resource definitions or charts.
//!
//! Built tools and converted schemas are cached in one folder: `$CHART_TOOLS_DIR`, or `tools/` in Cargo's target
//! directory. The name of every entry contains a digest of its inputs, so entries are never stale. Entries are created
//! atomically, so processes may run concurrently. The folder can be deleted at any time.
//!
//! ```no_run
//! # fn main() -> Result<(), tools::ToolError> {
//! let helm = tools::Tool::Helm4.ensure()?;
//! let rendered = helm.command().args(["template", "demo", "chart"]).output();
//! let report = tools::kubeconform(tools::KubernetesVersion::V1_37, "apiVersion: v1\nkind: Namespace\n")?;
//! assert!(report.is_valid());
//! # Ok(())
//! # }
//! ```

mod batch;
mod cache;
mod cyclonedx;
mod error;
mod go;
mod kubeconform;
mod operator_charts;
mod pinned_modules;
mod pinned_schemas;
mod render;
mod tool;
mod toolbox;
mod version;
mod workspace;

pub use cyclonedx::cyclonedx_schemas;
pub use error::{Attempt, GoError, ToolError};
pub use kubeconform::{KubeconformReport, ResourceReport, Verdict, Violation, kubeconform, kubeconform_with};
pub use operator_charts::{OperatorChart, operator_chart};
pub use pinned_schemas::{
    KUBERNETES_VERSIONS, KubernetesVersion, UpgradedDefinition, crd_schemas, gitops_schemas, kubernetes_schemas,
    upgraded_definition,
};
pub use render::{Object, Rendered, Template, objects};
pub use tool::{Origin, Tool, ToolBinary};
pub use toolbox::Toolbox;
pub use workspace::workspace_root;
