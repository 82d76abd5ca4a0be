//! Which files the chart has. What stands in them is decided by the views of the modules below and their templates.

mod files;
mod policies;
mod readme;
mod service;
mod umbrella;
mod values_yaml;

use askama::Template;
use vocabulary::{Place, Resolved};

pub use files::{Chart, ChartPaths};

pub(crate) use files::Files;

use crate::access::Access;
use crate::backing;
use crate::text::scalar;
use crate::values::Values;

/// What every view may refer to.
pub(crate) struct Context<'a> {
    pub(crate) platform: &'a Resolved,
    /// The platform's name: the umbrella chart's, and the prefix of helpers and labels.
    pub(crate) name: &'a str,
}

impl Context<'_> {
    /// The file of a declaration, for the first line of what is made from it.
    pub(crate) fn source(&self, place: Place) -> &'static str {
        let _ = self;
        place.file()
    }
}

pub(crate) fn render(platform: &Resolved) -> Chart {
    let declared = platform.platform();
    let context = Context { platform, name: declared.name.as_str() };
    let access = Access::of(platform);
    let values = Values::of(platform);
    let tree = values.tree(platform);
    let mut files = Files::new(context.name);
    umbrella::files(&context, &access, &mut files);
    policies::files(&context, &access, &mut files);
    values_yaml::files(&context, &access, &values, &tree, &mut files);
    readme::files(&context, &access, &tree, &mut files);
    for one in &declared.services {
        service::files(&context, one, &access, &mut files);
    }
    for one in &declared.backing {
        backing::files(&context, one, &access, &mut files);
    }
    files.into_chart()
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
