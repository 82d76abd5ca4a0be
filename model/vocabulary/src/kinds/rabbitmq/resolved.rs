//! What a resolved platform tells about its brokers.

use std::collections::BTreeMap;

use super::{Exchange, Queue, QueueUse, queue_uses};
use crate::{BackingName, Resolved};

impl Resolved {
    /// The queues of a broker, by name.
    #[must_use]
    pub fn queues(&self, broker: BackingName) -> Vec<&Queue> {
        let uses = queue_uses(self.platform()).filter(|(_, _, u)| u.queue().broker == broker);
        uses.map(|(_, _, u)| (u.queue().name, u.queue())).collect::<BTreeMap<_, _>>().into_values().collect()
    }

    /// The exchanges of a broker, by name, each with the queues that services publish to through it.
    #[must_use]
    pub fn exchanges(&self, broker: BackingName) -> Vec<(&Exchange, Vec<&Queue>)> {
        let mut all: BTreeMap<_, (&Exchange, BTreeMap<_, &Queue>)> = BTreeMap::new();
        for (_, _, queue_use) in queue_uses(self.platform()) {
            if let QueueUse::Publishes { queue, exchange: Some((exchange, _)), .. } = queue_use
                && exchange.broker == broker
            {
                all.entry(exchange.name).or_insert((exchange, BTreeMap::new())).1.insert(queue.name, queue);
            }
        }
        all.into_values().map(|(exchange, queues)| (exchange, queues.into_values().collect())).collect()
    }
}
