//! The script of the backups: a backup is complete or absent, and retention never removes the last one that is intact.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::{checksum, program};

const SCRIPT: &str = include_str!("../../../generator/templates/addons/backup/backup.sh");

const DAY: u64 = 86_400;

/// Answers queries with 1, describes a database with one table, runs the shell commands in its input as psql does, and keeps the results that it is to store.
const PSQL: &str = r#"
case "$*" in
  *--command*) echo 1 ;;
  *--set=action=*) cat >/dev/null; echo "$*" >>"${0%/*}/results" ;;
  *)
    while IFS= read -r line; do
      case "$line" in
        '\! '*) SNAPSHOT=1 sh -c "${line#'\! '}" ;;
        '\i '*) echo 'table public.t|1|1' ;;
      esac
    done
    echo end
    ;;
esac"#;

/// A folder with backups of the databases `alerts` and `alerts_old`, and programs in place of PostgreSQL's.
struct Volume {
    root: Utf8PathBuf,
    _temporary: TempDir,
}

impl Volume {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(temporary.path()).unwrap().to_owned();
        let volume = Self { root, _temporary: temporary };
        for folder in ["bin", "backups"] {
            fs::create_dir(volume.root.join(folder)).unwrap();
        }
        fs::write(volume.root.join("backup.sh"), SCRIPT.replace("sleep 2", "sleep 0")).unwrap();
        volume.tool("psql", PSQL);
        volume.tool("pg_dump", r#"for word; do file=$word; done; echo "dump of $*" >"$file""#);
        volume.tool("pg_restore", "[ -s \"$2\" ]");
        volume
    }

    fn tool(&self, name: &str, script: &str) {
        program(&self.root.join("bin").join(name), script);
    }

    fn run(&self, arguments: &[&str]) -> (bool, String) {
        self.run_with(arguments, &[])
    }

    fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
        let output = Command::new("sh")
            .arg(self.root.join("backup.sh"))
            .args(arguments)
            .env("PATH", format!("{}:{}", self.root.join("bin"), std::env::var("PATH").unwrap()))
            .env("BACKUPS", self.root.join("backups"))
            .envs([("DATABASES", "alerts alerts_old"), ("RELEASE", "afp"), ("KEEP_COUNT", "14"), ("KEEP_DAYS", "30")])
            .envs([
                ("PGHOST", "db"),
                ("PGUSER", "backup_r1_x"),
                ("PGPASSWORD", "secret"),
                ("STATUS", "backup_x.status"),
            ])
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    /// Adds a backup of this time, in seconds since 1970.
    fn add(&self, database: &str, time: u64, is_intact: bool) -> String {
        let stamp = Command::new("date").args(["-u", "-d", &format!("@{time}"), "+%Y%m%dT%H%M%SZ"]).output().unwrap();
        let name = format!("{database}-afp-{}", String::from_utf8(stamp.stdout).unwrap().trim());
        let mut sums = String::new();
        for file in [format!("{name}.dump"), format!("{name}.contents")] {
            let content = format!("{file}\n");
            sums += &checksum(&file, &content);
            fs::write(self.root.join("backups").join(&file), if is_intact { &content } else { "cut" }).unwrap();
        }
        fs::write(self.root.join(format!("backups/{name}.sha256")), sums).unwrap();
        format!("{name}.dump")
    }

    /// The files, without the lock.
    fn files(&self) -> BTreeSet<String> {
        let files = fs::read_dir(self.root.join("backups")).unwrap().map(|file| file.unwrap().file_name());
        files.map(|name| name.into_string().unwrap()).filter(|name| name != ".lock").collect()
    }

    /// The results that were stored.
    fn results(&self) -> String {
        fs::read_to_string(self.root.join("bin/results")).unwrap_or_default()
    }
}

/// The files of backups.
fn files_of(backups: &[&str]) -> BTreeSet<String> {
    let of = |backup: &str| ["dump", "contents", "sha256"].map(|kind| backup.replace("dump", kind));
    backups.iter().flat_map(|backup| of(backup)).collect()
}

