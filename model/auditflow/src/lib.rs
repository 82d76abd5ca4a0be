//! auditflow
