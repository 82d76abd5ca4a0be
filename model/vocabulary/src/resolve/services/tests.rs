use super::CODES;
use crate::testing::{check, fix, platform, service};
use crate::{Scaling, Service};

#[test]
fn every_help_can_be_followed() {
    let uid = |run_as_user| platform([Service { run_as_user, ..service("web") }]);
    let scaling = |min, max, cpu_percent| {
        platform([Service { scaling: Scaling::Horizontal { min, max, cpu_percent }, ..service("web") }])
    };
    let valid = || platform([Service { scaling: Scaling::horizontal(1, 3, 70), ..service("web") }]);
    check(
        "services",
        CODES,
        vec![
            fix("RunsAsRoot", uid(0), [platform([service("web")]), uid(1000)]),
            fix("UidTooLarge", uid(4_000_000_000), [platform([service("web")]), uid(1), uid(2_147_483_647)]),
            fix("ScalingBounds", scaling(0, 3, 150), [valid()]),
            fix("ScalingBounds", scaling(4, 2, 70), [valid()]),
        ],
    );
}
