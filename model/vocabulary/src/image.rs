//! Container images.

use std::fmt;

use crate::name::{NameError, has, name, only, same, sized, starts_with};

/// A container image: the default, which the installer's values may override.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    /// Registry and path; without a registry, Docker Hub.
    pub repository: Repository,
    /// The tag. It is pulled unless there is a digest.
    pub tag: DefaultTag,
    /// The digest, if the image is pinned; it takes precedence over the tag.
    pub digest: Option<Digest>,
}

impl Image {
    /// An image with a tag.
    ///
    /// # Panics
    /// When one of them breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(repository: &'static str, tag: &'static str) -> Self {
        Self { repository: Repository::new(repository), tag: DefaultTag::Fixed(FixedTag::new(tag)), digest: None }
    }

    /// An image without a default tag; `reason` says why. The installer must set a tag or digest.
    ///
    /// # Panics
    /// When the repository breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn without_tag(repository: &'static str, reason: &'static str) -> Self {
        Self { repository: Repository::new(repository), tag: DefaultTag::Absent(reason), digest: None }
    }

    /// Pins the image to a digest.
    ///
    /// # Panics
    /// When the text is not a digest; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn digest(self, digest: &'static str) -> Self {
        Self { digest: Some(Digest::new(digest)), ..self }
    }

    /// Why the installer must set a tag or digest; none when the declaration has one.
    #[must_use]
    pub const fn missing_tag_reason(&self) -> Option<&'static str> {
        match (self.tag, self.digest) {
            (DefaultTag::Absent(reason), None) => Some(reason),
            (DefaultTag::Fixed(_), _) | (_, Some(_)) => None,
        }
    }
}

/// The tag of an image when the installer sets none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultTag {
    /// A tag that names a version.
    Fixed(FixedTag),
    /// No tag, for this reason.
    Absent(&'static str),
}

name! {
    /// An image's repository (OCI distribution specification): an optional registry and a path, in lower case.
    Repository, "an image's repository is 1 to 255 characters: parts joined by /, each of a-z and 0-9 with single ., single or double _, or dashes between them; the first of several parts, a registry, may end with : and a port's number", repository
}
name! {
    /// An image's tag (OCI distribution specification).
    Tag, "a tag is 1 to 128 of A-Z, a-z, 0-9, _, . and -, not beginning with . or -", tag
}
name! {
    /// A tag that names a version: any except `latest`, which is another version tomorrow.
    FixedTag, "a default tag is 1 to 128 of A-Z, a-z, 0-9, _, . and -, not beginning with . or -, and not `latest`, which is another build tomorrow; when no other is known, use `Image::without_tag`, and `image_tag` in test environments", fixed_tag
}
name! {
    /// An image's digest (OCI image specification): SHA-256, which all registries use.
    Digest, "a digest is `sha256:` and 64 of 0-9 and a-f", digest
}

name! {
    /// The version of a server, with as many numbers as decide whether a volume's data fits: a major version (`18`), or a major and a minor one (`4.3`).
    ServerVersion, "a server's version is one or two numbers of up to three digits without leading zeros, joined by `.`", server_version
}

impl ServerVersion {
    /// The numbers.
    pub(crate) fn numbers(self) -> Vec<u16> {
        self.0.split('.').filter_map(|number| number.parse().ok()).collect()
    }

    /// Whether an image with this tag can be of this version. A tag that does not begin with a version, such as a commit's, shows none.
    pub(crate) fn fits(self, tag: FixedTag) -> bool {
        self.fits_text(tag.as_str())
    }

    /// Whether an image with this tag can be of this version, for a tag that a registry has.
    #[must_use]
    pub fn fits_text(self, text: &str) -> bool {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        // PostgreSQL names its pre-releases `19beta1` and `19rc1`.
        let rest = &text[end..];
        let pre_release = ["alpha", "beta", "rc"].into_iter().find_map(|stage| rest.strip_prefix(stage));
        let rest = pre_release.map_or(rest, |number| number.trim_start_matches(|c: char| c.is_ascii_digit()));
        let is_version = rest.chars().next().is_none_or(|c| "-_".contains(c));
        let shown = text[..end].split('.').take_while(|number| !number.is_empty());
        !is_version || shown.zip(self.0.split('.')).all(|(shown, own)| shown == own)
    }
}

