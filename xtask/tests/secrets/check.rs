//! The problems that `check` reports.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8PathBuf;
use insta::assert_snapshot;
use serde_yaml::Value;
use tools::{Template, Tool};

use crate::support::{Checkout, FILE, complete, text, with};

/// The report of a check of these values, in an unencrypted file.
fn found(values: &Value) -> String {
    let checkout = Checkout::without_rules();
    checkout.write(FILE, &text(values));
    fs::set_permissions(checkout.root.join(FILE), fs::Permissions::from_mode(0o600)).unwrap();
    let said = checkout.on_file("check", &[]);
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""), "{}", said.out);
    said.out
}

#[test]
fn all_problems_are_reported_at_once() {
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
    env/secrets-dev.yaml: 14 problems
      audit-event-generator.rabbitmq is a placeholder, or little more than that
          cargo xtask secrets new dev --file env/secrets-dev.yaml --plaintext --rotate audit-event-generator.rabbitmq
      audit-log-analysis.rabbitmq is the credential's name, or little more than that
          cargo xtask secrets new dev --file env/secrets-dev.yaml --plaintext --rotate audit-log-analysis.rabbitmq
      notification-service.rabbitmq has no password
          cargo xtask secrets new dev --file env/secrets-dev.yaml --plaintext
      notification-service.postgresql has fewer than 16 characters
          cargo xtask secrets new dev --file env/secrets-dev.yaml --plaintext --rotate notification-service.postgresql
      notification-service.postgresql has control characters, such as a line break
          cargo xtask secrets new dev --file env/secrets-dev.yaml --plaintext --rotate notification-service.postgresql
      notification-service.postgresql has a revision that is not an integer from 1 to 9999
          edit env/secrets-dev.yaml, and set `notification-service.credentials.postgresql.revision` to the installed revision, or to 1
      rabbitmq.administrator has fewer than 8 different characters
          cargo xtask secrets new dev --file env/secrets-dev.yaml --plaintext --rotate rabbitmq.administrator
      rabbitmq.administrator has a revision that is not an integer from 1 to 9999
          edit env/secrets-dev.yaml, and set `rabbitmq.credentials.administrator.revision` to the installed revision, or to 1
      postgresql.superuser is not a string, so Helm would reject it
          cargo xtask secrets new dev --file env/secrets-dev.yaml --plaintext --rotate postgresql.superuser
      postgresql.superuser has a revision that is not an integer from 1 to 9999
          edit env/secrets-dev.yaml, and set `postgresql.credentials.superuser.revision` to the installed revision, or to 1
      redis.administrator has fewer than 8 different characters
          cargo xtask secrets new dev --file env/secrets-dev.yaml --plaintext --rotate redis.administrator
      redis.administrator has the same password as rabbitmq.administrator
          cargo xtask secrets new dev --file env/secrets-dev.yaml --plaintext --rotate redis.administrator
      notification-service.rabbit is not a declared credential
          edit env/secrets-dev.yaml, and remove `notification-service.credentials.rabbit`
      old-service.rabbitmq is not a declared credential
          edit env/secrets-dev.yaml, and remove `old-service.credentials.rabbitmq`
    ");
}

#[test]
fn problems_in_an_encrypted_file_are_reported() {
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
    env/secrets-dev.yaml: 3 problems
      audit-event-generator.rabbitmq is a placeholder in angle brackets
          cargo xtask secrets new dev --file env/secrets-dev.yaml --rotate audit-event-generator.rabbitmq
      redis.administrator has a revision that is not an integer from 1 to 9999
          sops env/secrets-dev.yaml, and set `redis.credentials.administrator.revision` to the installed revision, or to 1
      old-service.rabbitmq is not a declared credential
          sops env/secrets-dev.yaml, and remove `old-service.credentials.rabbitmq`
    ");
    assert_eq!(checkout.files(), before);
}

