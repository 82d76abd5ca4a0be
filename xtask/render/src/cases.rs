//! The cases: combinations of values files and arguments with which every check renders the committed chart.

mod add_ons;
mod arguments;
mod further;

use anyhow::{Context as _, bail};
use arguments::{
    API_SERVER, CERTIFICATE, DIGEST, EDGE_BESIDE, EXISTING, EXTERNAL, HAS_CERTIFICATES, HAS_CILIUM,
    HAS_EXTERNAL_SECRETS, HAS_GATEWAYS, HAS_POD_MONITORS, HAS_ROUTES, HAS_RULES, INGRESS, LOAD_BALANCER, OWN_GATEWAY,
    PLACED, ROUTE, RULES, STORE,
};
use camino::{Utf8Path, Utf8PathBuf};
use generator::Chart;
use tools::{Template, ToolBinary};
use vocabulary::{
    Certificate, Change, EdgeController, Image, Monitoring, Resolved, Scaling, SecretSource, Service, Use,
};

/// The name of the rendered release: `afp`, or as many of its characters as the platform's release names can have.
#[must_use]
pub fn release_name(platform: &Resolved) -> &'static str {
    const NAME: &str = "afp";
    &NAME[..NAME.len().min(longest_release_name(platform))]
}

fn longest_release_name(platform: &Resolved) -> usize {
    platform.platform().longest_release_name.into()
}

/// A combination of values files and Helm arguments with which a chart is rendered.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name in verdicts and snapshots.
    pub name: String,
    /// The folder of the chart: the umbrella, or a chart beside it.
    pub chart: Utf8PathBuf,
    /// The name of the release.
    pub release: String,
    /// The environment, if the case is one.
    pub environment: Option<String>,
    /// Values files; later files override earlier ones.
    pub values: Vec<Utf8PathBuf>,
    /// Further arguments for Helm.
    pub arguments: Vec<String>,
}

