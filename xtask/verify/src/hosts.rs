//! The step `hosts`: the hosts that the environments declare.

use vocabulary::{Change, HostName, Platform};

use super::context::VerifyContext;
use super::report::Outcome;

/// Notes each placeholder. It is no failure, because a chart without a domain of its own renders and installs.
#[expect(clippy::unnecessary_wraps, reason = "the type of every step")]
pub(super) fn hosts(context: &VerifyContext) -> anyhow::Result<Outcome> {
    Ok(judge(&context.hosts))
}

/// The environments that declare a host, each with the host.
pub(super) fn declared(platform: &Platform) -> Vec<(&'static str, HostName)> {
    let changes = platform.environments.iter().flat_map(|one| one.changes.iter().map(move |change| (one.name, change)));
    let hosts = changes.filter_map(|(environment, change)| match change {
        Change::Ingress { host, .. } => Some((environment.as_str(), *host)),
        _ => None,
    });
    hosts.collect()
}

fn judge(declared: &[(&str, HostName)]) -> Outcome {
    let placeholders = declared.iter().filter(|(_, host)| host.is_placeholder());
    let notes = placeholders.map(|(environment, host)| {
        format!("warning: environment `{environment}` has the placeholder {host}, which nobody can own: declare a host of your own domain")
    });
    Outcome::of(format!("{} hosts", declared.len())).noting(notes.collect())
}

#[cfg(test)]
mod tests {
    use vocabulary::{Certificate, Environment, ServiceName, exposed_at_host};

    use super::*;

    #[test]
    fn a_placeholder_is_noted_and_is_no_failure() {
        const WEB: ServiceName = ServiceName::new("web");
        let host = |host| exposed_at_host(WEB, HostName::new(host), "traefik", Certificate::secret("tls"));
        let environment = |name, change| Environment::new(name, "", vec![change].leak());
        let platform = Platform {
            environments: vec![
                environment("stg", host("stg.shop.example.org")),
                environment("live", host("shop.acme.io")),
            ],
            ..second_platform::platform()
        };
        let outcome = judge(&declared(&platform));
        assert_eq!(outcome.summary, "2 hosts");
        assert_eq!(outcome.wrong, [""; 0]);
        assert_eq!(outcome.notes.len(), 1, "{:?}", outcome.notes);
        assert!(outcome.notes[0].contains("environment `stg` has the placeholder stg.shop.example.org"));
    }
}
