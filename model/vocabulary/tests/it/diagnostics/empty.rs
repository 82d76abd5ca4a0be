//! A platform of nothing.

use vocabulary::Platform;

pub(super) fn platform() -> Platform {
    Platform { longest_release_name: 60, doc: "  ", ..super::platform() }
}