impl Tag {
    /// Whether it moves from build to build by convention: `latest`.
    #[must_use]
    pub const fn moves(self) -> bool {
        moves(self.0.as_bytes())
    }
}

const TAG: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

const fn repository(text: &[u8]) -> bool {
    if !sized(text, 255) {
        return false;
    }
    let mut start = 0;
    let mut i = 0;
    while i <= text.len() {
        if i == text.len() || text[i] == b'/' {
            // A colon anywhere else would begin a tag.
            let end = if start == 0 && i < text.len() { before_port(text, i) } else { i };
            if !words(text, start, end) {
                return false;
            }
            start = i + 1;
        }
        i += 1;
    }
    true
}

/// The position where a `:` and a port number begin that end at `end`; otherwise `end`.
const fn before_port(text: &[u8], end: usize) -> usize {
    let mut i = end;
    while i > 0 && text[i - 1].is_ascii_digit() {
        i -= 1;
    }
    if i > 0 && text[i - 1] == b':' && i < end && end - i <= 5 { i - 1 } else { end }
}

/// Whether a part is letters and digits with separators between them.
const fn words(text: &[u8], start: usize, end: usize) -> bool {
    if start >= end || !letter_or_digit(text[start]) || !letter_or_digit(text[end - 1]) {
        return false;
    }
    let mut i = start;
    while i < end {
        let run = i;
        while i < end && !letter_or_digit(text[i]) {
            if !has(b"._-", text[i]) || text[i] != text[run] {
                return false;
            }
            i += 1;
        }
        let longest = match text[run] {
            b'.' => 1,
            b'_' => 2,
            _ => usize::MAX,
        };
        if i - run > longest {
            return false;
        }
        i += 1;
    }
    true
}

const fn letter_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

const fn tag(text: &[u8]) -> bool {
    sized(text, 128) && only(text, TAG) && !has(b".-", text[0])
}

const fn fixed_tag(text: &[u8]) -> bool {
    tag(text) && !moves(text)
}

const fn moves(tag: &[u8]) -> bool {
    same(tag, b"latest")
}

const fn server_version(text: &[u8]) -> bool {
    let mut dots = 0;
    let mut start = 0;
    let mut i = 0;
    while i <= text.len() {
        if i == text.len() || text[i] == b'.' {
            let digits = i - start;
            if digits == 0 || digits > 3 || (digits > 1 && text[start] == b'0') {
                return false;
            }
            dots += if i < text.len() { 1 } else { 0 };
            start = i + 1;
        } else if !text[i].is_ascii_digit() {
            return false;
        }
        i += 1;
    }
    dots <= 1
}

const fn digest(text: &[u8]) -> bool {
    let (prefix, hex) = if text.len() == 71 { text.split_at(7) } else { return false };
    starts_with(prefix, b"sha256:") && only(hex, b"0123456789abcdef")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_fits_a_version_when_it_shows_no_other() {
        let fits = |version, tag| ServerVersion::new(version).fits(FixedTag::new(tag));
        for tag in
            ["18", "18.6", "18-trixie", "v18.6", "main-3f2a9c1", "stable", "0123456789abcdef", "17a9c1", "17beef"]
        {
            assert!(fits("18", tag), "{tag}");
        }
        for tag in ["17", "17_1", "19", "19beta1", "17rc1-trixie", "1.18", "180", "2026-11-27", "v9"] {
            assert!(!fits("18", tag), "{tag}");
        }
        assert!(fits("4.3", "4-management") && fits("4.3", "4.3.6-management"));
        assert!(!fits("4.3", "4.2-management") && !fits("4.3", "4.30") && !fits("4.3", "3.13"));
    }

    #[test]
    fn a_version_is_one_or_two_numbers() {
        for text in ["9", "18", "4.3", "4.0"] {
            assert!(ServerVersion::checked(text).is_ok(), "{text}");
        }
        for text in ["", ".", "18.", "018", "4.3.6", "v4", "latest", "2026"] {
            assert!(ServerVersion::checked(text).is_err(), "{text}");
        }
    }
}
