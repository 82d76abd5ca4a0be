//! Texts that match a pattern of the schema, and texts without a pattern.

use anyhow::Context as _;
use regex_syntax::hir::{Hir, HirKind};

use super::random::Random;

/// The most that an unbounded repetition repeats.
const MOST: u32 = 8;

/// A text that matches a pattern.
///
/// # Errors
/// If the pattern is no regular expression.
pub(super) fn matching(pattern: &str, random: &mut Random) -> anyhow::Result<String> {
    let parsed = regex_syntax::parse(pattern).with_context(|| format!("the pattern {pattern}"))?;
    if random.percent(50) && is_free(&parsed) {
        return Ok(any(random));
    }
    let mut text = String::new();
    write(&parsed, random, &mut text);
    Ok(text)
}

fn write(hir: &Hir, random: &mut Random, text: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => text.extend(character(class, random)),
        HirKind::Repetition(repetition) => {
            let least = i64::from(repetition.min);
            let most = i64::from(repetition.max.unwrap_or(repetition.min + MOST));
            // Short texts are more often valid: a small request is below its limit.
            let count = if random.percent(50) { least } else { random.within(least, most) };
            for _ in 0..count {
                write(&repetition.sub, random, text);
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, random, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, random, text)),
        HirKind::Alternation(parts) => {
            if let Some(part) = random.pick(parts) {
                write(part, random, text);
            }
        }
    }
}

/// A text that matches a pattern, with at most `most` characters and mostly about as many, if the pattern allows that.
///
/// # Errors
/// If the pattern is no regular expression.
pub(super) fn long_matching(pattern: &str, most: usize, random: &mut Random) -> anyhow::Result<String> {
    let parsed = regex_syntax::parse(pattern).with_context(|| format!("the pattern {pattern}"))?;
    let mut text = String::new();
    stretch(&parsed, most, random, &mut text);
    Ok(text)
}

/// Writes a text of at most `room` characters, or the shortest one if that is longer. Returns its number of characters.
fn stretch(hir: &Hir, room: usize, random: &mut Random, text: &mut String) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => {
            let literal = String::from_utf8_lossy(&literal.0);
            text.push_str(&literal);
            literal.chars().count()
        }
        HirKind::Class(class) => {
            text.extend(character(class, random));
            1
        }
        HirKind::Capture(capture) => stretch(&capture.sub, room, random, text),
        HirKind::Alternation(parts) => {
            let fitting: Vec<&Hir> = parts.iter().filter(|part| shortest(part) <= room).collect();
            random.pick(&fitting).copied().or(parts.first()).map_or(0, |part| stretch(part, room, random, text))
        }
        HirKind::Concat(parts) => {
            let (mut written, mut reserved) = (0, parts.iter().map(shortest).sum::<usize>());
            let last = parts.iter().rposition(|part| part.properties().maximum_len() != Some(shortest(part)));
            for (position, part) in parts.iter().enumerate() {
                reserved -= shortest(part);
                let free = room.saturating_sub(written + reserved);
                let share = if last == Some(position) { free } else { share(part, free, random) };
                written += stretch(part, share, random, text);
            }
            written
        }
        HirKind::Repetition(repetition) => {
            let (mut written, least) = (0, shortest(&repetition.sub));
            for count in 0..repetition.max.unwrap_or(u32::MAX) {
                let reserved = least * usize::try_from(repetition.min.saturating_sub(count + 1)).unwrap_or_default();
                let free = room.saturating_sub(written + reserved);
                if count >= repetition.min && free < least.max(1) {
                    break;
                }
                let share = share(&repetition.sub, free, random);
                written += stretch(&repetition.sub, share, random, text);
            }
            written
        }
    }
}

/// All characters that are free, or some of them, so that several parts of a pattern become long.
fn share(part: &Hir, free: usize, random: &mut Random) -> usize {
    let least = shortest(part);
    if random.percent(50) { free } else { least + random.below(free.saturating_sub(least) + 1) }
}

/// Whether a pattern allows all awkward texts: any number of characters of a class that has theirs.
fn is_free(hir: &Hir) -> bool {
    let HirKind::Concat(parts) = hir.kind() else { return false };
    let [start, middle, end] = parts.as_slice() else { return false };
    let HirKind::Repetition(repeated) = middle.kind() else { return false };
    let HirKind::Class(class) = repeated.sub.kind() else { return false };
    let has = |c: char| ranges(class).iter().any(|(start, end)| (*start..=*end).contains(&u32::from(c)));
    [start, end].iter().all(|part| matches!(part.kind(), HirKind::Look(_)))
        && repeated.max.is_none()
        && AWKWARD.iter().all(|text| text.chars().all(has))
}

fn shortest(hir: &Hir) -> usize {
    hir.properties().minimum_len().unwrap_or_default()
}

/// The first and the last character of each range of a class.
fn ranges(class: &regex_syntax::hir::Class) -> Vec<(u32, u32)> {
    match class {
        regex_syntax::hir::Class::Unicode(class) => {
            class.iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect()
        }
        regex_syntax::hir::Class::Bytes(class) => {
            class.iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect()
        }
    }
}

