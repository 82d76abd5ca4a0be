//! The broker, and its two queues.

use vocabulary::{Queue, RabbitMq};

pub(crate) const RABBITMQ: RabbitMq = RabbitMq::named("rabbitmq");

/// Audit events.
pub(crate) const AUDIT_EVENTS: Queue = RABBITMQ.queue("audit_events");

/// Alerts that the analysis raised.
pub(crate) const AUDIT_ALERTS: Queue = RABBITMQ.queue("audit_alerts");
