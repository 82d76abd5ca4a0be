//! Checks of a service's user and scaling.

#[cfg(test)]
mod tests;

use crate::diagnostic::codes;
use crate::{Diagnostic, Scaling, Service};

codes! {
    /// A service that runs as root.
    RunsAsRoot,
    /// A UID that Kubernetes refuses.
    UidTooLarge,
    /// Bounds of autoscaling that make no sense.
    ScalingBounds,
}

/// The largest UID that Kubernetes accepts.
const LARGEST_UID: u32 = i32::MAX.cast_unsigned();

pub(super) fn check(service: &Service, diagnostics: &mut Vec<Diagnostic>) {
    let (name, uid, location) = (service.name, service.run_as_user, service.location);
    if uid == 0 {
        diagnostics.push(
            Diagnostic::new(Code::RunsAsRoot, format!("{name} runs as root (`run_as_user: 0`)"))
                .at("declared", location)
                .help("remove `run_as_user`, or set another UID: Pod Security `restricted` refuses root"),
        );
    }
    if uid > LARGEST_UID {
        diagnostics.push(
            Diagnostic::new(Code::UidTooLarge, format!("{name} runs as UID {uid}, which Kubernetes refuses"))
                .at("declared", location)
                .help(format!("remove `run_as_user`, or set a UID from 1 to {LARGEST_UID}")),
        );
    }
    let Scaling::Horizontal { min, max, cpu_percent } = service.scaling else { return };
    if min == 0 || min > max || !(1..=100).contains(&cpu_percent) {
        diagnostics.push(
            Diagnostic::new(
                Code::ScalingBounds,
                format!("{name} scales from {min} to {max} pods at {cpu_percent} % of the requested CPU"),
            )
            .at("declared", location)
            .help("use `Scaling::horizontal(min, max, cpu_percent)` with at least 1 pod, a minimum not above the maximum, and 1 to 100 percent"),
        );
    }
}
