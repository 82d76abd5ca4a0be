//! RabbitMQ's permissions for what a service does with queues.

use vocabulary::{Declaration, QueueUse};

/// What a user may do, in RabbitMQ's own terms: names of queues and exchanges.
///
/// Declaring a queue takes *configure* on it, consuming *read*; publishing takes *write* on the exchange, which for the default exchange is
/// checked under the name `amq.default`. A passive declaration takes any permission on the queue (from RabbitMQ 4.2.6 on): a publisher that has no other
/// gets *write* on it, which alone allows nothing.
pub(crate) struct Grants {
    /// The queues that it uses, which the chart makes.
    pub(super) queues: Vec<&'static str>,
    /// The queues that it may declare and delete: those that it declares actively.
    pub(super) configure: Vec<&'static str>,
    /// The exchanges that it may publish to, and the queues that it only publishes to and declares passively.
    pub(super) write: Vec<&'static str>,
    /// The queues that it may consume.
    pub(super) read: Vec<&'static str>,
    /// The exchanges that it publishes through, each with the queue that is to be bound to it.
    pub(super) bindings: Vec<(&'static str, &'static str)>,
}

impl super::super::KindGrants for Grants {}

impl Grants {
    pub(super) fn of(uses: &[QueueUse]) -> Self {
        let mut grants = Self {
            queues: Vec::new(),
            configure: Vec::new(),
            write: Vec::new(),
            read: Vec::new(),
            bindings: Vec::new(),
        };
        for queue_use in uses {
            let queue = queue_use.queue().name.as_str();
            grants.queues.push(queue);
            match queue_use.declaration() {
                Declaration::Active => grants.configure.push(queue),
                Declaration::Passive if matches!(queue_use, QueueUse::Publishes { .. }) => grants.write.push(queue),
                Declaration::Passive => {}
            }
            match queue_use {
                QueueUse::Consumes { .. } => grants.read.push(queue),
                QueueUse::Publishes { exchange: None, .. } => grants.write.push(DEFAULT_EXCHANGE),
                QueueUse::Publishes { exchange: Some((exchange, _)), .. } => {
                    grants.write.push(exchange.name.as_str());
                    grants.bindings.push((exchange.name.as_str(), queue));
                }
            }
        }
        grants
    }
}

/// A user's permissions at RabbitMQ, each a regular expression of names of queues and exchanges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmqpPermissions {
    /// What the user may declare and delete.
    pub configure: String,
    /// What it may publish to.
    pub write: String,
    /// What it may consume from.
    pub read: String,
}

impl AmqpPermissions {
    /// The permissions that a chart gives to the login of a service that uses queues in this way.
    #[must_use]
    pub fn of(uses: &[QueueUse]) -> Self {
        (&Grants::of(uses)).into()
    }
}

impl From<&Grants> for AmqpPermissions {
    fn from(grants: &Grants) -> Self {
        Self { configure: exactly(&grants.configure), write: exactly(&grants.write), read: exactly(&grants.read) }
    }
}

/// The exchange that a publish without a named exchange goes to.
pub(super) const DEFAULT_EXCHANGE: &str = "amq.default";

/// The same for a reader, as a cell of a Markdown table.
pub(super) fn rights_text(uses: &[QueueUse]) -> String {
    let text = |queue_use: &QueueUse| {
        let queue = queue_use.queue().name;
        match queue_use {
            QueueUse::Consumes { .. } => format!("consume and purge `{queue}`"),
            QueueUse::Publishes { exchange: None, .. } => format!("publish to `{queue}`"),
            QueueUse::Publishes { exchange: Some((exchange, _)), .. } => {
                format!("publish to `{queue}` through `{}`", exchange.name)
            }
        }
    };
    let mut queues: Vec<_> =
        uses.iter().filter(|queue_use| queue_use.declaration() == Declaration::Active).map(QueueUse::queue).collect();
    queues.sort_unstable_by_key(|queue| queue.name.as_str());
    queues.dedup_by_key(|queue| queue.name.as_str());
    let queues: Vec<_> = queues.into_iter().map(|queue| format!("`{}`", queue.name)).collect();
    let declares = (!queues.is_empty()).then(|| format!("declare and delete {}", queues.join(" and ")));
    uses.iter().map(text).chain(declares).collect::<Vec<_>>().join(", ").replace('|', r"\|")
}

/// A regular expression that matches exactly these names; RabbitMQ's are not anchored by themselves.
fn exactly(names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.dedup();
    let names: Vec<_> = names.iter().map(|name| name.replace('.', r"\.")).collect();
    if names.len() > 1 { format!("^({})$", names.join("|")) } else { format!("^{}$", names.concat()) }
}

#[cfg(test)]
mod tests {
    use vocabulary::{QueueUse, RabbitMq, consumes, variable};

    use super::{AmqpPermissions, exactly};

    #[test]
    fn a_passive_consumer_cannot_configure() {
        const BROKER: RabbitMq = RabbitMq::named("broker");
        const USES: &[QueueUse] = &[consumes(BROKER.queue("a"), variable("A")).declared_passively()];
        let AmqpPermissions { configure, write, read } = AmqpPermissions::of(USES);
        assert_eq!([configure, write, read], ["^$", "^$", "^a$"]);
    }

    #[test]
    fn patterns_are_anchored_and_dots_are_dots() {
        assert_eq!(exactly(&[]), "^$");
        assert_eq!(exactly(&["amq.default", "amq.default"]), r"^amq\.default$");
        assert_eq!(exactly(&["b.c", "a"]), r"^(a|b\.c)$");
    }
}
