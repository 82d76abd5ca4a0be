//! The scenarios, one per file.

mod backup;
mod backup_hook;
mod edge;
mod faults;
mod foreign_data;
mod gitops;
mod helm_test;
mod install;
mod loaded;
mod logs;
mod migrate;
mod observe;
mod partial;
mod quick_start;
mod reach;
mod refusals;
mod release;
mod rights;
mod rotation;
mod runbooks;
mod secrets;
mod traces;
mod upgrade;
mod values;

use e2e_kit::fixture::Fixture;
use e2e_kit::lane::Lane;
use e2e_kit::report::Outcome;
use generator::Resolved;

use crate::roles::Roles;

/// An end-to-end test on a cluster.
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it proves, for the report.
    pub proves: &'static str,
    /// Whether it starts pods and therefore needs images.
    pub(crate) installs: bool,
    /// What the platform must declare.
    pub(crate) needs: Needs,
    pub(crate) run: fn(&Lane) -> Outcome,
}

/// What a platform must declare for a scenario; otherwise the scenario is not applicable.
#[derive(Clone, Copy)]
pub(crate) enum Needs {
    /// No requirement.
    Nothing,
    /// At least one service with a credential.
    Credential,
    /// At least one service that uses a server.
    Client,
    /// All roles of [`Roles`].
    Roles,
    /// All roles, and an earlier version whose releases must be reinstalled.
    Reinstallation,
}

impl Scenario {
    /// Whether the platform has what this scenario needs.
    ///
    /// # Errors
    /// If the platform lacks it. The text is the reason why the scenario is not applicable.
    pub(crate) fn applies_to(&self, platform: &Resolved, fixture: Option<Fixture>) -> Result<(), String> {
        let mut uses = platform.platform().services.iter().flat_map(|service| service.uses);
        match self.needs {
            Needs::Credential if secrets::sources::moved_credential(platform).is_none() => {
                Err("no service of the platform has a credential".to_owned())
            }
            Needs::Client if !uses.any(|one| one.client().is_some()) => {
                Err("no service of the platform uses a server".to_owned())
            }
            Needs::Reinstallation if migrate::earlier(platform.platform()).is_none() => {
                Err("the platform declares no earlier version whose releases must be reinstalled".to_owned())
            }
            Needs::Roles | Needs::Reinstallation => {
                Roles::derive(platform, fixture).map(drop).map_err(|reason| format!("{reason:#}"))
            }
            Needs::Nothing | Needs::Credential | Needs::Client => Ok(()),
        }
    }
}

/// The scenarios that apply to this platform.
#[must_use]
pub fn applicable(platform: &Resolved, fixture: Option<Fixture>) -> Vec<&'static Scenario> {
    ALL.iter().filter(|scenario| scenario.applies_to(platform, fixture).is_ok()).collect()
}

