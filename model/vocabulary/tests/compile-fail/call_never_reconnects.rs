use vocabulary::{CallEnv, Endpoint, Port, ServiceName, Use, variable};

const API: Endpoint = Endpoint::new(ServiceName::new("api"), Port::http("http", 8080));
const CALL: Use =
    API.called(CallEnv { host: variable("API_HOST"), port: variable("API_PORT") }).never_reconnects("it gives up");

fn main() {}
