use super::CODES;
use crate::kinds::valkey::tests::{CACHE, client};
use crate::testing::{check, diagnostics, fix, list, platform, service};
use crate::{Backing, CacheLogin, Health, Platform, Python3, Runtime, Service, WritablePath};

#[track_caller]
fn writes<const N: usize>(paths: [&'static str; N]) -> Platform {
    platform([Service { writable: list(folders(paths)), ..service("web") }])
}

#[track_caller]
fn folders<const N: usize>(paths: [&'static str; N]) -> [WritablePath; N] {
    paths.map(|path| WritablePath::new(path, "1Mi"))
}

/// A service that is judged by its connections, and writes to these folders.
#[track_caller]
fn watched<const N: usize>(paths: [&'static str; N]) -> Platform {
    let client = client(CACHE, CacheLogin::Anonymous).never_reconnects("its pool is created once");
    Platform {
        backing: vec![Backing::Valkey(CACHE)],
        ..platform([Service {
            uses: list([client]),
            health: Health::by_connections(Python3),
            writable: list(folders(paths)),
            ..service("web")
        }])
    }
}

/// A service in Python that writes to these folders.
#[track_caller]
fn traced<const N: usize>(paths: [&'static str; N]) -> Platform {
    platform([Service { runtime: Runtime::Python, writable: list(folders(paths)), ..service("web") }])
}

#[test]
fn every_help_can_be_followed() {
    let long = "/srv/a-folder-with-a-name-that-goes-on-and-on/and-another-one-in-it";
    check(
        "folders",
        CODES,
        vec![
            fix("DuplicateFolder", writes(["/tmp", "/tmp", "/tmp"]), [writes(["/tmp"])]),
            fix("FolderInFolder", writes(["/tmp/uploads", "/tmp", "/tmp/a/b"]), [writes(["/tmp"])]),
            fix("FolderReserved", writes(["/dev/shm"]), [writes(["/tmp"])]),
            fix("FolderReserved", writes(["/run/secrets/kubernetes.io"]), [writes(["/tmp"])]),
            fix("FolderReserved", watched(["/opt/connections/log"]), [watched(["/tmp"])]),
            fix("FolderReserved", traced(["/otel/cache"]), [traced(["/tmp"])]),
            fix(
                "DuplicateVolume",
                writes(["/var/cache/web-1", "/var/cache/web.1", "/var/cache/web_1"]),
                [writes(["/var/cache"])],
            ),
            fix("VolumeName", watched(["/connections"]), [watched(["/tmp"])]),
            fix("VolumeName", traced(["/Otel"]), [traced(["/tmp"]), writes(["/Otel"])]),
            fix("VolumeName", writes(["/__"]), [writes(["/tmp"])]),
            fix(
                "VolumeName",
                writes([long]),
                [writes(["/srv/a-folder-with-a-name-that-goes-on-and-on"]), writes(["/srv"])],
            ),
        ],
    );
}

#[test]
fn six_folders_in_one_are_one_diagnostic() {
    let diagnostics = diagnostics(writes(["/a/1", "/a/2", "/a", "/a/3", "/a/1/2", "/a/4", "/a/5"]));
    assert_eq!(diagnostics.as_slice().len(), 1, "{diagnostics}");
}

#[test]
fn folders_that_begin_alike_do_not_lie_in_each_other() {
    assert!(writes(["/var/log", "/var/logs", "/deva", "/opt/connections"]).resolve().is_ok());
}