#[test]
fn a_backup_has_a_checksum_and_is_listed_as_good() {
    let volume = Volume::new();
    let (ok, said) = volume.run(&["make"]);
    assert!(
        ok && said.contains("ok: backup of alerts: alerts-afp-") && said.contains("ok: backup of alerts_old: "),
        "{said}"
    );
    assert_eq!(volume.files().len(), 6, "{:?}", volume.files());
    let (_, list) = volume.run(&["list"]);
    assert_eq!(list.lines().filter(|line| line.ends_with(" good")).count(), 2, "{list}");
    let results = volume.results();
    assert!(
        results.contains("database=alerts --set=action=backup --set=succeeded=true --set=backup=alerts-afp-"),
        "{results}"
    );
}

#[test]
fn an_interrupted_or_unreadable_dump_leaves_no_file_and_the_earlier_backup() {
    let volume = Volume::new();
    let earlier = volume.add("alerts", 1_700_000_000, true);
    for file in [
        ".alerts-afp-20260101T000000Z.part",
        ".alerts-afp-20260101T000000Z.part.contents",
        "alerts-afp-20260101T000000Z.contents",
    ] {
        fs::write(volume.root.join("backups").join(file), "killed").unwrap();
    }
    volume.tool("pg_dump", "for word; do file=$word; done; echo half >\"$file\"; exit 1");
    let (ok, said) = volume.run(&["make"]);
    assert!(!ok && said.contains("FAILED: alerts alerts_old. The earlier backups are unchanged."), "{said}");
    assert_eq!(volume.files(), files_of(&[&earlier]));
    let results = volume.results();
    assert!(
        results.contains("action=backup --set=succeeded=false") && results.contains("problem=pg_dump or "),
        "{results}"
    );
    volume.tool("pg_dump", "for word; do file=$word; done; echo half >\"$file\"");
    volume.tool("pg_restore", "exit 1");
    let (ok, said) = volume.run(&["make"]);
    assert!(!ok && said.contains("backup of alerts: the dump cannot be read back"), "{said}");
    assert_eq!(volume.files(), files_of(&[&earlier]));
}

/// As on a full volume, where psql goes on without a word.
#[test]
fn a_cut_description_leaves_no_backup() {
    let volume = Volume::new();
    volume.tool("psql", &PSQL.replace("echo end", ":"));
    let (ok, said) = volume.run(&["make"]);
    assert!(!ok && said.contains("backup of alerts: pg_dump or the description of the contents broke off"), "{said}");
    assert_eq!(volume.files(), BTreeSet::new());
}

#[test]
fn a_result_that_cannot_be_stored_fails_the_job_but_keeps_the_backup() {
    let volume = Volume::new();
    volume.tool("psql", &PSQL.replace("*--set=action=*) cat", "*--set=action=*) exit 1; cat"));
    let (ok, said) = volume.run(&["make"]);
    assert!(!ok && said.contains("FAILED: backup_x.status"), "{said}");
    assert_eq!(volume.files().len(), 6);
}

#[test]
fn a_login_that_is_refused_is_named() {
    let volume = Volume::new();
    volume.tool("psql", "echo 'FATAL: password authentication failed' >&2; exit 2");
    let (ok, said) = volume.run(&["make"]);
    assert!(!ok && said.contains("FAILED: backup_r1_x cannot connect to db: FATAL: password auth"), "{said}");
}

/// One backup a day for a year, then none for a year. After a month, the old ones are removed once a week only.
#[test]
fn retention_by_count_and_age_keeps_the_last_good_backup() {
    let volume = Volume::new();
    let start = 1_767_225_600; // 2026-01-01
    let other = volume.add("alerts_old", start, true);
    let mut latest = String::new();
    for day in 0..366 {
        latest = volume.add("alerts", start + day * DAY, true);
        if day > 30 && day % 7 > 0 {
            continue;
        }
        let (ok, said) = volume.run(&["prune", &(start + day * DAY + 60).to_string()]);
        assert!(ok, "{said}");
        let dumps = volume
            .files()
            .iter()
            .filter(|name| name.starts_with("alerts-") && name.split('.').next_back() == Some("dump"))
            .count();
        assert_eq!(dumps, 14.min(usize::try_from(day).unwrap() + 1), "day {day}");
    }
    // Of `alerts_old` there is only one, however old.
    assert!(volume.files().contains(&other));
    let (_, said) = volume.run(&["prune", &(start + 732 * DAY).to_string()]);
    assert!(said.contains("removed: alerts-afp-"), "{said}");
    assert_eq!(volume.files(), files_of(&[&latest, &other]));
}

