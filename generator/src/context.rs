//! What every view may refer to, and the views that every subchart has.

use askama::Template;
use vocabulary::Resolved;

use crate::text::scalar;

/// What every view may refer to.
pub(crate) struct Context<'a> {
    pub(crate) platform: &'a Resolved,
    /// The platform's name: the umbrella chart's, and the prefix of helpers and labels.
    pub(crate) name: &'a str,
}

/// A subchart's `Chart.yaml`.
#[derive(Template)]
#[template(path = "umbrella/charts/service/Chart.yaml")]
pub(crate) struct ChartYaml<'a> {
    source: &'a str,
    name: String,
    doc: String,
    version: &'a str,
}

pub(crate) fn chart_yaml<'a>(context: &Context<'a>, name: &str, doc: &str, source: &'a str) -> ChartYaml<'a> {
    ChartYaml { source, name: scalar(name), doc: scalar(doc), version: context.platform.platform().version.as_str() }
}

/// A subchart's ServiceAccount, of which no pod gets a token unless it says so itself.
#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/serviceaccount.yaml")]
pub(crate) struct ServiceAccount<'a> {
    c: &'a Context<'a>,
    source: &'a str,
}

pub(crate) fn service_account<'a>(c: &'a Context<'a>, source: &'a str) -> ServiceAccount<'a> {
    ServiceAccount { c, source }
}
