//! Names: one type per kind of name, each with the rule of the system that imposes it.
//!
//! `new` takes a literal; in a `const`, a literal that breaks the rule does not compile (`const X: ServiceName = ServiceName::new("x")`). `checked` takes a
//! text that is known at run time only.

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;

use crate::limits::NAME;

/// A text breaks the rule of its kind of name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameError {
    /// The rule, as a sentence.
    pub rule: &'static str,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule)
    }
}

impl std::error::Error for NameError {}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $rule:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(&'static str);

        impl $name {
            #[doc = concat!("Checks a literal. The rule: ", $rule, ".")]
            ///
            /// # Panics
            /// When the text breaks the rule; in a `const` this is a compile error.
            #[must_use]
            #[track_caller]
            pub const fn new(text: &'static str) -> Self {
                match Self::checked(text) {
                    Ok(name) => name,
                    Err(_) => panic!($rule),
                }
            }

            /// Checks a text that is known at run time only.
            ///
            /// # Errors
            /// When the text breaks the rule.
            pub const fn checked(text: &'static str) -> Result<Self, NameError> {
                if $check(text.as_bytes()) { Ok(Self(text)) } else { Err(NameError { rule: $rule }) }
            }

            /// The name as text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.0)
            }
        }
    };
}

name! {
    /// The name of a platform, which is the name of the umbrella chart and the prefix of its helpers and labels.
    PlatformName, "a platform's name is 1 to 40 of a-z, 0-9 and -, beginning with a letter, not ending with -", chart_name
}
name! {
    /// The name of a service, which is the name of its chart, its key in the values, and part of its objects' names.
    ///
    /// The rule is that of a Kubernetes Service (an RFC 1035 label). [`crate::limits`] bounds the length together with the release's name.
    ServiceName, "a service's name is 1 to 40 of a-z, 0-9 and -, beginning with a letter, not ending with -", chart_name
}
name! {
    /// The name of a server (a broker, a database server, a cache), with the rule of [`ServiceName`].
    BackingName, "a server's name is 1 to 40 of a-z, 0-9 and -, beginning with a letter, not ending with -", chart_name
}
name! {
    /// The name of an environment, which is part of the name of its values file.
    EnvironmentName, "an environment's name is 1 to 40 of a-z, 0-9 and -, beginning with a letter, not ending with -", chart_name
}
name! {
    /// The version of a chart: Semantic Versioning 2, without build metadata, because `+` is not allowed in a label.
    ChartVersion, "a chart's version is up to 40 characters: three numbers of up to nine digits joined by dots, then optionally - and a pre-release part (words of A-Z, a-z, 0-9 and - joined by dots, numbers without leading zeros, the last character not a -)", version
}
name! {
    /// The name of a port (in Kubernetes, an IANA service name).
    PortName, "a port's name is 1 to 15 of a-z, 0-9 and single -, with at least one letter, - neither first nor last", port_name
}
name! {
    /// The name of an environment variable: a C identifier, which every shell can read.
    VariableName, "a variable's name is 1 to 128 of A-Z, a-z, 0-9 and _, the first that is not _ being a letter", identifier
}
name! {
    /// The name of a metric, or of a label of one. Prometheus also allows colons, which it keeps for recording rules, and reserves labels that begin with `__`.
    MetricName, "the name of a metric or a label is 1 to 200 of A-Z, a-z, 0-9 and _, the first neither a digit nor one of two _", metric_name
}
name! {
    /// The path of an HTTP route.
    HttpPath, "an HTTP path begins with / and has 1 to 128 of the characters that need no escaping in one", http_path
}

name! {
    /// The name of a host that users enter in a browser.
    HostName, "a host is a DNS name of up to 253 characters: two or more words of 1 to 63 of a-z, 0-9 and -, joined by dots, no word beginning or ending with -, the last word beginning with a letter", host_name
}
name! {
    /// The name of an object of the cluster that the chart refers to, such as a Secret or an ingress class: a DNS subdomain.
    ObjectName, "the name of an object is up to 253 characters: words of a-z, 0-9 and -, joined by dots, no word beginning or ending with -", object_name
}

name! {
    /// A DNS label: the name of a namespace, of a Service, or of another release.
    DnsLabel, "a DNS label is 1 to 63 of a-z, 0-9 and -, not beginning or ending with -", dns_label
}

