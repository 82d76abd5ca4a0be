//! Rules at the Kubernetes API.

use vocabulary::{ApiRule, Platform, Service};

use super::service;

const OPERATOR: Service = Service {
    kubernetes: &[
        ApiRule::new("Says nothing.", "", &[], &[]),
        ApiRule::new("Says everything.", "*", &["*"], &["*"]),
        ApiRule::new("Names a version, too.", "apps/v1", &["deployments"], &["get"]),
        ApiRule::new("Names the core group.", "core", &["configmaps", "pods/log"], &["get"]),
        ApiRule::new("Names a kind as manifests do.", "", &["ConfigMap"], &["get"]),
        ApiRule::new("Invents a verb.", "", &["configmaps"], &["read"]),
        ApiRule::new("Names an object that cannot be.", "", &["configmaps"], &["get"]).only(&["Prices", ""]),
        ApiRule::new("Narrows what cannot be.", "", &["configmaps"], &["get", "list"]).only(&["prices"]),
    ],
    ..service("operator")
};

pub(super) fn platform() -> Platform {
    Platform { services: vec![OPERATOR], ..super::platform() }
}
