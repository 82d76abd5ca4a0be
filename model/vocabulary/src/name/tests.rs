//! The rule of each type of name, written a second time with `char`s, and compared with the constructor on random texts and on texts that
//! nearly fit.

use crate::{
    BackingName, ChartVersion, Digest, DnsLabel, EnvironmentName, FixedTag, HostName, HttpPath, MetricName, NameError,
    ObjectName, PathName, PlatformName, PortName, Quantity, Repository, ServiceName, Tag, VariableName,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A test for each type of name: its constructor accepts what the rule accepts.
macro_rules! names {
    ($($test:ident: $name:ident, $rule:ident, [$($example:literal),+];)*) => {
        $(
            #[test]
            fn $test() {
                let checked = |text| $name::checked(text).map($name::as_str);
                $crate::name::tests::compare(&checked, &$rule, &[$($example),+]);
            }
        )*
    };
}

pub(crate) use names;

names! {
    platforms: PlatformName, chart_name, ["shop", "a-platform-of-forty-characters-all-in-al"];
    services: ServiceName, chart_name, ["web", "audit-event-generator", "a2"];
    backing_services: BackingName, chart_name, ["postgresql", "redis-7"];
    environments: EnvironmentName, chart_name, ["dev", "main-eu"];
    versions: ChartVersion, version, ["1.2.3", "0.10.0-rc.1", "1.0.0-a.0.b-c", "999999999.0.0-0a", "1.0.0--a"];
    ports: PortName, port_name, ["http", "http-api", "8080-tcp", "x1234567890abcd"];
    variables: VariableName, variable_name, ["LOG_LEVEL", "_x", "__A1", "camelCase"];
    metrics: MetricName, metric_name, ["orders_total", "_x", "A1", "x"];
    http_paths: HttpPath, http_path, ["/", "/healthz", "/a/b-c_d.e~f"];
    hosts: HostName, host_name, ["www.example.org", "a-1.b", "10.0.0.1x.xn--p1ai"];
    objects: ObjectName, object_name, ["letsencrypt", "a.b-c.1", "0"];
    dns_labels: DnsLabel, dns_label, ["logs", "kube-prometheus-stack", "0-1"];
    repositories: Repository, repository, [
        "postgres", "valkey/valkey", "registry.example.org:5000/a/b", "a__b/c---d", "1.2/3_4", "localhost:1/x"
    ];
    tags: Tag, tag, ["latest", "ph3.6", "_x", "4.3-management"];
    fixed_tags: FixedTag, fixed_tag, ["latest1", "atest", "ph3.6", "4.3-management"];
    digests: Digest, digest, ["sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"];
    quantities: Quantity, quantity, ["1", "0.5", "100m", "128Mi", "123456789Pi", "1234567.89k"];
    paths: PathName, path, ["/tmp", "/var/cache/a.b_c-d", "/.x/y."];
}

#[test]
fn a_tag_that_moves_is_no_fixed_one() {
    assert!(FixedTag::checked("latest").is_err() && Tag::new("latest").moves());
    assert!(FixedTag::checked("latest-1").is_ok() && !Tag::new("latest-1").moves());
}

#[test]
fn reserved_domains_are_placeholders() {
    for host in ["www.example.org", "example.com", "a.b.test", "x.localhost", "shop.example", "a.invalid"] {
        assert!(HostName::new(host).is_placeholder(), "{host}");
    }
    for host in ["example.org.de", "myexample.org", "www.acme.io", "test.acme.io", "latest.cz"] {
        assert!(!HostName::new(host).is_placeholder(), "{host}");
    }
}

/// Compares what a constructor does with what the rule says. Each case is any text, or an example with up to three edits.
pub(crate) fn compare(
    checked: &dyn Fn(&'static str) -> Result<&'static str, NameError>,
    rule: &dyn Fn(&str) -> bool,
    examples: &'static [&'static str],
) {
    for example in examples {
        assert!(checked(example).is_ok(), "{example:?} is an example");
    }
    let config = ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(text in prop_oneof![1 => any::<String>(), 4 => near(examples)])| {
        let text: &'static str = Box::leak(text.into_boxed_str());
        match checked(text) {
            Ok(name) => {
                prop_assert!(rule(text), "{text:?} is taken, against its rule");
                prop_assert_eq!(name, text);
            }
            Err(error) => {
                prop_assert!(!rule(text), "{text:?} is refused, against its rule");
                prop_assert!(!error.rule.is_empty());
            }
        }
    });
}

/// One of the examples, long ones by repetition, with a few characters put in or taken out.
fn near(examples: &'static [&'static str]) -> impl Strategy<Value = String> {
    let signs: Vec<char> = "aZ09-_./:|~*{\\ é\n\0".chars().chain(examples.concat().chars()).collect();
    let edits = vec((any::<Index>(), prop::option::of(select(signs)), any::<bool>()), 0..=3);
    (select(examples), 1..=12_usize, any::<bool>(), edits).prop_map(|(example, times, once, edits)| {
        let mut text: Vec<char> = if once { example.to_owned() } else { example.repeat(times) }.chars().collect();
        for (at, put, take) in edits {
            let at = at.index(text.len() + 1);
            if take && at < text.len() {
                text.remove(at);
            }
            text.extend(put);
            if let Some(last) = text.len().checked_sub(1).filter(|_| put.is_some()) {
                text[at.min(last)..].rotate_right(1);
            }
        }
        text.into_iter().collect()
    })
}

