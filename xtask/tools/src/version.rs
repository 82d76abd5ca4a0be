//! Versions of released programs, for comparison.

/// Major, minor and patch of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u64, pub(crate) u64, pub(crate) u64);

impl Version {
    /// Parses versions such as `v3.22.0`, with or without the `v` and with or without build metadata (`+g1a2b3c`).
    ///
    /// Rejects pre-releases and versions without a patch number: a Helm that prints `v3.22` was built without the linker flags
    /// of a release and assumes Kubernetes 1.20.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('v').unwrap_or(text);
        let release = text.split_once('+').map_or(text, |(release, _)| release);
        let mut parts = release.split('.').map(|part| part.parse::<u64>().ok());
        let version = Self(parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(version)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn reads_releases_and_nothing_else() {
        assert_eq!(Version::parse("v3.22.0\n"), Some(Version(3, 22, 0)));
        assert_eq!(Version::parse("4.3.1+g0123abc"), Some(Version(4, 3, 1)));
        for text in ["", "v3.22", "development", "v4.0.0-rc.1", "v3.22.0.1", "v3.x.0"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn compares_numbers_and_not_text() {
        assert!(Version(3, 18, 5) < Version(3, 18, 10));
        assert!(Version(3, 9, 9) < Version(3, 18, 5));
    }
}
