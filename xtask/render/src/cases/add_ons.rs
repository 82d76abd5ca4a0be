//! The cases of the add-ons of the umbrella chart: backups, traces, metrics, exporters and alerts.

use camino::Utf8Path;
use generator::Chart;
use vocabulary::Resolved;

use super::arguments::{
    ALERTMANAGER_CONFIG, ALERTS, AUTHENTICATED_NODE_PORT, AUTHENTICATION, BACKUP, BACKUP_S3, EXISTING, EXPORTER,
    EXTERNAL, HAS_CILIUM, HAS_ROUTES, INGRESS, OPERATOR, POD_MONITOR, PROXY_CREDENTIALS, ROUTE, STORE, TRACING,
    receivers,
};
use super::{Case, for_each, forwarded, release_name, required, umbrella, with_ci_values};

/// One case for each add-on that a value switches on. An add-on that the platform does not have is left out.
pub(super) fn features(platform: &Resolved) -> Vec<(String, Vec<String>)> {
    let mut features = Vec::new();
    let backups = of_backups(platform, BACKUP);
    if !backups.is_empty() {
        features.push(("backup".to_owned(), backups));
        features.push(("backup-s3".to_owned(), of_backups(platform, &[BACKUP, BACKUP_S3].concat())));
    }
    let exposed = exposed(platform);
    if !exposed.is_empty() {
        let ingress = [INGRESS, PROXY_CREDENTIALS, AUTHENTICATION].concat();
        features.push(("authentication".to_owned(), forwarded(&exposed, &ingress, "Traefik", &[])));
        let groups = [PROXY_CREDENTIALS, AUTHENTICATED_NODE_PORT, AUTHENTICATION].concat();
        let groups = groups.into_iter().filter(|argument| !argument.contains("emailDomains={")).collect::<Vec<_>>();
        features.push(("authentication-groups".to_owned(), for_each(&exposed, &groups)));
    }
    if !platform.platform().backing.is_empty() {
        let velero = ["--set=global.velero.enabled=true", "--api-versions=velero.io/v1/Schedule"];
        features.push(("velero".to_owned(), velero.map(str::to_owned).into()));
    }
    if !generator::traffic(platform).traced.is_empty() {
        let on = |further: &[&str]| TRACING.iter().chain(further).map(|argument| (*argument).to_owned()).collect();
        features.push(("tracing".to_owned(), on(&[])));
        features.push(("tracing-operator".to_owned(), on(OPERATOR)));
    }
    if !has_metrics(platform) {
        return features;
    }
    let on = |further: &[&str]| {
        let further = further.iter().map(|argument| (*argument).to_owned());
        std::iter::once("--set=global.metrics.enabled=true".to_owned()).chain(further).collect()
    };
    let traffic = generator::traffic(platform);
    let exporters: Vec<&str> = traffic.exporters.iter().map(|exporter| exporter.path.to.as_str()).collect();
    let exporters = for_each(&exporters, EXPORTER);
    // Of all that can raise an alert.
    let observed = [exporters.clone(), of_backups(platform, BACKUP), receivers()].concat();
    let with_all = |arguments: Vec<String>| [arguments, observed.clone()].concat();
    features.push(("metrics".to_owned(), on(&[])));
    features.push(("annotations".to_owned(), on(&["--set=global.metrics.discovery=Annotations"])));
    features.push(("podmonitor".to_owned(), on(POD_MONITOR)));
    if !exporters.is_empty() {
        features.push(("exporters".to_owned(), [on(POD_MONITOR), exporters].concat()));
    }
    features.push(("alerts".to_owned(), with_all(on(&[ALERTS, ALERTMANAGER_CONFIG].concat()))));
    let as_files = [
        "--set=global.alerts.enabled=true",
        "--set=global.alerts.clusterMetrics.enabled=true",
        "--set=global.alerts.format=ConfigMap",
        "--set=global.alerts.routing.format=ConfigMap",
    ];
    features.push(("alerts-file".to_owned(), with_all(on(&as_files))));
    features
}

