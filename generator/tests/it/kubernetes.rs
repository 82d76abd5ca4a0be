//! The supported versions of Kubernetes are those that the proofs run on.

use generator::kubernetes::MINOR_VERSIONS;
use tools::KUBERNETES_VERSIONS;

#[test]
fn every_supported_version_has_pinned_schemas() {
    let prefixes = MINOR_VERSIONS.map(|minor| format!("1.{minor}."));
    let matches = prefixes.zip(KUBERNETES_VERSIONS).all(|(prefix, version)| version.as_str().starts_with(&prefix));
    assert!(
        matches && MINOR_VERSIONS.count() == KUBERNETES_VERSIONS.len(),
        "{MINOR_VERSIONS:?}, {KUBERNETES_VERSIONS:?}"
    );
}
