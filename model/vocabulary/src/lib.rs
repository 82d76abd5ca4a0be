//! The types in which a platform is declared.
//!
//! A declaration is plain data made of `const` values. The compiler checks names, and a reference is a handle that belongs to what it refers to.
//! [`Platform::resolve`] checks the rest, and reports every mistake at once.
//!
//! **Invariant.** This crate knows no Helm, no YAML and no files. It says what a platform is; the generator decides what the chart makes of it.

mod diagnostic;
mod earlier;
mod environment;
mod exposure;
mod health;
mod image;
mod kinds;
mod kubernetes;
pub mod limits;
mod metric;
mod name;
mod platform;
mod port;
mod precedence;
mod publication;
mod resolve;
mod resources;
mod runtime;
mod scaling;
mod service;
mod source_location;
#[cfg(test)]
mod testing;
mod tests;
mod uses;
mod variable;

pub use diagnostic::{Diagnostic, Diagnostics};
pub use earlier::{
    EarlierClaim, EarlierKey, EarlierKeys, EarlierServer, EarlierVersion, Fate, MigrationNote, ObjectChange, Owners,
    Reinstallation, Renamed, field_changed, moved, object_removed, of_chart, of_servers, of_services, removed, renamed,
    variables,
};
pub use environment::{
    Certificate, Change, ClusterService, EdgeController, Environment, LogStore, Monitoring, SecretSource, autoscaled,
    backed_up, behind, exposed_at_host, exposed_at_node_port, external_secrets, image_tag, logged, monitored, replicas,
    setting, storage,
};
pub use exposure::Exposure;
pub use health::{Health, HealthRoute, Probe, Python3};
pub use image::{DefaultTag, Digest, FixedTag, Image, Repository, ServerVersion, Tag};
pub use kinds::*;
pub use kubernetes::ApiRule;
pub use metric::{Meaning, Metric, MetricKind, label};
pub use name::{
    BackingName, ChartVersion, DnsLabel, EnvironmentName, HostName, HttpPath, MetricName, NameError, ObjectName,
    PlatformName, PortName, ServiceName, VariableName,
};
pub use platform::Platform;
pub use port::{Port, Protocol};
pub use publication::{ChangeKind, Icon, Licence, Link, Maintainer, NotedChange, Publication, ReleaseNotes};
pub use resolve::Resolved;
pub use resources::{PathName, Quantity, Range, Resources, WritablePath, cpu, memory};
pub use runtime::Runtime;
pub use scaling::Scaling;
pub use service::Service;
pub use source_location::SourceLocation;
pub use tests::{EndToEndTest, Leftovers, Page, Request, Tests};
pub use uses::{Call, CallEnv, Client, Endpoint, LoginEnv, Reconnects};
pub use variable::{PasswordVariable, Setting, Variable, VariableSource, plain, variable};