pub(crate) fn lower(c: char) -> bool {
    c.is_ascii_lowercase()
}

pub(crate) fn lower_or_digit(c: char) -> bool {
    lower(c) || c.is_ascii_digit()
}

pub(crate) fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether a text has 1 to `longest` characters, all of them of a kind.
pub(crate) fn all(text: &str, longest: usize, kind: impl Fn(char) -> bool) -> bool {
    (1..=longest).contains(&text.len()) && text.chars().all(kind)
}

fn chart_name(text: &str) -> bool {
    all(text, 40, |c| lower_or_digit(c) || c == '-') && text.starts_with(lower) && !text.ends_with('-')
}

fn port_name(text: &str) -> bool {
    all(text, 15, |c| lower_or_digit(c) || c == '-')
        && text.contains(lower)
        && text.split('-').all(|part| !part.is_empty())
}

fn variable_name(text: &str) -> bool {
    all(text, 128, word) && text.trim_start_matches('_').starts_with(|c: char| c.is_ascii_alphabetic())
}

fn metric_name(text: &str) -> bool {
    all(text, 200, word) && !text.starts_with("__") && !text.starts_with(|c: char| c.is_ascii_digit())
}

fn http_path(text: &str) -> bool {
    text.starts_with('/') && all(text, 128, |c| word(c) || "-./~".contains(c))
}

fn object_name(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && !word.starts_with('-') && !word.ends_with('-');
    all(text, 253, |c| lower_or_digit(c) || c == '-' || c == '.') && text.split('.').all(is_word)
}

fn dns_label(text: &str) -> bool {
    let is_edge_free = !text.starts_with('-') && !text.ends_with('-');
    all(text, 63, |c| lower_or_digit(c) || c == '-') && is_edge_free
}

fn host_name(text: &str) -> bool {
    let words: Vec<&str> = text.split('.').collect();
    object_name(text)
        && words.len() > 1
        && words.iter().all(|word| word.len() <= 63)
        && words.last().is_some_and(|word| word.starts_with(lower))
}

fn version(text: &str) -> bool {
    let (numbers, pre_release) = match text.split_once('-') {
        Some((numbers, pre_release)) => (numbers, Some(pre_release)),
        None => (text, None),
    };
    let numbers: Vec<&str> = numbers.split('.').collect();
    let number = |part: &str| all(part, 9, |c| c.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    let identifier = |part: &str| {
        all(part, 40, |c| c.is_ascii_alphanumeric() || c == '-')
            && !(digits(part) && part.len() > 1 && part.starts_with('0'))
    };
    text.len() <= 40
        && numbers.len() == 3
        && numbers.into_iter().all(number)
        && pre_release.is_none_or(|part| part.split('.').all(identifier) && !part.ends_with('-'))
}

fn repository(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let port = |text: &str| all(text, 5, |c| c.is_ascii_digit());
    let separated = |part: &str| {
        let separators: Vec<&str> = part.split(lower_or_digit).filter(|run| !run.is_empty()).collect();
        let known = |run: &&str| [".", "_", "__"].contains(run) || run.chars().all(|c| c == '-');
        separators.iter().all(known) && part.starts_with(lower_or_digit) && part.ends_with(lower_or_digit)
    };
    let registry = |part: &str| part.split_once(':').map_or(separated(part), |(host, n)| separated(host) && port(n));
    let (first, rest) = parts.split_first().expect("a text has at least one part");
    let first_ok = if rest.is_empty() { separated(first) } else { registry(first) };
    text.len() <= 255 && first_ok && rest.iter().all(|part| separated(part))
}

fn tag(text: &str) -> bool {
    all(text, 128, |c| word(c) || ".-".contains(c)) && text.starts_with(word)
}

fn fixed_tag(text: &str) -> bool {
    tag(text) && text != "latest"
}

fn digest(text: &str) -> bool {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.strip_prefix("sha256:").is_some_and(|rest| rest.len() == 64 && rest.chars().all(hex))
}

fn quantity(text: &str) -> bool {
    let suffixes = ["m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi"];
    let number = suffixes.iter().find_map(|suffix| text.strip_suffix(suffix)).unwrap_or(text);
    let parts: Vec<&str> = number.split('.').collect();
    let digits: usize = parts.iter().map(|part| part.len()).sum();
    parts.len() <= 2 && digits <= 9 && parts.iter().all(|part| all(part, 9, |c| c.is_ascii_digit()))
}

fn path(text: &str) -> bool {
    let parts = || text.split('/').skip(1);
    all(text, 200, |c| word(c) || ".-/".contains(c))
        && text.starts_with('/')
        && parts().all(|part| !part.is_empty() && part != ".")
        && !text.contains("..")
}
