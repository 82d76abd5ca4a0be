//! Sets of ports over all protocols and numbers. Equal sets have equal representations.

use std::fmt;

/// A protocol of a NetworkPolicy port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

const PROTOCOLS: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];

/// A set of ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ports {
    /// For each protocol, inclusive ranges in ascending order with gaps between them.
    ranges: [Vec<(u16, u16)>; 3],
}

impl Ports {
    pub(super) const NONE: Self = Self { ranges: [const { Vec::new() }; 3] };

    /// Every port of every protocol.
    pub(super) fn all() -> Self {
        Self { ranges: std::array::from_fn(|_| vec![(1, u16::MAX)]) }
    }

    /// The ports from `first` to `last` of one protocol.
    pub(super) fn range(protocol: Protocol, first: u16, last: u16) -> Self {
        let mut ports = Self::NONE;
        if first <= last {
            ports.ranges[protocol as usize].push((first, last));
        }
        ports
    }

    pub(super) fn tcp(number: u16) -> Self {
        Self::range(Protocol::Tcp, number, number)
    }

    /// All ports of one protocol.
    pub(super) fn of(protocol: Protocol) -> Self {
        Self::range(protocol, 1, u16::MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.iter().all(Vec::is_empty)
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (ours, theirs) in self.ranges.iter_mut().zip(&other.ranges) {
            if theirs.is_empty() {
                continue;
            }
            ours.extend_from_slice(theirs);
            ours.sort_unstable();
            let mut joined: Vec<(u16, u16)> = Vec::with_capacity(ours.len());
            for (first, last) in ours.drain(..) {
                match joined.last_mut() {
                    Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
                    _ => joined.push((first, last)),
                }
            }
            *ours = joined;
        }
    }

    /// The ports that are in both sets.
    pub(super) fn and(&self, other: &Self) -> Self {
        let mut both = Self::NONE;
        for (position, ranges) in both.ranges.iter_mut().enumerate() {
            for (a, b) in &self.ranges[position] {
                let shared = other.ranges[position].iter().map(|(c, d)| (*a.max(c), *b.min(d)));
                ranges.extend(shared.filter(|(first, last)| first <= last));
            }
        }
        both
    }

    /// The ports that are in this set but not in the other.
    pub(super) fn without(&self, other: &Self) -> Self {
        let mut left = Self::NONE;
        for (position, ranges) in left.ranges.iter_mut().enumerate() {
            for (first, last) in &self.ranges[position] {
                let mut from = u32::from(*first);
                for (c, d) in &other.ranges[position] {
                    let (c, d) = (u32::from(*c), u32::from(*d));
                    if d < from || c > u32::from(*last) {
                        continue;
                    }
                    ranges.extend(narrow(from, c.saturating_sub(1)));
                    from = d + 1;
                }
                ranges.extend(narrow(from, u32::from(*last)));
            }
        }
        left
    }
}

fn narrow(first: u32, last: u32) -> Option<(u16, u16)> {
    let (first, last) = (u16::try_from(first).ok()?, u16::try_from(last).ok()?);
    (first <= last).then_some((first, last))
}

impl fmt::Display for Ports {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::all() {
            return formatter.write_str("every port");
        }
        let mut words = Vec::new();
        for protocol in PROTOCOLS {
            let suffix = match protocol {
                Protocol::Tcp => "",
                Protocol::Udp => "/udp",
                Protocol::Sctp => "/sctp",
            };
            words.extend(self.ranges[protocol as usize].iter().map(|(first, last)| {
                if first == last { format!("{first}{suffix}") } else { format!("{first}-{last}{suffix}") }
            }));
        }
        formatter.write_str(&words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ranges: &[(u16, u16)]) -> Ports {
        let mut all = Ports::NONE;
        for (first, last) in ranges {
            all.add(&Ports::range(Protocol::Tcp, *first, *last));
        }
        all
    }

    #[test]
    fn equal_sets_have_equal_representations() {
        assert_eq!(set(&[(5, 9), (1, 2), (3, 4), (7, 12)]), set(&[(1, 12)]));
        assert_eq!(set(&[(5, 9), (1, 3)]).to_string(), "1-3,5-9");
        assert_eq!(set(&[(1, u16::MAX), (9, 9)]), Ports::of(Protocol::Tcp));
        assert_eq!(set(&[(9, 3)]), Ports::NONE);
    }

    #[test]
    fn protocols_are_independent() {
        let mut dns = Ports::tcp(53);
        dns.add(&Ports::range(Protocol::Udp, 53, 53));
        assert_eq!(dns.to_string(), "53,53/udp");
        assert_eq!(dns.and(&Ports::of(Protocol::Udp)).to_string(), "53/udp");
        assert_eq!(dns.without(&Ports::of(Protocol::Udp)).to_string(), "53");
        assert!(Ports::tcp(53).and(&Ports::of(Protocol::Sctp)).is_empty());
    }

    #[test]
    fn without_removes_exactly_the_given_ports() {
        assert_eq!(set(&[(1, 10)]).without(&set(&[(3, 4), (8, 20)])).to_string(), "1-2,5-7");
        assert_eq!(set(&[(1, 10)]).without(&set(&[(1, 10)])), Ports::NONE);
        assert_eq!(Ports::all().without(&Ports::tcp(1)).and(&Ports::of(Protocol::Tcp)).to_string(), "2-65535");
        assert_eq!(Ports::of(Protocol::Tcp).without(&Ports::tcp(u16::MAX)).to_string(), "1-65534");
        assert_eq!(Ports::all().to_string(), "every port");
    }
}