/// The script computes the time in the name of a file itself: each day of 80 years, among them leap years and the year 2100.
#[test]
fn the_time_in_a_name_is_read_by_the_calendar() {
    let temporary = tempfile::tempdir().unwrap();
    let file = |name: &str| Utf8Path::from_path(temporary.path()).unwrap().join(name);
    let start = 1_704_067_200; // 2024-01-01
    let times: Vec<u64> = (0..80 * 366).map(|day| start + day * DAY + day * 4321 % DAY).collect();
    let lines: Vec<String> = times.iter().map(|time| format!("@{time}")).collect();
    fs::write(file("times"), lines.join("\n")).unwrap();
    let (_, function) = SCRIPT.split_once("\ntime_of() {").unwrap();
    let (function, _) = function.split_once("\n}\n").unwrap();
    let read = format!(
        "time_of() {{{function}\n}}\ndate -u -f times +alerts-afp-%Y%m%dT%H%M%SZ.dump >names\nwhile read -r name; do time_of \"$name\"; done <names"
    );
    let output = Command::new("sh").args(["-eu", "-c", &read]).current_dir(temporary.path()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let found: Vec<u64> = said.lines().map(|line| line.parse().unwrap()).collect();
    assert!(fs::read_to_string(file("names")).unwrap().contains("21000301T"));
    assert_eq!(found, times, "{}", String::from_utf8_lossy(&output.stderr));
}

/// By age alone.
#[test]
fn backups_older_than_the_limit_are_removed() {
    let volume = Volume::new();
    let start = 1_767_225_600;
    for day in 0..60 {
        volume.add("alerts", start + day * DAY, true);
    }
    let (ok, said) = volume.run_with(&["prune", &(start + 59 * DAY + 60).to_string()], &[("KEEP_COUNT", "10000")]);
    assert!(ok, "{said}");
    let dumps = volume.files().iter().filter(|name| name.split('.').next_back() == Some("dump")).count();
    assert_eq!(dumps, 30, "{said}");
}

/// Such as after a loss of the object store's key: without an intact backup, nothing may go.
#[test]
fn without_an_intact_backup_nothing_is_removed() {
    let volume = Volume::new();
    let start = 1_767_225_600;
    for day in 0..3 {
        volume.add("alerts", start + day * DAY, false);
    }
    let (ok, said) = volume.run(&["prune", &(start + 732 * DAY).to_string()]);
    assert!(ok && said.contains("nothing is removed: no backup of alerts is known to be intact"), "{said}");
    assert_eq!(volume.files().len(), 9);
}

#[test]
fn a_database_that_is_gone_and_has_backups_is_a_failure() {
    let volume = Volume::new();
    volume.tool(
        "psql",
        &PSQL.replace("*--command*) echo 1", "*--command*) case \"$*\" in *alerts_old*) echo 0 ;; *) echo 1 ;; esac"),
    );
    let (ok, said) = volume.run(&["make"]);
    assert!(ok && said.contains("skipped: there is no database alerts_old"), "{said}");
    volume.add("alerts_old", 1_767_225_600, true);
    let (ok, said) = volume.run(&["make"]);
    assert!(
        !ok && said.contains("backup of alerts_old: the database does not exist any more, but has backups"),
        "{said}"
    );
}

#[test]
fn a_damaged_backup_does_not_displace_the_last_good_one() {
    let volume = Volume::new();
    let start = 1_767_225_600;
    let good = volume.add("alerts", start, true);
    for day in 100..120 {
        volume.add("alerts", start + day * DAY, false);
    }
    // Another release's, and a database whose name begins with the same letters.
    let foreign = volume.root.join("backups/alerts-other-20260101T000000Z.dump");
    fs::write(&foreign, "x").unwrap();
    volume.run(&["prune", &(start + 120 * DAY).to_string()]);
    assert!(volume.files().contains(&good) && foreign.exists());
    let (_, list) = volume.run(&["list"]);
    assert_eq!(list.lines().filter(|line| line.ends_with("DAMAGED")).count(), 14, "{list}");
    assert!(list.contains(&format!("{good} ")), "{list}");
}
