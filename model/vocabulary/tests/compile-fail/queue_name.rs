use vocabulary::{Queue, RabbitMq};

const BROKER: RabbitMq = RabbitMq::named("broker");
const QUEUE: Queue = BROKER.queue("amq.orders");

fn main() {}
