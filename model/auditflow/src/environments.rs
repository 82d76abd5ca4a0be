//! The environments, each with what differs from the defaults. The delivery pipeline names the commits whose images run; where it names none,
//! `dev` takes what was built last.

use vocabulary::{Environment, exposed_at_node_port, image_tag, replicas, setting};

use crate::{audit_event_generator, event_audit_dashboard, notification_service};

pub(crate) const ALL: &[Environment] = &[
    Environment::new(
        "dev",
        "Where a change is tried first.",
        &[
            image_tag(audit_event_generator::NAME, "latest"),
            setting(notification_service::NAME, notification_service::ENVIRONMENT, "dev"),
            setting(notification_service::NAME, notification_service::LOG_LEVEL, "DEBUG"),
            exposed_at_node_port(event_audit_dashboard::NAME, 30081),
        ],
    ),
    Environment::new(
        "test",
        "Where the tests of a whole release run.",
        &[
            setting(notification_service::NAME, notification_service::ENVIRONMENT, "test"),
            exposed_at_node_port(event_audit_dashboard::NAME, 30090),
        ],
    ),
    Environment::new(
        "stg",
        "Where a release is rehearsed.",
        &[
            setting(notification_service::NAME, notification_service::ENVIRONMENT, "stg"),
            exposed_at_node_port(event_audit_dashboard::NAME, 30091),
        ],
    ),
    Environment::new(
        "main",
        "What people rely on.",
        &[
            setting(notification_service::NAME, notification_service::ENVIRONMENT, "main"),
            exposed_at_node_port(event_audit_dashboard::NAME, 30092),
            replicas(event_audit_dashboard::NAME, 2),
        ],
    ),
];
