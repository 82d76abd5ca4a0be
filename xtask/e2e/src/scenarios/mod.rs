//! What is proved on a cluster, one scenario per file.

mod faults;
mod helm_test;
mod install;
mod loaded;
mod reach;
mod refusals;
mod rights;
mod rotation;
mod secrets;
mod upgrade;

use e2e_kit::fixture::Fixture;
use e2e_kit::lane::Lane;
use e2e_kit::report::Outcome;
use generator::Resolved;

use crate::roles::Roles;

/// Something that is proved on a cluster.
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it proves.
    pub proves: &'static str,
    /// Whether programs run in it, which takes their images.
    pub(crate) installs: bool,
    /// What it needs of a platform.
    pub(crate) needs: Needs,
    pub(crate) run: fn(&Lane) -> Outcome,
}

/// What a scenario needs of a platform; on another it is not applicable.
#[derive(Clone, Copy)]
pub(crate) enum Needs {
    /// Any platform has it.
    Nothing,
    /// A service with a credential.
    Credential,
    /// A server, and a service that uses one.
    Client,
    /// All of [`Roles`].
    Roles,
}

impl Scenario {
    /// Whether the platform has what this scenario needs.
    ///
    /// # Errors
    /// When it lacks something: the scenario then is not applicable, for this reason.
    pub(crate) fn applies_to(&self, platform: &Resolved, fixture: Option<Fixture>) -> Result<(), String> {
        let mut uses = platform.platform().services.iter().flat_map(|service| service.uses);
        match self.needs {
            Needs::Credential if secrets::sources::moved_credential(platform).is_none() => {
                Err("no service of the platform has a credential".to_owned())
            }
            Needs::Client if !uses.any(|one| one.client().is_some()) => {
                Err("no service of the platform uses a server".to_owned())
            }
            Needs::Roles => Roles::derive(platform, fixture).map(drop).map_err(|reason| format!("{reason:#}")),
            Needs::Nothing | Needs::Credential | Needs::Client => Ok(()),
        }
    }
}

/// The scenarios that apply to this platform.
#[must_use]
pub fn applicable(platform: &Resolved, fixture: Option<Fixture>) -> Vec<&'static Scenario> {
    ALL.iter().filter(|scenario| scenario.applies_to(platform, fixture).is_ok()).collect()
}

/// All of them, in the order in which they are run.
pub const ALL: &[Scenario] = &[
    Scenario {
        name: "install",
        proves: "installs under `restricted` with Helm 3 and 4, works, stays as it is, and leaves nothing but volumes",
        installs: true,
        needs: Needs::Nothing,
        run: install::run,
    },
    Scenario {
        name: "reach",
        proves: "from every pod and from strangers, exactly the declared paths are open, and nothing else",
        installs: true,
        needs: Needs::Nothing,
        run: reach::run,
    },
    Scenario {
        name: "rights",
        proves: "every login tries everything at its server, every ServiceAccount is asked: exactly what is declared, and no token",
        installs: true,
        needs: Needs::Client,
        run: rights::run,
    },
    Scenario {
        name: "helm-test",
        proves: "`helm test` passes in each mode and leaves nothing; what is closed, forbidden or open by mistake is named by the right test",
        installs: true,
        needs: Needs::Roles,
        run: helm_test::run,
    },
    Scenario {
        name: "rotation",
        proves: "every credential replaced under load, back and forward: only its pods roll, nobody is refused, the old one is worth nothing",
        installs: true,
        needs: Needs::Roles,
        run: rotation::run,
    },
    Scenario {
        name: "secrets",
        proves: "passwords that every language reads otherwise, from an encrypted file to every login, in each mode and from one to another",
        installs: true,
        needs: Needs::Credential,
        run: secrets::run,
    },
    Scenario {
        name: "refusals",
        proves: "wrong values are refused before anything is made, with a message that helps",
        installs: false,
        needs: Needs::Nothing,
        run: refusals::run,
    },
    Scenario {
        name: "faults",
        proves: "what is killed, restarted, away or started in any order comes back by itself, under load, and nothing is lost",
        installs: true,
        needs: Needs::Roles,
        run: faults::run,
    },
    Scenario {
        name: "upgrade",
        proves: "from the last version that differs and back, and by each kind of value: nothing is lost, no more rolls than must",
        installs: true,
        needs: Needs::Roles,
        run: upgrade::run,
    },
];

#[cfg(test)]
mod tests {
    use vocabulary::{Platform, Tests};

    use super::*;
    use crate::roles::tests::{FIXTURE, declared};

    fn names(platform: Platform, fixture: Option<Fixture>) -> Vec<&'static str> {
        let resolved = platform.resolve().map_err(|diagnostics| diagnostics.to_string()).expect("it is valid");
        applicable(&resolved, fixture).into_iter().map(|scenario| scenario.name).collect()
    }

    #[test]
    fn a_platform_runs_the_scenarios_that_it_has_everything_for() {
        assert_eq!(names(declared(), Some(FIXTURE)).len(), ALL.len());
        let common = ["install", "reach", "rights", "secrets", "refusals"];
        assert_eq!(names(declared(), None), common);
        assert_eq!(names(Platform { tests: Tests::DEFAULT, ..declared() }, Some(FIXTURE)), common);
        let mut bare = Platform { tests: Tests::DEFAULT, backing: Vec::new(), ..declared() };
        bare.services.truncate(1);
        bare.services[0].uses = &[];
        assert_eq!(names(bare, None), ["install", "reach", "refusals"]);
    }
}
