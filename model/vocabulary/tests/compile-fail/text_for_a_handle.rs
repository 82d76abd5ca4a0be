use vocabulary::{QueueUse, consumes, variable};

const USE: QueueUse = consumes("audit_events", variable("RABBITMQ_QUEUE"));

fn main() {}
