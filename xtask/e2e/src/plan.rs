//! Selection and order of the scenarios of a run, and the time limit for starting them.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::passes::{Passes, State};
use crate::scenarios::{ALL, Scenario};

/// Scenarios that every `--stale` run includes: they are short and find most faults.
const ALWAYS: &[&str] = &["install", "reach", "refusals"];

/// The scenarios of a run, in order.
pub struct Plan {
    /// The scenarios in the order of execution.
    pub(crate) scenarios: Vec<&'static Scenario>,
    /// The number of scenarios that start regardless of the time limit.
    always: usize,
    deadline: Option<Instant>,
}

impl Plan {
    /// The scenarios with these names; all scenarios if `names` is empty.
    ///
    /// # Errors
    /// If a name is unknown.
    pub fn named(names: &[String]) -> anyhow::Result<Self> {
        if let Some(unknown) = names.iter().find(|name| !ALL.iter().any(|scenario| scenario.name == *name)) {
            let all: Vec<_> = ALL.iter().map(|scenario| scenario.name).collect();
            bail!("there is no scenario `{unknown}`; the scenarios are {}", all.join(", "));
        }
        let chosen = ALL.iter().filter(|scenario| names.is_empty() || names.iter().any(|name| name == scenario.name));
        let scenarios: Vec<_> = chosen.collect();
        Ok(Self { always: scenarios.len(), scenarios, deadline: None })
    }

    /// The applicable scenarios that always run, then those that are out of date, oldest pass first.
    ///
    /// No out-of-date scenario starts later than `limit` from now.
    ///
    /// # Errors
    /// If the record or an input of a scenario cannot be read.
    pub fn stale(passes: &Passes, applicable: &[&'static Scenario], limit: Option<Duration>) -> anyhow::Result<Self> {
        let (mut scenarios, others): (Vec<&Scenario>, Vec<&Scenario>) =
            applicable.iter().partition(|scenario| ALWAYS.contains(&scenario.name));
        let always = scenarios.len();
        let mut stale = Vec::new();
        for scenario in others {
            match passes.state(scenario.name)? {
                State::Current => {}
                State::NeverPassed => stale.push((String::new(), scenario)),
                State::Stale { date, .. } => stale.push((date, scenario)),
            }
        }
        stale.sort_by(|(a, _), (b, _)| a.cmp(b));
        scenarios.extend(stale.into_iter().map(|(_, scenario)| scenario));
        Ok(Self { scenarios, always, deadline: limit.map(|limit| Instant::now() + limit) })
    }

    /// Whether the time limit for starting the scenario at this position has passed.
    pub(crate) fn is_too_late(&self, position: usize) -> bool {
        position >= self.always && self.deadline.is_some_and(|deadline| Instant::now() > deadline)
    }
}

/// Writes one line to `out` for each applicable scenario that is out of date, with the reason. Returns whether there is one.
///
/// # Errors
/// If the record or an input of a scenario cannot be read, or `out` cannot be written.
pub fn report_stale(passes: &Passes, applicable: &[&'static Scenario], out: &mut dyn Write) -> anyhow::Result<bool> {
    let mut stale = Vec::new();
    for scenario in applicable {
        let reason = match passes.state(scenario.name)? {
            State::Current => continue,
            State::NeverPassed => "has no pass on record".to_owned(),
            State::Stale { date, changed } => {
                format!("last passed on {date}; since then changed: {}", changed.join(", "))
            }
        };
        writeln!(out, "{:10} {reason}", scenario.name)?;
        stale.push(scenario.name);
    }
    if stale.is_empty() {
        writeln!(out, "all {} scenarios have passed with their current inputs", applicable.len())?;
    } else {
        let count = stale.len();
        writeln!(
            out,
            "\n{count} of {} scenarios are out of date: cargo xtask e2e {}",
            applicable.len(),
            stale.join(" ")
        )?;
    }
    Ok(!stale.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::tests::{pass, repository, write_record};

    fn all() -> Vec<&'static Scenario> {
        ALL.iter().collect()
    }

    fn names(plan: &Plan) -> Vec<&str> {
        plan.scenarios.iter().map(|scenario| scenario.name).collect()
    }

    #[test]
    fn scenarios_that_are_out_of_date_follow_in_the_order_of_their_passes() {
        let (_folder, passes) = repository();
        write_record(&passes, "upgrade 2026-01-02 chart=0\nfaults 2026-01-03 chart=0\nrights 2026-01-01 chart=0\n");
        for scenario in ["helm-test", "secrets", "values"] {
            pass(&passes, scenario).expect("it can be recorded");
        }
        let plan = Plan::stale(&passes, &all(), Some(Duration::ZERO)).expect("the inputs can be read");
        assert_eq!(
            names(&plan),
            [
                "install",
                "reach",
                "refusals",
                "rotation",
                "partial",
                "foreign-data",
                "runbooks",
                "backup",
                "backup-hook",
                "observe",
                "logs",
                "edge",
                "traces",
                "migrate",
                "gitops",
                "quick-start",
                "release",
                "rights",
                "upgrade",
                "faults"
            ]
        );
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(
            (0..12).filter(|&position| plan.is_too_late(position)).collect::<Vec<_>>(),
            [3, 4, 5, 6, 7, 8, 9, 10, 11]
        );
        let unlimited = Plan::stale(&passes, &all(), None).expect("the inputs can be read");
        assert!(!(0..11).any(|position| unlimited.is_too_late(position)));
    }

    #[test]
    fn the_list_says_why_a_scenario_is_out_of_date() {
        let (_folder, passes) = repository();
        for scenario in ALL.iter().filter(|scenario| scenario.name != "reach") {
            pass(&passes, scenario.name).expect("it can be recorded");
        }
        let mut out = Vec::new();
        assert!(report_stale(&passes, &all(), &mut out).expect("a buffer"));
        let text = String::from_utf8(out).expect("UTF-8");
        assert_eq!(
            text,
            format!(
                "reach      has no pass on record\n\n1 of {} scenarios are out of date: cargo xtask e2e reach\n",
                ALL.len()
            )
        );
        pass(&passes, "reach").expect("it can be recorded");
        assert!(!report_stale(&passes, &all(), &mut Vec::new()).expect("a buffer"));
    }

    #[test]
    fn an_unknown_name_is_refused() {
        let error = Plan::named(&["instal".to_owned()]).err().expect("there is none").to_string();
        assert!(error.starts_with("there is no scenario `instal`; the scenarios are install, reach, "), "{error}");
        assert_eq!(
            names(&Plan::named(&["upgrade".to_owned(), "reach".to_owned()]).expect("both exist")),
            ["reach", "upgrade"]
        );
    }
}