/// Whether a service or an exporter of the platform has metrics.
pub(super) fn has_metrics(platform: &Resolved) -> bool {
    let traffic = generator::traffic(platform);
    !traffic.metrics.is_empty() || !traffic.exporters.is_empty()
}

/// Backups with every source of Secrets. [`all`] has them with passwords in the values. A platform may have no databases.
pub(super) fn backups(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Vec<Case> {
    let on = of_backups(platform, BACKUP);
    if on.is_empty() {
        return Vec::new();
    }
    let ci_values = folder.join(&chart.paths().ci_values);
    let modes = [("external", &EXTERNAL[..], true), ("existing", EXISTING, false), ("store", STORE, false)];
    let case = |(mode, arguments, takes_passwords): (&str, &[&str], bool)| {
        let values: Vec<_> = takes_passwords.then(|| ci_values.clone()).into_iter().collect();
        let required = if takes_passwords { Vec::new() } else { required(platform, None) };
        let arguments = arguments.iter().map(|argument| (*argument).to_owned());
        Case {
            chart: umbrella(chart, folder),
            name: format!("backup+{mode}"),
            release: release_name(platform).to_owned(),
            environment: None,
            values,
            arguments: arguments.chain(on.clone()).chain(required).collect(),
        }
    };
    modes.map(case).into()
}

/// The proxies in front of exposed services with every source of Secrets and behind further controllers. A platform may expose no service.
pub(super) fn authentication(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Vec<Case> {
    let exposed = exposed(platform);
    if exposed.is_empty() {
        return Vec::new();
    }
    let on = |settings: &[&[&str]], controller: &str, further: &[&str]| {
        let settings = [&settings.concat()[..], AUTHENTICATION].concat();
        forwarded(&exposed, &settings, controller, further)
    };
    let inline = |name: &str, arguments| with_ci_values(platform, chart, folder, name, arguments);
    let elsewhere = |name: &str, mode: &[&str]| Case {
        values: Vec::new(),
        ..inline(name, [on(&[INGRESS], "HAProxy", mode), required(platform, None)].concat())
    };
    [
        inline("authentication+external", on(&[INGRESS, PROXY_CREDENTIALS], "Traefik", &EXTERNAL)),
        inline("authentication+cilium", on(&[INGRESS, PROXY_CREDENTIALS], "Cilium", &[HAS_CILIUM])),
        inline("authentication+httproute", on(&[ROUTE, PROXY_CREDENTIALS], "EnvoyGateway", &[HAS_ROUTES])),
        elsewhere("authentication+existing", EXISTING),
        elsewhere("authentication+store", STORE),
    ]
    .into()
}

/// The services that users outside the cluster can reach.
fn exposed(platform: &Resolved) -> Vec<&str> {
    let exposed = platform.platform().services.iter().filter(|service| service.exposure.is_some());
    exposed.map(|service| service.name.as_str()).collect()
}

/// The exporters with Secrets of another store. [`all`] has them with passwords in the values. A platform may have none of them.
pub(super) fn exporters(platform: &Resolved, chart: &Chart, folder: &Utf8Path) -> Option<Case> {
    let exporters = generator::traffic(platform).exporters;
    let on =
        exporters.iter().flat_map(|exporter| EXPORTER.iter().map(|set| format!("--set={}.{set}", exporter.path.to)));
    let arguments = STORE.iter().map(|argument| (*argument).to_owned()).chain(on).chain(required(platform, None));
    (!exporters.is_empty()).then(|| Case {
        chart: umbrella(chart, folder),
        name: "exporters+store".to_owned(),
        release: release_name(platform).to_owned(),
        environment: None,
        values: Vec::new(),
        arguments: arguments.collect(),
    })
}

/// The settings for every server that can have backups.
fn of_backups(platform: &Resolved, settings: &[&str]) -> Vec<String> {
    let of_server =
        |server: &String| settings.iter().map(|setting| format!("--set={server}.{setting}")).collect::<Vec<_>>();
    generator::traffic(platform).backup.iter().flat_map(|path| of_server(&path.to)).collect()
}
