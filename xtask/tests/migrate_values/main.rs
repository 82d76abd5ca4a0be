//! `cargo xtask migrate-values`, on the values of AuditFlow's chart 0.1.0.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use insta::assert_snapshot;
use tempfile::TempDir;

const OLD: &str = include_str!("chart-0.1.0.yaml");

/// The password in the old file that the chart accepts, and one that it refuses.
const PASSWORDS: [&str; 2] = ["x7Kq0ZpLm2Vt9RbW", "jdevlab"];

/// A folder with an old file.
struct Folder(TempDir);

impl Folder {
    fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("old.yaml"), text).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("migrate-values").args(arguments).current_dir(self.0.path()).output().unwrap()
    }

    /// Runs the command, which must end with this code, and returns what it prints.
    #[track_caller]
    fn prints(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}");
        for password in PASSWORDS {
            assert!(!text.contains(password), "{text}");
        }
        text
    }
}

/// Compares a text with its snapshot.
fn compare(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots/migration");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| assert_snapshot!(name, text));
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_values_of_chart_0_1_0_become_values_that_the_chart_accepts() {
    let folder = Folder::with(OLD);
    compare("report", &folder.prints(&["old.yaml", "-o", "new.yaml"], 0));
    compare("values", &fs::read_to_string(folder.path("new.yaml")).unwrap());
    #[cfg(unix)]
    assert_eq!(mode(&folder.path("new.yaml")), 0o600);
    assert_eq!(fs::read_to_string(folder.path("old.yaml")).unwrap(), OLD, "the old file changed");
}

#[test]
fn the_overlay_of_an_environment_becomes_one() {
    let folder = Folder::with("event-audit-dashboard: {ports: {nodePort: 30090}, image: {tag: dev}}\n");
    assert_eq!(
        folder.prints(&["old.yaml"], 0),
        "Wrote old.migrated.yaml with 2 values.\nThe chart accepts the new values, if you add the passwords and image tags that they lack.\n"
    );
    let new = fs::read_to_string(folder.path("old.migrated.yaml")).unwrap();
    let (header, values) = new.split_once('\n').unwrap();
    assert_eq!(
        header,
        "# Values of auditflow-platform 0.2.0, converted from old.yaml by `cargo xtask migrate-values`."
    );
    assert_eq!(
        values,
        "event-audit-dashboard:\n  image:\n    tag: dev\n  exposure:\n    via: NodePort\n    nodePort: 30090\n"
    );
}

#[test]
fn a_value_that_the_chart_refuses_is_reported_with_the_written_file() {
    let folder =
        Folder::with("audit-event-generator: {replicaCount: many}\npostgresql: {auth: {password: x7Kq0ZpLm2Vt9RbW}}\n");
    let text = folder.prints(&["old.yaml"], 3);
    assert!(text.contains("The chart refuses the new values. Correct old.migrated.yaml:"), "{text}");
    assert!(text.contains("at '/audit-event-generator/replicas': got string, want integer"), "{text}");
    assert!(folder.path("old.migrated.yaml").exists());
}

/// A kind that the cluster must have is no matter of the file.
#[test]
fn values_that_need_a_kind_in_the_cluster_are_accepted() {
    let folder = Folder::with("global: {metrics: {enabled: true, discovery: PodMonitor}}\n");
    folder.prints(&["old.yaml"], 0);
}

#[test]
fn an_existing_file_is_replaced_only_if_asked_for() {
    let folder = Folder::with("audit-event-generator: {replicaCount: 2}\n");
    fs::write(folder.path("new.yaml"), "mine\n").unwrap();
    let text = folder.prints(&["old.yaml", "--output", "new.yaml"], 1);
    assert!(text.contains("new.yaml exists (nothing was written)") && text.contains("`--overwrite`"), "{text}");
    assert_eq!(fs::read_to_string(folder.path("new.yaml")).unwrap(), "mine\n");
    folder.prints(&["old.yaml", "--output", "new.yaml", "--overwrite"], 0);
    assert!(fs::read_to_string(folder.path("new.yaml")).unwrap().contains("replicas: 2"));
    let text = folder.prints(&["old.yaml", "--output", "./old.yaml", "--overwrite"], 1);
    assert!(text.contains("./old.yaml is the old file (nothing was written)"), "{text}");
}

#[test]
fn a_file_that_is_no_values_file_is_refused_without_its_text() {
    for (text, expected) in [
        ("a: \"jdevlab\n", "old.yaml, line 2, column 1: invalid YAML (nothing was written)"),
        ("a: 1\na: 2\n", "old.yaml, line 2, column 1: a key occurs twice"),
        ("a: 1\n---\nb: 2\n", "old.yaml has more than one YAML document"),
        ("- jdevlab\n", "old.yaml is not a map with strings as keys"),
        ("sops: {}\n", "old.yaml is encrypted (nothing was written)"),
    ] {
        let folder = Folder::with(text);
        let printed = folder.prints(&["old.yaml"], 1);
        assert!(printed.contains(expected), "{printed}");
        assert!(!folder.path("old.migrated.yaml").exists());
    }
    let folder = Folder::with("");
    let printed = folder.prints(&["other.yaml"], 1);
    assert!(printed.contains("cannot read other.yaml: No such file"), "{printed}");
    let printed = folder.prints(&["old.yaml", "-o", "missing/new.yaml"], 1);
    assert!(printed.contains("cannot write missing/new.yaml: No such file"), "{printed}");
}
