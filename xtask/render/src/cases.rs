//! The cases: combinations of values files and arguments with which every check renders the committed chart.

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use generator::Chart;
use tools::{Template, ToolBinary};
use vocabulary::{Change, Resolved, Scaling, Service, Use};

/// The name of the rendered release.
pub const RELEASE: &str = "afp";

/// A combination of values files and Helm arguments with which the chart is rendered.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name in verdicts and snapshots.
    pub name: String,
    /// The environment, if the case is one.
    pub environment: Option<String>,
    /// Values files; later files override earlier ones.
    pub values: Vec<Utf8PathBuf>,
    /// Further arguments for Helm.
    pub arguments: Vec<String>,
}

/// All cases: the default values, each environment, and each feature that a value switches, so that every branch of a template is checked.
/// `folder` contains the chart.
#[must_use]
pub fn all(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Vec<Case> {
    // The environment's file comes last and overrides the tag.
    let no_defaults = folder.join(&chart.paths().ci_values);
    let case = |name: String, arguments: Vec<String>| Case {
        name,
        environment: None,
        values: vec![no_defaults.clone()],
        arguments,
    };
    let environments = chart.paths().environments.iter().map(|(name, path)| Case {
        name: name.clone(),
        environment: Some(name.clone()),
        values: vec![no_defaults.clone(), folder.join(path)],
        arguments: Vec::new(),
    });
    let features = features(platform).into_iter().map(|(name, arguments)| case(name, arguments));
    // Modes in which the values contain no password.
    let elsewhere = [("existing", EXISTING), ("store", STORE)].map(|(name, arguments)| Case {
        name: name.to_owned(),
        environment: None,
        values: Vec::new(),
        arguments: arguments.iter().map(|argument| (*argument).to_owned()).chain(tags(platform, None)).collect(),
    });
    let defaults = std::iter::once(case("defaults".to_owned(), Vec::new()));
    defaults.chain(environments).chain(features).chain(elsewhere).collect()
}

/// Each environment in each secrets mode other than its own. [`all`] covers environments and modes separately, so these have no snapshots.
#[must_use]
pub fn crossed(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Vec<Case> {
    let no_defaults = folder.join(&chart.paths().ci_values);
    let modes = [("external", &EXTERNAL[..], true), ("existing", EXISTING, false), ("store", STORE, false)];
    let cross = |(environment, overlay): (&String, &Utf8PathBuf)| {
        let (overlay, no_defaults) = (folder.join(overlay), no_defaults.clone());
        let tags = tags(platform, Some(environment));
        let case = move |(mode, arguments, takes_passwords): (&str, &[&str], bool)| Case {
            name: format!("{environment}+{mode}"),
            environment: Some(environment.clone()),
            values: takes_passwords.then(|| no_defaults.clone()).into_iter().chain([overlay.clone()]).collect(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).chain(tags.clone()).collect(),
        };
        modes.map(case)
    };
    chart.paths().environments.iter().flat_map(cross).collect()
}

/// A commit hash, which a delivery pipeline would use as image tag.
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Arguments that set a tag for each image that has a tag neither by default nor in the environment.
fn tags(platform: &Resolved, environment: Option<&str>) -> Vec<String> {
    let environment = platform.platform().environments.iter().find(|one| Some(one.name.as_str()) == environment);
    let named = |path: &[&str]| {
        let mut changes = environment.into_iter().flat_map(|one| one.changes);
        changes.any(|change| matches!(change, Change::ImageTag { service, .. } if service.as_str() == path[0]))
    };
    let lacking = generator::unnamed_tags(platform).into_iter().filter(|path| !named(path));
    lacking.map(|path| format!("--set-string={}={COMMIT}", path.join("."))).collect()
}

/// Cases whose values allow undeclared traffic: each service accepts connections from a partner's pods, and connects to addresses outside the
/// cluster and to an unrelated server. They have no snapshots; the network check evaluates them.
#[must_use]
pub fn widened(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Vec<Case> {
    let Some(server) = platform.platform().backing.first() else { return Vec::new() };
    let rules = |service: &Service| {
        let port = service.ports.first().map_or(1, |port| port.number);
        let partner = r#"{"namespaceSelector":{"matchLabels":{"team":"partner"}},"podSelector":{"matchLabels":{"app":"client"}}}"#;
        let server = format!(r#"{{"podSelector":{{"matchLabels":{{"app.kubernetes.io/name":"{}"}}}}}}"#, server.name());
        format!(
            r#"--set-json={}.network={{"extraIngress":[{{"from":[{partner}],"ports":[{{"port":{port}}}]}}],"extraEgress":[{{"to":[{{"ipBlock":{{"cidr":"203.0.113.0/24"}}}},{server}],"ports":[{{"port":443,"endPort":445}}]}}]}}"#,
            service.name
        )
    };
    let arguments = platform.platform().services.iter().map(rules).collect();
    let values = vec![folder.join(&chart.paths().ci_values)];
    vec![Case { name: "traffic".to_owned(), environment: None, values, arguments }]
}

/// One case for each values file, with tags for images without a default tag.
///
/// # Errors
/// If a file does not exist, or if two files have the same name. The name identifies the case.
pub fn from_files(chart: &Chart, folder: &Utf8Path, files: &[Utf8PathBuf]) -> anyhow::Result<Vec<Case>> {
    let no_defaults = folder.join(&chart.paths().ci_values);
    let mut cases: Vec<Case> = Vec::new();
    for file in files {
        let path = file.canonicalize_utf8().with_context(|| file.to_string())?;
        let name = path.file_name().unwrap_or_default().to_owned();
        if cases.iter().any(|case| case.name == name) {
            bail!("two values files have the name {name}: rename one of them");
        }
        // The chart rejects kinds that the cluster does not have; assume a cluster that has them all.
        let arguments = [HAS_EXTERNAL_SECRETS, HAS_ROUTES].map(str::to_owned).to_vec();
        cases.push(Case { name, environment: None, values: vec![no_defaults.clone(), path], arguments });
    }
    Ok(cases)
}

/// One case for each feature that a value switches on or off, in all charts that have it.
fn features(platform: &Resolved) -> Vec<(String, Vec<String>)> {
    let services = || platform.platform().services.iter();
    let for_each = |names: Vec<&str>, settings: &[&str]| -> Vec<String> {
        let of = |name: &&str| settings.iter().map(|s| format!("--set={name}.{s}")).collect::<Vec<_>>();
        names.iter().flat_map(of).collect()
    };
    let autoscaled = services().filter(|s| s.scaling != Scaling::Fixed).map(|s| s.name.as_str()).collect();
    let exposed = || services().filter(|s| s.exposure.is_some()).map(|s| s.name.as_str()).collect::<Vec<_>>();
    let backing = platform.platform().backing.iter().map(|b| b.name().as_str());
    let all: Vec<_> = services().map(|s| s.name.as_str()).chain(backing.clone()).collect();
    let mut route = for_each(exposed(), ROUTE);
    route.push(HAS_ROUTES.to_owned());
    let shared_images: Vec<String> =
        backing.clone().chain(["tests"]).map(|section| format!("global.{section}")).collect();
    let mut mirror = for_each(shared_images.iter().map(String::as_str).collect(), &[DIGEST]);
    mirror.extend(
        ["--set=global.imageRegistry=registry.example.org:5000", "--set=global.imagePullSecrets[0].name=pull"]
            .map(str::to_owned),
    );
    let mut placed = for_each([all, vec!["global.tests"]].concat(), PLACED);
    placed.extend(for_each(backing.collect(), &["persistence.storageClassName=fast"]));

    let mut untested = for_each(services().map(|s| s.name.as_str()).collect(), &["tests.isolation=false"]);
    let accessing = services().filter(|s| !s.uses.is_empty()).map(|s| s.name.as_str());
    untested.extend(for_each(accessing.collect(), &["tests.connection=false"]));
    untested.push("--set=global.tests.isolation=false".to_owned());
    if platform.platform().tests.end_to_end.is_some() {
        untested.push("--set=global.tests.endToEnd=false".to_owned());
    }
    let mut together = for_each(exposed(), INGRESS);
    let here = ["network.edgeNamespace=default", "metrics.namespace=default", "metrics.enabled=true"];
    together.extend(here.map(|setting| format!("--set=global.{setting}")));

    let mut features = vec![
        ("autoscaled".to_owned(), for_each(autoscaled, &["autoscaling.enabled=true"])),
        ("ingress".to_owned(), for_each(exposed(), INGRESS)),
        ("httproute".to_owned(), route),
        ("loadbalancer".to_owned(), for_each(exposed(), &["exposure.via=LoadBalancer"])),
        ("metrics".to_owned(), vec!["--set=global.metrics.enabled=true".to_owned()]),
        // Ingress controller and monitoring in the release's own namespace; its other pods may then connect as well.
        ("together".to_owned(), together),
        ("untested".to_owned(), untested),
        ("external".to_owned(), EXTERNAL.map(str::to_owned).to_vec()),
        ("rules".to_owned(), for_each(services().map(|s| s.name.as_str()).collect(), RULES)),
        ("mirror".to_owned(), mirror),
        ("placed".to_owned(), placed),
    ];
    // A disabled service, together with the services that call it.
    features.extend(services().map(|off| {
        let calls = |s: &&Service| s.uses.iter().any(|u| matches!(u, Use::Call(c) if c.endpoint.service == off.name));
        let with = services().filter(calls).map(|s| s.name.as_str());
        (format!("without-{}", off.name), for_each(with.chain([off.name.as_str()]).collect(), &["enabled=false"]))
    }));
    features
}

const INGRESS: &[&str] = &[
    "exposure.via=Ingress",
    "exposure.host=alerts.example.org",
    "exposure.ingress.className=traefik",
    "exposure.ingress.tlsSecretName=alerts-tls",
    "exposure.ingress.annotations.owner=security",
];

const ROUTE: &[&str] = &[
    "exposure.via=HTTPRoute",
    "exposure.host=alerts.example.org",
    "exposure.httpRoute.gateway=public",
    "exposure.httpRoute.gatewayNamespace=gateways",
    "exposure.httpRoute.sectionName=https",
];

const HAS_ROUTES: &str = "--api-versions=gateway.networking.k8s.io/v1/HTTPRoute";

const HAS_EXTERNAL_SECRETS: &str = "--api-versions=external-secrets.io/v1/ExternalSecret";

const EXTERNAL: [&str; 2] = ["--set=global.secrets.mode=external", HAS_EXTERNAL_SECRETS];

const STORE: &[&str] = &[
    "--set=global.secrets.mode=external",
    "--set=global.secrets.store.kind=ClusterSecretStore",
    "--set=global.secrets.store.name=vault",
    HAS_EXTERNAL_SECRETS,
];

const EXISTING: &[&str] = &["--set=global.secrets.mode=existing"];

const RULES: &[&str] = &[
    "rbac.extraRules[0].apiGroups={apps}",
    "rbac.extraRules[0].resources={deployments}",
    "rbac.extraRules[0].verbs={get}",
    "rbac.extraRules[0].resourceNames={web}",
    "network.extraIngress[0].from[0].ipBlock.cidr=192.0.2.0/24",
    "network.extraIngress[0].ports[0].port=9999",
    "network.extraEgress[0].to[0].ipBlock.cidr=192.0.2.0/24",
    "network.extraEgress[0].ports[0].port=443",
];

const DIGEST: &str = "image.digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

const PLACED: &[&str] = &[
    "nodeSelector.disk=ssd",
    "tolerations[0].key=small",
    "tolerations[0].operator=Exists",
    "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight=1",
    "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key=zone",
    "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].operator=Exists",
    "topologySpreadConstraints[0].maxSkew=1",
    "topologySpreadConstraints[0].topologyKey=zone",
    "topologySpreadConstraints[0].whenUnsatisfiable=ScheduleAnyway",
    "priorityClassName=important",
    "podAnnotations.note=moved",
];

impl Case {
    /// Renders the manifest with this Helm.
    ///
    /// # Errors
    /// If Helm rejects the chart with these values, or cannot be run.
    pub fn render(&self, helm: &ToolBinary, chart: &Utf8Path) -> anyhow::Result<String> {
        let values: Vec<&Utf8Path> = self.values.iter().map(Utf8PathBuf::as_path).collect();
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let template = Template { chart, release: RELEASE, values: &values, arguments: &arguments };
        match helm.template(&template).context("helm template")? {
            Ok(manifest) => Ok(manifest),
            Err(refusal) => bail!("{} {} rejects {}: {refusal}", helm.tool.title(), helm.version, self.name),
        }
    }
}