#[test]
fn a_missing_file_is_one_problem() {
    let checkout = Checkout::new();
    let said = checkout.on_file("check", &[]);
    assert_eq!(said.code, Some(1));
    assert_snapshot!(said.out, @"
    env/secrets-dev.yaml: 1 problem
      the file does not exist, and 10 credentials need a password
          cargo xtask secrets new dev --file env/secrets-dev.yaml
    ");
}

#[test]
fn an_unencrypted_file_is_a_problem_if_there_is_a_rule() {
    let checkout = Checkout::new();
    checkout.write(FILE, &text(&complete()));
    fs::set_permissions(checkout.root.join(FILE), fs::Permissions::from_mode(0o644)).unwrap();
    let said = checkout.on_file("check", &[]);
    assert_eq!(said.code, Some(1));
    assert_snapshot!(checkout.plain(&said.out), @"
    env/secrets-dev.yaml: 2 problems
      the file is not encrypted, although …/.sops.yaml names recipients
          cargo xtask secrets new dev --file env/secrets-dev.yaml
      the file is not encrypted, and other users can read it
          chmod 600 env/secrets-dev.yaml
    ");
}

#[test]
fn a_password_that_sops_left_unencrypted_is_reported() {
    let checkout = Checkout::new();
    checkout.on_file("new", &[]).success();
    // Encrypt by hand, with a rule that the command would reject.
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
    env/secrets-dev.yaml: 2 problems
      redis.administrator is not encrypted, although the file is
          remove encrypted_regex and similar keys from the rule in .sops.yaml, then run cargo xtask secrets new dev --file env/secrets-dev.yaml --rotate redis.administrator
      redis.exporter is not encrypted, although the file is
          remove encrypted_regex and similar keys from the rule in .sops.yaml, then run cargo xtask secrets new dev --file env/secrets-dev.yaml --rotate redis.exporter
    ");
}

#[test]
fn credentials_that_are_not_a_map_are_reported() {
    assert_snapshot!(found(&with(complete(), "rabbitmq/credentials", "none")), @"
    env/secrets-dev.yaml: 1 problem
      rabbitmq.administrator cannot be read, because the value that should contain it is not a map
          edit env/secrets-dev.yaml, and make `rabbitmq.credentials` a map, or remove it
    ");
}

#[test]
fn a_file_that_cannot_be_read_is_a_failure() {
    let checkout = Checkout::new();
    checkout.write(FILE, "a: \"hunter2hunter2\nb: 1\n");
    let said = checkout.on_file("check", &[]).failure(3);
    assert_snapshot!(said, @"
    error: env/secrets-dev.yaml, line 3, column 1: invalid YAML
      Correct it by hand; the line number refers to the decrypted text.
    ");
    fs::write(checkout.root.join(FILE), b"a: \xff\n").unwrap();
    assert!(checkout.command(&["check", "dev", "--file", FILE]).output().unwrap().status.code() == Some(3));
}

/// Texts that YAML 1.1, YAML 1.2 and Helm read differently, as they may stand behind `password:`. Strings among them are strong passwords.
const WRITTEN: &[&str] = &[
    "7_2945_61830_529471",
    "72945618305294710836150472918365",
    "72945618305294710836150472918e10",
    "0x1F7294561830ABCDEF9",
    "0x1F7294561830AB",
    "0b1010101010101010101",
    "0o72145613052746102",
    "7.2945618305294718",
    ".72945618305294718",
    "7e29456183052947108",
    "12:30:45:19:28:37:46",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10",
    "yes",
    "on",
    "~",
    "",
    "x7Kq0ZpLm2Vt9RbW",
    "\"7_2945_61830_529471\"",
    "'72945618305294710836150472918e10'",
    "! 72945618305294718",
    "!!str 72945618305294718",
    "!!int \"72945618305294718\"",
    "!!float 72945618305294718",
    "!!binary eDdLcTBacExtMlZ0OVJiVw==",
    "!own x7Kq0ZpLm2Vt9RbW",
    "|-\n      x7Kq0ZpLm2Vt9RbW",
    ">\n      x7Kq0ZpLm2Vt9RbW",
    "x7Kq0ZpLm2Vt9\n       RbW",
    "[x7Kq0ZpLm2Vt9RbW]",
    "{x7Kq0ZpLm2Vt9RbW: 1}",
    "x7Kq0ZpLm2Vt9RbW # why",
    "x7Kq0ZpLm2Vt9RbW#why",
    "x7Kq0ZpLm2Vt9RbW: y",
    "*x7Kq0ZpLm2Vt9RbW",
    "@x7Kq0ZpLm2Vt9RbW",
    "\"x7Kq0ZpLm2Vt9RbW",
    ".inf",
    "jdevlab",
];

#[test]
fn check_accepts_what_helm_accepts() {
    let checkout = Checkout::without_rules();
    let ours = format!("{}/..", env!("CARGO_MANIFEST_DIR"));
    let chart = Utf8PathBuf::from(format!("{ours}/generated-chart/auditflow-platform"));
    let fake = chart.join("ci/default-values.yaml");
    let values = checkout.root.join(FILE);
    let before = text(&complete());
    let line = before.lines().find(|line| line.contains("password:")).unwrap();
    let (mut accepted, mut rejected) = (0, 0);
    for written in WRITTEN {
        checkout.write(FILE, &before.replacen(line, &format!("      password: {written}"), 1));
        fs::set_permissions(&values, fs::Permissions::from_mode(0o600)).unwrap();
        let ours = checkout.command(&["check", "dev", "--file", FILE]).output().unwrap();
        for tool in [Tool::BatchHelm3, Tool::BatchHelm4] {
            let input = Template { chart: &chart, release: "afp", values: &[&fake, &values], arguments: &[] };
            let theirs = tool.ensure().unwrap().template(&input).unwrap();
            assert_eq!(ours.status.success(), theirs.is_ok(), "{written}: {ours:?}, {:?}", theirs.err());
            let refusal = theirs.err().unwrap_or_default();
            let ours = String::from_utf8_lossy(&ours.stdout);
            let is_of_another_type = refusal.contains("/rabbitmq/password': got ") && !refusal.contains("got null");
            assert_eq!(is_of_another_type, ours.contains("is not a string"), "{written}: {ours}, {refusal}");
        }
        if ours.status.success() {
            accepted += 1;
        } else {
            rejected += 1;
        }
    }
    assert!(accepted > 8 && rejected > 15, "{accepted} accepted, {rejected} rejected");
}
