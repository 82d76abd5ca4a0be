//! The declaration has no mistake.

#[test]
fn the_platform_has_no_mistake() {
    let report = auditflow::platform().resolve().map_or_else(|diagnostics| diagnostics.to_string(), |_| String::new());
    assert!(report.is_empty(), "{report}");
}
