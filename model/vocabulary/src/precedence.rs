//! The precedence of versions by Semantic Versioning.

use std::cmp::Ordering;

use crate::ChartVersion;

impl ChartVersion {
    /// The precedence of two versions by Semantic Versioning: `1.0.0-rc.1` is below `1.0.0`, and `1.9.0` below `1.10.0`. The order of the texts
    /// (`Ord`) is another one.
    #[must_use]
    pub fn cmp_precedence(self, other: Self) -> Ordering {
        let ((left, left_pre), (right, right_pre)) = (parts(self), parts(other));
        left.cmp(&right).then_with(|| match (left_pre, right_pre) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(left), Some(right)) => left.split('.').map(Word::of).cmp(right.split('.').map(Word::of)),
        })
    }
}

/// The three numbers, and the pre-release part.
fn parts(version: ChartVersion) -> (Vec<u32>, Option<&'static str>) {
    let text = version.as_str();
    let (numbers, pre_release) = text.split_once('-').map_or((text, None), |(numbers, rest)| (numbers, Some(rest)));
    (numbers.split('.').filter_map(|number| number.parse().ok()).collect(), pre_release)
}

/// A word of a pre-release part. A number is below every other word.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Word<'a> {
    Number(usize, &'a str),
    Text(&'a str),
}

impl<'a> Word<'a> {
    /// Numbers have no leading zeros, so the longer one is the larger one.
    fn of(text: &'a str) -> Self {
        if text.bytes().all(|byte| byte.is_ascii_digit()) { Self::Number(text.len(), text) } else { Self::Text(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_the_precedence_of_semantic_versioning() {
        let ascending = [
            "0.9.0",
            "0.10.0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
        ];
        let versions = ascending.map(ChartVersion::new);
        for (i, left) in versions.into_iter().enumerate() {
            for (j, right) in versions.into_iter().enumerate() {
                assert_eq!(left.cmp_precedence(right), i.cmp(&j), "{left} and {right}");
            }
        }
    }
}
