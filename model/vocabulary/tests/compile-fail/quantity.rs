use vocabulary::{Range, memory};

const MEMORY: Range = memory("128MB");

fn main() {}
