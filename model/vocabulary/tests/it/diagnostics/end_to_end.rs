//! What the tests follow through the platform, and routes that are asked.

use vocabulary::{
    CallEnv, Database, Endpoint, EndToEndTest, Platform, Port, PostgreSql, Service, ServiceName, Tests, Use, variable,
};

use super::{HTTP, service};

const ELSEWHERE: PostgreSql = PostgreSql::named("elsewhere");
const ORDERS: Database = ELSEWHERE.database("orders");
const WIRE: Port = Port::tcp("wire", 7000);

const CALLED: Service = Service { ports: &[HTTP, WIRE], ..service("called") };

const ASKS: Use = Endpoint::new(CALLED.name, WIRE)
    .called(CallEnv { host: variable("CALLED_HOST"), port: variable("CALLED_PORT") })
    .asks("/state");

const CALLER: Service = Service { uses: &[ASKS], ..service("caller") };

const LOST: EndToEndTest = EndToEndTest::new(
    "An order is shipped.",
    Endpoint::new(CALLED.name, WIRE).posts("/orders", r#"{"article": 1}"#),
    &[ServiceName::new("nowhere")],
    Endpoint::new(ServiceName::new("page"), HTTP).page("/"),
)
.leaves(ORDERS, "TRUNCATE orders");

pub(super) fn platform() -> Platform {

    Platform { services: vec![CALLED, CALLER], tests: Tests::DEFAULT.end_to_end(LOST), ..super::platform() }
}
