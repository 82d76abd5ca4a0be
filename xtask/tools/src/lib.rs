//! The external tools and schemas a generated chart is judged by, each in a pinned version: Helm 3, Helm 4,
//! kubeconform, conftest, the JSON schemas of Kubernetes' own kinds and those of custom resources. And what its passwords are
//! encrypted with: sops, and age-keygen, which makes keys for it.
//!
//! A tool on `PATH` in a fitting version is used; otherwise the pinned one is built from its Go module. Nothing but Go
//! and a Go module proxy is needed, and nothing is fetched without a checksum that stands in this folder:
//!
//! - `helm3/`, `helm4/`, `kubeconform/`, `conftest/`, `sops/`, `age/` are one small Go module each (they need different versions of the same
//!   libraries, so they cannot be one). `go.mod` says the version, `go.sum` the checksums; the Rust code reads both from
//!   there, so moving a tool to a new version is one `go get` in its folder.
//! - `modules.sum` says the same, in `go.sum`'s format, for modules that are only read: Kubernetes and those with
//!   custom resource definitions.
//!
//! What is built and converted is kept in one folder: `$CHART_TOOLS_DIR`, or `tools/` in Cargo's target directory. Every
//! entry's name carries a digest of what it was made from, so it is never stale, and entries appear whole or not at all:
//! any number of processes may ask at once. The folder may be deleted at any time.
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

pub mod convert;

mod cache;
mod error;
mod go;
mod kubeconform;
mod render;
mod schemas;
mod tool;
mod toolbox;
mod version;
mod workspace;

pub use error::{Attempt, GoError, ToolError};
pub use kubeconform::{KubeconformReport, ResourceReport, Verdict, Violation, kubeconform, kubeconform_with};
pub use render::{Object, Rendered, Template, objects};
pub use schemas::{KUBERNETES_VERSIONS, KubernetesVersion, crd_schemas, kubernetes_schemas};
pub use tool::{Origin, Tool, ToolBinary};
pub use toolbox::Toolbox;
pub use workspace::workspace_root;
