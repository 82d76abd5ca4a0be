//! Passwords in the clear: written only on request, to a file that git ignores.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use camino::Utf8PathBuf;
use insta::assert_snapshot;
use owned_tree::{self, HandEdits, OwnedTree, Wanted};

use crate::support::{Checkout, FILE, Said, complete, text};

fn mode(checkout: &Checkout, file: &str) -> u32 {
    fs::metadata(checkout.root.join(file)).unwrap().permissions().mode() & 0o777
}

/// Runs git in the checkout, without the developer's own settings.
fn git(checkout: &Checkout, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=test", "-c", "user.email=test@example.org"]).args(arguments).current_dir(&checkout.root);
    let output = git.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn without_recipients_nothing_is_written() {
    let checkout = Checkout::without_rules();
    let said = checkout.on_file("new", &[]).failure(1);
    assert_snapshot!(checkout.plain(&said), @r"
    error: env/secrets-dev.yaml cannot be encrypted, because there is no .sops.yaml in its folder or above (nothing was written)
      1. Run `age-keygen -o keys.txt`: it creates a key and prints its public part. Keep the file outside the checkout and set SOPS_AGE_KEY_FILE
         to its path (default: sops/age/keys.txt in your configuration folder, ~/.config on Linux).
      2. Add a rule to .sops.yaml at the top of the checkout (generated-chart/.sops.yaml.example explains it):
           creation_rules:
             - path_regex: secrets-.*\.yaml$
               age: age1…  # the public part of the key
      3. Run `cargo xtask secrets new dev --file env/secrets-dev.yaml`: it encrypts the passwords and changes none.
      For a trial, `cargo xtask secrets new dev --file env/secrets-dev.yaml --plaintext` writes passwords in the clear, to a file that git ignores.
    ");
    assert!(!checkout.root.join(FILE).exists());

    // A file in the clear that an earlier version of the command wrote stays as it is.
    checkout.write(FILE, &text(&complete()));
    let before = checkout.files();
    for more in [&[][..], &["--rotate", "redis.administrator"]] {
        let said = checkout.on_file("new", more).failure(1);
        assert!(said.contains("cannot be encrypted, because there is no .sops.yaml in its folder or above"), "{said}");
    }
    // A rule for other files does not apply, and sops ignores a .sops.yml.
    checkout.rules("^elsewhere/", "");
    let said = checkout.on_file("new", &[]).failure(1);
    assert!(checkout.plain(&said).contains("because no rule in …/.sops.yaml matches it (nothing"), "{said}");
    fs::rename(checkout.root.join(".sops.yaml"), checkout.root.join(".sops.yml")).unwrap();
    let said = checkout.on_file("new", &[]).failure(1);
    assert!(checkout.plain(&said).contains("sops does not read …/.sops.yml; the name must be .sops.yaml"), "{said}");
    fs::remove_file(checkout.root.join(".sops.yml")).unwrap();
    assert_eq!(checkout.files(), before);
}

#[test]
fn on_request_the_file_is_not_encrypted_and_the_command_says_how_to_encrypt_it() {
    let checkout = Checkout::without_rules();
    checkout.write(FILE, "# by hand\n");
    fs::set_permissions(checkout.root.join(FILE), fs::Permissions::from_mode(0o600)).unwrap();
    let said = checkout.on_file("new", &["--plaintext"]).success();
    assert_snapshot!(said, @r"
    env/secrets-dev.yaml: 10 passwords created
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

    The file is NOT ENCRYPTED; only its owner can read it, and it must not be committed. To encrypt it with sops:
      1. Run `age-keygen -o keys.txt`: it creates a key and prints its public part. Keep the file outside the checkout and set SOPS_AGE_KEY_FILE
         to its path (default: sops/age/keys.txt in your configuration folder, ~/.config on Linux).
      2. Add a rule to .sops.yaml at the top of the checkout (generated-chart/.sops.yaml.example explains it):
           creation_rules:
             - path_regex: secrets-.*\.yaml$
               age: age1…  # the public part of the key
      3. Run `cargo xtask secrets new dev --file env/secrets-dev.yaml`: it encrypts the passwords and changes none.
    ");
    assert!(!checkout.is_encrypted());
    assert_eq!(mode(&checkout, FILE), 0o600);
    assert!(checkout.read(FILE).starts_with("# by hand\naudit-event-generator:\n"));

    let text = checkout.read(FILE);
    fs::set_permissions(checkout.root.join(FILE), fs::Permissions::from_mode(0o644)).unwrap();
    let said = checkout.on_file("new", &["--plaintext"]).success();
    let first = "env/secrets-dev.yaml: no password changed; removed read access for other users\n";
    assert!(said.starts_with(first), "{said}");
    assert_eq!((mode(&checkout, FILE), checkout.read(FILE)), (0o600, text));
    assert_snapshot!(checkout.on_file("check", &[]).success(), @"env/secrets-dev.yaml: no problems in 10 passwords; not encrypted: do not commit it");

    // The remedies of a check repeat the request.
    let weak = checkout.read(FILE).replacen("password: ", "password: jdevlab # ", 1);
    checkout.write(FILE, &weak);
    assert_snapshot!(checkout.on_file("check", &[]).out, @"
    env/secrets-dev.yaml: 1 problem
      audit-event-generator.rabbitmq is a password that was published, or little more than that
          cargo xtask secrets new dev --file env/secrets-dev.yaml --plaintext --rotate audit-event-generator.rabbitmq
    ");
}

#[test]
fn an_unencrypted_file_is_encrypted_once_there_is_a_rule() {
    let checkout = Checkout::without_rules();
    checkout.on_file("new", &["--plaintext"]).success();
    let before = checkout.values();
    checkout.rules("^env/", "");
    assert_eq!(checkout.on_file("check", &[]).code, Some(1));
    let said = checkout.on_file("new", &[]).success();
    assert_snapshot!(checkout.plain(&said), @"env/secrets-dev.yaml: no password changed; the file was not encrypted and now is, for the recipients in …/.sops.yaml");
    assert!(checkout.is_encrypted());
    assert_eq!(checkout.values(), before);
}

#[test]
fn an_encrypted_file_is_not_written_in_the_clear_on_request() {
    let checkout = Checkout::new();
    checkout.on_file("new", &[]).success();
    let before = checkout.files();
    let said = checkout.on_file("new", &["--plaintext"]).failure(1);
    assert_snapshot!(said, @"
    error: env/secrets-dev.yaml is encrypted, and `--plaintext` does not decrypt it (nothing was changed)
      Leave out `--plaintext`.
    ");
    assert_eq!(checkout.files(), before);
}

/// A repository of a platform: the generated files alone keep the default file out of git.
struct Repository(Checkout);

impl Repository {
    fn new() -> Self {
        let checkout = Checkout::without_rules();
        let chart = generator::generate(&auditflow::platform().resolve().unwrap());
        owned_tree::write_tree(&checkout.root.join("generated-chart"), &chart.into_files(), HandEdits::Keep).unwrap();
        fs::write(checkout.root.join("Cargo.toml"), "[workspace]\n").unwrap();
        git(&checkout, &["init", "--quiet"]);
        Self(checkout)
    }

    fn run(&self, arguments: &[&str]) -> Said {
        let mut command = self.0.command(arguments);
        Said::of(&command.env("CARGO_MANIFEST_DIR", self.0.root.join("xtask")).output().unwrap())
    }

    /// The findings of `cargo xtask verify --only passwords`, without the time.
    fn verified(&self) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["verify", "--only", "passwords", "--strict", "--format", "json"]);
        command.current_dir(&self.0.root).env("CARGO_MANIFEST_DIR", self.0.root.join("xtask"));
        let output = command.output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let failures = report["steps"][0]["failures"].as_array().unwrap();
        assert_eq!(output.status.success(), failures.is_empty());
        failures.iter().map(|failure| failure.as_str().unwrap().to_owned() + "\n").collect()
    }

    /// The files that `git add --all` adds.
    fn added(&self) -> Vec<String> {
        git(&self.0, &["add", "--all"]);
        git(&self.0, &["ls-files"]).lines().map(str::to_owned).collect()
    }
}

const CLEAR: &str = "generated-chart/environments/secrets-dev.plaintext.yaml";
const ENCRYPTED: &str = "generated-chart/environments/secrets-dev.yaml";

#[test]
fn git_adds_the_encrypted_default_file_and_not_the_one_in_the_clear() {
    let repository = Repository::new();
    let said = repository.run(&["new", "dev", "--plaintext"]).success();
    assert!(said.starts_with(&format!("{CLEAR}: 10 passwords created\n")), "{said}");
    assert_eq!(mode(&repository.0, CLEAR), 0o600);
    assert!(!repository.added().iter().any(|file| file.contains("secrets-dev")));
    assert_snapshot!(repository.run(&["check", "dev"]).success(), @"generated-chart/environments/secrets-dev.plaintext.yaml: no problems in 10 passwords; not encrypted: do not commit it");

    // Once there are recipients, the passwords move.
    let before = repository.0.read(CLEAR);
    repository.0.rules(r"secrets-.*\.yaml$", "");
    let said = repository.run(&["check", "dev"]);
    assert_eq!(said.code, Some(1));
    assert_snapshot!(repository.0.plain(&said.out), @"
    generated-chart/environments/secrets-dev.plaintext.yaml: 1 problem
      the file is not encrypted, although …/.sops.yaml names recipients
          cargo xtask secrets new dev
    ");
    let said = repository.run(&["new", "dev"]).success();
    assert_snapshot!(repository.0.plain(&said), @"
    generated-chart/environments/secrets-dev.yaml: no password changed; encrypted for the recipients in …/.sops.yaml
    The passwords of generated-chart/environments/secrets-dev.plaintext.yaml are in this file now, and generated-chart/environments/secrets-dev.plaintext.yaml is deleted.
    ");
    assert!(!repository.0.root.join(CLEAR).exists());
    let after = repository.0.read(ENCRYPTED);
    assert!(
        after.contains("ENC[")
            && !before.lines().filter(|line| line.contains("password:")).any(|line| after.contains(line))
    );
    assert!(repository.added().contains(&ENCRYPTED.to_owned()));

    // Then there is no second file in the clear.
    let said = repository.run(&["new", "dev", "--plaintext"]).failure(1);
    assert_snapshot!(said, @"
    error: generated-chart/environments/secrets-dev.yaml is encrypted, and `--plaintext` does not decrypt it (nothing was changed)
      Leave out `--plaintext`.
    ");
    repository.0.write(CLEAR, &before);
    assert_snapshot!(repository.run(&["check", "dev"]).out, @"
    generated-chart/environments/secrets-dev.yaml: 1 problem
      generated-chart/environments/secrets-dev.plaintext.yaml contains passwords in the clear, too
          rm generated-chart/environments/secrets-dev.plaintext.yaml
    ");
}

#[test]
fn a_file_that_git_would_add_is_not_written_in_the_clear() {
    let repository = Repository::new();
    let said = repository.0.on_file("new", &["--plaintext"]).failure(1);
    assert_snapshot!(said, @"
    error: git does not ignore env/secrets-dev.yaml, so `git add` would take passwords in the clear (nothing was written)
      Add `secrets-dev.yaml` to a .gitignore in its folder, or choose a file below generated-chart whose name ends with .plaintext.yaml.
    ");
    assert!(!repository.0.root.join(FILE).exists());
    repository.0.write(".gitignore", "/env/\n");
    repository.0.on_file("new", &["--plaintext"]).success();
    // A file that git tracks already is not protected by the rule.
    git(&repository.0, &["add", "--force", FILE]);
    let said = repository.0.on_file("new", &["--plaintext", "--rotate", "redis.administrator"]).failure(1);
    assert_snapshot!(said, @"
    error: git tracks env/secrets-dev.yaml, which would contain passwords in the clear (nothing was written)
      Run `git rm --cached` on it and ignore it, or choose another file. Replace passwords that were committed in the clear.
    ");
}

#[test]
fn verify_finds_every_password_that_git_tracks_or_would_add() {
    let repository = Repository::new();
    repository.run(&["new", "dev", "--plaintext"]).success();
    assert_eq!(repository.verified(), "");
    // The fake passwords of the chart are public.
    repository.added();
    assert_eq!(repository.verified(), "");

    // A file in the clear, untracked and tracked, with any name and below other keys; a password of the ignored file in a file of another form.
    let clear = repository.0.read(CLEAR);
    let password = clear.lines().find_map(|line| line.trim().strip_prefix("password: ")).unwrap().trim_matches('"');
    repository
        .0
        .write("env/mine.yaml", &format!("umbrella:\n  {}", text(&complete()).replace('\n', "\n  ").trim_end()));
    repository.0.write("notes.md", &format!("The broker's password is {password}.\n"));
    repository.0.write(
        "env/other.yaml",
        "other: {credentials: {broker: {password: hunter2-hunter2}}, nested: {password: x}}\n",
    );
    let found = repository.verified();
    assert_snapshot!(found, @"
    env/mine.yaml contains passwords in the clear: audit-event-generator.rabbitmq, audit-log-analysis.rabbitmq, notification-service.postgresql, notification-service.rabbitmq, postgresql.backup, postgresql.exporter, postgresql.superuser, rabbitmq.administrator, redis.administrator, redis.exporter
      Encrypt it with `cargo xtask secrets new`, or let git ignore it (`git rm --cached` if it is tracked). A password that was committed stays in
      git's history: replace it.
    env/other.yaml contains passwords in the clear: other.broker
      Encrypt it with `cargo xtask secrets new`, or let git ignore it (`git rm --cached` if it is tracked). A password that was committed stays in
      git's history: replace it.
    notes.md contains passwords in the clear: audit-event-generator.rabbitmq
      Encrypt it with `cargo xtask secrets new`, or let git ignore it (`git rm --cached` if it is tracked). A password that was committed stays in
      git's history: replace it.
    ");
    assert!(!found.contains(password) && !found.contains("hunter2"));
    repository.added();
    assert_eq!(repository.verified(), found);
    for file in ["env/mine.yaml", "notes.md", "env/other.yaml"] {
        git(&repository.0, &["rm", "--quiet", "--force", file]);
    }

    // A rule that undoes the generated one, and the file that it lets in.
    repository.0.write("generated-chart/environments/.gitignore", "!*\n");
    let found = repository.verified();
    assert_snapshot!(found, @"
    generated-chart/environments/secrets-dev.plaintext.yaml contains passwords in the clear: audit-event-generator.rabbitmq, audit-log-analysis.rabbitmq, notification-service.postgresql, notification-service.rabbitmq, postgresql.backup, postgresql.exporter, postgresql.superuser, rabbitmq.administrator, redis.administrator, redis.exporter
      Encrypt it with `cargo xtask secrets new`, or let git ignore it (`git rm --cached` if it is tracked). A password that was committed stays in
      git's history: replace it.
    git does not ignore generated-chart/environments/secrets-dev.plaintext.yaml
      run `cargo xtask generate`, which writes generated-chart/.gitignore, and remove rules that undo it
    git does not ignore generated-chart/environments/secrets-main.plaintext.yaml
      run `cargo xtask generate`, which writes generated-chart/.gitignore, and remove rules that undo it
    git does not ignore generated-chart/environments/secrets-stg.plaintext.yaml
      run `cargo xtask generate`, which writes generated-chart/.gitignore, and remove rules that undo it
    git does not ignore generated-chart/environments/secrets-test.plaintext.yaml
      run `cargo xtask generate`, which writes generated-chart/.gitignore, and remove rules that undo it
    ");
    fs::remove_file(repository.0.root.join("generated-chart/environments/.gitignore")).unwrap();

    // One value in the clear among encrypted ones.
    repository.0.rules(r"secrets-.*\.yaml$", "");
    repository.run(&["new", "dev"]).success();
    assert_eq!(repository.verified(), "");
    let encrypted = repository.0.read(ENCRYPTED);
    let line = encrypted.lines().find(|line| line.contains("password: ENC[")).unwrap();
    repository.0.write(ENCRYPTED, &encrypted.replacen(line, "            password: hunter2-hunter2", 1));
    assert_snapshot!(repository.verified(), @"
    generated-chart/environments/secrets-dev.yaml contains passwords in the clear: audit-event-generator.rabbitmq
      Encrypt it with `cargo xtask secrets new`, or let git ignore it (`git rm --cached` if it is tracked). A password that was committed stays in
      git's history: replace it.
    ");
}

#[test]
fn a_file_in_the_clear_with_the_name_of_an_encrypted_one_is_to_be_renamed() {
    let repository = Repository::new();
    repository.0.write(ENCRYPTED, &text(&complete()));
    let said = repository.run(&["new", "dev", "--plaintext"]).failure(1);
    assert_snapshot!(said, @"
    error: generated-chart/environments/secrets-dev.yaml contains passwords in the clear, and has the name of an encrypted file (nothing was changed)
      Run `mv generated-chart/environments/secrets-dev.yaml generated-chart/environments/secrets-dev.plaintext.yaml`.
    ");
}

/// The example that is generated beside the chart works once it names a key.
#[test]
fn the_example_for_sops_encrypts_the_default_file() {
    let repository = Repository::new();
    let example = repository.0.read("generated-chart/.sops.yaml.example");
    repository.0.rules("any", "");
    let rules = repository.0.read(".sops.yaml");
    let key = rules.lines().find_map(|line| line.trim().strip_prefix("age: ")).unwrap();
    assert_eq!(example.matches("age1…").count(), 1);
    repository.0.write(".sops.yaml", &example.replace("age1…", key));
    repository.run(&["new", "dev"]).success();
    assert!(repository.0.read(ENCRYPTED).contains("ENC["));
}

#[test]
fn the_default_file_is_beside_the_values_and_not_treated_as_generated() {
    let checkout = Checkout::without_rules();
    let root = checkout.root.join("generated-chart");
    let wanted = Wanted::from([(Utf8PathBuf::from("environments/values-test.yaml"), "a: 1\n".to_owned())]);
    fs::create_dir(&root).unwrap();
    fs::write(checkout.root.join("Cargo.toml"), "[workspace]\n").unwrap();
    owned_tree::write_tree(&root, &wanted, HandEdits::Keep).unwrap();

    let mut command = checkout.command(&["new", "test", "--plaintext"]);
    let output = command.env("CARGO_MANIFEST_DIR", checkout.root.join("xtask")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("generated-chart/environments/secrets-test.plaintext.yaml: "), "{said}");
    assert!(root.join("environments/secrets-test.plaintext.yaml").is_file());

    assert!(OwnedTree::open(&root).unwrap().plan(&wanted).unwrap().is_up_to_date());
    owned_tree::write_tree(&root, &wanted, HandEdits::Overwrite).unwrap();
    assert!(root.join("environments/secrets-test.plaintext.yaml").is_file());
}
