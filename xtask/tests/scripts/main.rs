//! Runs the shell scripts of the second platform's chart with the machine's `sh`, and with programs on `PATH` that simulate the servers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backup;
mod data;
mod doctor;
mod restore;

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Output};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// A simulated pod: the script of one kind of server, its folders below a temporary folder, and the programs that it calls.
struct Pod {
    root: Utf8PathBuf,
    /// The declared version of its server.
    version: String,
    _temporary: TempDir,
}

impl Pod {
    /// The Pod of a server of the second platform.
    fn of(chart: &str) -> Self {
        Self::of_platform(second_platform::platform(), chart)
    }

    fn of_platform(platform: vocabulary::Platform, chart: &str) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(temporary.path()).unwrap().to_owned();
        let platform = platform.resolve().map_err(|diagnostics| diagnostics.to_string()).unwrap();
        let server = platform.platform().backing.iter().find(|server| server.name().as_str() == chart).unwrap();
        let version = server.version().to_string();
        let pod = Self { root, version, _temporary: temporary };
        let chart_files = generator::generate(&platform);
        for folder in [
            "opt/provisioning",
            "etc/provisioning",
            "etc/credentials",
            "run/definitions",
            "run/valkey",
            "data",
            "bin",
            "tmp",
        ] {
            fs::create_dir_all(pod.root.join(folder)).unwrap();
        }
        fs::create_dir_all(pod.root.join("var/lib/rabbitmq/mnesia/lost+found")).unwrap();
        for (from, to) in [
            ("files/common.sh".to_owned(), "common.sh"),
            (format!("charts/{chart}/files/provisioning.sh"), "provisioning.sh"),
        ] {
            // Move the folders of the container below the temporary folder, and do not wait.
            let text = chart_files.files()[&chart_files.paths().umbrella.join(from)].clone();
            let text = ["/opt/", "/etc/", "/var/lib/", "/run/", "/data/", "/tmp/"]
                .iter()
                .fold(text, |text, folder| text.replace(folder, &format!("@ROOT@{folder}")))
                .replace("@ROOT@", pod.root.as_str());
            pod.write(
                &format!("opt/provisioning/{to}"),
                &text.replace("sleep 5", "sleep 0").replace("sleep 2", "sleep 0"),
            );
        }
        pod.write("etc/provisioning/digest", "the digest");
        pod.write("etc/provisioning/limits.json", r#"{"max-connections":5}"#);
        pod.write("etc/provisioning/definitions.json", "{\n  \"vhosts\": []\n}\n");
        pod.write("etc/credentials/administrator", r#"adm'in" \ é"#);
        pod.tool("docker-entrypoint.sh", "echo \"server: $*\"");
        pod
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.root.join(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_default()
    }

    /// Adds a program that precedes others on `PATH`.
    fn tool(&self, name: &str, script: &str) {
        program(&self.root.join("bin").join(name), script);
    }

    /// Runs the script. Returns whether it succeeded, and its output.
    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let path = format!("{}:{}", self.root.join("bin"), std::env::var("PATH").unwrap());
        let Output { status, stdout, stderr } = Command::new("sh")
            .arg(self.root.join("opt/provisioning/provisioning.sh"))
            .args(arguments)
            .env("PATH", path)
            .envs([("OWNER", "ns.afp"), ("SERVER_HOST", "server"), ("SERVER_PORT", "1"), ("DIGEST", "the digest")])
            .env("SERVER_VERSION", &self.version)
            .env("PGDATA", self.root.join("var/lib/postgresql/18/docker"))
            .env_remove("RABBITMQ_VERSION")
            .env("ROOT", &self.root)
            .output()
            .unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(!said.contains("adm'in") && !said.contains("secret "), "a password is printed: {said}");
        (status.success(), said)
    }
}

/// Writes a program: a script of the shell.
///
/// A separate process writes it: if this process had the file open while it starts a program for another test, running the script would fail with
/// "text file busy".
fn program(path: &Utf8Path, script: &str) {
    let write = "printf '%s\\n' '#!/bin/sh' \"$1\" >\"$0\" && chmod 755 \"$0\"";
    assert!(Command::new("sh").args(["-c", write, path.as_str(), script]).status().unwrap().success());
}

/// A line of `sha256sum`.
fn checksum(file: &str, content: &str) -> String {
    let mut line = String::new();
    for byte in Sha256::digest(content) {
        write!(line, "{byte:02x}").unwrap();
    }
    line + "  " + file + "\n"
}

/// A broker with these users. The file `connected` lists the connected users, and `removed` the removed ones.
fn broker(users: &str) -> Pod {
    let pod = Pod::of("orders-broker");
    pod.tool("hostname", "echo afp-orders-broker-0");
    pod.tool("rabbitmqctl", "echo 4.3.6");
    pod.write("etc/provisioning/logins", "shop.r2 ns.afp.shop.r2\n");
    pod.write("etc/credentials/shop.r2", "secret 2");
    pod.write("users", users);
    pod.tool(
        "rabbitmqadmin",
        r#"case "$1 $2" in
'users list') cat "$ROOT/users" ;;
'users delete') grep -v "^$4 " "$ROOT/users" >"$ROOT/users.new"; mv "$ROOT/users.new" "$ROOT/users"; echo "$4" >>"$ROOT/removed" ;;
'connections list_of_user') grep -s "^$4" "$ROOT/connected" || true ;;
'definitions import') cat >"$ROOT/imported" ;;
esac"#,
    );
    pod
}