/// A character of a class.
fn character(class: &regex_syntax::hir::Class, random: &mut Random) -> Option<char> {
    let (start, end) = *random.pick(&ranges(class))?;
    char::from_u32(u32::try_from(random.within(i64::from(start), i64::from(end))).ok()?)
}

/// Texts that a template or a YAML writer could misread.
const AWKWARD: &[&str] = &[
    "",
    " ",
    "yes",
    "null",
    "~",
    "1e3",
    "0x1F",
    "012",
    "- a",
    "a: b",
    "a #b",
    "'",
    "\"",
    "\\",
    "{{ .Values }}",
    "$(HOME)",
    "%s",
    "a\nb",
    "\nb",
    "  a\n b\n",
    "é 漢 🙂",
    "*",
    "&a",
    "!b",
    "---",
    "a\tb",
    "|",
    "> x",
    "@",
    "`",
];

/// A text where the schema has no pattern.
pub(super) fn any(random: &mut Random) -> String {
    let parts = 1 + random.below(3);
    (0..parts).filter_map(|_| random.pick(AWKWARD)).copied().collect()
}

/// A text of `length` characters where the schema has no pattern.
pub(super) fn long(length: usize, random: &mut Random) -> String {
    let parts = std::iter::repeat_with(|| random.pick(AWKWARD).copied().unwrap_or_default());
    parts.flat_map(str::chars).take(length).collect()
}

/// An address block, mostly a valid one: the pattern of the schema only recognizes its form.
pub(super) fn address_block(random: &mut Random) -> String {
    let is_masked = random.percent(90);
    if random.percent(50) {
        let length = u32::try_from(random.within(0, 32)).unwrap_or_default();
        let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
        let bits = u32::try_from(random.within(0, i64::from(u32::MAX))).unwrap_or_default();
        let address = std::net::Ipv4Addr::from_bits(if is_masked { bits & mask } else { bits });
        return format!("{address}/{length}");
    }
    let length = u32::try_from(random.within(0, 128)).unwrap_or_default();
    let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
    let group =
        |random: &mut Random| if random.percent(50) { 0 } else { u16::try_from(random.within(0, 0xffff)).unwrap_or(0) };
    let groups: [u16; 8] = std::array::from_fn(|_| group(random));
    let bits = std::net::Ipv6Addr::from(groups).to_bits();
    let address = std::net::Ipv6Addr::from_bits(if is_masked { bits & mask } else { bits });
    format!("{address}/{length}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_the_form_of_their_pattern() {
        let mut random = Random::new(1);
        let of = |pattern: &str, random: &mut Random| matching(pattern, random).expect("a pattern");
        for _ in 0..200 {
            let text = of("^[a-c]{2,3}(-[0-9]+)?$", &mut random);
            let (word, number) = text.split_once('-').unwrap_or((&text, "0"));
            assert!((2..=3).contains(&word.len()) && word.chars().all(|c| ('a'..='c').contains(&c)), "{text}");
            assert!(!number.is_empty() && number.chars().all(|c| c.is_ascii_digit()), "{text}");
            assert!(["a", "b", ""].contains(&of("^(a|b)?$", &mut random).as_str()));
        }
        assert!(matching("(", &mut random).is_err());
    }

    #[test]
    fn free_text_is_often_awkward() {
        let mut random = Random::new(1);
        let awkward = |pattern: &str, random: &mut Random| {
            let texts = (0..1000).map(|_| matching(pattern, random).expect("a pattern"));
            texts.filter(|text| text.contains("{{ .Values }}")).count()
        };
        assert!(awkward(r"^[^\x00-\x08\x7f]*$", &mut random) > 0);
        assert_eq!(awkward(r"^[^\x00-\x1f]*$", &mut random), 0);
    }

    #[test]
    fn long_texts_reach_their_limit() {
        let mut random = Random::new(1);
        let subdomain = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
        let is_label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
        let all: Vec<String> =
            (0..200).map(|_| long_matching(subdomain, 253, &mut random).expect("a pattern")).collect();
        assert!(all.iter().all(|text| text.split('.').all(is_label) && (252..=253).contains(&text.len())), "{all:?}");
        assert!(all.iter().any(|text| text.len() == 253 && text.contains('.')));
        assert!(all.iter().any(|text| text.len() == 253 && !text.contains('.')));
        let longest = |pattern: &str, random: &mut Random| {
            let lengths = (0..50).map(|_| long_matching(pattern, 20, random).expect("a pattern").chars().count());
            lengths.max()
        };
        assert_eq!(longest("^[^x]{0,9}(ab|c{4,5})$", &mut random), Some(14));
        assert_eq!(longest("^([^x]{30}|[^x])$", &mut random), Some(1));
        assert_eq!(long(1000, &mut random).chars().count(), 1000);
    }

    #[test]
    fn address_blocks_are_addresses_with_a_length() {
        let mut random = Random::new(1);
        for _ in 0..200 {
            let block = address_block(&mut random);
            let (address, length) = block.split_once('/').expect("a slash");
            let address: std::net::IpAddr = address.parse().expect("an address");
            assert!(length.parse::<u32>().expect("a number") <= if address.is_ipv4() { 32 } else { 128 }, "{block}");
        }
    }
}
