use vocabulary::Port;

const PORT: Port = Port::http("http", 0);

fn main() {}
