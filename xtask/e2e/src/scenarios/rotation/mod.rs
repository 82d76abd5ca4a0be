//! Credentials replaced under load, one by one and all at once, back and forward again: nobody notices, and the old ones are worth nothing.

mod administrators;
mod around;
mod change;
mod judge;
mod login_in_use;
mod neighbours;
mod purse;
mod services;
mod state;
mod stuck;
mod visitor;

use e2e_kit::lane::{Lane, Work, side_by_side};
use e2e_kit::report::Outcome;

/// Side by side, each with a release and loads of its own. The longest first.
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
