use vocabulary::{EarlierKey, removed};

const KEY: EarlierKey = removed("kind", "it had no effect").words(&[("internal", "None")]);

fn main() {}
