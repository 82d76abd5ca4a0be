//! Trials: operations with their expected and actual results.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

/// One operation with one login.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    /// The login, for messages.
    pub(super) who: String,
    /// The operation, as a phrase that follows "may".
    pub(super) what: String,
    /// Whether the declaration allows it.
    pub(super) may: bool,
    /// The request to the probe.
    pub(super) request: Value,
}

impl Trial {
    /// A trial with this login.
    pub(super) fn new(login: &Login, what: impl Into<String>, may: bool, mut request: Value) -> Self {
        request["as"] = login.form.clone();
        Self { who: login.who.clone(), what: what.into(), may, request }
    }
}

/// The login that the probe uses.
#[derive(Clone, Debug)]
pub(super) struct Login {
    who: String,
    form: Value,
}

impl Login {
    /// The service's own login from its Secret.
    pub(super) fn own(service: &str) -> Self {
        Self { who: service.to_owned(), form: Value::Null }
    }

    /// No login.
    pub(super) fn anonymous() -> Self {
        Self { who: "a client without a login".to_owned(), form: json!("anonymous") }
    }

    /// A login with this name and password.
    pub(super) fn with(user: &str, password: &str) -> Self {
        if user.is_empty() {
            return Self { who: "a client with an empty user name".to_owned(), form: json!([user, password]) };
        }
        let how = match password {
            "" => "without a password".to_owned(),
            WRONG_PASSWORD => "with a wrong password".to_owned(),
            known => format!("with the password `{known}`"),
        };
        Self { who: format!("`{user}` {how}"), form: json!([user, password]) }
    }
}

/// A wrong password.
pub(super) const WRONG_PASSWORD: &str = "rights: wrong password";

/// A server's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Allowed,
    Refused,
}

/// The trials of one service at one server.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The server's name.
    pub(super) at: &'static str,
    /// The probe's connection settings.
    pub(super) connection: Value,
    pub(super) trials: Vec<Trial>,
}

impl Target {
    /// The request to the probe.
    pub(super) fn request(&self) -> Value {
        let mut request = self.connection.clone();
        request["trials"] = self.trials.iter().map(|trial| trial.request.clone()).collect();
        request
    }

    /// Reads the probe's outcomes, one per trial.
    ///
    /// # Errors
    /// If an outcome is neither allowed nor refused. Equal failures are grouped.
    pub(super) fn answers(&self, outcomes: &Value) -> anyhow::Result<Vec<(Answer, String)>> {
        let outcomes = outcomes.as_array().context("the probe's outcomes are not a list")?;
        let (tried, wanted) = (outcomes.len(), self.trials.len());
        ensure!(tried == wanted, "the probe tried {tried} of {wanted} operations at {}", self.at);
        let mut answers = Vec::new();
        let mut undecided: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (trial, outcome) in self.trials.iter().zip(outcomes) {
            let detail = outcome["detail"].as_str().unwrap_or_default().to_owned();
            match outcome["outcome"].as_str() {
                Some("allowed") => answers.push((Answer::Allowed, detail)),
                Some("refused") => answers.push((Answer::Refused, detail)),
                _ => undecided.entry((&trial.who, detail)).or_default().push(trial.what.as_str()),
            }
        }
        if !undecided.is_empty() {
            let line = |((who, detail), what): (&(&String, String), &Vec<&str>)| {
                let others = what.len() - 1;
                let others = if others > 0 { format!(", and {others} others") } else { String::new() };
                format!("{who} tried to {}{others} at {}: {detail}", what.first().unwrap_or(&""), self.at)
            };
            bail!("neither allowed nor refused:\n{}", undecided.iter().map(line).collect::<Vec<_>>().join("\n"));
        }
        Ok(answers)
    }

