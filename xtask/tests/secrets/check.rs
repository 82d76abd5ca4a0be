//! What `check` finds.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use serde_yaml::Value;

use crate::support::{Checkout, FILE, complete, text, with};

/// What a check of these values finds, in an encrypted file.
fn found(values: &Value) -> String {
    let checkout = Checkout::without_rules();
    checkout.write(FILE, &text(values));
    fs::set_permissions(checkout.root.join(FILE), fs::Permissions::from_mode(0o600)).unwrap();
    let said = checkout.on_file("check", &[]);
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""), "{}", said.out);
    said.out
}

#[test]
fn everything_is_found_at_once() {
    let good = complete();
    let values = with(good, "audit-event-generator/credentials/rabbitmq/password", "changeme");
    let values = with(values, "audit-log-analysis/credentials/rabbitmq/password", "Audit-Log-Analysis");
    let values = with(values, "notification-service/credentials/rabbitmq", Value::Null);
    let values = with(values, "notification-service/credentials/rabbit/password", "x7Kq0ZpLm2Vt9RbW");
    let values = with(values, "notification-service/credentials/postgresql/password", "too short\n");
    let values = with(values, "notification-service/credentials/postgresql/revision", "2");
    let values = with(values, "rabbitmq/credentials/administrator/password", "abababababababababab");
    let values = with(values, "rabbitmq/credentials/administrator/revision", 0);
    let values = with(values, "postgresql/credentials/superuser/password", 12_345_678_901_234_567_i64);
    let values = with(values, "postgresql/credentials/superuser/revision", 10_000);
    let values = with(values, "redis/credentials/administrator/password", "abababababababababab");
    let values = with(values, "old-service/credentials/rabbitmq/password", "x7Kq0ZpLm2Vt9RbW");
    let values = with(values, "old-service/replicas", 2);
    assert_snapshot!(found(&values), @"
    env/secrets-dev.yaml: 14 things are wrong
      audit-event-generator.rabbitmq is a placeholder, or little more than that
          cargo xtask secrets new dev --file env/secrets-dev.yaml --rotate audit-event-generator.rabbitmq
      audit-log-analysis.rabbitmq is its own name, or little more than that
          cargo xtask secrets new dev --file env/secrets-dev.yaml --rotate audit-log-analysis.rabbitmq
      notification-service.rabbitmq has no password
          cargo xtask secrets new dev --file env/secrets-dev.yaml
      notification-service.postgresql has fewer than 16 characters
          cargo xtask secrets new dev --file env/secrets-dev.yaml --rotate notification-service.postgresql
      notification-service.postgresql has control characters, such as a line break
          cargo xtask secrets new dev --file env/secrets-dev.yaml --rotate notification-service.postgresql
      notification-service.postgresql has a revision that is no integer from 1 to 9999
          edit env/secrets-dev.yaml, and set `notification-service.credentials.postgresql.revision` to the revision that is installed, or to 1
      rabbitmq.administrator has fewer than 8 different characters
          cargo xtask secrets new dev --file env/secrets-dev.yaml --rotate rabbitmq.administrator
      rabbitmq.administrator has a revision that is no integer from 1 to 9999
          edit env/secrets-dev.yaml, and set `rabbitmq.credentials.administrator.revision` to the revision that is installed, or to 1
      postgresql.superuser is no text, which Helm would refuse
          cargo xtask secrets new dev --file env/secrets-dev.yaml --rotate postgresql.superuser
      postgresql.superuser has a revision that is no integer from 1 to 9999
          edit env/secrets-dev.yaml, and set `postgresql.credentials.superuser.revision` to the revision that is installed, or to 1
      redis.administrator has fewer than 8 different characters
          cargo xtask secrets new dev --file env/secrets-dev.yaml --rotate redis.administrator
      redis.administrator has the same password as rabbitmq.administrator
          cargo xtask secrets new dev --file env/secrets-dev.yaml --rotate redis.administrator
      notification-service.rabbit is no declared credential
          edit env/secrets-dev.yaml, and take `notification-service.credentials.rabbit` out
      old-service.rabbitmq is no declared credential
          edit env/secrets-dev.yaml, and take `old-service.credentials.rabbitmq` out
    ");
}

#[test]
fn the_same_is_found_in_an_encrypted_file() {
    let checkout = Checkout::new();
    let values = with(complete(), "audit-event-generator/credentials/rabbitmq/password", "<password>");
    let values = with(values, "old-service/credentials/rabbitmq/password", "x7Kq0ZpLm2Vt9RbW");
    let values = with(values, "redis/credentials/administrator/revision", 1.5);
    checkout.write(FILE, &text(&values));
    checkout.on_file("new", &[]).success();
    let before = checkout.files();
    let said = checkout.on_file("check", &[]);
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""));
    assert_snapshot!(said.out, @"
    env/secrets-dev.yaml: 3 things are wrong
      audit-event-generator.rabbitmq is a placeholder in angle brackets
          cargo xtask secrets new dev --file env/secrets-dev.yaml --rotate audit-event-generator.rabbitmq
      redis.administrator has a revision that is no integer from 1 to 9999
          sops env/secrets-dev.yaml, and set `redis.credentials.administrator.revision` to the revision that is installed, or to 1
      old-service.rabbitmq is no declared credential
          sops env/secrets-dev.yaml, and take `old-service.credentials.rabbitmq` out
    ");
    assert_eq!(checkout.files(), before);
}

