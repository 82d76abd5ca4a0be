//! Chart 0.1.0, which was written by hand: what became of its values, and how a release of it moves to this chart.

use vocabulary::{
    EarlierClaim, EarlierKey, EarlierServer, EarlierVersion, Reinstallation, ServerVersion, moved, of_servers,
    of_services, removed, renamed, variable, variables,
};

use crate::postgresql::POSTGRESQL;
use crate::rabbitmq::RABBITMQ;
use crate::redis::REDIS;
use crate::{audit_event_generator, audit_log_analysis, event_audit_dashboard, notification_service};

const PORTS: &str = "the ports of a service are fixed";
const PROBES: &str = "the chart sets the probes";
const NO_SWITCH: &str = "the chart always installs its servers";
const ALWAYS_STORED: &str = "a server always has a volume";

const REPLICAS: EarlierKey = renamed("replicaCount", "replicas");

/// Its keys by section, then how a release moves.
pub(crate) const VERSION: EarlierVersion = EarlierVersion::new(
    "0.1.0",
    &[
        of_services(
            &[
                audit_event_generator::NAME,
                audit_log_analysis::NAME,
                notification_service::NAME,
                event_audit_dashboard::NAME,
            ],
            &[
                moved("imagePullSecrets", "global.imagePullSecrets"),
                removed("podSecurityContext", "every pod runs under the Pod Security Standard `restricted`"),
                removed("waitFor", "a pod that must wait for a server does so by itself"),
                variables("env"),
            ],
        ),
        of_services(
            &[audit_event_generator::NAME, audit_log_analysis::NAME],
            &[
                REPLICAS,
                removed("service", PORTS),
                removed("livenessProbe", PROBES),
                removed("readinessProbe", PROBES),
            ],
        ),
        of_services(
            &[audit_event_generator::NAME],
            &[
                removed("initContainer", "it had no effect"),
                removed("ingress", "it had no effect, and this service is not exposed"),
            ],
        ),
        of_services(
            &[notification_service::NAME],
            &[
                REPLICAS,
                removed("service", PORTS),
                removed("secrets", "it had no effect"),
                removed("postgresql", "the chart derives address, login and database"),
            ],
        ),
        of_services(
            &[event_audit_dashboard::NAME],
            &[
                renamed("image.imagePullPolicy", "image.pullPolicy"),
                renamed("ports.type", "exposure.via").words(&[
                    ("ClusterIP", "None"),
                    ("NodePort", "NodePort"),
                    ("LoadBalancer", "LoadBalancer"),
                ]),
                renamed("ports.nodePort", "exposure.nodePort").requires("exposure.via", "NodePort"),
                removed("ports.appPortName", PORTS),
                removed("ports.port", PORTS),
                removed("ports.targetPort", PORTS),
            ],
        ),
        of_servers(
            &[POSTGRESQL.name],
            &[
                removed("enabled", NO_SWITCH),
                moved("auth.password", "notification-service.credentials.postgresql.password"),
                removed("auth.username", "the chart names the login of each service"),
                removed("auth.database", "the database is always `alerts_db`"),
                removed("auth.secretKeys", "the chart creates the Secrets; see `global.secrets.mode`"),
                renamed("primary.persistence.size", "persistence.size"),
                renamed("primary.persistence.storageClass", "persistence.storageClassName"),
                removed("primary.persistence.enabled", ALWAYS_STORED),
                renamed("primary.resources", "resources"),
                removed("service", PORTS),
            ],
        ),
        of_servers(
            &[RABBITMQ.name],
            &[
                removed("enabled", NO_SWITCH),
                renamed("auth.password", "credentials.administrator.password"),
                removed("auth.username", "the administrator is always `administrator`, and each service has a login of its own"),
                removed("persistence.enabled", ALWAYS_STORED),
                removed("service", PORTS),
            ],
        ),
        of_servers(
            &[REDIS.name],
            &[
                removed("enabled", NO_SWITCH),
                removed("architecture", "the cache is always one pod"),
                renamed("auth.password", "credentials.administrator.password"),
                removed("auth.enabled", "each service has exactly the rights that it needs, with or without a password"),
                removed("auth.allowEmptyPassword", "the administrator always has a password"),
                removed("master.persistence.enabled", ALWAYS_STORED),
                removed("service", PORTS),
            ],
        ),
    ],
)
.reinstalled(Reinstallation {
    reason: "Kubernetes cannot change the selectors of its Deployments, and its servers store their data in another layout",
    stops: &[
        &[audit_event_generator::NAME],
        &[audit_log_analysis::NAME],
        &[notification_service::NAME, event_audit_dashboard::NAME],
    ],
    servers: &[
        EarlierServer {
            server: POSTGRESQL.name,
            version: ServerVersion::new("16"),
            stateful_set: "postgresql",
            claim: Some(EarlierClaim { template: "data", component: "primary" }),
            login: Some(("audituser", variable("POSTGRES_PASSWORD"))),
        },
        EarlierServer {
            server: RABBITMQ.name,
            version: ServerVersion::new("3.12"),
            stateful_set: "rabbitmq",
            claim: None,
            login: None,
        },
        // Its keys live for a minute.
        EarlierServer {
            server: REDIS.name,
            version: ServerVersion::new("7.2"),
            stateful_set: "redis-master",
            claim: None,
            login: None,
        },
    ],
});
