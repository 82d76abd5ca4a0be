//! The end-to-end test: an event, from the generator to the alert on the dashboard.

use vocabulary::EndToEndTest;

use crate::postgresql::ALERTS_DB;
use crate::{audit_event_generator, audit_log_analysis, event_audit_dashboard, notification_service};

/// One change of a sensitive file raises an alert, whose text names the user. It leaves a row in the database, and nothing in the cache.
pub(crate) const EVENT_TO_ALERT: EndToEndTest = EndToEndTest::new(
    "An audit event becomes an alert on the dashboard's page.",
    audit_event_generator::API.posts(
        "/generate_event",
        r#"{"event_type": "file_modified", "action_result": "MODIFIED", "resource": "/etc/passwd", "user_id": "{marker}", "server_hostname": "helm-test", "severity": "INFO"}"#,
    ),
    &[audit_log_analysis::NAME, notification_service::NAME],
    event_audit_dashboard::PAGES.page("/"),
)
.leaves(ALERTS_DB, "DELETE FROM alerts WHERE raw_event_data->>'user_id' = '{marker}'");
