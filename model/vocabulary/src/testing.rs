//! What the tests of all checks share: small declarations without mistakes, and the proof that each help can be followed.

use insta::{Settings, assert_snapshot};

use crate::{
    ChartVersion, Diagnostic, Diagnostics, Health, Image, Platform, PlatformName, Port, Probe, Publication, Resources,
    Service, ServiceName, SourceLocation, Tests, cpu, memory,
};

/// A platform with one mistake, and what becomes of it when a maintainer follows the help.
pub(crate) struct Fix {
    code: &'static str,
    before: Platform,
    after: Vec<Platform>,
}

/// A platform with the mistake `code`, and one platform for each way in which the help says to fix it.
pub(crate) fn fix(code: &'static str, before: Platform, after: impl Into<Vec<Platform>>) -> Fix {
    Fix { code, before, after: after.into() }
}

/// Asserts that each platform `before` has its mistake once and no other, that each platform `after` has none, and that every code of a module
/// is among them. The messages are a snapshot.
pub(crate) fn check(snapshot: &str, codes: &[&str], fixes: Vec<Fix>) {
    let mut reported = Vec::new();
    for Fix { code, before, after } in fixes {
        let diagnostics = diagnostics(before);
        assert!(
            matches!(diagnostics.as_slice(), [diagnostic] if diagnostic.code() == code),
            "{code} once and nothing else was expected, but {diagnostics}"
        );
        assert!(!after.is_empty(), "{code} has no fix");
        for (i, platform) in after.into_iter().enumerate() {
            let left = platform.resolve().err();
            assert!(
                left.is_none(),
                "fix {} of {code} does not help: {}",
                i + 1,
                left.map_or(String::new(), |d| d.to_string())
            );
        }
        reported.extend(diagnostics.as_slice().iter().cloned());
    }
    let missing: Vec<_> = codes.iter().filter(|code| !reported.iter().any(|d| d.code() == **code)).collect();
    assert!(missing.is_empty(), "no platform here has {missing:?}");
    let unknown: Vec<_> = reported.iter().map(Diagnostic::code).filter(|code| !codes.contains(code)).collect();
    assert!(unknown.is_empty(), "{unknown:?} belong to another module");
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots/diagnostics");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| assert_snapshot!(snapshot, with_source(&Diagnostics::new(reported).to_string())));
}

/// The diagnostics of a platform that has mistakes.
pub(crate) fn diagnostics(platform: Platform) -> Diagnostics {
    platform.resolve().expect_err("this platform has a mistake")
}

/// A report with the line of source that each location leads to in place of its number, which changes with every edit.
fn with_source(report: &str) -> String {
    let shown = report.lines().map(|line| match line.rsplit_once(".rs:") {
        Some((before, number)) => {
            let (_, path) = before.rsplit_once(' ').expect("a location follows its role");
            let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
            let file = std::fs::read_to_string(format!("{root}/{path}.rs")).expect("a location is in the workspace");
            let number: usize = number.parse().expect("a location ends with a line number");
            let source = file.lines().nth(number - 1).expect("a location is within its file").trim();
            format!("{before}.rs:LINE  | {source}")
        }
        None => line.to_owned(),
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// A list as a declaration has it, from values of a test.
pub(crate) fn list<T>(items: impl Into<Vec<T>>) -> &'static [T] {
    items.into().leak()
}

pub(crate) const HTTP: Port = Port::http("http", 8080);

/// A service without mistakes.
#[track_caller]
pub(crate) const fn service(name: &'static str) -> Service {
    let health = Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP));
    let resources = Resources::new(cpu("100m").up_to("200m"), memory("64Mi").up_to("128Mi"));
    let image = Image::new("example/program", "1");
    Service { ports: &[HTTP], ..Service::new(ServiceName::new(name), "Does its work.", image, health, resources) }
}

/// A platform of these services, without other mistakes.
#[track_caller]
pub(crate) fn platform(services: impl Into<Vec<Service>>) -> Platform {
    Platform {
        name: PlatformName::new("shop-platform"),
        doc: "A shop",
        version: ChartVersion::new("1.0.0"),
        home: "https://example.org",
        publication: Publication::new(),
        longest_release_name: 20,
        services: services.into(),
        backing: Vec::new(),
        environments: Vec::new(),
        tests: Tests::DEFAULT,
        published_passwords: &[],
        earlier_versions: &[],
        location: SourceLocation::here(),
    }
}
