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

use e2e_kit::lane::Lane;
use e2e_kit::report::Outcome;

/// Something that is proved on a cluster.
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it proves.
    pub proves: &'static str,
    /// Whether programs run in it, which takes their images.
    pub(crate) installs: bool,
    pub(crate) run: fn(&Lane) -> Outcome,
}

/// All of them, in the order in which they are run.
pub const ALL: &[Scenario] = &[
    Scenario {
        name: "install",
        proves: "installs under `restricted` with Helm 3 and 4, works, stays as it is, and leaves nothing but volumes",
        installs: true,
        run: install::run,
    },
    Scenario {
        name: "reach",
        proves: "from every pod and from strangers, exactly the declared paths are open, and nothing else",
        installs: true,
        run: reach::run,
    },
    Scenario {
        name: "rights",
        proves: "every login tries everything at its server, every ServiceAccount is asked: exactly what is declared, and no token",
        installs: true,
        run: rights::run,
    },
    Scenario {
        name: "helm-test",
        proves: "`helm test` passes in each mode and leaves nothing; what is closed, forbidden or open by mistake is named by the right test",
        installs: true,
        run: helm_test::run,
    },
    Scenario {
        name: "rotation",
        proves: "every credential replaced under load, back and forward: only its pods roll, nobody is refused, the old one is worth nothing",
        installs: true,
        run: rotation::run,
    },
    Scenario {
        name: "secrets",
        proves: "passwords that every language reads otherwise, from an encrypted file to every login, in each mode and from one to another",
        installs: true,
        run: secrets::run,
    },
    Scenario {
        name: "refusals",
        proves: "wrong values are refused before anything is made, with a message that helps",
        installs: false,
        run: refusals::run,
    },
    Scenario {
        name: "faults",
        proves: "what is killed, restarted, away or started in any order comes back by itself, under load, and nothing is lost",
        installs: true,
        run: faults::run,
    },
    Scenario {
        name: "upgrade",
        proves: "from the last version that differs and back, and by each kind of value: nothing is lost, no more rolls than must",
        installs: true,
        run: upgrade::run,
    },
];
