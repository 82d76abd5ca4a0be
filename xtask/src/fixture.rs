//! What the scenarios on a cluster know of AuditFlow's programs beyond its declaration.

use cli::Fixture;

/// Three failed logins of one user raise an alert only when analysis, cache, broker and database work together.
pub(crate) const AUDITFLOW: Fixture = Fixture {
    body: r#"{"event_type": "user_login", "action_result": "FAILURE", "user_id": "{marker}", "server_hostname": "e2e", "details": {}}"#,
    times: 3,
    load_image: "auditflow-e2e/load",
    stored: "SELECT alert_id, correlation_id FROM alerts",
    left_by_tests: "SELECT alert_id, raw_event_data->>'user_id' FROM alerts WHERE raw_event_data::text LIKE '%helm-test-%'",
    setting: "audit-event-generator.settings.eventGenerationIntervalSeconds=7",
};
