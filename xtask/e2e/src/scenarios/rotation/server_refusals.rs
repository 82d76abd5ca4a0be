//! Refused logins and operations of all clients, from the servers' logs.

use anyhow::ensure;
use e2e_kit::kubectl;
use e2e_kit::release::Release;
use serde_json::Value;

use crate::flow;
use crate::roles::Roles;

/// A position in the servers' logs.
pub(super) struct LogPosition(Vec<ServerLog>);

/// The number of lines in the log of a server's pod.
struct ServerLog {
    server: &'static str,
    uid: String,
    lines: usize,
}

/// A refused login or operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The user of the login; empty if the server does not log it.
    pub(super) user: String,
    /// The server's log line.
    pub(super) line: String,
    /// Whether the login did not exist yet. A pod retries until its new login exists.
    pub(super) too_early: bool,
}

impl LogPosition {
    /// The current end of the logs.
    pub(super) fn now(release: &Release) -> anyhow::Result<Self> {
        let place = |server| {
            let (uid, log) = log_of(release, server)?;
            Ok(ServerLog { server, uid, lines: log.lines().count() })
        };
        let Roles { broker, database_server, .. } = Roles::of(release.namespace.context)?;
        let places = [broker, database_server].into_iter().map(place).collect::<anyhow::Result<_>>()?;
        flow::valkey(release, &["ACL", "LOG", "RESET"])?;
        Ok(Self(places))
    }

    /// The refusals since this position. For a server that was restarted since, the whole log of the new pod.
    pub(super) fn refusals(&self, release: &Release) -> anyhow::Result<Vec<Refusal>> {
        let Roles { broker, cache, .. } = Roles::of(release.namespace.context)?;
        let mut all = Vec::new();
        for ServerLog { server, uid, lines } in &self.0 {
            let (now, log) = log_of(release, server)?;
            let log: Vec<_> = log.lines().skip(if now == *uid { *lines } else { 0 }).collect();
            all.extend(if *server == broker { of_broker(&log) } else { of_database(&log) });
        }
        all.extend(of_cache(cache, &kubectl::parsed("ACL LOG", &flow::valkey(release, &["ACL", "LOG"])?)?));
        Ok(all)
    }
}

fn log_of(release: &Release, server: &str) -> anyhow::Result<(String, String)> {
    let pod = release.pod_of(server)?;
    let log = kubectl::run(&["logs", &pod.name, "--namespace", &release.namespace.name])?;
    ensure!(!log.is_empty(), "the log of {} is empty", pod.name);
    Ok((pod.uid, log))
}

/// The text between two others.
fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    line.split_once(before)?.1.split_once(after).map(|(text, _)| text)
}

fn of_broker(log: &[&str]) -> Vec<Refusal> {
    // `is deleted` is a connection closed because its user was deleted, which must not happen to a client either.
    let refused = |line: &&str| {
        ["failed to authenticate", "access_refused", "not_allowed", "' is deleted\u{1b}", "' is deleted"]
            .iter()
            .any(|sign| line.contains(sign))
            && !line.contains("because \"user '")
    };
    let made = |user: &str| log.iter().position(|line| line.contains(&format!("Created user '{user}'")));
    let read = |(at, line): (usize, &&str)| {
        let user = between(line, "User '", "'").or_else(|| between(line, "user: '", "'")).unwrap_or_default();
        let authentication = line.contains("failed to authenticate");
        Refusal {
            user: user.to_owned(),
            line: line.trim().to_owned(),
            too_early: authentication && made(user).is_some_and(|made| at < made),
        }
    };
    log.iter().enumerate().filter(|(_, line)| refused(line)).map(read).collect()
}

fn of_database(log: &[&str]) -> Vec<Refusal> {
    let refused = |line: &&str| line.contains("FATAL:  ") || line.contains("ERROR:  ");
    let read = |(at, line): (usize, &&str)| {
        let user = between(line, "user \"", "\"").or_else(|| between(line, "role \"", "\"")).unwrap_or_default();
        let reason = log.get(at + 1).copied().unwrap_or_default();
        Refusal {
            user: user.to_owned(),
            line: line.trim().to_owned(),
            too_early: reason.contains(&format!("Role \"{user}\" does not exist.")),
        }
    };
    log.iter().enumerate().filter(|(_, line)| refused(line)).map(read).collect()
}

fn of_cache(cache: &str, log: &Value) -> Vec<Refusal> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let read = |entry: &Value| Refusal {
        // A client whose login was refused still runs ACL WHOAMI.
        user: if entry["object"] == "acl|whoami" { "administrator".to_owned() } else { text(&entry["username"]) },
        line: format!("{cache}: {} {} {}", text(&entry["username"]), text(&entry["reason"]), text(&entry["object"])),
        too_early: false,
    };
    log.as_array().into_iter().flatten().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_that_is_not_made_yet_is_waited_for() {
        let log = [
            "[warning] User 'a.r2' failed to authenticate: user 'a.r2' - invalid credentials",
            "[info] Created user 'a.r2'",
            "[info] User 'a.r2' authenticated successfully",
            "[warning] User 'a.r1' failed to authenticate: user 'a.r1' - invalid credentials",
            "[info] Closing connection <0.1.0> because \"user 'a.r1' is deleted\"",
            "[warning] Closing AMQP connection <0.1.0> (1 -> 2, vhost: '/', user: 'a.r1'): user 'a.r1' is deleted",
            "[error] operation queue.declare caused a channel exception access_refused: access to queue 'x' refused for user 'a.r2'",
        ];
        let seen: Vec<_> = of_broker(&log).into_iter().map(|one| (one.user, one.too_early)).collect();
        let user = |name: &str| name.to_owned();
        assert_eq!(seen, [(user("a.r2"), true), (user("a.r1"), false), (user("a.r1"), false), (user(""), false)]);
        let log = [
            "FATAL:  password authentication failed for user \"a_r2\"",
            "DETAIL:  Role \"a_r2\" does not exist.",
            "FATAL:  password authentication failed for user \"a_r2\"",
            "DETAIL:  Connection matched file",
            "ERROR:  tuple concurrently updated",
        ];
        let seen: Vec<_> = of_database(&log).into_iter().map(|one| (one.user, one.too_early)).collect();
        assert_eq!(seen, [(user("a_r2"), true), (user("a_r2"), false), (user(""), false)]);
    }
}
