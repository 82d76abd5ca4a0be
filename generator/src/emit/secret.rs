//! What a service's chart says about its Secret: which credentials it holds, under which keys. The objects of the modes `inline` and `external` are
//! loops over that in the umbrella's helpers.

use askama::Template;

use crate::files::Files;
use crate::graph::{Component, Graph, Recipient};
use crate::text::scalar;

pub(super) fn files(graph: &Graph, component: &Component, files: &mut Files) {
    let (c, name, source) = (graph, component.name, component.source);
    let of_service = component.credentials.iter().filter_map(|one| Some((&one.path, one.recipient()?)));
    let credentials = of_service.map(|(path, recipient)| CredentialView {
        key: scalar(&path.key),
        field: path.field,
        variable: scalar(recipient.variable),
        user: user(graph, name, recipient),
        libpq_value: recipient.libpq_value,
    });
    files.subchart(name, "templates/_helpers.tpl", &Helpers { source, name, credentials: credentials.collect() });
    files.subchart(name, "templates/secret.yaml", &Secret { c, source });
    files.subchart(name, "templates/externalsecret.yaml", &ExternalSecret { c, source });
}

/// The variable with the name of the login that a password belongs to.
fn user(graph: &Graph, service: &str, recipient: &Recipient) -> Option<String> {
    let edge = graph.edges_from(service).find(|edge| Some(edge.target) == recipient.login_at)?;
    Some(scalar(edge.login.as_ref()?.variables?.user.as_str()))
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/_helpers.tpl")]
struct Helpers<'a> {
    source: &'a str,
    name: &'a str,
    credentials: Vec<CredentialView>,
}

/// A credential of the service, and where its program reads it.
struct CredentialView {
    key: String,
    field: &'static str,
    variable: String,
    /// The variable with the name of its login; none for a secret variable.
    user: Option<String>,
    libpq_value: bool,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/secret.yaml")]
struct Secret<'a> {
    c: &'a Graph,
    source: &'a str,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/externalsecret.yaml")]
struct ExternalSecret<'a> {
    c: &'a Graph,
    source: &'a str,
}