#[test]
fn a_file_that_is_not_there_is_one_finding() {
    let checkout = Checkout::new();
    let said = checkout.on_file("check", &[]);
    assert_eq!(said.code, Some(1));
    assert_snapshot!(said.out, @"
    env/secrets-dev.yaml: 1 thing is wrong
      it is not there, and 7 credentials need a password
          cargo xtask secrets new dev --file env/secrets-dev.yaml
    ");
}

#[test]
fn a_clear_file_is_found_where_there_is_a_rule() {
    let checkout = Checkout::new();
    checkout.write(FILE, &text(&complete()));
    fs::set_permissions(checkout.root.join(FILE), fs::Permissions::from_mode(0o644)).unwrap();
    let said = checkout.on_file("check", &[]);
    assert_eq!(said.code, Some(1));
    assert_snapshot!(checkout.plain(&said.out), @"
    env/secrets-dev.yaml: 2 things are wrong
      it is in the clear, and recipients are named in …/.sops.yaml
          cargo xtask secrets new dev --file env/secrets-dev.yaml
      it is in the clear, and others than its owner may read it
          chmod 600 env/secrets-dev.yaml
    ");
}

#[test]
fn a_password_that_sops_left_in_the_clear_is_found() {
    let checkout = Checkout::new();
    checkout.on_file("new", &[]).success();
    // By hand, with a rule that the command would refuse.
    let clear = checkout.clear_text();
    checkout.rules("^env/", "    unencrypted_regex: ^redis$\n");
    checkout.write("clear.yaml", &clear);
    let mut command = crate::support::SOPS.command();
    command.current_dir(&checkout.root).args(["encrypt", "--filename-override", FILE, "--output", FILE, "clear.yaml"]);
    assert!(command.output().unwrap().status.success());
    fs::remove_file(checkout.root.join("clear.yaml")).unwrap();
    let said = checkout.command(&["check", "dev", "--file", FILE]).output().unwrap();
    assert_eq!(said.status.code(), Some(1));
    assert_snapshot!(String::from_utf8(said.stdout).unwrap(), @"
    env/secrets-dev.yaml: 1 thing is wrong
      redis.administrator is in the clear, in a file that is encrypted otherwise
          take encrypted_regex and its kin out of the rule in .sops.yaml, then cargo xtask secrets new dev --file env/secrets-dev.yaml --rotate redis.administrator
    ");
}

#[test]
fn what_holds_no_credentials_is_found() {
    assert_snapshot!(found(&with(complete(), "rabbitmq/credentials", "none")), @"
    env/secrets-dev.yaml: 1 thing is wrong
      rabbitmq.administrator cannot be there, since what should hold it is no map
          edit env/secrets-dev.yaml, and make `rabbitmq.credentials` a map, or take it out
    ");
}

#[test]
fn a_file_that_cannot_be_read_is_a_failure() {
    let checkout = Checkout::new();
    checkout.write(FILE, "a: \"hunter2hunter2\nb: 1\n");
    let said = checkout.on_file("check", &[]).failure(3);
    assert_snapshot!(said, @"
    error: env/secrets-dev.yaml, line 3, column 1: here it is no YAML any more
      Mend it by hand; the line is the one of the clear text.
    ");
    fs::write(checkout.root.join(FILE), b"a: \xff\n").unwrap();
    assert!(checkout.command(&["check", "dev", "--file", FILE]).output().unwrap().status.code() == Some(3));
}