/// All scenarios, in the order of execution.
pub const ALL: &[Scenario] = &[
    Scenario {
        name: "install",
        proves: "the chart installs under `restricted` with Helm 3 and 4, works, rolls nothing without a change, and leaves only volumes",
        installs: true,
        needs: Needs::Nothing,
        run: install::run,
    },
    Scenario {
        name: "reach",
        proves: "every pod of the release and pods outside it reach exactly the declared ports",
        installs: true,
        needs: Needs::Nothing,
        run: reach::run,
    },
    Scenario {
        name: "rights",
        proves: "every login and every ServiceAccount has exactly the declared rights, and no undeclared token is mounted",
        installs: true,
        needs: Needs::Client,
        run: rights::run,
    },
    Scenario {
        name: "helm-test",
        proves: "`helm test` passes in each secret mode and leaves nothing; the right test names each injected fault",
        installs: true,
        needs: Needs::Roles,
        run: helm_test::run,
    },
    Scenario {
        name: "rotation",
        proves: "every credential is replaced under load and rolled back: only its pods roll, no login is refused, the old one is invalid",
        installs: true,
        needs: Needs::Roles,
        run: rotation::run,
    },
    Scenario {
        name: "secrets",
        proves: "passwords with special characters work at every login, from an encrypted file, in each secret mode and after each change of mode",
        installs: true,
        needs: Needs::Credential,
        run: secrets::run,
    },
    Scenario {
        name: "refusals",
        proves: "Helm refuses wrong values before it creates any object, with the documented message",
        installs: false,
        needs: Needs::Nothing,
        run: refusals::run,
    },
    Scenario {
        name: "partial",
        proves: "an installation that fails midway has all its NetworkPolicies, and so has a version with build metadata, with Helm 3 and 4",
        installs: false,
        needs: Needs::Nothing,
        run: partial::run,
    },
    Scenario {
        name: "foreign-data",
        proves: "each server refuses to start on data that its version cannot use, says why in its last log line, and changes nothing",
        installs: true,
        needs: Needs::Client,
        run: foreign_data::run,
    },
    Scenario {
        name: "runbooks",
        proves: "the commands of UPGRADING.md work as they stand there: manual changes, deployments in a row, larger volumes, restored databases",
        installs: true,
        needs: Needs::Roles,
        run: runbooks::run,
    },
    Scenario {
        name: "backup",
        proves: "backups of a million rows are made, verified and restored by the commands of BACKUP.md, faulty ones are refused, and their login rotates",
        installs: true,
        needs: Needs::Roles,
        run: backup::run,
    },
    Scenario {
        name: "backup-hook",
        proves: "an upgrade makes a backup first, and stops before it changes anything if that fails, with Helm 3 and 4",
        installs: true,
        needs: Needs::Roles,
        run: backup_hook::run,
    },
    Scenario {
        name: "observe",
        proves: "Prometheus scrapes every declared port through the policies; a healthy release raises no alert, and a fault raises the right ones until it is mended",
        installs: true,
        needs: Needs::Roles,
        run: observe::run,
    },
    Scenario {
        name: "logs",
        proves: "each line of the release, and each traceback as a whole, reaches Loki and VictoriaLogs once, whatever happens to agents, log files and stores",
        installs: true,
        needs: Needs::Roles,
        run: logs::run,
    },
    Scenario {
        name: "edge",
        proves: "users reach the page over TLS through an Ingress, a route and a Gateway of the chart, and with a proxy only after a login; only the controller's pods are admitted",
        installs: true,
        needs: Needs::Roles,
        run: edge::run,
    },
    Scenario {
        name: "traces",
        proves: "one trace leads from an event to its row, and one from the page to its query; an outage of Jaeger loses none, and no service notices it",
        installs: true,
        needs: Needs::Roles,
        run: traces::run,
    },
    Scenario {
        name: "migrate",
        proves: "a release of an earlier version is refused by helm upgrade, and moves with its rows, and back, by the commands of UPGRADING.md",
        installs: true,
        needs: Needs::Reinstallation,
        run: migrate::run,
    },
    Scenario {
        name: "gitops",
        proves: "an installed release has no difference to its values, Kustomize changes it as GITOPS.md says, a definition is upgraded as CRDS.md says, and doctor is right",
        installs: true,
        needs: Needs::Roles,
        run: gitops::run,
    },
    Scenario {
        name: "quick-start",
        proves: "the commands of the chart's README work as a new user pastes them: install, test, uninstall, Secrets of one's own, with Helm 3 and 4",
        installs: true,
        needs: Needs::Nothing,
        run: quick_start::run,
    },
    Scenario {
        name: "values",
        proves: "whatever the values' schema and the chart's checks accept, the API server accepts",
        installs: false,
        needs: Needs::Nothing,
        run: values::run,
    },
    Scenario {
        name: "faults",
        proves: "under load, the platform recovers by itself from killed pods, restarts, outages and any start order, and loses nothing",
        installs: true,
        needs: Needs::Roles,
        run: faults::run,
    },
    Scenario {
        name: "release",
        proves: "charts that are packaged, signed and pushed are pulled, verified, installed and upgraded from a registry, with Helm 3 and 4",
        installs: true,
        needs: Needs::Nothing,
        run: release::run,
    },
    Scenario {
        name: "upgrade",
        proves: "upgrades from the last version that differs, rollbacks and changed values lose nothing and roll only the affected pods",
        installs: true,
        needs: Needs::Roles,
        run: upgrade::run,
    },
];

#[cfg(test)]
mod tests {
    use vocabulary::{EarlierVersion, Platform, Reinstallation, Tests};

    use super::*;
    use crate::roles::tests::{FIXTURE, declared};

    const EARLIER: &[EarlierVersion] = &[EarlierVersion::new("0.1.0", &[]).reinstalled(Reinstallation {
        reason: "its selectors are other ones",
        stops: &[],
        servers: &[],
    })];

    fn names(platform: Platform, fixture: Option<Fixture>) -> Vec<&'static str> {
        let resolved = platform.resolve().map_err(|diagnostics| diagnostics.to_string()).expect("it is valid");
        applicable(&resolved, fixture).into_iter().map(|scenario| scenario.name).collect()
    }

    #[test]
    fn a_platform_runs_the_scenarios_that_it_has_everything_for() {
        // The platform has no earlier version.
        assert_eq!(names(declared(), Some(FIXTURE)).len(), ALL.len() - 1);
        let earlier = Platform { earlier_versions: EARLIER, ..declared() };
        assert_eq!(names(earlier, Some(FIXTURE)).len(), ALL.len());
        let common = [
            "install",
            "reach",
            "rights",
            "secrets",
            "refusals",
            "partial",
            "foreign-data",
            "quick-start",
            "values",
            "release",
        ];
        assert_eq!(names(declared(), None), common);
        assert_eq!(names(Platform { tests: Tests::DEFAULT, ..declared() }, Some(FIXTURE)), common);
        let mut bare = Platform { tests: Tests::DEFAULT, backing: Vec::new(), ..declared() };
        bare.services.truncate(1);
        bare.services[0].uses = &[];
        assert_eq!(names(bare, None), ["install", "reach", "refusals", "partial", "quick-start", "values", "release"]);
    }
}
