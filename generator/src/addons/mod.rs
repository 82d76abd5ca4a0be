//! What the chart adds to the components themselves: one folder or file per add-on.

pub(crate) mod helm_tests;
pub(crate) mod provisioning;
