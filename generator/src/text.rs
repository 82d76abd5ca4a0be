//! Quoting and escaping: every text from a model passes one of these functions before it is written to a file.

use sha2::{Digest as _, Sha256};

use crate::names;

/// A YAML scalar that any parser, of YAML 1.1 (Helm's) or 1.2, reads back as exactly this string.
///
/// The scalar is plain where no parser reads it as another type, and double-quoted with escapes otherwise.
#[must_use]
pub(crate) fn scalar(text: &str) -> String {
    if is_plain(text) || is_quantity(text) { text.to_owned() } else { quoted(text) }
}

/// A value of an environment variable. The kubelet replaces `$(NAME)` and `$$`, so dollar signs are doubled in a text that contains either.
#[must_use]
pub(crate) fn variable_value(text: &str) -> String {
    if text.contains("$(") || text.contains("$$") { text.replace('$', "$$") } else { text.to_owned() }
}

/// Text for a cell of a Markdown table. Code between backticks is code there too.
#[must_use]
pub(crate) fn cell(text: &str) -> String {
    let has_pairs = text.matches('`').count().is_multiple_of(2);
    let mut out = String::with_capacity(text.len());
    let mut in_code = false;
    for c in text.chars() {
        in_code ^= c == '`' && has_pairs;
        match c {
            '|' => out.push_str(r"\|"),
            '<' if !in_code => out.push_str("&lt;"),
            '\\' | '*' | '_' if !in_code => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// The items joined by commas, the last one by `conjunction`.
pub(crate) fn list(items: &[String], conjunction: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {conjunction} {last}", first.join(", ")),
    }
}

/// Code for a cell of a Markdown table, in as many backticks as it takes.
#[must_use]
pub(crate) fn code_cell(text: &str) -> String {
    if !text.contains(|c: char| c == '`' || c == '|' || c.is_control()) {
        return format!("`{text}`");
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    let shown: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    format!("{fence}{space}{}{space}{fence}", shown.replace('|', r"\|"))
}

/// Whether YAML 1.1 and 1.2 both read the bare text as this string, in a block and in a flow.
fn is_plain(text: &str) -> bool {
    let mut characters = text.chars();
    let begins = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '/' || c == '_');
    // A space inside is allowed: `: ` and ` #` cannot occur, since neither sign is in the set.
    begins
        && !text.ends_with(' ')
        && characters.all(|c| c.is_ascii_alphanumeric() || "/_-.@+ ()".contains(c))
        && !is_word_of_yaml(text)
}

/// Whether the text is a number with a unit, such as `100m` or `128Mi`, which YAML reads as a string.
fn is_quantity(text: &str) -> bool {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    digits.len() < text.len() && matches!(digits, "m" | "k" | "M" | "G" | "T" | "P" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi")
}

/// The words that YAML 1.1 reads as booleans and null (yaml.org/type/bool.html, /null.html), and numbers that begin with a letter or
/// underscore. go-yaml also takes `.inf` and `.nan`, which begin with a point and so are never bare.
fn is_word_of_yaml(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    matches!(lower.as_str(), "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null" | "inf" | "nan")
        || text.strip_prefix('_').is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || "_.eE+-".contains(c)))
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if must_escape(c) && u32::from(c) > 0xffff => out.extend(format!("\\U{:08x}", u32::from(c)).chars()),
            c if must_escape(c) => out.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether a character is not printable in YAML, or invisible to a reader of the file.
fn must_escape(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c), 0x85 | 0xa0 | 0xad | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff0..=0xffff)
        || u32::from(c) & 0xfffe == 0xfffe
}

/// A digest of texts, to end the name of an object that contains them.
pub(crate) fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        // With its length, so that no other division into texts has the same digest.
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    hash.finalize()[..names::DIGEST / 2].iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// A row of a Markdown table, its cells joined.
pub(crate) struct Row(String);

impl Row {
    pub(crate) fn of<const N: usize>(cells: &[String; N]) -> Self {
        Self(format!("| {} |", cells.join(" | ")))
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{cell, code_cell, scalar, variable_value};

    #[test]
    fn code_in_a_cell_has_no_entities() {
        let text = "`<release>-a_b` of a <service>, *x_y* | `a|b`";
        assert_eq!(cell(text), r"`<release>-a_b` of a &lt;service>, \*x\_y\* \| `a\|b`");
        assert_eq!(cell("a ` b <c>"), "a ` b &lt;c>");
    }

    #[test]
    fn words_that_yaml_1_1_reads_otherwise_are_quoted() {
        for word in [
            "yes",
            "Y",
            "on",
            "OFF",
            "null",
            "~",
            "1_000",
            "0777",
            "1e6",
            "",
            " x",
            "x ",
            "a: b",
            "a #b",
            "_1",
            "-",
            "2001-01-01",
        ] {
            assert!(scalar(word).starts_with('"'), "{word:?} must not be bare");
        }
        for word in ["audit_events", "sha256", "/healthz", "Seconds between two events.", "INFO"] {
            assert_eq!(scalar(word), word);
        }
    }

    #[test]
    fn the_kubelet_finds_no_reference_in_a_value() {
        assert_eq!(variable_value("$(HOME) and $5"), "$$(HOME) and $$5");
        assert_eq!(variable_value("$5"), "$5");
    }

    #[test]
    fn cells_stay_in_their_table() {
        assert_eq!(cell("a | b"), r"a \| b");
        assert_eq!(code_cell("a`b|c"), r"`` a`b\|c ``");
    }
}
