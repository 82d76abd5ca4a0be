//! The release of the platform, with the stand-ins on real web frameworks.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use camino::Utf8PathBuf;
use e2e_kit::images::ImageMap;
use e2e_kit::kubectl;
use e2e_kit::lane::Lane;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::Reported;
use serde_json::Value;
use vocabulary::{EndToEndTest, Health, Probe, Protocol, Service};

use crate::roles::Roles;

/// Posts a body several times. `-I` keeps the instrumentation out, which would make spans of its own.
const POST: &str = "\
import sys, urllib.request
for _ in range(int(sys.argv[3])):
    request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {'Content-Type': 'application/json'})
    urllib.request.urlopen(request, timeout=10).read()";

/// Prints what an address returns.
const GET: &str = "\
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=15).read().decode())";

/// The path of metrics, see [`Protocol::Metrics`].
const METRICS: &str = "/metrics";

pub(super) struct Traced<'a> {
    pub(super) namespace: TestNamespace<'a>,
    roles: Roles,
}

impl<'a> Traced<'a> {
    /// Creates the namespace, in which nothing runs yet.
    pub(super) fn as_step(lane: &Lane<'a>, roles: &Roles) -> Result<Self, Reported> {
        Ok(Self { namespace: TestNamespace::as_step(lane, "traces")?, roles: *roles })
    }

    pub(super) fn release(&self) -> anyhow::Result<Release<'_>> {
        Ok(Release::new(&self.namespace, self.namespace.context.helm4()?, "afp"))
    }

    /// Installs or upgrades the platform with these values, which enable traces, and with a sampling ratio. Fails unless every Pod is Ready without a
    /// restart.
    pub(super) fn apply(&self, verb: &str, tracing: &Value, sampling_ratio: u8) -> anyhow::Result<()> {
        let (context, release) = (self.namespace.context, self.release()?);
        let tracing = context.file("tracing.json", &tracing.to_string())?;
        let mut values = context.values(&[context.small.clone(), tracing]);
        values.push(self.images()?);
        let ratio = format!("global.tracing.samplingRatio={sampling_ratio}");
        release.apply(&release.arguments_of(verb, &context.chart, &values, &[&ratio]), true)?;
        release.whole()
    }

    /// The values file with the images of the stand-ins on web frameworks.
    fn images(&self) -> anyhow::Result<Utf8PathBuf> {
        let context = self.namespace.context;
        let line = |service: &Service| -> anyhow::Result<String> {
            let image = context.images.tool(&format!("auditflow-e2e/{}-web", service.name)).context(
                "the stand-ins on web frameworks have images of their own: xtask/e2e/web/images builds them for an offline cluster and prints \
                 their lines, and xtask/e2e/web/Dockerfile is for Docker",
            )?;
            Ok(format!("{} = {image}\n", service.image.repository))
        };
        let lines = self.services().iter().map(line).collect::<anyhow::Result<String>>()?;
        let file = context.chart.join("values.yaml");
        let defaults = std::fs::read_to_string(&file).with_context(|| file.to_string())?;
        let overlay = ImageMap::parse(&lines, "the images on web frameworks".into())?.overlay(&defaults)?;
        context.file("web-images.yaml", &overlay)
    }

    fn services(&self) -> &[Service] {
        &self.namespace.context.platform.platform().services
    }

    /// Since when each Pod of a service is Ready. A Pod that was replaced or not Ready for a moment has another time.
    pub(super) fn ready_since(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let selector =
            format!("app.kubernetes.io/instance={},app.kubernetes.io/component=application", self.release()?.name);
        let pods = kubectl::items(&["get", "pods", "--namespace", &self.namespace.name, "--selector", &selector])?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let since = |pod: &Value| {
            let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
            let ready = conditions.find(|one| one["type"] == "Ready" && one["status"] == "True")?;
            Some(text(&ready["lastTransitionTime"]))
        };
        let found = pods.iter().filter_map(|pod| Some((text(&pod["metadata"]["name"]), since(pod)?)));
        Ok(found.collect())
    }

    /// Sends an event of a user, with a marker in the address, several times.
    pub(super) fn send(&self, user: &str, marker: &str, times: u32) -> anyhow::Result<()> {
        let Roles { test, fixture, .. } = self.roles;
        let address = format!("http://127.0.0.1:{}{}?{marker}", test.request.endpoint.port.number, test.request.path);
        self.post(&address, &fixture.body.replace(EndToEndTest::MARKER, user), times)
    }

    /// Posts JSON from the Pod that receives the events, several times.
    pub(super) fn post(&self, address: &str, body: &str, times: u32) -> anyhow::Result<()> {
        let words = ["python3", "-I", "-c", POST, address, body, &times.to_string()];
        self.release()?.exec(self.roles.sender, &words).map(drop)
    }

    /// Requests the page, with a marker in the address.
    pub(super) fn page(&self, marker: &str) -> anyhow::Result<String> {
        let Roles { page, test, .. } = self.roles;
        self.get(page, test.page.endpoint.port.number, &format!("{}?{marker}", test.page.path))
    }

    fn get(&self, service: &str, port: u16, path: &str) -> anyhow::Result<String> {
        let address = format!("http://127.0.0.1:{port}{path}");
        self.release()?.exec(service, &["python3", "-I", "-c", GET, &address])
    }

    /// The routes of probes and metrics, with the services and ports that serve them.
    fn untraced(&self) -> Vec<(&'static str, u16, &'static str)> {
        let of_service = |service: &Service| {
            let probes = match service.health {
                Health::Probes { readiness, liveness } => vec![readiness, liveness],
                Health::Connections(_) => Vec::new(),
            };
            let probes = probes.into_iter().filter_map(|probe| match probe {
                Probe::Http(route) => Some((route.port.number, route.path.as_str())),
                Probe::Tcp(_) => None,
            });
            let metrics = service.ports.iter().filter(|port| port.protocol == Protocol::Metrics);
            let routes: BTreeSet<_> = probes.chain(metrics.map(|port| (port.number, METRICS))).collect();
            let name = service.name.as_str();
            routes.into_iter().map(move |(port, path)| (name, port, path))
        };
        self.services().iter().flat_map(of_service).collect()
    }

    /// The paths of probes and metrics.
    pub(super) fn untraced_paths(&self) -> BTreeSet<&'static str> {
        self.untraced().into_iter().map(|(_, _, path)| path).collect()
    }

    /// Requests each route of a probe and of metrics.
    pub(super) fn request_untraced(&self) -> anyhow::Result<String> {
        let routes = self.untraced();
        for (service, port, path) in &routes {
            self.get(service, *port, path)?;
        }
        Ok(routes.iter().map(|(service, port, path)| format!("{service}:{port}{path}")).collect::<Vec<_>>().join(", "))
    }
}
