use super::CODES;
use crate::kinds::rabbitmq::tests::{BROKER, ENV};
use crate::kinds::{postgresql, valkey};
use crate::testing::{check, diagnostics, fix, list, platform, service};
use crate::{
    Backing, BackingName, CacheLogin, Database, Diagnostic, Environment, Image, Platform, PostgreSql, Queue, RabbitMq,
    ServerVersion, Service, SqlEnv, Use, Valkey, consumes, keys, owns, plain, publishes, storage, variable,
};

use postgresql::tests::SERVER;
use valkey::tests::{CACHE, client, env};

const ARCHIVE: PostgreSql = PostgreSql::named("archive");
const ORDERS: Queue = BROKER.queue("orders").consumed_externally("a partner");
const RETURNS: Queue = BROKER.queue("returns").published_externally("a partner");
const OLD_ORDERS: Database = ARCHIVE.database("old_orders");
const NEW_ORDERS: Database = SERVER.database("new_orders");
const OWN: CacheLogin = CacheLogin::Own { user: variable("CACHE_USER"), password: plain("CACHE_PASSWORD") };

#[track_caller]
fn uses(servers: impl Into<Vec<Backing>>, uses: impl Into<Vec<Use>>) -> Platform {
    Platform { backing: servers.into(), ..platform([Service { uses: list(uses), ..service("web") }]) }
}

#[track_caller]
fn sql(server: PostgreSql, database: Database) -> Use {
    server.client(postgresql::tests::ENV, owns(database, variable("SQL_DATABASE")))
}

#[track_caller]
fn archive() -> Use {
    let env = SqlEnv {
        host: variable("ARCHIVE_HOST"),
        port: variable("ARCHIVE_PORT"),
        user: variable("ARCHIVE_USER"),
        password: plain("ARCHIVE_PASSWORD"),
    };
    ARCHIVE.client(env, owns(OLD_ORDERS, variable("ARCHIVE_DATABASE")))
}

/// A platform in which a client and an environment refer to a cache.
#[track_caller]
fn everywhere(servers: impl Into<Vec<Backing>>) -> Platform {
    let changes = list([storage(BackingName::new("cache"), "2Gi")]);
    Platform {
        environments: vec![Environment::new("live", "Where customers are.", changes)],
        ..uses(servers, [client(CACHE, CacheLogin::Anonymous)])
    }
}