const USERS: &str = "administrator administrator x=\nns.afp.shop.r1 x=\nns.afp.shop.r2 x=\nns.afp-2.shop.r1 x=\nns.afp.shop x=\nother x=\n";

#[test]
fn an_empty_broker_gets_all_definitions_and_one_with_data_gets_none() {
    let pod = broker(USERS);
    let (ok, said) = pod.run(&["serve"]);
    assert!(ok && said.contains("server: rabbitmq-server"), "{said}");
    let definitions: serde_json::Value = serde_json::from_str(&pod.read("run/definitions/definitions.json")).unwrap();
    assert_eq!(definitions["users"][0]["password"], r#"adm'in" \ é"#);
    assert_eq!(definitions["users"][1]["name"], "ns.afp.shop.r2");
    assert_eq!(definitions["users"][1]["limits"]["max-connections"], 5);
    assert!(definitions["vhosts"].is_array());

    fs::create_dir(pod.root.join("var/lib/rabbitmq/mnesia/rabbit@afp-orders-broker-0")).unwrap();
    assert!(pod.run(&["serve"]).0);
    assert_eq!(pod.read("run/definitions/definitions.json"), "{\"vhosts\":[{\"name\":\"/\"}]}\n");
}

#[test]
fn a_missing_password_or_one_with_a_line_break_is_reported() {
    for (content, complaint) in [(None, "no password shop.r2"), (Some("secret\n2"), "shop.r2 has a line break")] {
        let pod = broker(USERS);
        fs::remove_file(pod.root.join("etc/credentials/shop.r2")).unwrap();
        if let Some(content) = content {
            pod.write("etc/credentials/shop.r2", content);
        }
        let (ok, said) = pod.run(&["serve"]);
        assert!(!ok && said.contains(complaint) && !said.contains("server:"), "{said}");
    }
}

#[test]
fn an_undeclared_unused_login_is_removed_and_others_stay() {
    let pod = broker(USERS);
    let (ok, said) = pod.run(&["reconcile"]);
    assert!(ok && said.contains("Removed ns.afp.shop.r1,") && said.contains("exactly the declared ones"), "{said}");
    assert_eq!(pod.read("removed"), "ns.afp.shop.r1\n");
    assert!(pod.read("imported").contains("ns.afp.shop.r2"));
}

#[test]
fn a_login_in_use_stays_and_is_reported() {
    let pod = broker(USERS);
    pod.write("connected", "ns.afp.shop.r1 10.0.0.1\n");
    let (ok, said) = pod.run(&["reconcile"]);
    assert!(ok && said.contains("LEFT ns.afp.shop.r1,") && !said.contains("exactly"), "{said}");
    assert_eq!(pod.read("removed"), "");
}

#[test]
fn without_an_answer_of_the_broker_no_login_is_removed() {
    for (failing, left) in [
        (r#"[ "$1 $2" != "users list" ] || [ ! -e "$ROOT/imported" ] || exit 1"#, "none was removed"),
        (r#"[ "$1 $2" != "connections list_of_user" ] || exit 1"#, "LEFT ns.afp.shop.r1,"),
        (r#"[ "$1 $2" != "users delete" ] || exit 1"#, "LEFT ns.afp.shop.r1,"),
    ] {
        let pod = broker(USERS);
        let tool = pod.read("bin/rabbitmqadmin");
        pod.tool("rabbitmqadmin", &format!("{failing}\n{tool}"));
        let (ok, said) = pod.run(&["reconcile"]);
        assert_eq!(ok, left.starts_with("LEFT"), "{said}");
        assert!(said.contains(left) && !said.contains("exactly the declared"), "{said}");
        assert_eq!(pod.read("removed"), "", "{failing}");
    }
}

#[test]
fn adding_logins_removes_none() {
    let pod = broker(USERS);
    let (ok, said) = pod.run(&["add"]);
    assert!(ok && said.contains("All declared logins exist."), "{said}");
    assert_eq!(pod.read("users"), USERS);
}

#[test]
fn an_empty_cache_gets_its_users_and_one_with_users_keeps_them() {
    let pod = Pod::of("sessions");
    pod.tool("valkey-server", "echo 'Valkey server v=9.1.2 sha=0'");
    pod.write(
        "etc/provisioning/logins",
        "- probe resetchannels -@all +ping\nshop.r1 ns.afp.shop.r1 resetchannels -@all ~a\\n* +get\n- default off\n",
    );
    pod.write("etc/credentials/shop.r1", "secret 1");
    let (ok, said) = pod.run(&["serve", "valkey-server", "--aclfile"]);
    assert!(ok && said.contains("server: valkey-server --aclfile"), "{said}");
    let users = pod.read("data/users.acl");
    let lines: Vec<_> = users.lines().collect();
    assert!(lines[0].starts_with("user administrator on #") && lines[0].ends_with(" ~* &* +@all"), "{users}");
    assert_eq!(lines[1], "user probe on nopass resetchannels -@all +ping");
    assert!(lines[2].starts_with("user ns.afp.shop.r1 on #") && lines[2].ends_with(r" resetchannels -@all ~a\n* +get"));
    assert_eq!(lines[3], "user default on nopass off");
    assert!(lines[4].starts_with("user local on #") && !users.contains("secret"), "{users}");

    pod.write("etc/provisioning/logins", "");
    assert!(pod.run(&["serve", "valkey-server"]).0);
    let again = pod.read("data/users.acl");
    assert_eq!(again.lines().take(4).collect::<Vec<_>>(), lines[..4]);
    assert_ne!(again.lines().last(), lines.last().copied(), "the token differs at each start");
}
