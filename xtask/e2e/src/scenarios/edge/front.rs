//! The way of users to a release of another scenario: the Traefik of the cluster, and a certificate for the host of its Ingress.

use e2e_kit::context::E2eContext;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use serde_json::json;

use super::controller::{Certificates, Controller};
use super::{Edge, start};
use crate::roles::Roles;

/// The Traefik of the cluster and a certificate.
pub(in crate::scenarios) struct Front {
    controller: Controller,
    certificates: Certificates,
    host: &'static str,
}

impl Front {
    /// The selector of the Secrets that [`Self::prepare`] stores.
    pub(in crate::scenarios) const LABEL: &'static str = "auditflow-e2e/certificate=made";

    /// A certificate for this host; `None` if the cluster has no Traefik as the scenario `edge` needs it.
    pub(in crate::scenarios) fn of(context: &E2eContext, host: &'static str) -> anyhow::Result<Option<Self>> {
        let Some(controller) = Controller::find()? else { return Ok(None) };
        Ok(Some(Self { controller, certificates: Certificates::new(context, &[host])?, host }))
    }

    /// Stores the certificate in this Secret, and returns the value that lets in Traefik's pods, which an environment expects in another namespace.
    pub(in crate::scenarios) fn prepare(&self, namespace: &TestNamespace, secret: &str) -> anyhow::Result<String> {
        self.certificates.store(&namespace.name, secret)?;
        Ok(format!("global.network.edgeNamespace={}", self.controller.namespace))
    }

    /// Requests the page through Traefik from a pod in a namespace outside the release, and checks the certificate.
    pub(in crate::scenarios) fn serves(&self, release: &Release, outside: &TestNamespace) -> anyhow::Result<String> {
        start(&outside.name, "client", &json!({}), release)?;
        let roles = Roles::of(release.namespace.context)?;
        let edge = Edge { release, roles: &roles, controller: &self.controller, outside };
        edge.is_served(self.host, &self.certificates.authority)
    }
}
