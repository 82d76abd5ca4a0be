//! Ten small, odd platforms. Each has little of what a platform can have, or one thing to excess: whatever the generator and `verify` take for
//! granted shows on one of them.

mod bounds;
mod quoting;
mod servers;
mod services;

use vocabulary::{Backing, ChartVersion, Platform, PlatformName, Publication, Service, SourceLocation, Tests};

/// One of the platforms.
#[derive(Clone, Copy, Debug)]
pub struct OddPlatform {
    /// Its name, which is also its platform's, as far as that is not odd itself.
    pub name: &'static str,
    /// What is odd about it, as a phrase.
    pub oddity: &'static str,
    /// Its declaration, which `resolve` accepts.
    pub declaration: fn() -> Platform,
}

/// All of them.
pub const ALL: &[OddPlatform] = &[
    odd("alone", "one service, with neither uses nor credentials", services::alone),
    odd("chain", "three services, each of which calls the next", services::chain),
    odd("exchange", "a broker with an exchange, and a consumer without a port", servers::exchange),
    odd("anonymous", "a cache, and a client that cannot log in", servers::anonymous),
    odd("databases", "two database servers", servers::databases),
    odd("exposed", "two exposed services, and no environment", services::exposed),
    odd("brief", "release names of at most two characters", bounds::brief),
    odd("longest", "each name as long as its rule allows", bounds::longest),
    odd("keeper", "rights at the Kubernetes API and secrets, but no server", services::keeper),
    odd("quoting", "texts that need quotes, metrics ports, several clients that never reconnect", quoting::platform),
];

const fn odd(name: &'static str, oddity: &'static str, declaration: fn() -> Platform) -> OddPlatform {
    OddPlatform { name, oddity, declaration }
}

/// A platform without environments and without an end-to-end test.
#[track_caller]
fn plain_platform(name: &'static str, services: Vec<Service>, backing: Vec<Backing>) -> Platform {
    Platform {
        name: PlatformName::new(name),
        doc: "Shows an odd case",
        version: ChartVersion::new("0.0.1"),
        home: "https://example.org",
        publication: Publication::new(),
        longest_release_name: 20,
        services,
        backing,
        environments: Vec::new(),
        tests: Tests::DEFAULT,
        published_passwords: &[],
        earlier_versions: &[],
        location: SourceLocation::here(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_valid_and_has_a_name_of_its_own() {
        for platform in ALL {
            let resolved = (platform.declaration)().resolve();
            assert!(
                resolved.is_ok(),
                "{}: {}",
                platform.name,
                resolved.err().map(|e| e.to_string()).unwrap_or_default()
            );
        }
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|platform| platform.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
