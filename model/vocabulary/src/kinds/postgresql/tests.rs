use super::check::CODES;
use super::{Database, PostgreSql, SqlEnv, libpq_value, owns};
use crate::kinds::rabbitmq;
use crate::testing::{HTTP, check, diagnostics, fix, list, platform, service};
use crate::{
    AmqpEnv, Backing, CallEnv, EndToEndTest, Endpoint, PasswordVariable, Platform, Service, Tests, Use, plain,
    publishes, variable,
};

pub(crate) const SERVER: PostgreSql = PostgreSql::named("postgresql");

pub(crate) const ENV: SqlEnv = SqlEnv {
    host: variable("SQL_HOST"),
    port: variable("SQL_PORT"),
    user: variable("SQL_USER"),
    password: plain("SQL_PASSWORD"),
};

const ORDERS: Database = SERVER.database("orders");
const STOCK: Database = SERVER.database("stock");
const PRICES: Database = SERVER.database("prices");

#[track_caller]
fn owner(name: &'static str, database: Database) -> Service {
    Service { uses: list([SERVER.client(ENV, owns(database, variable("SQL_DATABASE")))]), ..service(name) }
}

/// A service that calls the service `shop`.
#[track_caller]
fn caller(name: &'static str) -> Service {
    let env = CallEnv { host: variable("SHOP_HOST"), port: variable("SHOP_PORT") };
    Service { uses: list([Endpoint::new(crate::ServiceName::new("shop"), HTTP).called(env)]), ..service(name) }
}

#[track_caller]
fn shop(services: impl Into<Vec<Service>>) -> Platform {
    Platform { backing: vec![Backing::PostgreSql(SERVER)], ..platform(services) }
}

/// A service that reads its password for a broker in this way.
#[track_caller]
fn publisher(password: PasswordVariable) -> Platform {
    let queue = rabbitmq::tests::BROKER.queue("orders").consumed_externally("a partner");
    let env = AmqpEnv { password, ..rabbitmq::tests::ENV };
    let client: Use = rabbitmq::tests::BROKER.client(env, list([publishes(queue, variable("QUEUE"))]));
    Platform {
        backing: vec![Backing::RabbitMq(rabbitmq::tests::BROKER)],
        ..platform([Service { uses: list([client]), ..service("shop") }])
    }
}

/// A platform whose end-to-end test leaves rows in `database`, which this statement deletes.
#[track_caller]
fn tested(database: Database, statement: &'static str) -> Platform {
    let endpoint = Endpoint::new(crate::ServiceName::new("shop"), HTTP);
    let request = endpoint.posts("/orders", r#"{"comment": "{marker}"}"#);
    let test = EndToEndTest::new("An order is shown.", request, &[], endpoint.page("/")).leaves(database, statement);
    Platform { tests: Tests::DEFAULT.end_to_end(test), ..shop([owner("shop", ORDERS)]) }
}

#[test]
fn every_help_can_be_followed() {
    let delete = "DELETE FROM orders WHERE comment = '{marker}'";
    check(
        "postgresql",
        CODES,
        vec![
            fix(
                "SeveralOwners",
                shop([owner("shop", ORDERS), owner("warehouse", ORDERS), owner("billing", ORDERS)]),
                [
                    shop([owner("shop", ORDERS), owner("warehouse", STOCK), owner("billing", PRICES)]),
                    shop([owner("shop", ORDERS), caller("warehouse"), caller("billing")]),
                    shop([owner("shop", ORDERS), owner("warehouse", STOCK), caller("billing")]),
                ],
            ),
            fix("LibpqElsewhere", publisher(libpq_value("AMQP_PASSWORD")), [publisher(plain("AMQP_PASSWORD"))]),
            fix("RoleNameReserved", shop([owner("pg-shop", ORDERS)]), [shop([owner("shop", ORDERS)])]),
            fix("RoleNameReserved", shop([owner("exporter", ORDERS)]), [shop([owner("shop", ORDERS)])]),
            fix("LeftoversNotDeleted", tested(ORDERS, "TRUNCATE orders -- {marker}"), [tested(ORDERS, delete)]),
            fix("LeftoversWithoutOwner", tested(STOCK, delete), [tested(ORDERS, delete)]),
        ],
    );
}

#[test]
fn six_owners_of_a_database_are_one_diagnostic() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let diagnostics = diagnostics(shop(names.map(|name| owner(name, ORDERS))));
    assert_eq!(diagnostics.as_slice().len(), 1, "{diagnostics}");
    let report = diagnostics.to_string();
    assert!(names.iter().all(|name| report.contains(&format!("\n     {name} "))), "{report}");
}

#[test]
fn only_a_client_of_postgresql_has_a_role_whose_name_is_reserved() {
    assert!(platform([service("pg-admin")]).resolve().is_ok());
}

#[test]
fn the_statement_of_the_end_to_end_test_has_the_marker() {
    let diagnostics = diagnostics(tested(ORDERS, "DELETE FROM orders"));
    assert_eq!(diagnostics.as_slice().iter().map(crate::Diagnostic::code).collect::<Vec<_>>(), ["MarkerMissing"]);
}
