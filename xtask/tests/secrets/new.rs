//! The files that `new` creates and changes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use crate::support::{Checkout, FILE, at, complete, credentials, text, with};

fn mode(checkout: &Checkout) -> u32 {
    fs::metadata(checkout.root.join(FILE)).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_new_file_has_every_password_and_is_encrypted() {
    let checkout = Checkout::new();
    let said = checkout.on_file("new", &[]).success();
    assert_snapshot!(checkout.plain(&said), @"
    env/secrets-dev.yaml: 10 passwords created; encrypted for the recipients in …/.sops.yaml
      created  audit-event-generator.rabbitmq
      created  audit-log-analysis.rabbitmq
      created  notification-service.rabbitmq
      created  notification-service.postgresql
      created  rabbitmq.administrator
      created  postgresql.superuser
      created  postgresql.backup
      created  postgresql.exporter
      created  redis.administrator
      created  redis.exporter
    ");

    assert!(checkout.is_encrypted());
    assert_eq!(mode(&checkout), 0o600);
    let (passwords, values) = (checkout.passwords(), checkout.values());
    assert_eq!(passwords.len(), credentials().len());
    assert_eq!(passwords.values().collect::<BTreeSet<_>>().len(), passwords.len(), "all passwords differ");
    for password in passwords.values() {
        assert!(password.len() >= 32 && password.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
    for credential in credentials() {
        assert_eq!(at(&values, &credential.revision), Some(&1.into()), "{}", credential.name);
    }
    assert_snapshot!(checkout.on_file("check", &[]).success(), @"env/secrets-dev.yaml: no problems in 10 passwords; encrypted");
}

#[test]
fn a_second_run_changes_nothing() {
    let checkout = Checkout::new();
    checkout.on_file("new", &[]).success();
    let (bytes, changed) = (checkout.read(FILE), fs::metadata(checkout.root.join(FILE)).unwrap().modified().unwrap());
    assert_snapshot!(checkout.on_file("new", &[]).success(), @"env/secrets-dev.yaml: nothing to do: all 10 credentials have a password");
    assert_eq!(checkout.read(FILE), bytes);
    assert_eq!(fs::metadata(checkout.root.join(FILE)).unwrap().modified().unwrap(), changed);
}

#[test]
fn existing_passwords_stay_and_missing_ones_are_created() {
    let checkout = Checkout::new();
    let values = with(complete(), "rabbitmq/credentials/administrator/password", "");
    let values = with(values, "rabbitmq/credentials/administrator/revision", 7);
    let values = with(values, "notification-service/credentials", serde_yaml::Value::Null);
    checkout.write(FILE, &text(&values));
    let before = checkout.passwords();

    let said = checkout.on_file("new", &[]).success();
    assert_snapshot!(checkout.plain(&said), @"
    env/secrets-dev.yaml: 3 passwords created; the file was not encrypted and now is, for the recipients in …/.sops.yaml
      created  notification-service.rabbitmq
      created  notification-service.postgresql
      created  rabbitmq.administrator
    ");
    let after = checkout.passwords();
    assert_eq!(after.len(), credentials().len());
    for (name, password) in before {
        assert_eq!(after[&name], password, "{name}");
    }
    // A server may already know this revision.
    assert_eq!(checkout.values()["rabbitmq"]["credentials"]["administrator"]["revision"], 7);
    assert_eq!(checkout.values()["notification-service"]["credentials"]["postgresql"]["revision"], 1);
}

#[test]
fn a_rotation_changes_one_password_and_increments_its_revision() {
    let checkout = Checkout::new();
    checkout.on_file("new", &[]).success();
    let (before, values) = (checkout.passwords(), checkout.values());
    // Naming the credential twice increments the revision once.
    let name = "notification-service.postgresql";
    let said = checkout.on_file("new", &["--rotate", name, "--rotate", name]).success();
    assert_snapshot!(checkout.plain(&said), @"
    env/secrets-dev.yaml: 1 password replaced; encrypted for the recipients in …/.sops.yaml
      replaced  notification-service.postgresql, now revision 2
    ");

    let after = checkout.passwords();
    let changed: Vec<_> =
        before.iter().filter(|(name, password)| after[*name] != **password).map(|(name, _)| name).collect();
    assert_eq!(changed, [name]);
    let path = "notification-service/credentials/postgresql";
    let expected = with(values, &format!("{path}/password"), after[name].as_str());
    assert_eq!(checkout.values(), with(expected, &format!("{path}/revision"), 2));
    assert_eq!(mode(&checkout), 0o600);
}

#[test]
fn a_rotation_creates_no_other_password_and_needs_an_existing_one() {
    let checkout = Checkout::new();
    let missing = |name: &str| with(complete(), &format!("{name}/credentials"), serde_yaml::Value::Null);
    checkout.write(FILE, &text(&missing("redis")));
    let said = checkout.on_file("new", &["--rotate", "rabbitmq.administrator"]).success();
    assert_snapshot!(checkout.plain(&said), @"
    env/secrets-dev.yaml: 1 password replaced; the file was not encrypted and now is, for the recipients in …/.sops.yaml
      replaced  rabbitmq.administrator, now revision 2
    redis.administrator and other credentials have no password yet: run `cargo xtask secrets new dev --file env/secrets-dev.yaml`
    ");
    // Those of the administrator and of the exporter.
    assert_eq!(checkout.passwords().len(), credentials().len() - 2);
    let said = checkout.on_file("new", &["--rotate", "redis.administrator"]).failure(1);
    assert_snapshot!(said, @"
    error: redis.administrator has no password in env/secrets-dev.yaml yet, so there is none to replace (nothing was changed)
      Run `cargo xtask secrets new dev --file env/secrets-dev.yaml` to create it.
    ");
}

#[test]
fn recipients_may_come_from_the_environment_of_sops() {
    let checkout = Checkout::new();
    let rules = checkout.root.join(".sops.yaml");
    fs::rename(&rules, checkout.root.join("rules")).unwrap();
    // A relative path is relative to the command's folder, although sops runs in a different one.
    let mut command = checkout.command(&["new", "dev", "--file", FILE]);
    assert!(command.env("SOPS_CONFIG", "rules").output().unwrap().status.success());
    assert!(checkout.is_encrypted());
    assert_eq!(checkout.passwords().len(), credentials().len());
}
