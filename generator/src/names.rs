//! Every suffix and name that the chart uses for its objects beside the names of services and servers, and the proof that the vocabulary
//! reserves each of them and keeps room for it.
//!
//! An object is named `<release>-<name>`, `<release>-<name>-<suffix>` or `<release>-<release object>`. Secrets are the exception: their names end
//! with a mode and revisions, and may have up to 253 characters.

use vocabulary::limits;

/// A service's second Service, through which users reach it on a node port or a load balancer.
const EXTERNAL: &str = "external";
/// A service's proxy that authenticates its users: the objects, the identity of its Pods and its container.
pub(crate) const PROXY: &str = "proxy";
/// A service's `HTTPRoute` that redirects plain HTTP to HTTPS.
const REDIRECT: &str = "redirect";
/// A service's Job that requests a page of its proxy without a login, and the identity of its Pod.
pub(crate) const TEST_AUTHENTICATION: &str = "test-authentication";
/// A service's Job that tries what the service declares.
pub(crate) const TEST_CONNECTION: &str = "test-connection";
/// A service's Job that tries what the service may not reach.
pub(crate) const TEST_ISOLATION: &str = "test-isolation";

/// A server's ConfigMap with its configuration file; a digest of it follows.
pub(crate) const CONFIGURATION: &str = "configuration";
/// A server's headless Service.
const HEADLESS: &str = "headless";
/// What the Jobs that manage a server's logins share: ServiceAccount, NetworkPolicy, ConfigMap, and their identity.
pub(crate) const PROVISIONING: &str = "provisioning";
/// A server's Job that adds logins beside a rollout; a digest follows.
pub(crate) const PROVISION: &str = "provision";
/// A server's Job that resets and removes logins after a rollout.
pub(crate) const RECONCILE: &str = "reconcile";

/// The objects of a server's backups, and the identity of their Pods.
pub(crate) const BACKUP: &str = "backup";
/// The Job that makes a backup before an upgrade.
const BACKUP_UPGRADE: &str = "backup-upgrade";
/// The `CronJob` that verifies the backups.
pub(crate) const VERIFY: &str = "verify";

/// The objects of a server's exporter, the identity of its Pod and its login's section of the values.
pub(crate) const EXPORTER: &str = "exporter";

/// The ConfigMap with the scripts that run in a server's Pod and in the Jobs that manage its logins; a digest of them follows.
pub(crate) const SCRIPTS: &str = "scripts";

/// The ConfigMap with the scripts that connect to servers; a digest of them follows.
pub(crate) const CONNECTIONS: &str = "connections";

/// What traces add to a release: a `NetworkPolicy`, an `Instrumentation`, and a ConfigMap whose name ends with a digest; also their section of
/// the values.
pub(crate) const TRACING: &str = "tracing";

/// The characters of the digest that follows a name.
pub(crate) const DIGEST: usize = 8;

/// The identity and the objects of the test that tries closed ports.
pub(crate) const NETWORK_POLICY_TEST: &str = "network-policy-test";
/// The identity and the objects of the test that follows an event through the platform.
pub(crate) const END_TO_END_TEST: &str = "end-to-end-test";

const SERVICE_SUFFIXES: &[&str] = &[EXTERNAL, PROXY, REDIRECT, TEST_AUTHENTICATION, TEST_CONNECTION, TEST_ISOLATION];
const SERVER_SUFFIXES: &[&str] =
    &[BACKUP, BACKUP_UPGRADE, CONFIGURATION, EXPORTER, HEADLESS, PROVISIONING, PROVISION, RECONCILE, SCRIPTS, VERIFY];
const RELEASE_OBJECTS: &[&str] =
    &["alerts", CONNECTIONS, "credentials", "credentials-reader", "default", "dns", "tests", TRACING];
const RELEASE_PREFIXES: &[&str] = &[NETWORK_POLICY_TEST, END_TO_END_TEST];

/// The objects of the charts beside the umbrella, which have releases of their own.
#[cfg(test)]
const FURTHER_OBJECTS: &[&str] = &["agent", "gateway", "jaeger"];

/// The keys of `global` that could be a server's name; the others have capital letters.
const SHARED_KEYS: &[&str] = &["alerts", "metrics", "network", "secrets", "tests", "tracing", "velero"];

