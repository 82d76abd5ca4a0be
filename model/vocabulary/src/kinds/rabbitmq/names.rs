//! Names of queues and exchanges.

use std::fmt;

use crate::name::{NameError, name, only, sized, starts_with};

name! {
    /// The name of a queue. AMQP allows any 255 bytes; this rule excludes characters that need quoting anywhere.
    QueueName, "a queue's name is 1 to 128 of A-Z, a-z, 0-9, _, -, . and :, and does not begin with `amq.`, which the broker reserves", amqp_name
}
name! {
    /// The name of an exchange, with the rule of [`QueueName`].
    ExchangeName, "an exchange's name is 1 to 128 of A-Z, a-z, 0-9, _, -, . and :, and does not begin with `amq.`, which the broker reserves", amqp_name
}

const AMQP: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:";

const fn amqp_name(text: &[u8]) -> bool {
    sized(text, 128) && only(text, AMQP) && !starts_with(text, b"amq.")
}

#[cfg(test)]
mod tests {
    use super::{ExchangeName, QueueName};
    use crate::name::tests::{all, names, word};

    names! {
        queues: QueueName, amqp_name, ["audit_events", "orders.placed", "A:b-c", "amq"];
        exchanges: ExchangeName, amqp_name, ["order-events", "amq_"];
    }

    fn amqp_name(text: &str) -> bool {
        all(text, 128, |c| word(c) || "-.:".contains(c)) && !text.starts_with("amq.")
    }
}
