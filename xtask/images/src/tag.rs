//! Which tags of an image are newer than another.

/// The newest of the tags that have the form of `declared` and are newer; none if there is none.
pub(crate) fn newest<'t>(declared: &str, tags: Vec<&'t str>) -> Option<&'t str> {
    let own = Tag::of(declared)?;
    let newer =
        tags.into_iter().filter_map(|text| Some((Tag::of(text)?, text))).filter(|(tag, _)| tag.is_newer_than(&own));
    newer.max_by(|(left, _), (right, _)| left.numbers.cmp(&right.numbers)).map(|(_, text)| text)
}

/// A tag as the numbers in it, and the text between them: `v1.86.0-alpine` is 1, 86 and 0, and `v`, `.`, `.` and `-alpine`.
struct Tag<'t> {
    texts: Vec<&'t str>,
    numbers: Vec<u64>,
}

/// Numbers of as many digits are days or commits, not versions.
const LONG: u64 = 100_000;

impl<'t> Tag<'t> {
    /// None for a tag without a number, and for one with a number that is none of a version.
    fn of(text: &'t str) -> Option<Self> {
        let (mut texts, mut numbers) = (Vec::new(), Vec::new());
        let mut rest = text;
        while !rest.is_empty() {
            let start = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            texts.push(&rest[..start]);
            rest = &rest[start..];
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            if end > 0 {
                numbers.push(rest[..end].parse().ok()?);
            }
            rest = &rest[end..];
        }
        (!numbers.is_empty()).then_some(Self { texts, numbers })
    }

    /// Whether it has the same form, and higher numbers.
    fn is_newer_than(&self, other: &Self) -> bool {
        let is_version = self.numbers.iter().zip(&other.numbers).all(|(own, other)| *own < LONG || *other >= LONG);
        self.texts == other.texts
            && self.numbers.len() == other.numbers.len()
            && is_version
            && self.numbers > other.numbers
    }
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn a_newer_tag_has_the_same_form() {
        let cases: &[(&str, &[&str], Option<&str>)] = &[
            (
                "v1.86.0",
                &["v1.9.0", "v1.87.0", "v1.100.0", "1.200.0", "v2.0.0-alpine", "v1.101", "latest"],
                Some("v1.100.0"),
            ),
            (
                "4.3-management",
                &["4.3-management-alpine", "4.4", "4.10-management", "4.4.1-management"],
                Some("4.10-management"),
            ),
            ("0.66b1", &["0.66b0", "0.66b2", "0.67b0", "0.67"], Some("0.67b0")),
            ("2.13.0", &["2.13.0", "2.12.9", "2.14.0-rc1", "2"], None),
            ("18", &["19", "20260101", "18.1"], Some("19")),
            ("20260101", &["20260201", "19"], Some("20260201")),
            ("stable", &["1", "stable2"], None),
            ("main-3f2a9c1", &["main-4f2a9c1b", "main-99999999999999999999"], None),
        ];
        for (declared, tags, expected) in cases {
            assert_eq!(newest(declared, tags.to_vec()), *expected, "{declared}");
        }
    }
}