    /// The differences from the declaration.
    pub(super) fn differences(&self, answers: &[(Answer, String)]) -> Vec<String> {
        let differs = |(trial, (answer, detail)): (&Trial, &(Answer, String))| {
            let Trial { who, what, may, .. } = trial;
            let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
            match (may, answer) {
                (false, Answer::Allowed) => {
                    Some(format!("{who} may {what} at {}, which is not declared{detail}", self.at))
                }
                (true, Answer::Refused) => {
                    Some(format!("{who} may not {what} at {}, which is declared{detail}", self.at))
                }
                (true, Answer::Allowed) | (false, Answer::Refused) => None,
            }
        };
        self.trials.iter().zip(answers).filter_map(differs).collect()
    }

    /// A summary of the answers: one line per login with rights, and one line for all logins without.
    pub(super) fn drawn(&self) -> Vec<String> {
        let mut logins: BTreeMap<&str, (Vec<&str>, usize)> = BTreeMap::new();
        for trial in &self.trials {
            let (may, refused) = logins.entry(&trial.who).or_default();
            if trial.may {
                may.push(&trial.what);
            } else {
                *refused += 1;
            }
        }
        let (some, none): (Vec<_>, Vec<_>) = logins.into_iter().partition(|(_, (may, _))| !may.is_empty());
        let line = |(who, (may, refused)): &(&str, (Vec<&str>, usize))| {
            format!("{} · {who}: {}; {refused} others refused", self.at, may.join(", "))
        };
        let mut lines: Vec<_> = some.iter().map(line).collect();
        if !none.is_empty() {
            let who: Vec<_> = none.iter().map(|(who, _)| *who).collect();
            let refused: usize = none.iter().map(|(_, (_, refused))| refused).sum();
            lines.push(format!("{} · nothing for {}; {refused} refused", self.at, who.join(", ")));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        let trial = |what: &str, may| Trial::new(&Login::own("a"), what, may, json!({"do": "x"}));
        let trials = vec![
            trial("read q", true),
            trial("delete q", false),
            Trial::new(&Login::with("guest", ""), "log in", false, json!({})),
        ];
        Target { at: "broker", connection: json!({"kind": "amqp"}), trials }
    }

    fn outcomes(texts: [&str; 3]) -> Value {
        texts.iter().map(|outcome| json!({"outcome": outcome, "detail": "why"})).collect()
    }

    #[test]
    fn the_probe_is_told_what_to_try_and_not_what_is_expected() {
        let trials = json!([{"as": null, "do": "x"}, {"as": null, "do": "x"}, {"as": ["guest", ""]}]);
        assert_eq!(target().request(), json!({"kind": "amqp", "trials": trials}));
    }

    #[test]
    fn what_is_as_declared_is_no_difference() {
        let target = target();
        let answers = target.answers(&outcomes(["allowed", "refused", "refused"])).expect("all are answers");
        assert!(target.differences(&answers).is_empty());
        assert_eq!(
            target.drawn(),
            ["broker · a: read q; 1 others refused", "broker · nothing for `guest` without a password; 1 refused"]
        );
    }

    #[test]
    fn more_and_less_are_both_named() {
        let target = target();
        let answers = target.answers(&outcomes(["refused", "allowed", "allowed"])).expect("all are answers");
        assert_eq!(
            target.differences(&answers),
            [
                "a may not read q at broker, which is declared (why)",
                "a may delete q at broker, which is not declared (why)",
                "`guest` without a password may log in at broker, which is not declared (why)",
            ]
        );
    }

    #[test]
    fn a_failure_is_no_refusal() {
        let error = target().answers(&outcomes(["refused", "error", "refused"])).expect_err("one is no answer");
        assert_eq!(error.to_string(), "neither allowed nor refused:\na tried to delete q at broker: why");
        let error = target().answers(&outcomes(["error", "error", "refused"])).expect_err("two are no answers");
        assert_eq!(error.to_string(), "neither allowed nor refused:\na tried to read q, and 1 others at broker: why");
        let two = json!([{"outcome": "refused"}, {"outcome": "refused"}]);
        assert!(target().answers(&two).is_err());
    }
}
