use vocabulary::{KeyUse, keys};

const KEYS: KeyUse = keys("session:*", &["get", "+@all"]);

fn main() {}
