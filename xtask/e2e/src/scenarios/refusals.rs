//! What is wrong is refused before anything is made, with the words that the chart's README promises.

use anyhow::{bail, ensure};
use camino::Utf8PathBuf;
use e2e_kit::lane::Lane;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::Outcome;
use tools::ToolBinary;

struct Case {
    what: &'static str,
    release: &'static str,
    passwords: bool,
    sets: &'static [&'static str],
    /// What the message must have.
    says: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        what: "no password",
        release: "afp",
        passwords: false,
        sets: &[],
        says: &[
            "audit-event-generator.credentials.rabbitmq.password is not set",
            "audit-log-analysis.credentials.rabbitmq.password is not set",
            "notification-service.credentials.rabbitmq.password is not set",
            "notification-service.credentials.postgresql.password is not set",
            "rabbitmq.credentials.administrator.password is not set",
            "postgresql.credentials.superuser.password is not set",
            "redis.credentials.administrator.password is not set",
            "Make one with: openssl rand",
        ],
    },
    Case {
        what: "one password missing",
        release: "afp",
        passwords: true,
        sets: &["notification-service.credentials.postgresql.password="],
        says: &["notification-service.credentials.postgresql.password is not set", "Make one with: openssl rand"],
    },
    Case {
        what: "an image without a tag",
        release: "afp",
        passwords: true,
        sets: &["audit-event-generator.image.tag="],
        says: &["audit-event-generator.image.tag is not set", "--set-string audit-event-generator.image.tag=<tag>"],
    },
    Case {
        what: "a misspelt value",
        release: "afp",
        passwords: true,
        sets: &["rabbitmq.persistence.sise=2Gi"],
        says: &["/rabbitmq/persistence", "sise"],
    },
    Case {
        what: "a wrong mode",
        release: "afp",
        passwords: true,
        sets: &["global.rabbitmq.mode=cloud"],
        says: &["/global/rabbitmq/mode", "embedded"],
    },
    Case {
        what: "a wrong secret mode",
        release: "afp",
        passwords: true,
        sets: &["global.secrets.mode=vault"],
        says: &["/global/secrets/mode", "inline"],
    },
    Case {
        what: "a release name too long",
        release: "afp-one-letter-beyond",
        passwords: true,
        sets: &[],
        says: &["\"afp-one-letter-beyond\" has 21 characters", "at most 20"],
    },
    Case {
        what: "a callee switched off",
        release: "afp",
        passwords: true,
        sets: &["notification-service.enabled=false"],
        says: &["event-audit-dashboard calls notification-service, which is switched off"],
    },
];

/// Both Helms, each in a namespace of its own.
pub(super) fn run(lane: &Lane) -> Outcome {
    let mut helms = Vec::new();
    lane.step("both Helms are there", || {
        helms = vec![lane.context.helm4()?, lane.context.helm3()?];
        Ok(helms.iter().map(|helm| helm.version.as_str()).collect::<Vec<_>>().join(", "))
    })?;
    let mut spaces = Vec::new();
    lane.step("a namespace for each", || {
        for _ in &helms {
            spaces.push(TestNamespace::new(lane, "refusals")?);
        }
        Ok(String::new())
    })?;
    let mut outcome = Ok(());
    for (helm, namespace) in helms.iter().zip(&spaces) {
        for case in CASES {
            let step = format!("{}: {}", helm.tool.title(), case.what);
            outcome = lane.step(step, || refused(namespace, helm, case)).and(outcome);
        }
    }
    outcome
}

fn refused(namespace: &TestNamespace, helm: &ToolBinary, case: &Case) -> anyhow::Result<String> {
    let release = Release::new(namespace, helm, case.release);
    let values: Vec<Utf8PathBuf> = case.passwords.then(|| namespace.context.passwords.clone()).into_iter().collect();
    let arguments = release.arguments_of("install", &namespace.context.chart, &values, case.sets);
    let output = release.try_helm(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
    if output.success {
        bail!("it was installed");
    }
    for text in case.says {
        ensure!(output.err.contains(text), "the message lacks `{text}`:\n{}", output.all());
    }
    let left = namespace.inventory()?;
    ensure!(left.is_empty(), "something was made all the same: {}", left.into_iter().collect::<Vec<_>>().join(", "));
    Ok("nothing was made".to_owned())
}
