//! Cold starts from zero pods: each program first once, each last once, and all together.

use std::time::Duration;

use e2e_kit::lane::{Lane, all};
use e2e_kit::process;
use e2e_kit::release::Release;
use e2e_kit::report::Outcome;
use vocabulary::Platform;

use super::fault::{Restarts, fault, scale};
use crate::roles::{servers, services};

/// Time that the first program runs before the others start.
const ALONE: Duration = Duration::from_secs(10);
/// Time that the programs run before the last one starts.
const WITHOUT: Duration = Duration::from_secs(20);
/// The number of lanes that share the starts.
const LANES: usize = 2;

/// A start order of the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Together,
    /// One program alone, then the others, then the last one.
    Ordered {
        first: &'static str,
        last: &'static str,
    },
}

/// All start orders, distributed to lanes. Each order tests one first and one last program, which halves the number of starts.
pub(super) fn starts(platform: &Platform) -> Vec<Vec<Start>> {
    let services = services(platform);
    let first = [services.clone(), servers(platform)].concat();
    // The reversed list starts clients first and their servers last.
    let last = first.iter().cycle().skip(services.len());
    let ordered = first.iter().zip(last).map(|(first, last)| Start::Ordered { first, last });
    let mut lanes = vec![Vec::new(); LANES];
    for (number, start) in std::iter::once(Start::Together).chain(ordered).enumerate() {
        lanes[number % LANES].push(start);
    }
    lanes
}

pub(super) fn run(lane: &Lane, release: &Release, starts: &[Start]) -> Outcome {
    all(starts.iter().map(|start| {
        let what = match start {
            Start::Together => "cold start, all together".to_owned(),
            Start::Ordered { first, last } => format!("cold start, {first} first and {last} last"),
        };
        fault(lane, release, &what, &Restarts::new(), || started(release, *start))
    }))
}

fn started(release: &Release, start: Start) -> anyhow::Result<()> {
    let platform = release.namespace.context.platform.platform();
    let (services, servers) = (services(platform), servers(platform));
    let scaled = |which: &dyn Fn(&str) -> bool, pods| {
        let names = services.iter().chain(&servers).filter(|name| which(name));
        let kind = |name| if servers.contains(name) { "statefulset" } else { "deployment" };
        let workloads: Vec<_> = names.map(|name| format!("{}/{}-{name}", kind(name), release.name)).collect();
        scale(release, &workloads.iter().map(String::as_str).collect::<Vec<_>>(), pods)
    };
    scaled(&|_| true, 0)?;
    match start {
        Start::Together => scaled(&|_| true, 1),
        Start::Ordered { first, last } => {
            scaled(&|name| name == first, 1)?;
            process::sleep(ALONE)?;
            scaled(&|name| name != first && name != last, 1)?;
            process::sleep(WITHOUT)?;
            scaled(&|name| name == last, 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::roles::tests::declared;

    #[test]
    fn every_program_is_first_once_and_last_once() {
        let platform = declared();
        let count = platform.services.len() + platform.backing.len();
        let all: Vec<_> = starts(&platform).into_iter().flatten().collect();
        let ordered = || {
            all.iter().filter_map(|start| match start {
                Start::Ordered { first, last } => Some((*first, *last)),
                Start::Together => None,
            })
        };
        assert!(all.contains(&Start::Together));
        assert_eq!(ordered().map(|(first, _)| first).collect::<BTreeSet<_>>().len(), count);
        assert_eq!(ordered().map(|(_, last)| last).collect::<BTreeSet<_>>().len(), count);
        assert!(ordered().all(|(first, last)| first != last), "{all:?}");
    }
}
