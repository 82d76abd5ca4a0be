//! CPU and memory of a pod, and the folders that it writes to.

use std::fmt;

use crate::SourceLocation;
use crate::name::{NameError, has, name, sized};

/// Requests and limits of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// CPU, in cores or thousandths of a core (`100m`).
    pub cpu: Range,
    /// Memory, in bytes or with a suffix (`128Mi`).
    pub memory: Range,
}

impl Resources {
    /// CPU and memory.
    #[must_use]
    pub const fn new(cpu: Range, memory: Range) -> Self {
        Self { cpu, memory }
    }
}

/// A request, and an optional limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The amount that the scheduler reserves.
    pub request: Quantity,
    /// The largest amount that the container may use.
    pub limit: Option<Quantity>,
}

impl Range {
    /// Adds a limit.
    ///
    /// # Panics
    /// When the text is not a quantity; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn up_to(self, limit: &'static str) -> Self {
        Self { limit: Some(Quantity::new(limit)), ..self }
    }
}

/// A request of CPU, in cores (`1`, `0.5`) or thousandths of a core (`100m`).
///
/// # Panics
/// When the text is not a quantity; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn cpu(request: &'static str) -> Range {
    Range { request: Quantity::new(request), limit: None }
}

/// A request of memory, in bytes or with a suffix (`128Mi`).
///
/// # Panics
/// When the text is not a quantity; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn memory(request: &'static str) -> Range {
    Range { request: Quantity::new(request), limit: None }
}

name! {
    /// An amount in the notation of Kubernetes: a decimal number with an optional suffix.
    Quantity, "a quantity is a number of up to nine digits, with at most one point between them, and an optional suffix m, k, M, G, T, P, Ki, Mi, Gi, Ti or Pi", quantity
}

impl Quantity {
    /// The suffix, such as `Mi`; empty when there is none.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        self.as_str().trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
    }

    /// The amount in thousandths of the unit, for comparison.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the constructor accepts only text that parses")]
    pub fn thousandths(self) -> u128 {
        let suffix = self.suffix();
        let number = &self.as_str()[..self.as_str().len() - suffix.len()];
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let factor: u128 = match suffix {
            "m" => 1,
            "k" => 1_000 * 1_000,
            "M" => 1_000 * 1_000_000,
            "G" => 1_000 * 1_000_000_000,
            "T" => 1_000 * 1_000_000_000_000,
            "P" => 1_000 * 1_000_000_000_000_000,
            "Ki" => 1_000 << 10,
            "Mi" => 1_000 << 20,
            "Gi" => 1_000 << 30,
            "Ti" => 1_000 << 40,
            "Pi" => 1_000 << 50,
            _ => 1_000,
        };
        let digits: u128 =
            format!("{whole}{fraction}").parse().expect("the constructor accepts only digits and a point");
        digits * factor / 10_u128.pow(u32::try_from(fraction.len()).expect("a quantity has at most nine digits"))
    }
}

const fn quantity(text: &[u8]) -> bool {
    let mut i = 0;
    let mut points = 0;
    while i < text.len() && (text[i].is_ascii_digit() || text[i] == b'.') {
        if text[i] == b'.' {
            points += 1;
        }
        i += 1;
    }
    let number_ok = i > 0 && i - points <= 9 && points <= 1 && text[0] != b'.' && text[i - 1] != b'.';
    let suffix_ok = match text.len() - i {
        0 => true,
        1 => has(b"mkMGTP", text[i]),
        2 => has(b"KMGTP", text[i]) && text[i + 1] == b'i',
        _ => false,
    };
    number_ok && suffix_ok && sized(text, 12)
}

/// A folder that a program writes to. The rest of a container's file system is read-only.
#[derive(Clone, Copy, Debug)]
pub struct WritablePath {
    /// The absolute path of the folder.
    pub path: PathName,
    /// The most that it may hold. Its content is lost with the pod.
    pub size: Quantity,
    /// Where it is declared.
    pub location: SourceLocation,
}

impl WritablePath {
    /// A folder, and the most that it may hold.
    ///
    /// # Panics
    /// When one of them breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(path: &'static str, size: &'static str) -> Self {
        Self { path: PathName::new(path), size: Quantity::new(size), location: SourceLocation::here() }
    }

    /// The name of its volume, derived from the path. In a resolved platform it is a valid DNS label, and unique within the service.
    #[must_use]
    pub fn volume(&self) -> String {
        let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        self.path.as_str().chars().map(letter).collect::<String>().trim_matches('-').to_owned()
    }
}

name! {
    /// An absolute path inside a container.
    PathName, "a path in a container begins with /, is not / itself, does not end with / and has 2 to 200 of A-Z, a-z, 0-9, ., _, - and /, without `..`, `//` and a part that is `.` alone", path
}

const PATH: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";

const fn path(text: &[u8]) -> bool {
    sized(text, 200)
        && text.len() > 1
        && text[0] == b'/'
        && text[text.len() - 1] != b'/'
        && crate::name::only(text, PATH)
        && !crate::name::contains(text, b"..")
        && !crate::name::contains(text, b"//")
        && !crate::name::contains(text, b"/./")
        && !(text[text.len() - 1] == b'.' && text[text.len() - 2] == b'/')
}
