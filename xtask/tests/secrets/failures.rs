//! Failures change nothing: the file stays as it was, and passwords do not leak.

use std::fs;
use std::thread;
use std::time::Duration;

use generator::yaml;
use insta::assert_snapshot;

use crate::support::{Checkout, FILE, Said, at, complete, credentials, text};

#[test]
fn without_the_key_nothing_is_changed() {
    let checkout = Checkout::new();
    checkout.on_file("new", &[]).success();
    let before = checkout.files();
    checkout.make_key();
    for said in [
        checkout.on_file("new", &["--rotate", "redis.administrator"]).failure(1),
        checkout.on_file("new", &[]).failure(1),
        checkout.on_file("check", &[]).failure(3),
    ] {
        let first = "error: sops cannot decrypt env/secrets-dev.yaml (nothing was changed)\n  sops needs the key of one of the file's \
                     recipients: set SOPS_AGE_KEY_FILE to the path of your age key.\n  Output of sops:\n    Failed to get the data key";
        assert!(said.starts_with(first), "{said}");
    }
    assert_eq!(checkout.files(), before);
}

#[test]
fn an_encrypted_file_is_never_replaced_by_plain_text() {
    let checkout = Checkout::new();
    checkout.on_file("new", &[]).success();
    let before = checkout.read(FILE);
    fs::remove_file(checkout.root.join(".sops.yaml")).unwrap();
    let said = checkout.on_file("new", &["--rotate", "redis.administrator"]).failure(1);
    assert_snapshot!(said, @r"
    error: env/secrets-dev.yaml is encrypted, but there is no .sops.yaml in its folder or above; an encrypted file is never replaced by plain text (nothing was changed)
      Add a rule for the file to a .sops.yaml in its folder or above:
      creation_rules:
        - path_regex: secrets-.*\.yaml$
          age: age1…  # the public part of the key
    ");
    assert_eq!(checkout.on_file("new", &[]).failure(1), said);
    checkout.rules("^elsewhere/", "");
    let said = checkout.on_file("new", &[]).failure(1);
    assert!(
        checkout.plain(&said).contains("is encrypted, but no rule in …/.sops.yaml matches it; an encrypted"),
        "{said}"
    );
    let said = checkout.on_file("check", &[]);
    assert_eq!(said.code, Some(1));
    assert_snapshot!(checkout.plain(&said.out), @"
    env/secrets-dev.yaml: 1 problem
      the file is encrypted, but sops cannot encrypt it again: no rule in …/.sops.yaml matches it
          add a rule for the file to a .sops.yaml in its folder or above
    ");
    assert_eq!(checkout.read(FILE), before);
}

#[test]
fn a_failing_sops_changes_nothing_and_its_output_is_shown_without_passwords() {
    let checkout = Checkout::new();
    let input = checkout.root.with_file_name("input");
    for is_there in [false, true] {
        let before = checkout.files();
        // The script encrypts the probe, and otherwise prints its input: whole, and shortened as the YAML parser of sops quotes values.
        checkout.sops_script(&format!(
            "[ $1 = encrypt ] || exec $REAL \"$@\"\ncat >{input}; [ \"$(cat {input})\" != 'probe: 1' ] || exit 0\n\
             cat {input} >&2; sed 's/password: \\(.......\\).*/!!str `\\1...`/' <{input} >&2\necho broken >&2\nexit 4",
        ));
        let more: &[&str] = if is_there { &["--rotate", "redis.administrator"] } else { &[] };
        let said = checkout.on_file("new", more).failure(1);
        assert!(said.starts_with("error: sops cannot encrypt env/secrets-dev.yaml (nothing was changed)\n"), "{said}");
        assert!(said.ends_with("    broken\n"), "{said}");
        let values = yaml::read_all(&fs::read_to_string(&input).unwrap()).unwrap().remove(0);
        for credential in credentials() {
            let password = at(&values, &credential.value).and_then(serde_yaml::Value::as_str).unwrap();
            assert!(!said.contains(&password[..7]), "the message contains the password of {}", credential.name);
        }
        assert_eq!(checkout.files(), before);

        for script in ["exit 0", "cat; exit 0"] {
            checkout.sops_script(&format!("[ $1 = encrypt ] || exec $REAL \"$@\"\n{script}"));
            let said = checkout.on_file("new", more).failure(1);
            assert!(said.ends_with("  Output of sops:\n    (text that is not encrypted)\n"), "{said}");
        }
        assert_eq!(checkout.files(), before);
        checkout.no_sops_script();
        checkout.on_file("new", &[]).success();
    }
}

/// sops quotes the value that it cannot decrypt.
#[test]
fn a_value_that_was_added_in_the_clear_is_named_and_not_shown() {
    let checkout = Checkout::new();
    checkout.on_file("new", &[]).success();
    let encrypted = checkout.read(FILE);
    let line = encrypted.lines().find(|line| line.contains("password: ENC[")).unwrap();
    for clear in ["hunter2-hunter2-hunter2", "x", "12345678901234567", "!own hunter2-hunter2"] {
        let text = encrypted.replacen(line, &format!("            password: {clear}\n            more: {clear}"), 1);
        checkout.write(FILE, &text);
        for (said, code) in [
            (checkout.on_file("check", &[]), 3),
            (checkout.on_file("new", &[]), 1),
            (checkout.on_file("new", &["--rotate", "redis.administrator"]), 1),
        ] {
            let said = said.failure(code);
            assert!(!said.contains("hunter2") && !said.contains("12345678"), "{said}");
            if code == 3 && clear == "x" {
                assert_snapshot!(said, @"
                error: env/secrets-dev.yaml is encrypted, but these values in it are not: audit-event-generator.rabbitmq, audit-event-generator.credentials.rabbitmq.more (nothing was changed)
                  sops decrypts no file with such a value. Undo that edit, for example with `git restore`, and change values with `sops edit`
                  or `cargo xtask secrets new dev --file env/secrets-dev.yaml`. A password that was committed or shared in the clear must be replaced.
                ");
            }
            assert!(said.contains(
                "are not: audit-event-generator.rabbitmq, audit-event-generator.credentials.rabbitmq.more (n"
            ));
        }
        assert_eq!(checkout.read(FILE), text);
    }
    // sops shows the values of comments, too, when it fails for another reason.
    let text = encrypted.replacen("password: ENC[", "# hunter2-hunter2\n            password: ENC[x", 1);
    checkout.write(FILE, &text);
    let said = checkout.on_file("check", &[]).failure(3);
    assert!(said.contains("sops cannot decrypt") && !said.contains("hunter2"), "{said}");
}

#[test]
fn a_rule_that_leaves_passwords_unencrypted_is_rejected() {
    let checkout = Checkout::new();
    checkout.rules("^env/", "    encrypted_regex: ^(data|stringData)$\n");
    let said = checkout.on_file("new", &[]).failure(1);
    assert_snapshot!(said, @"
    error: sops would leave these passwords of env/secrets-dev.yaml unencrypted: audit-event-generator.rabbitmq, audit-log-analysis.rabbitmq, notification-service.rabbitmq, notification-service.postgresql, rabbitmq.administrator, postgresql.superuser, postgresql.backup, postgresql.exporter, redis.administrator, redis.exporter (nothing was changed)
      The rule for the file in .sops.yaml restricts encryption, for example with encrypted_regex. Remove that key, so that every value is encrypted.
    ");
    assert!(!checkout.root.join(FILE).exists());
}

#[test]
fn errors_in_the_rules_are_shown_as_sops_reports_them() {
    let checkout = Checkout::new();
    checkout.write(".sops.yaml", "creation_rules:\n  - age: age1wrong\n");
    let said = checkout.on_file("new", &[]).failure(1);
    assert!(said.contains("sops cannot encrypt env/secrets-dev.yaml (nothing was changed)"), "{said}");
    assert!(said.contains("malformed recipient \"age1wrong\""), "{said}");
    assert!(!checkout.root.join(FILE).exists());
}

/// Records the arguments, the environment and every file of the checkout each time sops runs.
#[test]
fn no_password_is_ever_on_disk_in_an_argument_or_in_the_environment() {
    let checkout = Checkout::new();
    let seen = checkout.root.with_file_name("seen");
    checkout.sops_script(&format!(
        "{{ echo \"$@\"; env; for file in $(find {} -type f); do echo \"# $file\"; cat $file; done; }} >>{seen}\n\
         $REAL \"$@\" || exit $?\nfind {} -type f -exec cat {{}} + >>{seen}",
        checkout.root, checkout.root,
    ));
    checkout.on_file("new", &[]).success();
    let mut all = checkout.passwords();
    checkout.on_file("new", &["--rotate", "rabbitmq.administrator"]).success();
    all.insert("after".to_owned(), checkout.passwords()["rabbitmq.administrator"].clone());
    checkout.on_file("check", &[]).success();

    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains("encrypt --input-type yaml") && seen.contains("decrypt --input-type yaml"));
    assert!(seen.contains("SOPS_AGE_KEY_FILE=") && seen.contains("secrets-dev.yaml\n"));
    for (name, password) in all {
        assert!(!seen.contains(&password), "the password of {name} was visible");
    }
}

#[test]
fn a_killed_run_leaves_the_file_as_it_was() {
    let checkout = Checkout::new();
    checkout.on_file("new", &[]).success();
    let before = checkout.files();
    let reached = checkout.root.with_file_name("reached");
    checkout.sops_script(&format!(
        "[ $1 = encrypt ] || exec $REAL \"$@\"\ninput=$(cat); [ \"$input\" != 'probe: 1' ] || exit 0\n\
         echo >{reached}\nexec sleep 2 >/dev/null 2>&1"
    ));
    let mut child =
        checkout.command(&["new", "dev", "--file", FILE, "--rotate", "redis.administrator"]).spawn().unwrap();
    while !reached.exists() {
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(checkout.files(), before);
}

#[test]
fn a_concurrent_change_of_the_file_is_not_overwritten() {
    let checkout = Checkout::new();
    checkout.write(FILE, &text(&complete()));
    checkout
        .sops_script(&format!("$REAL \"$@\" || exit $?\n[ $1 != encrypt ] || echo '# me' >>{}/{FILE}", checkout.root));
    let said = checkout.on_file("new", &["--rotate", "redis.administrator"]).failure(1);
    assert_snapshot!(said, @"
    error: another program changed env/secrets-dev.yaml during this run (the file keeps that change)
      Run the command again.
    ");
    // sops ran twice: once for the probe, once for the file.
    assert!(checkout.read(FILE).ends_with("# me\n# me\n"));
}

#[test]
fn concurrent_runs_create_one_set_of_passwords() {
    let checkout = Checkout::new();
    let outputs: Vec<_> = thread::scope(|scope| {
        let runs =
            [(); 3].map(|()| scope.spawn(|| checkout.command(&["new", "dev", "--file", FILE]).output().unwrap()));
        runs.into_iter().map(|run| Said::of(&run.join().unwrap()).success()).collect()
    });
    assert_eq!(outputs.iter().filter(|said| said.contains("passwords created")).count(), 1, "{outputs:?}");
    assert_eq!(outputs.iter().filter(|said| said.contains("nothing to do")).count(), 2, "{outputs:?}");
}

#[test]
fn unknown_names_are_rejected_and_the_known_names_listed() {
    let checkout = Checkout::new();
    let said = checkout.run(&["new", "prod", "--file", FILE]).failure(1);
    assert_snapshot!(said, @"error: there is no environment `prod`; the environments are dev, test, stg, main");
    assert_eq!(checkout.run(&["check", "prod", "--file", FILE]).failure(3), said);
    assert_snapshot!(checkout.on_file("new", &["--rotate", "rabbitmq"]).failure(1), @"error: there is no credential `rabbitmq`; the credentials are audit-event-generator.rabbitmq, audit-log-analysis.rabbitmq, notification-service.rabbitmq, notification-service.postgresql, rabbitmq.administrator, postgresql.superuser, postgresql.backup, postgresql.exporter, redis.administrator, redis.exporter");
    assert_snapshot!(checkout.run(&["new", "dev", "--file", "nowhere/secrets.yaml"]).failure(1), @"
    error: the folder nowhere of nowhere/secrets.yaml does not exist
      Create it, or give a path relative to the current folder.
    ");
    assert!(!checkout.root.join(FILE).exists());
    assert_eq!(checkout.run(&["new"]).code, Some(2));
}

#[test]
fn an_environment_with_a_store_has_no_file_of_passwords() {
    let checkout = Checkout::new();
    let said = checkout.run(&["new", "stg", "--file", FILE]).failure(1);
    assert_snapshot!(said, @"
    error: environment `stg` takes its passwords from the ClusterSecretStore `auditflow-stg`, and the chart refuses passwords in its values (nothing was changed)
      Write them into the store, under the key `<release>-credentials`, as the properties audit-event-generator.rabbitmq.r1, audit-log-analysis.rabbitmq.r1, notification-service.rabbitmq.r1, notification-service.postgresql.r1, rabbitmq.administrator.r1, postgresql.superuser.r1, postgresql.backup.r1, postgresql.exporter.r1, redis.administrator.r1, redis.exporter.r1.
    ");
    assert_eq!(checkout.run(&["check", "stg", "--file", FILE]).failure(3), said);
    assert!(!checkout.root.join(FILE).exists());
}
