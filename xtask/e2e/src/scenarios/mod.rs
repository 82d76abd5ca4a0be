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

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;

use e2e_kit::context::E2eContext;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::process;
use e2e_kit::report::{Lane, Outcome, Reported};

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

/// A lane that is yet to be run.
struct Work<'a> {
    lane: String,
    run: Box<dyn FnOnce(&Lane<'a>) -> Outcome + Send + 'a>,
}

impl<'a> Work<'a> {
    fn new(lane: impl Into<String>, run: impl FnOnce(&Lane<'a>) -> Outcome + Send + 'a) -> Self {
        Self { lane: lane.into(), run: Box::new(run) }
    }
}

/// Runs those lanes that are asked for, at most `at_once` at a time, in this order.
fn side_by_side<'a>(context: &'a E2eContext, at_once: usize, work: Vec<Work<'a>>) -> Outcome {
    let asked_for = |work: &Work| context.lanes.is_empty() || context.lanes.iter().any(|lane| work.lane.contains(lane));
    let waiting: VecDeque<_> = work.into_iter().filter(asked_for).collect();
    let at_once = at_once.min(waiting.len());
    let waiting = Mutex::new(waiting);
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.pop_front());
    thread::scope(|scope| {
        let worker = || {
            let mut outcome = Ok(());
            while let Some(work) = next().filter(|_| !process::interrupted()) {
                outcome = (work.run)(&Lane::new(context, work.lane)).and(outcome);
            }
            outcome
        };
        let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(worker)).collect();
        all(workers.into_iter().map(|worker| worker.join().unwrap_or(Err(Reported))))
    })
}

/// A namespace that enforces Pod Security `restricted`, as a step.
fn namespace<'a>(lane: &Lane<'a>, purpose: &str) -> Result<TestNamespace<'a>, Reported> {
    let mut namespace = None;
    lane.step("a namespace that enforces `restricted`", || {
        namespace = Some(TestNamespace::new(lane, purpose)?);
        Ok(namespace.as_ref().map(|namespace| namespace.name.clone()).unwrap_or_default())
    })?;
    namespace.ok_or(Reported)
}

/// Whether all went well; each is looked at.
fn all(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    let mut whole = Ok(());
    for outcome in outcomes {
        whole = whole.and(outcome);
    }
    whole
}
