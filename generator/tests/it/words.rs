//! The chart's documents speak of nothing that its platform lacks: no server, password, test or way in.

use std::fmt::Write as _;

use odd_platforms::ALL;
use vocabulary::{Backing, Resolved, Scaling};

/// The documents for users of a chart, below the umbrella chart.
const DOCUMENTS: [&str; 7] = [
    "README.md",
    "VALUES.md",
    "UPGRADING.md",
    "templates/NOTES.txt",
    "templates/checks.yaml",
    "values.yaml",
    "ci/default-values.yaml",
];

/// Beginnings of words, and whether a platform has what they are about.
type Subject = (&'static [&'static str], fn(&Resolved) -> bool);

const SUBJECTS: &[Subject] = &[
    (&["queue", "broker", "rabbitmq", "amqp", "exchange", "virtual host"], |platform| {
        has_server(platform, |server| matches!(server, Backing::RabbitMq(_)))
    }),
    (&["database", "postgres", "psql", "sql", "transaction"], |platform| {
        has_server(platform, |server| matches!(server, Backing::PostgreSql(_)))
    }),
    (&["cache", "valkey", "redis"], |platform| has_server(platform, |server| matches!(server, Backing::Valkey(_)))),
    (&["volume", "statefulset", "storageclass", "administrator"], |platform| has_server(platform, |_| true)),
    // The proxy of an exposed service has logins and credentials, too.
    (&["login", "log in", "logs in"], |platform| has_server(platform, |_| true) || is_exposed(platform)),
    (
        &[
            "password",
            "credential",
            "secret store",
            "secretstore",
            "external secrets",
            "externalsecret",
            "sops",
            "revision",
        ],
        |platform| has_credentials(platform) || is_exposed(platform),
    ),
    (
        &[
            "ingress",
            "httproute",
            "nodeport",
            "loadbalancer",
            "gateway",
            "exposure",
            "edgecontroller",
            "edgenamespace",
            "edgepodlabels",
        ],
        is_exposed,
    ),
    (&["autoscal"], is_autoscaled),
    (&["metrics"], |platform| has_metrics(platform) || is_autoscaled(platform)),
    (&["monitoring"], has_metrics),
    (&["end-to-end", "end to end", "endtoend", "journey"], |platform| platform.platform().tests.end_to_end.is_some()),
    (&["environments/", "values-<environment>"], |platform| !platform.platform().environments.is_empty()),
];

fn has_server(platform: &Resolved, is: fn(&Backing) -> bool) -> bool {
    platform.platform().backing.iter().any(is)
}

fn is_exposed(platform: &Resolved) -> bool {
    platform.platform().services.iter().any(|service| service.exposure.is_some())
}

fn has_credentials(platform: &Resolved) -> bool {
    !generator::credential_paths(platform).is_empty()
}

fn is_autoscaled(platform: &Resolved) -> bool {
    platform.platform().services.iter().any(|service| service.scaling != Scaling::Fixed)
}

fn has_metrics(platform: &Resolved) -> bool {
    let traffic = generator::traffic(platform);
    !traffic.metrics.is_empty() || !traffic.exporters.is_empty()
}

#[test]
fn documents_speak_of_what_the_platform_has() {
    let mut found = String::new();
    for odd in ALL {
        let platform = (odd.declaration)().resolve().unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
        let chart = generator::generate(&platform);
        let absent = SUBJECTS.iter().filter(|(_, has)| !has(&platform)).flat_map(|(words, _)| *words);
        let absent: Vec<&str> = absent.copied().collect();
        for document in DOCUMENTS {
            let text = &chart.files()[&chart.paths().umbrella.join(document)];
            for (number, line) in text.lines().enumerate() {
                let lower = line.to_lowercase();
                for word in absent.iter().filter(|word| has_word(&lower, word)) {
                    let _ = writeln!(found, "{}: {document}:{}: {word}: {line}", odd.name, number + 1);
                }
            }
        }
    }
    assert!(found.is_empty(), "these lines are about something that the platform lacks:\n{found}");
}

/// Whether a word of the text begins with `word`.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric()))
}

#[test]
fn a_word_begins_where_no_letter_is_before_it() {
    assert!(has_word("the queues of", "queue") && has_word("`queue`", "queue"));
    assert!(!has_word("nodelocal dnscache", "cache") && !has_word("network.extraingress", "ingress"));
}
