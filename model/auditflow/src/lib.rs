//! AuditFlow: an event pipeline that turns audit events into alerts, declared with the types of `vocabulary`.
//!
//! There is one file per service and per server. Each file declares what its service needs; the generator derives everything else.

mod audit_event_generator;
mod audit_log_analysis;
mod chart_0_1_0;
mod end_to_end;
mod environments;
mod event_audit_dashboard;
mod hosts;
mod notification_service;
mod postgresql;
mod publication;
mod rabbitmq;
mod redis;

use vocabulary::{Backing, ChartVersion, Platform, PlatformName, SourceLocation, Tests};

/// The whole platform.
#[must_use]
pub fn platform() -> Platform {
    Platform {
        name: PlatformName::new("auditflow-platform"),
        doc: "AuditFlow: audit events in, security alerts out",
        version: ChartVersion::new("0.2.0"),
        home: "https://github.com/jojees/project-genesis",
        publication: publication::PUBLICATION,
        // Long enough for `<environment>-afp`.
        longest_release_name: 20,
        services: vec![
            audit_event_generator::SERVICE,
            audit_log_analysis::SERVICE,
            notification_service::SERVICE,
            event_audit_dashboard::SERVICE,
        ],
        backing: vec![
            Backing::RabbitMq(rabbitmq::RABBITMQ),
            Backing::PostgreSql(postgresql::POSTGRESQL),
            Backing::Valkey(redis::REDIS),
        ],
        environments: environments::ALL.to_vec(),
        tests: Tests::DEFAULT.end_to_end(end_to_end::EVENT_TO_ALERT),
        // In the values of AuditFlow's first chart and in the manifests beside it.
        published_passwords: &["jdevlab", "your_secure_postgres_password"],
        earlier_versions: &[chart_0_1_0::VERSION],
        location: SourceLocation::here(),
    }
}
