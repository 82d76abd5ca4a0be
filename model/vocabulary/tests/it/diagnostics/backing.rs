//! Backing services and their clients, databases and caches.

use vocabulary::{
    Backing, CacheLogin, Database, KeyPattern, KeyUse, Platform, PostgreSql, RabbitMq, Service, SqlEnv, Valkey, keys, owns,
    plain, variable,
};

use super::{amqp_env, cache_env, service, sql_env};

const BROKER: RabbitMq = RabbitMq::named("broker");
const UNLISTED: Valkey = Valkey::named("unlisted");
const UNUSED: Valkey = Valkey::named("unused");
const CACHE: Valkey = Valkey::named("cache");
const SERVER: PostgreSql = PostgreSql::named("postgresql");
const ARCHIVE: PostgreSql = PostgreSql::named("archive");
const ORDERS: Database = SERVER.database("orders");
const ORDERS_AGAIN: Database = SERVER.database("orders");
const OLD_ORDERS: Database = ARCHIVE.database("old_orders");
const OWN_LOGIN: CacheLogin = CacheLogin::Own { user: variable("CACHE_USER"), password: plain("CACHE_PASSWORD") };

const USER: Service =
    Service { uses: &[SERVER.client(sql_env(), owns(ORDERS, variable("SQL_DATABASE")))], ..service("user") };

const ORDERS_OWNER: Service = Service {
    uses: &[SERVER.client(sql_env(), owns(ORDERS_AGAIN, variable("SQL_DATABASE")))],
    ..service("orders-owner")
};

const ARCHIVIST: Service = Service {
    uses: &[
        SERVER.client(sql_env(), owns(OLD_ORDERS, variable("SQL_DATABASE"))),
        ARCHIVE.client(
            SqlEnv {
                host: variable("ARCHIVE_HOST"),
                port: variable("ARCHIVE_PORT"),
                user: variable("ARCHIVE_USER"),
                password: plain("ARCHIVE_PASSWORD"),
            },
            owns(OLD_ORDERS, variable("ARCHIVE_DATABASE")),
        ),
    ],
    ..service("archivist")
};

const FIRST: Service = Service {
    uses: &[
        CACHE.client(cache_env(CacheLogin::Anonymous), keys("first:*", &["get"])),
        BROKER.client(amqp_env(), &[]),
    ],
    ..service("first")
};

const SECOND: Service = Service {
    uses: &[CACHE.client(cache_env(CacheLogin::Anonymous), keys("second:*", &[]))],
    ..service("second")
};

const THIRD: Service = Service {
    uses: &[
        CACHE.client(
            cache_env(OWN_LOGIN),
            KeyUse { pattern: KeyPattern::new("third:*"), commands: &["get", "+@all", "SET"] },
        ),
        CACHE.client(cache_env(OWN_LOGIN), keys("fourth:*", &["get"])),
    ],
    ..service("third")
};

const FOURTH: Service =
    Service { uses: &[UNLISTED.client(cache_env(OWN_LOGIN), keys("*", &["get"]))], ..service("fourth") };

pub(super) fn platform() -> Platform {
    Platform {
        services: vec![USER, ORDERS_OWNER, ARCHIVIST, FIRST, SECOND, THIRD, FOURTH],
        backing: vec![
            Backing::RabbitMq(BROKER),
            Backing::Valkey(UNUSED),
            Backing::Valkey(CACHE),
            Backing::PostgreSql(SERVER),
            Backing::PostgreSql(ARCHIVE),
        ],
        ..super::platform()
    }
}
