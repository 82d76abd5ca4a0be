//! RabbitMQ's permissions for what a service does with queues.

use vocabulary::QueueUse;

/// What a user may do, in RabbitMQ's own terms: names of queues and exchanges.
///
/// Declaring a queue takes *configure* on it, consuming *read*; publishing takes *write* on the exchange, which for the default exchange is
/// checked under the name `amq.default`.
pub(crate) struct Grants {
    /// The queues that it may declare: all that it uses.
    pub(super) configure: Vec<&'static str>,
    /// The exchanges that it may publish to.
    pub(super) write: Vec<&'static str>,
    /// The queues that it may consume.
    pub(super) read: Vec<&'static str>,
    /// The exchanges that it publishes through, each with the queue that is to be bound to it.
    pub(super) bindings: Vec<(&'static str, &'static str)>,
}

impl super::super::KindGrants for Grants {}

impl Grants {
    pub(super) fn of(uses: &[QueueUse]) -> Self {
        let mut grants = Self { configure: Vec::new(), write: Vec::new(), read: Vec::new(), bindings: Vec::new() };
        for queue_use in uses {
            let queue = queue_use.queue().name.as_str();
            grants.configure.push(queue);
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

/// The exchange that a publish without a named exchange goes to.
pub(super) const DEFAULT_EXCHANGE: &str = "amq.default";

/// The same for a reader, as a cell of a Markdown table.
pub(super) fn rights_text(uses: &[QueueUse]) -> String {
    let text = |queue_use: &QueueUse| {
        let queue = queue_use.queue().name;
        match queue_use {
            QueueUse::Consumes { .. } => format!("consume `{queue}`"),
            QueueUse::Publishes { exchange: None, .. } => format!("publish to `{queue}`"),
            QueueUse::Publishes { exchange: Some((exchange, _)), .. } => {
                format!("publish to `{queue}` through `{}`", exchange.name)
            }
        }
    };
    uses.iter().map(text).collect::<Vec<_>>().join(", ").replace('|', r"\|")
}

/// A regular expression that matches exactly these names; RabbitMQ's are not anchored by themselves.
pub(super) fn exactly(names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.dedup();
    let names: Vec<_> = names.iter().map(|name| name.replace('.', r"\.")).collect();
    if names.len() > 1 { format!("^({})$", names.join("|")) } else { format!("^{}$", names.concat()) }
}

#[cfg(test)]
mod tests {
    use super::exactly;

    #[test]
    fn patterns_are_anchored_and_dots_are_dots() {
        assert_eq!(exactly(&[]), "^$");
        assert_eq!(exactly(&["amq.default", "amq.default"]), r"^amq\.default$");
        assert_eq!(exactly(&["b.c", "a"]), r"^(a|b\.c)$");
    }
}
