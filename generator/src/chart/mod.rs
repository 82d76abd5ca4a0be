//! The umbrella chart and the charts of the services: which files there are, and the views that fill their templates.

mod policies;
mod readme;
mod secret;
mod service;
mod tests;
mod umbrella;
mod values_yaml;

pub(crate) use policies::provisioning_identity;
pub(crate) use tests::{end_to_end_paths, end_to_end_services};

use crate::access::Access;
use crate::context::Context;
use crate::files::Files;
use crate::values::Values;

/// The files of the umbrella and of all services.
pub(crate) fn files(c: &Context, access: &Access, files: &mut Files) {
    let values = Values::of(c.platform, access);
    let tree = values.tree(c.platform, access);
    umbrella::files(c, access, files);
    policies::files(c, access, files);
    tests::files(c, access, files);
    values_yaml::files(c, access, &values, &tree, files);
    readme::files(c, access, &tree, files);
    for one in &c.platform.platform().services {
        service::files(c, one, access, files);
    }
}
