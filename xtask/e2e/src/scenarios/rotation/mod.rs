//! Rotation under load: credentials are replaced one by one and all at once, rolled back and replaced again.
//!
//! No client loses service, and the old credentials become invalid.

mod administrators;
mod change;
mod common_steps;
mod credential_set;
mod login_in_use;
mod login_probe;
mod neighbours;
mod server_refusals;
mod services;
mod state;
mod stuck;

use e2e_kit::lane::{Lane, Work, side_by_side};
use e2e_kit::report::Outcome;

/// Runs the lanes in parallel, the longest first, each with its own release and load.
pub(super) fn run(lane: &Lane) -> Outcome {
    let work = vec![
        Work::new("services --wait", services::waiting),
        Work::new("services without waiting", services::not_waiting),
        Work::new("administrators", administrators::run),
        Work::new("neighbours", neighbours::run),
    ];
    let at_once = 3;
    side_by_side(lane.context, at_once, work)
}
