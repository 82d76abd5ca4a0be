use super::CODES;
use crate::kinds::postgresql::tests::{ENV, SERVER};
use crate::testing::{check, fix, list, platform, service};
use crate::{
    Backing, EarlierClaim, EarlierKey, EarlierKeys, EarlierServer, EarlierVersion, MigrationNote, Platform,
    Reinstallation, ServerVersion, Service, ServiceName, field_changed, moved, object_removed, of_chart, of_servers,
    of_services, owns, removed, renamed, variable, variables,
};

const WEB: ServiceName = ServiceName::new("web");
const REPLICAS: EarlierKey = renamed("replicaCount", "replicas");

/// The service `web`, whose values were others in these versions.
#[track_caller]
fn earlier(versions: impl Into<Vec<EarlierVersion>>) -> Platform {
    let uses = list([SERVER.client(ENV, owns(SERVER.database("orders"), variable("SQL_DATABASE")))]);
    Platform {
        backing: vec![Backing::PostgreSql(SERVER)],
        earlier_versions: list(versions),
        ..platform([Service { uses, ..service("web") }])
    }
}

#[track_caller]
fn groups(groups: impl Into<Vec<EarlierKeys>>) -> Platform {
    earlier([EarlierVersion::new("0.1.0", list(groups))])
}

#[track_caller]
fn keys(keys: impl Into<Vec<EarlierKey>>) -> Platform {
    groups([of_services(&[WEB], list(keys))])
}

/// A server of version 0.1.0 with these names.
const fn old(stateful_set: &'static str, claim: &'static str, login: &'static str) -> EarlierServer {
    EarlierServer {
        server: SERVER.name,
        version: ServerVersion::new("16"),
        stateful_set,
        claim: Some(EarlierClaim { template: claim, component: "primary" }),
        login: Some((login, variable("POSTGRES_PASSWORD"))),
    }
}

const OLD: EarlierServer = old("postgresql", "data", "shop");

#[track_caller]
fn moves(stops: &'static [&'static [ServiceName]], servers: impl Into<Vec<EarlierServer>>) -> Platform {
    let reinstallation = Reinstallation { reason: "its servers are other ones", stops, servers: list(servers) };
    earlier([EarlierVersion::new("0.1.0", &[]).reinstalled(reinstallation)])
}

#[track_caller]
fn old_version(version: &'static str) -> EarlierVersion {
    let reinstallation = Reinstallation { reason: "its servers are other ones", stops: &[], servers: &[] };
    EarlierVersion::new(version, &[]).reinstalled(reinstallation)
}

const NOTE: MigrationNote =
    field_changed("StatefulSet", "postgresql", "spec.serviceName", "Delete it; the upgrade makes it again.");

/// A platform with these notes, and one on another change of the same object.
#[track_caller]
fn migrated(notes: impl Into<Vec<MigrationNote>>) -> Platform {
    let mut notes = notes.into();
    notes.push(object_removed("StatefulSet", "postgresql", "Dump its data."));
    earlier([EarlierVersion::new("0.1.0", &[]).migrations(list(notes))])
}

#[test]
fn every_help_can_be_followed() {
    let version = |version| EarlierVersion::new(version, list([of_services(&[WEB], list([REPLICAS]))]));
    check(
        "earlier",
        CODES,
        vec![
            fix("EarlierVersionRepeated", earlier([version("1.0.0")]), [earlier([version("0.9.0")])]),
            fix(
                "EarlierKeyPath",
                keys([removed("ports[0]", "ports are declared")]),
                [keys([removed("ports", "ports are declared")]), keys([removed("ports.http", "ports are declared")])],
            ),
            fix(
                "EarlierKeyRepeated",
                keys([REPLICAS, renamed("replicaCount", "autoscaling.minReplicas")]),
                [keys([REPLICAS])],
            ),
            fix(
                "EarlierKeyRepeated",
                groups([
                    of_services(&[WEB], list([removed("ports", "ports are declared"), removed("ports-of", "x")])),
                    of_chart(list([moved("web.ports.node", "web.exposure.nodePort")])),
                ]),
                [
                    groups([of_services(&[WEB], list([removed("ports", "ports are declared")]))]),
                    groups([of_chart(list([moved("web.ports.node", "web.exposure.nodePort")]))]),
                ],
            ),
            fix(
                "VariablesOfNoService",
                groups([of_servers(&[SERVER.name], list([variables("env")]))]),
                [
                    keys([variables("env")]),
                    groups([of_servers(
                        &[SERVER.name],
                        list([removed("env", "the chart sets the variables of servers")]),
                    )]),
                ],
            ),
            fix(
                "SeveralReinstallations",
                earlier([old_version("0.1.0"), old_version("0.2.0")]),
                [earlier([old_version("0.1.0"), EarlierVersion::new("0.2.0", &[])])],
            ),
            fix("MovesTwice", moves(&[&[WEB], &[WEB]], [OLD]), [moves(&[&[WEB]], [OLD])]),
            fix("MovesTwice", moves(&[], [OLD, OLD]), [moves(&[], [OLD])]),
            fix("EarlierServerName", moves(&[], [old("postgresql;", "data", "shop")]), [moves(&[], [OLD])]),
            fix("EarlierServerName", moves(&[], [old("postgresql", "-data", "shop")]), [moves(&[], [OLD])]),
            fix("EarlierServerName", moves(&[], [old("postgresql", "data", "a shop")]), [moves(&[], [OLD])]),
            fix("MigrationRepeated", migrated([NOTE, NOTE]), [migrated([NOTE])]),
            fix(
                "MigrationOfReinstalled",
                earlier([old_version("0.1.0").migrations(&[NOTE])]),
                [earlier([old_version("0.1.0")])],
            ),
        ],
    );
}

/// The reasons are lines of the chart's messages and of a document.
#[test]
fn reasons_are_lines() {
    let reinstallation = Reinstallation { reason: "", stops: &[], servers: &[] };
    let wrong = [
        keys([removed("ports", "two\nlines")]),
        earlier([EarlierVersion::new("0.1.0", &[]).reinstalled(reinstallation)]),
        migrated([MigrationNote { text: "two\nlines", ..NOTE }]),
        migrated([NOTE.commands(&["kubectl get pods", ""])]),
    ];
    for platform in wrong {
        let diagnostics = crate::testing::diagnostics(platform);
        let codes: Vec<_> = diagnostics.as_slice().iter().map(crate::Diagnostic::code).collect();
        assert_eq!(codes, ["TextNotOneLine"], "{diagnostics}");
    }
}

/// A key of a service or server that the platform does not list is reported like any other reference.
#[test]
fn owners_are_listed() {
    let other = ServiceName::new("other");
    let unlisted = groups([EarlierKeys { owners: crate::Owners::Services(list([other])), keys: &[REPLICAS] }]);
    let diagnostics = crate::testing::diagnostics(unlisted).to_string();
    assert!(diagnostics.contains("service `other` is used, but is not in the platform's `services`"), "{diagnostics}");
    assert!(diagnostics.contains("the values of version `0.1.0`"), "{diagnostics}");
}