impl HostName {
    /// Whether nobody can own this name: RFC 2606 reserves it for examples and tests.
    #[must_use]
    pub fn is_placeholder(self) -> bool {
        const DOMAINS: [&str; 7] =
            ["example", "example.com", "example.net", "example.org", "invalid", "localhost", "test"];
        DOMAINS
            .iter()
            .any(|domain| self.0.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    }
}

impl VariableName {
    /// The name in camelCase, which is its key in the values: `LOG_LEVEL` becomes `logLevel`.
    #[must_use]
    pub fn camel_case(self) -> String {
        let mut words = self.0.split('_').filter(|word| !word.is_empty()).map(str::to_ascii_lowercase);
        let mut key = words.next().unwrap_or_default();
        for word in words {
            key.extend(word.chars().take(1).map(|c| c.to_ascii_uppercase()));
            key.push_str(&word[1..]);
        }
        key
    }
}

pub(crate) const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const DIGIT: &[u8] = b"0123456789";
const LABEL: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-";
const WORD: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
const URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./~";

const fn chart_name(text: &[u8]) -> bool {
    sized(text, NAME) && only(text, LABEL) && has(LOWER, text[0]) && text[text.len() - 1] != b'-'
}

const fn metric_name(text: &[u8]) -> bool {
    sized(text, 200)
        && only(text, WORD)
        && !has(DIGIT, text[0])
        && !(text.len() > 1 && text[0] == b'_' && text[1] == b'_')
}

const fn port_name(text: &[u8]) -> bool {
    sized(text, 15)
        && only(text, LABEL)
        && any(text, LOWER)
        && text[0] != b'-'
        && text[text.len() - 1] != b'-'
        && !contains(text, b"--")
}

const fn identifier(text: &[u8]) -> bool {
    // The first word begins the camelCase key in the values, which templates refer to: it begins with a letter.
    let mut i = 0;
    while i < text.len() && text[i] == b'_' {
        i += 1;
    }
    sized(text, 128) && only(text, WORD) && i < text.len() && text[i].is_ascii_alphabetic()
}

const fn http_path(text: &[u8]) -> bool {
    sized(text, 128) && text[0] == b'/' && only(text, URL)
}

const fn host_name(text: &[u8]) -> bool {
    let mut start = 0;
    let mut i = 0;
    while i < text.len() {
        if text[i] == b'.' {
            if i - start > 63 {
                return false;
            }
            start = i + 1;
        }
        i += 1;
    }
    // An IP address ends with a number.
    object_name(text) && start > 0 && text.len() - start <= 63 && has(LOWER, text[start])
}

const fn object_name(text: &[u8]) -> bool {
    let mut i = 0;
    while i < text.len() {
        let is_edge = i == 0 || i + 1 == text.len() || text[i - 1] == b'.' || text[i + 1] == b'.';
        if !has(LABEL, text[i]) && (text[i] != b'.' || is_edge) || text[i] == b'-' && is_edge {
            return false;
        }
        i += 1;
    }
    sized(text, 253)
}

const fn dns_label(text: &[u8]) -> bool {
    sized(text, 63) && only(text, LABEL) && text[0] != b'-' && text[text.len() - 1] != b'-'
}

const fn version(text: &[u8]) -> bool {
    // Three runs of digits without a leading zero, then the end or a pre-release part.
    let mut i = 0;
    let mut part = 0;
    while part < 3 {
        let start = i;
        while i < text.len() && has(DIGIT, text[i]) {
            i += 1;
        }
        if i == start || i - start > 9 || (text[start] == b'0' && i > start + 1) {
            return false;
        }
        part += 1;
        if part < 3 {
            if i >= text.len() || text[i] != b'.' {
                return false;
            }
            i += 1;
        }
    }
    sized(text, 40) && (i == text.len() || (text[i] == b'-' && pre_release(text, i + 1)))
}

/// Whether the rest is words joined by dots, where a number has no leading zero. It does not end with a dash, because a label ends with it.
const fn pre_release(text: &[u8], from: usize) -> bool {
    let mut start = from;
    let mut digits = true;
    let mut i = from;
    while i <= text.len() {
        if i == text.len() || text[i] == b'.' {
            if i == start || (digits && text[start] == b'0' && i > start + 1) {
                return false;
            }
            start = i + 1;
            digits = true;
        } else if !has(LABEL, text[i].to_ascii_lowercase()) {
            return false;
        } else if !has(DIGIT, text[i]) {
            digits = false;
        }
        i += 1;
    }
    text[text.len() - 1] != b'-'
}

pub(crate) const fn sized(text: &[u8], longest: usize) -> bool {
    !text.is_empty() && text.len() <= longest
}

pub(crate) const fn has(set: &[u8], byte: u8) -> bool {
    let mut i = 0;
    while i < set.len() {
        if set[i] == byte {
            return true;
        }
        i += 1;
    }
    false
}

pub(crate) const fn only(text: &[u8], set: &[u8]) -> bool {
    let mut i = 0;
    while i < text.len() {
        if !has(set, text[i]) {
            return false;
        }
        i += 1;
    }
    true
}

const fn any(text: &[u8], set: &[u8]) -> bool {
    let mut i = 0;
    while i < text.len() {
        if has(set, text[i]) {
            return true;
        }
        i += 1;
    }
    false
}

const fn matches_at(text: &[u8], part: &[u8], at: usize) -> bool {
    if at + part.len() > text.len() {
        return false;
    }
    let mut i = 0;
    while i < part.len() {
        if text[at + i] != part[i] {
            return false;
        }
        i += 1;
    }
    true
}

pub(crate) const fn starts_with(text: &[u8], part: &[u8]) -> bool {
    matches_at(text, part, 0)
}

pub(crate) const fn same(text: &[u8], other: &[u8]) -> bool {
    text.len() == other.len() && starts_with(text, other)
}

pub(crate) const fn contains(text: &[u8], part: &[u8]) -> bool {
    let mut i = 0;
    while i < text.len() {
        if matches_at(text, part, i) {
            return true;
        }
        i += 1;
    }
    false
}

pub(crate) use name;
