//! A server refuses to start on data that its version cannot use. The reason is the last line of its log, and the volume is unchanged.

use std::fs;

use super::Pod;

/// A server with programs that report this version.
fn server(chart: &str, version: &str) -> Pod {
    let odd =
        odd_platforms::ALL.iter().find(|platform| platform.name == "quoting").expect("it has a server of each kind");
    let pod = Pod::of_platform((odd.declaration)(), chart);
    pod.write("etc/provisioning/logins", "");
    fs::create_dir_all(pod.root.join("var/lib/postgresql/lost+found")).expect("a folder");
    pod.tool("postgres", &format!("echo 'postgres (PostgreSQL) {version} (Debian {version}-1)'"));
    pod.tool("rabbitmqctl", &format!("echo {version}"));
    pod.tool("valkey-server", &format!("echo 'Valkey server v={version} sha=00000000:0 malloc=jemalloc'"));
    pod.tool("hostname", "echo afp-broker-0");
    pod
}

fn starts(pod: &Pod) {
    let (ok, output) = pod.run(&["serve", "the-server"]);
    assert!(ok && output.contains("server: "), "{output}");
}

/// Asserts that the server does not start, and that the last line of its log has these words.
fn refuses(pod: &Pod, words: &[&str]) {
    let (ok, output) = pod.run(&["serve", "the-server"]);
    assert!(!ok && !output.contains("server: "), "{output}");
    let last = output.lines().last().unwrap_or_default();
    assert!(last.starts_with("Refused to start: ") && last.contains("The volume is unchanged."), "{output}");
    for word in words {
        assert!(last.contains(word), "the last line lacks `{word}`: {last}");
    }
}

fn add(pod: &Pod, path: &str, text: &str) {
    let path = pod.root.join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, text).expect("a file");
}

#[test]
fn postgresql_starts_on_an_empty_volume_and_on_its_own_data() {
    let pod = server("databases", "18.6");
    starts(&pod);
    add(&pod, "var/lib/postgresql/18/docker/PG_VERSION", "18\n");
    add(&pod, "var/lib/postgresql/18/docker/base/1/PG_VERSION", "18\n");
    starts(&pod);
}

#[test]
fn postgresql_refuses_an_image_and_data_of_another_major_version() {
    refuses(&server("databases", "19.1"), &["the image is PostgreSQL 19.1", "version 18 only"]);
    refuses(&server("databases", "180.1"), &["the image is PostgreSQL 180.1"]);
    let beside = server("databases", "18.6");
    add(&beside, "var/lib/postgresql/17/docker/base/1/PG_VERSION", "17\n");
    add(&beside, "var/lib/postgresql/17/docker/PG_VERSION", "17\n");
    refuses(&beside, &["data of PostgreSQL 17 in ", "/17/docker, and no data of PostgreSQL 18"]);
    let inside = server("databases", "18.6");
    add(&inside, "var/lib/postgresql/18/docker/PG_VERSION", "17\n");
    refuses(&inside, &["holds data of PostgreSQL 17, which PostgreSQL 18 cannot read"]);
    // The layout of images before version 18, and of others.
    let foreign = server("databases", "18.6");
    add(&foreign, "var/lib/postgresql/data/postgresql.conf", "");
    refuses(&foreign, &["holds files, such as", "data/postgresql.conf", "no data of PostgreSQL 18"]);
}

#[test]
fn rabbitmq_starts_on_data_of_its_own_and_of_the_previous_minor_version() {
    let pod = server("broker", "4.3.6");
    starts(&pod);
    assert_eq!(pod.read("var/lib/rabbitmq/mnesia/server-version"), "4.3\n");
    add(&pod, "var/lib/rabbitmq/mnesia/rabbit@afp-broker-0/a", "");
    for recorded in ["4.3\n", "4.2\n"] {
        add(&pod, "var/lib/rabbitmq/mnesia/server-version", recorded);
        starts(&pod);
    }
    fs::remove_file(pod.root.join("var/lib/rabbitmq/mnesia/server-version")).expect("a record");
    starts(&pod);
}

#[test]
fn rabbitmq_refuses_skipped_and_newer_versions_and_data_of_another_node() {
    refuses(&server("broker", "4.2.9"), &["the image is RabbitMQ 4.2.9", "version 4.3 only"]);
    let pod = server("broker", "4.3.6");
    add(&pod, "var/lib/rabbitmq/mnesia/rabbit@afp-broker-0/a", "");
    for recorded in ["4.1", "4.4", "3.13", "5.0"] {
        add(&pod, "var/lib/rabbitmq/mnesia/server-version", recorded);
        refuses(&pod, &[&format!("data of RabbitMQ {recorded},")]);
        assert_eq!(pod.read("var/lib/rabbitmq/mnesia/server-version"), recorded);
    }
    for other in ["rabbit@other-broker-0/a", "mnesia/rabbit@afp-broker-0/a"] {
        let pod = server("broker", "4.3.6");
        add(&pod, &format!("var/lib/rabbitmq/mnesia/{other}"), "");
        refuses(&pod, &["no data of node rabbit@afp-broker-0"]);
    }
}

#[test]
fn valkey_starts_on_data_of_older_versions() {
    let pod = server("cache", "9.1.2");
    starts(&pod);
    assert_eq!(pod.read("data/server-version"), "9\n");
    // A server that is killed while it saves leaves an incomplete file, which it removes at its next start.
    add(&pod, "data/temp-27.rdb", "");
    for format in ["REDIS0009", "REDIS0011", "VALKEY080"] {
        add(&pod, "data/appendonlydir/appendonly.aof.1.base.rdb", &format!("{format}\0\u{1}"));
        add(&pod, "data/dump.rdb", &format!("{format}\0"));
        add(&pod, "data/server-version", "8");
        starts(&pod);
    }
}

#[test]
fn valkey_refuses_newer_and_foreign_data_and_a_dump_that_it_would_ignore() {
    refuses(&server("cache", "8.1.0"), &["the image is Valkey 8.1.0"]);
    let newer = server("cache", "9.1.2");
    add(&newer, "data/server-version", "10");
    refuses(&newer, &["data of Valkey 10, which Valkey 9 cannot read"]);
    let foreign = server("cache", "9.1.2");
    add(&foreign, "data/appendonlydir/appendonly.aof.1.base.rdb", "REDIS0012\0");
    refuses(&foreign, &["has the format REDIS0012"]);
    let dump = server("cache", "9.1.2");
    add(&dump, "data/dump.rdb", "REDIS0011\0");
    refuses(&dump, &["dump.rdb without appendonlydir"]);
}