#[test]
fn every_help_can_be_followed() {
    let (broker, cache) = (Backing::RabbitMq(BROKER), Backing::Valkey(CACHE));
    let queue = |name| variable(name);
    let publisher = BROKER.client(ENV, list([publishes(ORDERS, queue("ORDERS"))]));
    let consumer = BROKER.client(ENV, list([consumes(RETURNS, queue("RETURNS"))]));
    let both = BROKER.client(ENV, list([publishes(ORDERS, queue("ORDERS")), consumes(RETURNS, queue("RETURNS"))]));
    let idle = BROKER.client(ENV, &[]);
    let of_version = |version, tag| {
        let server = PostgreSql { image: Image::new("postgres", tag), version: ServerVersion::new(version), ..ARCHIVE };
        uses([Backing::PostgreSql(server)], [archive()])
    };
    let other_service = Service { uses: list([publisher]), ..service("shop") };
    let twin = BROKER.queue("orders").consumed_externally("a partner");
    let (broker_named_cache, moved) = (RabbitMq::named("cache"), Valkey::named("sessions"));
    check(
        "servers",
        CODES,
        vec![
            fix("ServerUnused", uses([broker], []), [uses([broker], [publisher]), uses([], [])]),
            fix("ServerVersionUnsupported", of_version("17", "17"), [of_version("18", "18")]),
            fix("ServerVersionUnsupported", of_version("18.6", "18.6"), [of_version("18", "18.6")]),
            fix("ImageOfOtherVersion", of_version("18", "19"), [of_version("18", "18"), of_version("19", "19")]),
            fix("ServerNotListed", everywhere([]), [everywhere([cache]), uses([], [])]),
            fix(
                "ServerOfAnotherKind",
                uses([Backing::RabbitMq(broker_named_cache)], [client(CACHE, OWN)]),
                [uses([broker, Backing::Valkey(moved)], [publisher, client(moved, OWN)])],
            ),
            fix("DuplicateClient", uses([broker], [publisher, consumer]), [uses([broker], [both])]),
            fix(
                "DuplicateClient",
                uses(
                    [cache],
                    [
                        CACHE.client(env(OWN), keys("cart:*", &["get"])),
                        CACHE.client(env(OWN), keys("user:*", &["set"])),
                    ],
                ),
                [uses([cache], [CACHE.client(env(OWN), keys("*", &["get", "set"]))])],
            ),
            fix(
                "DuplicateClient",
                uses([Backing::PostgreSql(ARCHIVE)], [archive(), sql(ARCHIVE, ARCHIVE.database("orders"))]),
                [uses([Backing::PostgreSql(ARCHIVE)], [archive()])],
            ),
            fix(
                "ClientIdle",
                uses([broker], [idle]),
                [uses([broker], [publisher]), uses([broker], [consumer]), uses([], [])],
            ),
            fix(
                "ClientIdle",
                Platform {
                    backing: vec![broker],
                    ..platform([other_service, Service { uses: list([idle]), ..service("web") }])
                },
                [Platform { backing: vec![broker], ..platform([other_service, service("web")]) }],
            ),
            fix(
                "ClientIdle",
                uses([cache], [CACHE.client(env(OWN), keys("*", &[]))]),
                [uses([cache], [client(CACHE, OWN)]), uses([], [])],
            ),
            fix(
                "ForeignHandle",
                uses(
                    [Backing::PostgreSql(SERVER), Backing::PostgreSql(ARCHIVE)],
                    [sql(SERVER, ARCHIVE.database("orders")), archive()],
                ),
                [uses(
                    [Backing::PostgreSql(SERVER), Backing::PostgreSql(ARCHIVE)],
                    [sql(SERVER, NEW_ORDERS), archive()],
                )],
            ),
            fix(
                "HandleDeclaredRepeatedly",
                Platform {
                    backing: vec![broker],
                    ..platform([
                        other_service,
                        Service {
                            uses: list([BROKER.client(ENV, list([publishes(twin, queue("ORDERS"))]))]),
                            ..service("web")
                        },
                    ])
                },
                [Platform {
                    backing: vec![broker],
                    ..platform([other_service, Service { uses: list([publisher]), ..service("web") }])
                }],
            ),
        ],
    );
}

#[test]
fn a_mistake_in_six_places_is_one_diagnostic() {
    let only = |platform: Platform, code: &str| {
        let diagnostics = diagnostics(platform);
        assert_eq!(diagnostics.as_slice().iter().map(Diagnostic::code).collect::<Vec<_>>(), [code], "{diagnostics}");
        diagnostics.to_string()
    };
    let of_each =
        |client: Use| ["a", "b", "c", "d", "e", "f"].map(|name| Service { uses: list([client]), ..service(name) });
    let report = only(platform(of_each(client(CACHE, OWN))), "ServerNotListed");
    assert_eq!(report.matches("the client of").count(), 6, "{report}");
    let clients: Vec<Use> = vec![client(CACHE, OWN), client(CACHE, OWN), client(CACHE, OWN), client(CACHE, OWN)];
    only(uses([Backing::Valkey(CACHE)], clients), "DuplicateClient");
    let queue = || BROKER.queue("orders").consumed_externally("a partner");
    let queues = [queue(), BROKER.queue("orders").consumed_externally("a partner"), RETURNS];
    let publisher = |queue| BROKER.client(ENV, list([publishes(queue, variable("QUEUE"))]));
    let [first, second, _] = queues;
    let services = [("a", first), ("b", second), ("c", first)]
        .map(|(name, queue)| Service { uses: list([publisher(queue)]), ..service(name) });
    only(Platform { backing: vec![Backing::RabbitMq(BROKER)], ..platform(services) }, "HandleDeclaredRepeatedly");
}
