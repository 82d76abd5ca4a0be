use vocabulary::{Database, PostgreSql};

const SERVER: PostgreSql = PostgreSql::named("postgresql");
const DATABASE: Database = SERVER.database("order");

fn main() {}
