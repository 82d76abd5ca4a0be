//! The environments, each with its differences from the defaults. The delivery pipeline sets the image tags; without it, `dev` runs the latest build.

use vocabulary::{Environment, exposed_at_node_port, image_tag, replicas, setting};

use crate::{audit_event_generator, event_audit_dashboard, notification_service};

pub(crate) const ALL: &[Environment] = &[
    Environment::new(
        "dev",
        "Development: changes are tried here first.",
        &[
            image_tag(audit_event_generator::NAME, "latest"),
            setting(notification_service::NAME, notification_service::ENVIRONMENT, "dev"),
            setting(notification_service::NAME, notification_service::LOG_LEVEL, "DEBUG"),
            exposed_at_node_port(event_audit_dashboard::NAME, 30090),
        ],
    ),
    Environment::new(
        "test",
        "For the tests of a whole release.",
        &[
            setting(notification_service::NAME, notification_service::ENVIRONMENT, "test"),
            exposed_at_node_port(event_audit_dashboard::NAME, 30081),
        ],
    ),
    Environment::new(
        "stg",
        "Staging: a release is rehearsed here.",
        &[
            setting(notification_service::NAME, notification_service::ENVIRONMENT, "stg"),
            exposed_at_node_port(event_audit_dashboard::NAME, 30091),
        ],
    ),
    Environment::new(
        "main",
        "Production.",
        &[
            setting(notification_service::NAME, notification_service::ENVIRONMENT, "main"),
            exposed_at_node_port(event_audit_dashboard::NAME, 30092),
            replicas(event_audit_dashboard::NAME, 2),
        ],
    ),
];
