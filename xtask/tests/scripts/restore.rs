//! `restore.sh` of the chart: what goes wrong on the way leaves the services and the copies as they were. The scenario `backup` runs it on a cluster.

use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::{checksum, program};

const SCRIPT: &str = include_str!("../../../generated-chart/auditflow-platform/restore.sh");

const BACKUP: &str = "alerts_db-afp-20260101T000000Z";

/// Answers as the cluster does; `$FAILS` names a command that fails, `$CUT` a file whose end gets lost. Keeps the commands that change something.
const KUBECTL: &str = r#"
shift 2
case "$*" in "$FAILS"*) echo "$*: lost" >&2; exit 1 ;; esac
case "$*" in
  "get cronjob"*) echo cronjob ;;
  "create job"*) printf -- '- make\n' ;;
  "create --filename"*) cat >/dev/null ;;
  "get pods"*) echo reader ;;
  "wait "* | describe*) ;;
  "delete job"* | scale*) echo "$*" >>"$CALLS" ;;
  "get deployment"*) echo 2 ;;
  "exec reader"*"backup.sh list") echo "$BACKUP.dump 5 good" ;;
  "exec reader"*"backup.sh read "*)
    file=${*##*backup.sh read }
    file=${file%% *}
    if [ "$file" = "$CUT" ]; then head -c 3 "$FILES/$file"; else cat "$FILES/$file"; fi
    ;;
  *"df -Pk"*) echo "volume 1 1 ${ROOM:-999999} 1% /" ;;
  *--list*) cat >/dev/null; printf ';     dbname: alerts_db\n; Dumped from database version: 18.6\n' ;;
  *psql*)
    case "$(cat)" in
      *server_version_num*) echo 180006 ;;
      *pg_database_size*) echo 1000 ;;
      *"SET search_path"*) cat "$FILES/$BACKUP.contents" ;;
    esac
    ;;
  *) cat >/dev/null ;;
esac"#;

/// A folder with a backup, the script, and a program in place of kubectl.
struct Desk {
    root: Utf8PathBuf,
    _temporary: TempDir,
}

impl Desk {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(temporary.path()).unwrap().to_owned();
        for folder in ["bin", "files"] {
            fs::create_dir(root.join(folder)).unwrap();
        }
        let mut sums = String::new();
        for (kind, content) in [("dump", "a dump"), ("contents", "table t|1|1\nend\n")] {
            let file = format!("{BACKUP}.{kind}");
            fs::write(root.join("files").join(&file), content).unwrap();
            sums += &checksum(&file, content);
        }
        fs::write(root.join(format!("files/{BACKUP}.sha256")), sums).unwrap();
        fs::write(root.join("restore.sh"), SCRIPT).unwrap();
        program(&root.join("bin/kubectl"), KUBECTL);
        Self { root, _temporary: temporary }
    }

    /// Runs the script with these variables; returns whether it succeeded, what it said, and the commands that changed something.
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String, String) {
        let calls = self.root.join("calls");
        let output = Command::new("sh")
            .arg(self.root.join("restore.sh"))
            .args(["afp", "platform"])
            .args(arguments)
            .current_dir(&self.root)
            .env("PATH", format!("{}:{}", self.root.join("bin"), std::env::var("PATH").unwrap()))
            .envs([("FAILS", "nothing"), ("CUT", ""), ("BACKUP", BACKUP)])
            .envs([("CALLS", calls.as_str()), ("FILES", self.root.join("files").as_str())])
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), said, fs::read_to_string(calls).unwrap_or_default())
    }
}

const RESTORE: &[&str] = &["restore", "alerts_db", "latest"];

#[test]
fn a_restore_stops_the_services_and_starts_them_again() {
    let (ok, said, calls) = Desk::new().run(RESTORE, &[]);
    assert!(ok && said.contains(&format!("ok: {BACKUP}.dump is restored")), "{said}");
    let scaled: Vec<_> = calls.lines().filter(|line| line.starts_with("scale")).collect();
    let deployment = "scale deployment/afp-notification-service --replicas=";
    assert_eq!(scaled, [format!("{deployment}0"), format!("{deployment}2")]);
    assert!(calls.contains("delete job afp-postgresql-backup-"), "{calls}");
}

#[test]
fn services_start_again_whatever_else_fails() {
    for fails in ["wait pod --for=delete", "delete job"] {
        let (_, said, calls) = Desk::new().run(RESTORE, &[("FAILS", fails)]);
        assert!(calls.trim_end().contains("--replicas=2"), "{fails}: {said}\n{calls}");
    }
    let (ok, said, _) =
        Desk::new().run(RESTORE, &[("FAILS", "scale deployment/afp-notification-service --replicas=2")]);
    assert!(
        !ok && said
            .contains("FAILED: start it yourself: kubectl scale deployment/afp-notification-service --replicas=2"),
        "{said}"
    );
}

#[test]
fn contents_that_cannot_be_compared_are_no_success() {
    for (variables, says) in [
        (("CUT", "alerts_db-afp-20260101T000000Z.contents"), "is incomplete"),
        (
            ("FAILS", "exec reader -- sh /opt/backup/backup.sh read alerts_db-afp-20260101T000000Z.contents"),
            "cannot be read, see above",
        ),
        (("FAILS", "exec reader -- sh /opt/backup/backup.sh list"), "The backups cannot be read, see above"),
        (("ROOM", "999"), "The server's volume has 999 KiB left, but a second alerts_db needs about 1000 KiB"),
    ] {
        let (ok, said, calls) = Desk::new().run(RESTORE, &[variables]);
        assert!(!ok && said.contains(says) && said.contains("Nothing was changed."), "{variables:?}: {said}");
        assert!(!calls.contains("scale"), "{variables:?}: {calls}");
    }
}

#[test]
fn a_copy_is_complete_or_absent() {
    let desk = Desk::new();
    let copy = ["copy", "alerts_db", "latest", "copies"];
    let (ok, said, _) = desk.run(&copy, &[("CUT", &format!("{BACKUP}.dump"))]);
    assert!(!ok && said.contains("cannot be copied, see above"), "{said}");
    assert_eq!(fs::read_dir(desk.root.join("copies")).unwrap().count(), 0, "{said}");
    let (ok, said, _) = desk.run(&copy, &[]);
    assert!(ok, "{said}");
    assert_eq!(fs::read_to_string(desk.root.join(format!("copies/{BACKUP}.dump"))).unwrap(), "a dump");
    assert_eq!(fs::read_dir(desk.root.join("copies")).unwrap().count(), 3);
    // A file that was damaged afterwards.
    fs::write(desk.root.join(format!("copies/{BACKUP}.dump")), "a bump").unwrap();
    let file = format!("copies/{BACKUP}.dump");
    let (ok, said, calls) = desk.run(&["restore", "alerts_db", &file], &[]);
    assert!(!ok && said.contains("has another checksum") && !calls.contains("scale"), "{said}");
}

#[test]
fn an_empty_name_does_not_mean_the_running_database() {
    let (ok, said, calls) = Desk::new().run(&["restore", "alerts_db", "latest", ""], &[]);
    assert!(!ok && said.contains("restore.sh RELEASE NAMESPACE restore DATABASE BACKUP") && calls.is_empty(), "{said}");
}
