//! What the maintainer reads who made a mistake: platforms with mistakes, and their reports as snapshots.

use insta::{Settings, assert_snapshot};
use vocabulary::{
    AmqpEnv, Backing, CacheEnv, CacheLogin, ChartVersion, Diagnostic, Health, Image, Platform, PlatformName, Port,
    Probe, Resources, Service, ServiceName, SourceLocation, SqlEnv, Tests, Variable, cpu, memory, plain, variable,
};

/// One module, one platform, one report.
macro_rules! reports {
    ($($name:ident)*) => {
        $(
            mod $name;

            #[test]
            fn $name() {
                check(stringify!($name), $name::platform());
            }
        )*

        const PLATFORMS: &[fn() -> Platform] = &[$($name::platform),*];
    };
}

reports! { amounts api backing empty environments health end_to_end names ports queues shop texts variables }

/// All variants by name: one that is missing here does not compile.
macro_rules! variants {
    ($($name:ident)*) => {
        const VARIANTS: &[&str] = &[$(stringify!($name)),*];

        fn variant(diagnostic: &Diagnostic) -> &'static str {
            match diagnostic {
                $(Diagnostic::$name { .. } => stringify!($name),)*
            }
        }
    };
}

variants! {
    NoService ListedTwice ChartTwice NameReserved NameTaken NameTooLong ReleaseNameLength
    PortTwice PortNameTwice PortNumberTwice PortZero PortNotListed PortNotHttp
    LivenessFollowsDependency RouteFollowsStranger LossUnseen NothingToWatch RunsAsRoot UserTooLarge ScalingRefused
    VariableTwice VariableReserved KeyTwice SettingRefuses SettingAllowsNothing IntegerTooWide OptionTwice LibpqElsewhere
    LimitBelowRequest AmountZero AmountFraction AmountOfBytes ResourcesSwapped
    FolderTwice FolderReserved VolumeTwice VolumeRefused
    ApiRuleEmpty ApiRuleTooWide ApiWordUnknown ApiVerbNarrowed
    CallsItself CalledTwice CalledForMetrics ServiceNotListed
    BackingNotListed BackingUnused ClientTwice ClientIdle ForeignHandle CommandRefused
    QueueNeverConsumed QueueNeverFilled QueueUseTwice QueueOfDeadLetters QueueIsExchange DeclaredTwice
    DatabaseOwnedTwice AnonymousTwice
    JourneyUnmarked JourneyDeletesNothing JourneyForgetsNowhere
    EnvironmentTwice ChangedTwice NothingToChange ChangeRefused ReplicasUnused TagUnused NodePortTwice
    TextRefused ValueRefused
}

#[test]
fn every_mistake_is_made_somewhere() {
    let made: Vec<Diagnostic> = PLATFORMS.iter().flat_map(|platform| diagnostics(platform())).collect();
    let missing: Vec<_> = VARIANTS.iter().filter(|name| !made.iter().any(|m| variant(m) == **name)).collect();
    assert!(missing.is_empty(), "no platform here has {missing:?}");
}

#[test]
fn one_platform_has_at_least_fifteen_different_mistakes() {
    let mut different: Vec<_> = diagnostics(shop::platform()).iter().map(variant).collect();
    different.sort_unstable();
    different.dedup();
    assert!(different.len() >= 15, "only {different:?}");
}

#[test]
fn what_all_of_them_are_made_from_has_no_mistake() {
    assert!(Platform { services: vec![service("web")], ..platform() }.resolve().is_ok());
}

#[test]
fn names_may_be_as_long_as_the_help_says() {
    let of = |name| Platform { services: vec![service(name)], longest_release_name: 20, ..platform() }.resolve();
    assert!(of("abcdefghijklmnopqrstuv").is_ok());
    assert!(of("abcdefghijklmnopqrstuvw").is_err());
}

#[test]
fn values_may_be_as_long_as_linux_takes_them() {
    let of = |length| {
        let value: &'static str = "x".repeat(length).leak();
        let environment: &'static [Variable] = vec![Variable::fixed("A", value)].leak();
        Platform { services: vec![Service { environment, ..service("web") }], ..platform() }.resolve()
    };
    let longest = 128 * 1024 - "A=\0".len();
    assert!(of(longest).is_ok());
    assert!(of(longest + 1).is_err());
}

fn diagnostics(platform: Platform) -> Vec<Diagnostic> {
    platform.resolve().expect_err("a platform of this folder has mistakes").as_slice().to_vec()
}

fn check(name: &str, platform: Platform) {
    let report = platform.resolve().expect_err("a platform of this folder has mistakes").to_string();
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("../../../../../snapshots/diagnostics");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| assert_snapshot!(name, with_source(&report)));
}

/// The report with the source that each place leads to in place of the line's number, which changes with every edit.
fn with_source(report: &str) -> String {
    let shown = report.lines().map(|line| match line.rsplit_once(".rs:") {
        Some((before, number)) => {
            let (_, path) = before.rsplit_once(' ').expect("a place stands behind its role");
            let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
            let file =
                std::fs::read_to_string(format!("{root}/{path}.rs")).expect("a place is in a file of the workspace");
            let number: usize = number.parse().expect("a place ends with the number of a line");
            let source = file.lines().nth(number - 1).expect("a place is within its file").trim();
            format!("{before}.rs:LINE  | {source}")
        }
        None => line.to_owned(),
    });
    shown.collect::<Vec<_>>().join("\n")
}

const HTTP: Port = Port::http("http", 8080);

/// A service without mistakes.
#[track_caller]
const fn service(name: &'static str) -> Service {
    let health = Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP));
    let resources = Resources::new(cpu("100m").up_to("200m"), memory("64Mi").up_to("128Mi"));
    let image = Image::new("example/program", "1");
    Service { ports: &[HTTP], ..Service::new(ServiceName::new(name), "Does its work.", image, health, resources) }
}

/// A platform without mistakes, but for its services, of which it has none.
#[track_caller]
fn platform() -> Platform {
    Platform {
        name: PlatformName::new("shop-platform"),
        doc: "A shop",
        version: ChartVersion::new("1.0.0"),
        home: "https://example.org",
        longest_release_name: 20,
        services: Vec::new(),
        backing: Vec::<Backing>::new(),
        environments: Vec::new(),
        tests: Tests::DEFAULT,
        location: SourceLocation::here(),
    }
}

const fn amqp_env() -> AmqpEnv {
    AmqpEnv {
        host: variable("AMQP_HOST"),
        port: variable("AMQP_PORT"),
        user: variable("AMQP_USER"),
        password: plain("AMQP_PASSWORD"),
    }
}

const fn sql_env() -> SqlEnv {
    SqlEnv {
        host: variable("SQL_HOST"),
        port: variable("SQL_PORT"),
        user: variable("SQL_USER"),
        password: plain("SQL_PASSWORD"),
    }
}

const fn cache_env(login: CacheLogin) -> CacheEnv {
    CacheEnv { host: variable("CACHE_HOST"), port: variable("CACHE_PORT"), login }
}
