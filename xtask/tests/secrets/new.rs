//! The files that `new` creates and changes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8PathBuf;
use insta::assert_snapshot;
use owned_tree::{self, HandEdits, OwnedTree, Wanted};

use crate::support::{Checkout, FILE, at, complete, credentials, text, with};

fn mode(checkout: &Checkout) -> u32 {
    fs::metadata(checkout.root.join(FILE)).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_new_file_has_every_password_and_is_encrypted() {
    let checkout = Checkout::new();
    let said = checkout.on_file("new", &[]).success();
    assert_snapshot!(checkout.plain(&said), @"
    env/secrets-dev.yaml: 7 passwords created; encrypted for the recipients in …/.sops.yaml
      created  audit-event-generator.rabbitmq
      created  audit-log-analysis.rabbitmq
      created  notification-service.rabbitmq
      created  notification-service.postgresql
      created  rabbitmq.administrator
      created  postgresql.superuser
      created  redis.administrator
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
    assert_snapshot!(checkout.on_file("check", &[]).success(), @"env/secrets-dev.yaml: no problems in 7 passwords; encrypted");
}

#[test]
fn a_second_run_changes_nothing() {
    let checkout = Checkout::new();
    checkout.on_file("new", &[]).success();
    let (bytes, changed) = (checkout.read(FILE), fs::metadata(checkout.root.join(FILE)).unwrap().modified().unwrap());
    assert_snapshot!(checkout.on_file("new", &[]).success(), @"env/secrets-dev.yaml: nothing to do: all 7 credentials have a password");
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
    redis.administrator has no password yet: run `cargo xtask secrets new dev --file env/secrets-dev.yaml`
    ");
    assert_eq!(checkout.passwords().len(), credentials().len() - 1);
    let said = checkout.on_file("new", &["--rotate", "redis.administrator"]).failure(1);
    assert_snapshot!(said, @"
    error: redis.administrator has no password in env/secrets-dev.yaml yet, so there is none to replace (nothing was changed)
      Run `cargo xtask secrets new dev --file env/secrets-dev.yaml` to create it.
    ");
}

#[test]
fn without_a_rule_the_file_is_not_encrypted_and_the_command_warns() {
    let checkout = Checkout::without_rules();
    checkout.write(FILE, "# by hand\n");
    fs::set_permissions(checkout.root.join(FILE), fs::Permissions::from_mode(0o600)).unwrap();
    let said = checkout.on_file("new", &[]).success();
    assert_snapshot!(said, @r"
    env/secrets-dev.yaml: 7 passwords created
      created  audit-event-generator.rabbitmq
      created  audit-log-analysis.rabbitmq
      created  notification-service.rabbitmq
      created  notification-service.postgresql
      created  rabbitmq.administrator
      created  postgresql.superuser
      created  redis.administrator

    The file is NOT ENCRYPTED: there is no .sops.yaml in its folder or above.
    Do not commit env/secrets-dev.yaml in this state; only its owner can read it. To encrypt it with sops:
      1. Run `age-keygen -o keys.txt`: it creates a key and prints its public part. Keep the file outside the checkout and set SOPS_AGE_KEY_FILE
         to its path (default: sops/age/keys.txt in your configuration folder, ~/.config on Linux).
      2. Add a rule to .sops.yaml at the top of the checkout:
           creation_rules:
             - path_regex: secrets-.*\.yaml$
               age: age1…  # the public part of the key
      3. Run `cargo xtask secrets new dev --file env/secrets-dev.yaml`: it encrypts the file and changes no password.
    ");
    assert!(!checkout.is_encrypted());
    assert_eq!(mode(&checkout), 0o600);
    assert!(checkout.read(FILE).starts_with("# by hand\naudit-event-generator:\n"));

    let text = checkout.read(FILE);
    fs::set_permissions(checkout.root.join(FILE), fs::Permissions::from_mode(0o644)).unwrap();
    let said = checkout.on_file("new", &[]).success();
    let first = "env/secrets-dev.yaml: no password changed; removed read access for other users\n";
    assert!(said.starts_with(first), "{said}");
    assert_eq!((mode(&checkout), checkout.read(FILE)), (0o600, text));
    assert_snapshot!(checkout.on_file("check", &[]).success(), @"env/secrets-dev.yaml: no problems in 7 passwords; not encrypted: do not commit it");

    // A rule for other files does not apply.
    checkout.rules("^elsewhere/", "");
    let said = checkout.on_file("new", &[]).success();
    assert!(
        checkout.plain(&said).contains("The file is NOT ENCRYPTED: no rule in …/.sops.yaml matches it.\n"),
        "{said}"
    );
    // sops ignores a .sops.yml.
    fs::rename(checkout.root.join(".sops.yaml"), checkout.root.join(".sops.yml")).unwrap();
    let said = checkout.on_file("new", &[]).success();
    assert!(checkout.plain(&said).contains("sops does not read …/.sops.yml; the name must be .sops.yaml"), "{said}");
}

#[test]
fn an_unencrypted_file_is_encrypted_once_there_is_a_rule() {
    let checkout = Checkout::without_rules();
    checkout.on_file("new", &[]).success();
    let before = checkout.values();
    checkout.rules("^env/", "");
    assert_eq!(checkout.on_file("check", &[]).code, Some(1));
    let said = checkout.on_file("new", &[]).success();
    assert_snapshot!(checkout.plain(&said), @"env/secrets-dev.yaml: no password changed; the file was not encrypted and now is, for the recipients in …/.sops.yaml");
    assert!(checkout.is_encrypted());
    assert_eq!(checkout.values(), before);
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

#[test]
fn the_default_file_is_beside_the_values_and_not_treated_as_generated() {
    let checkout = Checkout::without_rules();
    let root = checkout.root.join("generated-chart");
    let wanted = Wanted::from([(Utf8PathBuf::from("environments/values-stg.yaml"), "a: 1\n".to_owned())]);
    fs::create_dir(&root).unwrap();
    fs::write(checkout.root.join("Cargo.toml"), "[workspace]\n").unwrap();
    owned_tree::write_tree(&root, &wanted, HandEdits::Keep).unwrap();

    let mut command = checkout.command(&["new", "stg"]);
    let output = command.env("CARGO_MANIFEST_DIR", checkout.root.join("xtask")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("generated-chart/environments/secrets-stg.yaml: "), "{said}");
    assert!(root.join("environments/secrets-stg.yaml").is_file());

    assert!(OwnedTree::open(&root).unwrap().plan(&wanted).unwrap().is_up_to_date());
    owned_tree::write_tree(&root, &wanted, HandEdits::Overwrite).unwrap();
    assert!(root.join("environments/secrets-stg.yaml").is_file());
}