/// All cases: the default values, each feature that a value switches, so that every branch of a template is checked, and each environment. The first case
/// with an object names its snapshot, which tells more than an environment that uses the feature. Then the cases of the charts beside the umbrella.
/// `folder` contains the charts.
#[must_use]
pub fn all(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Vec<Case> {
    // The environment's file comes last and overrides the tag.
    let no_defaults = folder.join(&chart.paths().ci_values);
    let release = release_name(platform);
    let case = |name: &str, arguments| with_ci_values(platform, chart, folder, name, arguments);
    let environments = chart.paths().environments.iter().map(|(name, path)| {
        // With a store, the values contain no password.
        let has_store = has_store(platform, name);
        let required = if has_store { required(platform, Some(name)) } else { Vec::new() };
        Case {
            chart: umbrella(chart, folder),
            name: name.clone(),
            release: release.to_owned(),
            environment: Some(name.clone()),
            values: (!has_store).then(|| no_defaults.clone()).into_iter().chain([folder.join(path)]).collect(),
            arguments: kinds_of(platform, name).into_iter().chain(required).collect(),
        }
    });
    let features = features(platform).into_iter().map(|(name, arguments)| case(&name, arguments));
    // Modes in which the values contain no password.
    let modes: &[_] = if has_credentials(platform) { &[("existing", EXISTING), ("store", STORE)] } else { &[] };
    let elsewhere = modes.iter().map(|(name, arguments)| Case {
        chart: umbrella(chart, folder),
        name: (*name).to_owned(),
        release: release.to_owned(),
        environment: None,
        values: Vec::new(),
        arguments: arguments.iter().map(|argument| (*argument).to_owned()).chain(required(platform, None)).collect(),
    });
    let defaults = std::iter::once(case("defaults", Vec::new()));
    defaults
        .chain(features)
        .chain(elsewhere)
        .chain(environments)
        .chain(further::cases(release, chart, folder))
        .collect()
}

/// A case of the umbrella chart with the CI values and these arguments.
fn with_ci_values(platform: &Resolved, chart: &Chart, folder: &Utf8Path, name: &str, arguments: Vec<String>) -> Case {
    Case {
        chart: umbrella(chart, folder),
        name: name.to_owned(),
        release: release_name(platform).to_owned(),
        environment: None,
        values: vec![folder.join(&chart.paths().ci_values)],
        arguments,
    }
}

/// The umbrella chart's folder.
fn umbrella(chart: &Chart, folder: &Utf8Path) -> Utf8PathBuf {
    folder.join(&chart.paths().umbrella)
}

/// Further cases, without snapshots: what they render is similar to a case of [`all`] or has an arbitrary content.
#[must_use]
pub fn without_snapshots(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Vec<Case> {
    let mut cases = crossed(platform, chart, folder);
    cases.push(widened(platform, chart, folder));
    cases.extend(node_ports(platform, chart, folder));
    cases.extend(controllers(platform, chart, folder));
    cases.extend(by_tag(platform, chart, folder));
    cases.push(wildcards(platform, chart, folder));
    cases.push(longest(platform, chart, folder));
    cases.extend(add_ons::backups(platform, chart, folder));
    cases.extend(add_ons::exporters(platform, chart, folder));
    cases.extend(add_ons::authentication(platform, chart, folder));
    cases
}

/// Each environment in each secrets mode other than its own; [`all`] covers environments and modes separately. A platform without credentials has
/// none of them.
fn crossed(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Vec<Case> {
    let no_defaults = folder.join(&chart.paths().ci_values);
    if !has_credentials(platform) {
        return Vec::new();
    }
    let release = release_name(platform);
    let modes = [("external", &EXTERNAL[..], true), ("existing", EXISTING, false), ("store", STORE, false)];
    let cross = |(environment, overlay): (&String, &Utf8PathBuf)| {
        let (overlay, no_defaults) = (folder.join(overlay), no_defaults.clone());
        let (required, mut kinds) = (required(platform, Some(environment)), kinds_of(platform, environment));
        if has_store(platform, environment) {
            kinds.push("--set=global.secrets.store.name=,global.secrets.store.kind=SecretStore".to_owned());
        }
        let case = move |(mode, arguments, takes_passwords): (&str, &[&str], bool)| Case {
            chart: umbrella(chart, folder),
            name: format!("{environment}+{mode}"),
            release: release.to_owned(),
            environment: Some(environment.clone()),
            values: takes_passwords.then(|| no_defaults.clone()).into_iter().chain([overlay.clone()]).collect(),
            arguments: kinds
                .iter()
                .map(String::as_str)
                .chain(arguments.iter().copied())
                .map(str::to_owned)
                .chain(required.clone())
                .collect(),
        };
        modes.map(case)
    };
    chart.paths().environments.iter().flat_map(cross).collect()
}

/// Whether an environment takes its Secrets from a store of its own.
fn has_store(platform: &Resolved, environment: &str) -> bool {
    let declared = platform.platform().environments.iter().find(|one| one.name.as_str() == environment);
    let source = declared.and_then(vocabulary::Environment::secret_source);
    matches!(source, Some(SecretSource::Store(_) | SecretSource::ClusterStore(_)))
}

/// The arguments that name the kinds of other projects which an environment asks for.
fn kinds_of(platform: &Resolved, environment: &str) -> Vec<String> {
    let declared = platform.platform().environments.iter().find(|one| one.name.as_str() == environment);
    let kinds = declared.into_iter().flat_map(|one| one.changes).flat_map(|change| match change {
        Change::ExternalSecrets(_) => &[HAS_EXTERNAL_SECRETS][..],
        Change::Controller(EdgeController::Cilium) => &[HAS_CILIUM],
        Change::Ingress { certificate: Certificate::ClusterIssuer(_) | Certificate::Issuer(_), .. } => {
            &[HAS_CERTIFICATES]
        }
        Change::Monitored(Monitoring::Operator | Monitoring::KubePrometheusStack(_)) => &[HAS_POD_MONITORS, HAS_RULES],
        _ => &[],
    });
    kinds.map(|kind| (*kind).to_owned()).collect()
}

/// A commit hash, which a delivery pipeline would use as image tag.
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Arguments for the values that the CI values would set: a tag for each image that has one neither by default nor in the environment, and the
/// address of the API server if a service declares access to it.
fn required(platform: &Resolved, environment: Option<&str>) -> Vec<String> {
    let environment = platform.platform().environments.iter().find(|one| Some(one.name.as_str()) == environment);
    let named = |path: &[&str]| {
        let mut changes = environment.into_iter().flat_map(|one| one.changes);
        changes.any(|change| matches!(change, Change::ImageTag { service, .. } if service.as_str() == path[0]))
    };
    let lacking = generator::unnamed_tags(platform).into_iter().filter(|path| !named(path));
    let api_server = (!generator::traffic(platform).kubernetes.is_empty()).then(|| API_SERVER.to_owned());
    lacking.map(|path| format!("--set-string={}={COMMIT}", path.join("."))).chain(api_server).collect()
}

/// A case whose values allow undeclared traffic: each service accepts connections from a partner's pods, and connects to addresses outside the
/// cluster and to an unrelated server. The network check evaluates it.
fn widened(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Case {
    let server = platform.platform().backing.first().map_or_else(String::new, |server| {
        format!(r#",{{"podSelector":{{"matchLabels":{{"app.kubernetes.io/name":"{}"}}}}}}"#, server.name())
    });
    let rules = |service: &Service| {
        let port = service.ports.first().map_or(1, |port| port.number);
        let partner = r#"{"namespaceSelector":{"matchLabels":{"team":"partner"}},"podSelector":{"matchLabels":{"app":"client"}}}"#;
        format!(
            r#"--set-json={}.network={{"extraIngress":[{{"from":[{partner}],"ports":[{{"port":{port}}}]}}],"extraEgress":[{{"to":[{{"ipBlock":{{"cidr":"203.0.113.0/24"}}}}{server}],"ports":[{{"port":443,"endPort":445}}]}}]}}"#,
            service.name
        )
    };
    with_ci_values(platform, chart, folder, "traffic", platform.platform().services.iter().map(rules).collect())
}

/// Each exposed service at a port of the nodes that the cluster chooses. The environments may have none of them.
fn node_ports(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Option<Case> {
    let exposed = platform.platform().services.iter().filter(|service| service.exposure.is_some());
    let arguments: Vec<_> = exposed.map(|service| format!("--set={}.exposure.via=NodePort", service.name)).collect();
    (!arguments.is_empty()).then(|| with_ci_values(platform, chart, folder, "nodeport", arguments))
}

/// Further controllers that forward requests to the exposed services. A platform may expose none.
fn controllers(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Vec<Case> {
    let exposed = platform.platform().services.iter().filter(|service| service.exposure.is_some());
    let exposed: Vec<&str> = exposed.map(|service| service.name.as_str()).collect();
    if exposed.is_empty() {
        return Vec::new();
    }
    let case = |(name, settings, controller, further): (&str, &[&str], &str, &[&str])| {
        with_ci_values(platform, chart, folder, name, forwarded(&exposed, settings, controller, further))
    };
    let elsewhere = &["--set=global.network.edgeNamespace=traefik"];
    [
        case(("ingress+host-network", INGRESS, "HostNetwork", &[])),
        case(("ingress+istio", INGRESS, "Istio", &[])),
        case(("ingress+elsewhere", INGRESS, "Traefik", elsewhere)),
        case(("httproute+envoy-gateway", ROUTE, "EnvoyGateway", &[HAS_ROUTES])),
        case(("httproute+cilium", ROUTE, "Cilium", &[HAS_ROUTES, HAS_CILIUM])),
    ]
    .into()
}

/// Every declared image, with the path of the section that has it.
fn images(platform: &Resolved) -> impl Iterator<Item = (String, Image)> {
    let declared = platform.platform();
    let services = declared.services.iter().map(|service| (service.name.to_string(), service.image));
    let servers = declared.backing.iter().map(|server| (format!("global.{}", server.name()), server.image()));
    services.chain(servers).chain([("global.tests".to_owned(), declared.tests.image)])
}

/// Every image that is declared with a digest, by a tag instead. A platform may have none of them.
fn by_tag(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Option<Case> {
    let pinned = images(platform).filter(|(_, image)| image.digest.is_some());
    let arguments: Vec<_> =
        pinned.map(|(path, _)| format!("--set={path}.image.digest=,{path}.image.tag={COMMIT}")).collect();
    (!arguments.is_empty()).then(|| with_ci_values(platform, chart, folder, "by-tag", arguments))
}

/// Rules with wildcards for each service, and the values that permit them.
fn wildcards(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Case {
    let rules = platform.platform().services.iter().map(|service| {
        let rule = r#"{"apiGroups":["*"],"resources":["pods/*"],"verbs":["*"]}"#;
        format!(r#"--set-json={}.rbac={{"allowWildcards":true,"extraRules":[{rule}]}}"#, service.name)
    });
    with_ci_values(platform, chart, folder, "wildcards", rules.chain([API_SERVER.to_owned()]).collect())
}

/// A release with the longest name that the platform allows.
fn longest(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Case {
    let release = "r".repeat(longest_release_name(platform));
    Case { release, ..with_ci_values(platform, chart, folder, "longest-release-name", Vec::new()) }
}

/// One case for each values file, with tags for images without a default tag.
///
/// # Errors
/// If a file does not exist, or if two files have the same name. The name identifies the case.
pub fn from_files(
    platform: &Resolved,
    chart: &Chart,
    folder: &Utf8Path,
    files: &[Utf8PathBuf],
) -> anyhow::Result<Vec<Case>> {
    let no_defaults = folder.join(&chart.paths().ci_values);
    let mut cases: Vec<Case> = Vec::new();
    for file in files {
        let path = file.canonicalize_utf8().with_context(|| file.to_string())?;
        let name = path.file_name().unwrap_or_default().to_owned();
        if cases.iter().any(|case| case.name == name) {
            bail!("two values files have the name {name}: rename one of them");
        }
        // The chart rejects kinds that the cluster does not have; assume a cluster that has them all.
        let kinds = [HAS_EXTERNAL_SECRETS, HAS_ROUTES, HAS_GATEWAYS, HAS_CERTIFICATES, HAS_CILIUM];
        let arguments = kinds.map(str::to_owned).to_vec();
        let release = release_name(platform).to_owned();
        cases.push(Case {
            name,
            chart: umbrella(chart, folder),
            release,
            environment: None,
            values: vec![no_defaults.clone(), path],
            arguments,
        });
    }
    Ok(cases)
}

/// One case for each feature that a value switches on or off, in all charts that have it. A feature that no chart has is left out.
fn features(platform: &Resolved) -> Vec<(String, Vec<String>)> {
    let services = || platform.platform().services.iter();
    let named =
        |holds: fn(&Service) -> bool| services().filter(|s| holds(s)).map(|s| s.name.as_str()).collect::<Vec<_>>();
    let every_service = named(|_| true);
    let autoscaled = named(|service| service.scaling != Scaling::Fixed);
    let exposed = named(|service| service.exposure.is_some());
    let servers: Vec<&str> = platform.platform().backing.iter().map(|server| server.name().as_str()).collect();
    let every_chart = [&every_service[..], &servers].concat();

    let shared_images: Vec<String> =
        servers.iter().chain(&["tests"]).map(|section| format!("global.{section}")).collect();
    let mut mirror = for_each(&shared_images.iter().map(String::as_str).collect::<Vec<_>>(), &[DIGEST]);
    mirror.extend(
        ["--set=global.imageRegistry=registry.example.org:5000", "--set=global.imagePullSecrets[0].name=pull"]
            .map(str::to_owned),
    );
    // A registry with a port cannot follow another registry.
    mirror.extend(images(platform).filter_map(|(path, image)| {
        let (registry, rest) = image.repository.as_str().split_once('/')?;
        registry.contains(':').then(|| format!("--set={path}.image.repository={rest}"))
    }));
    let mut placed = for_each(&[&every_chart[..], &["global.tests"]].concat(), PLACED);
    placed.extend(for_each(&servers, &["persistence.storageClassName=fast"]));
    let mut untested = for_each(&every_service, &["tests.isolation=false"]);
    untested.extend(for_each(&named(|service| !service.uses.is_empty()), &["tests.connection=false"]));
    untested.push("--set=global.tests.isolation=false".to_owned());
    if platform.platform().tests.end_to_end.is_some() {
        untested.push("--set=global.tests.endToEnd=false".to_owned());
    }
    let mut features = Vec::new();
    if !autoscaled.is_empty() {
        features.push(("autoscaled".to_owned(), for_each(&autoscaled, &["autoscaling.enabled=true"])));
    }
    let mut together = Vec::new();
    if !exposed.is_empty() {
        let routes = [HAS_ROUTES, HAS_GATEWAYS, HAS_CERTIFICATES];
        features.push(("ingress".to_owned(), forwarded(&exposed, INGRESS, "Traefik", &[])));
        features.push(("certificate".to_owned(), forwarded(&exposed, CERTIFICATE, "HAProxy", &[HAS_CERTIFICATES])));
        features.push(("cilium".to_owned(), forwarded(&exposed, INGRESS, "Cilium", &[HAS_CILIUM])));
        features.push(("httproute".to_owned(), forwarded(&exposed, ROUTE, "Istio", &[HAS_ROUTES])));
        features.push(("gateway".to_owned(), forwarded(&exposed, OWN_GATEWAY, "EnvoyGateway", &routes)));
        features.push(("loadbalancer".to_owned(), for_each(&exposed, LOAD_BALANCER)));
        together.extend(forwarded(&exposed, INGRESS, "Custom", EDGE_BESIDE));
    }
    features.extend(add_ons::features(platform));
    if add_ons::has_metrics(platform) {
        together.push("--set=global.metrics.namespace=default".to_owned());
        together.push("--set=global.metrics.enabled=true".to_owned());
    }
    if !together.is_empty() {
        // Ingress controller and monitoring in the release's own namespace; its other pods may then connect as well.
        features.push(("together".to_owned(), together));
    }
    features.push(("untested".to_owned(), untested));
    if has_credentials(platform) {
        features.push(("external".to_owned(), EXTERNAL.map(str::to_owned).to_vec()));
    }
    let mut rules = for_each(&every_service, RULES);
    rules.push(API_SERVER.to_owned());
    features.push(("rules".to_owned(), rules));
    features.push(("mirror".to_owned(), mirror));
    features.push(("placed".to_owned(), placed));
    // A disabled service, together with the services that call it.
    features.extend(services().map(|off| {
        (format!("without-{}", off.name), for_each(&with_callers(platform, off.name.as_str()), &["enabled=false"]))
    }));
    features
}

/// These settings for each of these sections of the values.
fn for_each(names: &[&str], settings: &[&str]) -> Vec<String> {
    let settings_of = |name: &&str| settings.iter().map(|s| format!("--set={name}.{s}")).collect::<Vec<_>>();
    names.iter().flat_map(settings_of).collect()
}

/// These settings for each of these services, each with a host of its own, to which this controller forwards requests.
fn forwarded(exposed: &[&str], settings: &[&str], controller: &str, further: &[&str]) -> Vec<String> {
    let mut arguments = for_each(exposed, settings);
    arguments.extend(exposed.iter().map(|name| format!("--set={name}.exposure.host={name}.example.org")));
    arguments.push(format!("--set=global.network.edgeController={controller}"));
    arguments.extend(further.iter().map(|argument| (*argument).to_owned()));
    arguments
}

/// A service, and all that call it, directly or through others: they could not work without it.
fn with_callers<'a>(platform: &'a Resolved, service: &'a str) -> Vec<&'a str> {
    let mut found = vec![service];
    let mut next = 0;
    while let Some(callee) = found.get(next).copied() {
        next += 1;
        let calls = |used: &Use| matches!(used, Use::Call(call) if call.endpoint.service.as_str() == callee);
        let callers = platform.platform().services.iter().filter(|caller| caller.uses.iter().any(calls));
        for caller in callers.map(|caller| caller.name.as_str()) {
            if !found.contains(&caller) {
                found.push(caller);
            }
        }
    }
    found
}

fn has_credentials(platform: &Resolved) -> bool {
    !generator::credential_paths(platform).is_empty()
}

impl Case {
    /// Renders the manifest with this Helm.
    ///
    /// # Errors
    /// If Helm rejects the chart with these values, or cannot be run.
    pub fn render(&self, helm: &ToolBinary) -> anyhow::Result<String> {
        let values: Vec<&Utf8Path> = self.values.iter().map(Utf8PathBuf::as_path).collect();
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let template = Template { chart: &self.chart, release: &self.release, values: &values, arguments: &arguments };
        match helm.template(&template).context("helm template")? {
            Ok(manifest) => Ok(manifest),
            Err(refusal) => bail!("{} {} rejects {}: {refusal}", helm.tool.title(), helm.version, self.name),
        }
    }
}
