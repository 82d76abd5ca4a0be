//! The proof on a real cluster: scenarios that install the chart, use it, break what it runs on, and look at what becomes of it.
//!
//! They take Helm, kubectl and the cluster of the current kube context, and nothing else: which images run is the chart's own business, or a
//! file's that says which images take their place.
//!
//! ```text
//! commands/e2e ─▶ scenarios ─▶ lanes of steps ─▶ releases in namespaces ─▶ helm, kubectl
//! ```

mod context;
mod credentials;
mod diagnose;
mod error;
mod flow;
mod history;
mod images;
mod kubectl;
mod load;
mod matrix;
mod namespace;
mod process;
mod release;
mod report;
mod run;
mod scenarios;
mod warnings;

pub use error::Error;
pub use images::ImageMap;
pub(crate) use run::{Settings, run};
pub(crate) use scenarios::ALL;
