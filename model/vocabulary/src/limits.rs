//! Bounds on names, and names that are reserved.
//!
//! The objects of a release are named `<release>-<name>` and `<release>-<name>-<suffix>`, where `<name>` is that of a service or server. The checks refuse
//! names that leave too little room for a suffix, and names that an object of another service or server can have. The generator decides which object has
//! which suffix, and proves by constant assertions that it stays within these bounds.

use std::ops::RangeInclusive;

/// The longest name of a Kubernetes Service, and the longest value of a label: a DNS label (RFC 1123).
pub const LABEL: usize = 63;

/// The longest name of a Helm release.
pub const RELEASE: usize = 53;

/// The longest name of a platform, service, server or environment.
pub const NAME: usize = 40;

/// The ports of the nodes that a cluster gives to Services, unless its administrator has set another range (`--service-node-port-range`).
pub const NODE_PORTS: RangeInclusive<u16> = 30000..=32767;

/// The characters kept free behind `<release>-<name>` for a dash and a suffix.
pub const SUFFIX_ROOM: usize = 20;

/// The longest `<release>-<name>`.
pub const OBJECT_NAME: usize = LABEL - SUFFIX_ROOM;

/// The suffixes of a service's objects: beside service `web`, nothing can be named `web-external` or `web-external-…`.
pub const SERVICE_SUFFIXES: &[&str] =
    &["external", "proxy", "redirect", "test-authentication", "test-connection", "test-isolation"];

/// The suffixes of a server's objects: beside server `cache`, nothing can be named `cache-headless` or `cache-headless-…`.
pub const SERVER_SUFFIXES: &[&str] = &[
    "backup",
    "backup-upgrade",
    "configuration",
    "exporter",
    "headless",
    "provision",
    "provisioning",
    "reconcile",
    "scripts",
    "verify",
];

/// Keys of the values that all charts share, which lie beside the servers' names there.
pub const SHARED_KEYS: &[&str] = &["alerts", "metrics", "network", "secrets", "tests", "tracing", "velero"];

/// The names of objects that belong to the whole release.
pub const RELEASE_OBJECTS: &[&str] =
    &["alerts", "connections", "credentials", "credentials-reader", "default", "dns", "tests", "tracing"];

/// Names of objects that belong to the whole release, and prefixes of further ones: nothing can be named `end-to-end-test` or
/// `end-to-end-test-…`.
pub const RELEASE_PREFIXES: &[&str] = &["end-to-end-test", "network-policy-test"];

/// The beginning of the names of init containers that wait for a server. A service's container has the service's name.
pub const WAIT_CONTAINER_PREFIX: &str = "wait-for-";

/// The keys that Helm itself reads in a chart's values.
pub const HELM_KEYS: &[&str] = &["enabled", "exports", "global", "import-values", "tags"];

/// The words that YAML 1.1 reads as a boolean or as null.
pub const YAML_WORDS: &[&str] = &["false", "n", "no", "null", "off", "on", "true", "y", "yes"];

/// Whether `list` has `word`; a constant function, for assertions.
#[must_use]
pub const fn has(list: &[&str], word: &str) -> bool {
    let mut i = 0;
    while i < list.len() {
        if crate::name::same(list[i].as_bytes(), word.as_bytes()) {
            return true;
        }
        i += 1;
    }
    false
}
