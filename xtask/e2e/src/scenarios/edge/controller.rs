//! The Traefik of the cluster, and certificates.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use e2e_kit::context::E2eContext;
use e2e_kit::lane::Lane;
use e2e_kit::report::Reported;
use e2e_kit::{kubectl, process};
use serde_json::{Value, json};

/// The class of the Ingresses and of the Gateways.
const CLASS: &str = "traefik";

/// A Traefik with a Gateway.
pub(super) struct Controller {
    /// The namespace of its pods, its Service and its Gateway.
    pub(super) namespace: String,
    /// Its Service.
    service: String,
    /// A Gateway with the listeners `http` and `https`.
    pub(super) gateway: String,
    /// The ports of the two listeners.
    pub(super) ports: [u64; 2],
    /// The certificate of the listener `https`, in PEM. It is its own authority.
    pub(super) certificate: String,
}

impl Controller {
    /// The Traefik of the cluster; none if it lacks a Gateway with both listeners.
    pub(super) fn found(lane: &Lane) -> Result<Option<Self>, Reported> {
        let mut found = None;
        lane.step("find Traefik, its Gateway and the certificate of it", || {
            found = Self::find()?;
            Ok(found.as_ref().map_or("none".to_owned(), |one| format!("{}/{}", one.namespace, one.gateway)))
        })?;
        Ok(found)
    }

    pub(super) fn find() -> anyhow::Result<Option<Self>> {
        // A cluster without the Gateway API knows no such kind.
        let gateways =
            kubectl::try_run(&["get", "gateways.gateway.networking.k8s.io", "--all-namespaces", "--output=json"], "")?;
        let class = kubectl::try_run(&["get", "ingressclass", CLASS], "")?;
        if !gateways.success || !class.success {
            return Ok(None);
        }
        let gateways = kubectl::parsed("the Gateways", &gateways.out)?;
        let mut all = gateways["items"].as_array().into_iter().flatten();
        let Some((gateway, ports)) = all.find_map(|one| Some((one, ports(one)?))) else { return Ok(None) };
        let text = |value: &Value| value.as_str().map(str::to_owned).context("a Gateway has a name");
        let (namespace, name) = (text(&gateway["metadata"]["namespace"])?, text(&gateway["metadata"]["name"])?);
        let listeners = gateway["spec"]["listeners"].as_array().context("the Gateway has listeners")?;
        let https = listeners.iter().find(|one| one["name"] == "https").context("it has the listener https")?;
        let secret = text(&https["tls"]["certificateRefs"][0]["name"])?;
        let services = kubectl::items(&["get", "services", "--namespace", &namespace])?;
        let is_traefik = |one: &&Value| one["spec"]["selector"]["app.kubernetes.io/name"] == "traefik";
        let service = services.iter().find(is_traefik).context("Traefik has a Service beside its Gateway")?;
        Ok(Some(Self {
            certificate: decoded(
                &kubectl::json(&["get", "secret", &secret, "--namespace", &namespace])?["data"]["tls.crt"],
            )?,
            service: text(&service["metadata"]["name"])?,
            gateway: name,
            namespace,
            ports,
        }))
    }

    /// The DNS name of its Service.
    pub(super) fn address(&self) -> String {
        format!("{}.{}", self.service, self.namespace)
    }
}

/// The ports of the listeners `http` and `https` of a Gateway of Traefik that accepts routes of every namespace.
fn ports(gateway: &Value) -> Option<[u64; 2]> {
    let listeners = gateway["spec"]["listeners"].as_array().filter(|_| gateway["spec"]["gatewayClassName"] == CLASS)?;
    let port = |name: &str| {
        let listener = listeners.iter().find(|one| one["name"] == name)?;
        listener["port"].as_u64().filter(|_| listener["allowedRoutes"]["namespaces"]["from"] == "All")
    };
    Some([port("http")?, port("https")?])
}

fn decoded(value: &Value) -> anyhow::Result<String> {
    let text = value.as_str().context("the Secret lacks a key")?;
    Ok(String::from_utf8(BASE64_STANDARD.decode(text)?)?)
}

/// A certificate for some hosts, and its authority, in PEM.
pub(super) struct Certificates {
    pub(super) authority: String,
    certificate: String,
    key: String,
}

impl Certificates {
    /// Makes them with Helm's own functions, which every machine of the scenario has.
    pub(super) fn new(context: &E2eContext, hosts: &[&str]) -> anyhow::Result<Self> {
        let folder = context.folder("certificates")?;
        let names = hosts.iter().map(|host| format!("{host:?}")).collect::<Vec<_>>().join(" ");
        let templates = folder.join("templates");
        std::fs::create_dir_all(&templates).with_context(|| templates.to_string())?;
        let write = |path: &str, text: &str| std::fs::write(folder.join(path), text).with_context(|| path.to_owned());
        write("Chart.yaml", "apiVersion: v2\nname: certificates\nversion: 0.0.0\n")?;
        write(
            "templates/certificates.yaml",
            &format!(
                "{{{{- $ca := genCA \"edge\" 2 }}}}\n\
                 {{{{- $leaf := genSignedCert (first (list {names})) nil (list {names}) 2 $ca }}}}\n\
                 authority: {{{{ $ca.Cert | b64enc }}}}\ncertificate: {{{{ $leaf.Cert | b64enc }}}}\nkey: {{{{ $leaf.Key | b64enc }}}}\n"
            ),
        )?;
        let mut command = context.helm4()?.command();
        command.args(["template", "certificates", folder.as_str()]);
        let text = process::run(command, "", Duration::from_mins(1), false)?.ok("helm template")?;
        let made: Value = serde_yaml::from_str(&text)?;
        let [authority, certificate, key] = ["authority", "certificate", "key"].map(|part| decoded(&made[part]));
        Ok(Self { authority: authority?, certificate: certificate?, key: key? })
    }

    /// Stores the certificate in a Secret.
    pub(super) fn store(&self, namespace: &str, name: &str) -> anyhow::Result<()> {
        ensure!(self.certificate.starts_with("-----BEGIN CERTIFICATE"), "Helm made no certificate");
        kubectl::apply(&json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": name, "namespace": namespace, "labels": {"auditflow-e2e/certificate": "made"}},
            "stringData": {"tls.crt": self.certificate, "tls.key": self.key},
        }))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_needs_both_listeners_for_every_namespace() {
        let listener = |name: &str, from: &str| json!({"name": name, "port": 8000, "allowedRoutes": {"namespaces": {"from": from}}});
        let gateway = |class: &str, from: &str| json!({"spec": {"gatewayClassName": class, "listeners": [listener("http", "All"), listener("https", from)]}});
        assert_eq!(ports(&gateway("traefik", "All")), Some([8000, 8000]));
        assert_eq!(ports(&gateway("traefik", "Same")), None);
        assert_eq!(ports(&gateway("other", "All")), None);
    }
}