/// The characters that the controller of a StatefulSet appends to its name in a label of its pods: a dash and a hash.
const STATEFUL_SET_HASH: usize = 11;

/// The characters that the controller of a `CronJob` appends to its name: a dash and a time.
const CRON_JOB_TIME: usize = 11;

const _: () = {
    assert!(all_in(SERVICE_SUFFIXES, limits::SERVICE_SUFFIXES), "the vocabulary reserves every suffix of a service");
    assert!(all_in(SERVER_SUFFIXES, limits::SERVER_SUFFIXES), "the vocabulary reserves every suffix of a server");
    assert!(all_in(RELEASE_OBJECTS, limits::RELEASE_OBJECTS), "the vocabulary reserves every object of the release");
    assert!(all_in(RELEASE_PREFIXES, limits::RELEASE_PREFIXES), "the vocabulary reserves every prefix of the release");
    assert!(all_in(SHARED_KEYS, limits::SHARED_KEYS), "the vocabulary reserves every key beside the servers' names");
    assert!(all_fit(SERVICE_SUFFIXES) && all_fit(SERVER_SUFFIXES), "the vocabulary keeps room for every suffix");
    assert!(fits(PROVISION.len() + "-".len() + DIGEST), "the vocabulary keeps room for the longest Job name");
    assert!(
        fits(BACKUP.len() + CRON_JOB_TIME) && fits(VERIFY.len() + CRON_JOB_TIME),
        "the Jobs of a CronJob have room for its time"
    );
    assert!(STATEFUL_SET_HASH <= limits::SUFFIX_ROOM, "a StatefulSet's pods can have their label");
};

/// Whether a suffix of so many characters fits behind `<release>-<name>-`.
const fn fits(characters: usize) -> bool {
    "-".len() + characters <= limits::SUFFIX_ROOM
}

const fn all_fit(suffixes: &[&str]) -> bool {
    let mut i = 0;
    while i < suffixes.len() {
        if !fits(suffixes[i].len()) {
            return false;
        }
        i += 1;
    }
    true
}

const fn all_in(words: &[&str], list: &[&str]) -> bool {
    let mut i = 0;
    while i < words.len() {
        if !limits::has(list, words[i]) {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{FURTHER_OBJECTS, RELEASE_OBJECTS, RELEASE_PREFIXES, SERVER_SUFFIXES, SERVICE_SUFFIXES};

    /// The templates name their objects literally, so that a reader can search for them: this finds what is not listed above.
    #[test]
    fn every_name_in_a_template_is_listed_and_every_listed_name_is_used() {
        let mut templates = String::new();
        read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates")), &mut templates);
        let suffixes = [SERVICE_SUFFIXES, SERVER_SUFFIXES].concat();
        let names = [RELEASE_OBJECTS, RELEASE_PREFIXES, FURTHER_OBJECTS].concat();
        let release = |behind: &str| words_behind(&templates, &format!("Release.Name }}}}-{behind}"));
        let of_charts = [
            "[[ name ]]-",
            "{{ .Chart.Name }}-",
            "{{ $.Chart.Name }}-",
            "[[ exposed_port.service ]]-",
            "{{ $server.name }}-",
        ];
        let mut chart = of_charts.map(release).concat();
        chart.extend(words_behind(&templates, "{{ .server.name }}-"));
        let found: BTreeSet<_> = chart.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
        assert_eq!(found, suffixes.into_iter().collect(), "suffixes behind `<release>-<name>-`");
        let found: BTreeSet<_> = release("").into_iter().filter(|word| !word.is_empty()).collect();
        assert_eq!(found, names.into_iter().map(str::to_owned).collect(), "names behind `<release>-`");
    }

    /// What stands behind each occurrence of `start`, up to the next character that no name has, and without a last dash.
    fn words_behind(text: &str, start: &str) -> Vec<String> {
        let in_name = |c: char| c.is_ascii_lowercase() || c == '-';
        text.split(start)
            .skip(1)
            .map(|rest| rest.split(|c| !in_name(c)).next().unwrap_or_default().trim_end_matches('-').to_owned())
            .collect()
    }

    fn read(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).expect("the templates are there") {
            let path = entry.expect("the folder can be listed").path();
            if path.is_dir() {
                read(&path, text);
            } else {
                text.push_str(&std::fs::read_to_string(&path).expect("a template is text"));
            }
        }
    }
}
