use vocabulary::{QueueUse, consumes, variable};

const USE: QueueUse = consumes(AUDIT_EVENTS, variable("RABBITMQ_QUEUE"));

fn main() {}
