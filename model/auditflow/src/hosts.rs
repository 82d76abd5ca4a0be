//! The hosts at which users reach the platform. Replace the placeholder domain `example.org` by your own: nobody can own it, and `verify` warns until
//! it is replaced.

use vocabulary::HostName;

pub(crate) const STAGING: HostName = HostName::new("stg.auditflow.example.org");
pub(crate) const PRODUCTION: HostName = HostName::new("auditflow.example.org");
