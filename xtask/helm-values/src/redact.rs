//! Messages of other programs without the texts of a values file.
//!
//! A parser quotes what it cannot read, in part and escaped in its own way. So a line of a message is shown only if it contains no beginning of a
//! text of the file.

use serde_yaml::Value;

/// The texts that a message must not show.
#[derive(Clone, Default)]
pub struct Redaction {
    /// The whole input is secret, since its texts are not known.
    hides_all: bool,
    /// Beginnings of secret words.
    beginnings: Vec<String>,
    /// Secret words that are too short to be looked for within other words.
    words: Vec<String>,
}

/// The number of characters by which a word of a secret is recognised. YAML parsers show the first seven of a value.
const SHOWN: usize = 4;

impl Redaction {
    /// Hides each of these texts.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut redaction = Self::default();
        for word in secrets.into_iter().flat_map(words) {
            let beginning: String = word.chars().take(SHOWN).collect();
            if beginning.chars().count() < SHOWN {
                redaction.words.push(beginning);
            } else {
                redaction.beginnings.push(beginning);
            }
        }
        redaction
    }

    /// Hides every scalar and comment of a values file that is not encrypted by sops. If Helm cannot read the text, hides every message.
    #[must_use]
    pub fn of_file(text: &str) -> Self {
        let Ok(documents) = crate::documents(text) else { return Self { hides_all: true, ..Self::default() } };
        let mut secrets: Vec<String> = documents.iter().flat_map(texts).map(|(_, text)| text).collect();
        secrets.retain(|text| !text.starts_with("ENC["));
        secrets.extend(text.lines().filter_map(|line| Some(line.split_once('#')?.1.to_owned())));
        Self::of(secrets.iter().map(String::as_str))
    }

    /// The lines of the message that show none of the texts, and in place of each other line a remark.
    #[must_use]
    pub fn apply(&self, message: &str) -> String {
        const HIDDEN: &str = "(a line that may contain a password is hidden)";
        if self.hides_all && !message.trim().is_empty() {
            return HIDDEN.to_owned();
        }
        let mut shown: Vec<&str> = Vec::new();
        for line in message.lines() {
            let line = if self.is_shown(line) { line } else { HIDDEN };
            if line != HIDDEN || shown.last() != Some(&HIDDEN) {
                shown.push(line);
            }
        }
        shown.join("\n")
    }

    fn is_shown(&self, line: &str) -> bool {
        !self.beginnings.iter().any(|beginning| line.contains(beginning.as_str()))
            && !words(line).any(|word| self.words.iter().any(|secret| secret == word))
    }
}

/// The runs of letters and digits: what stays of a text in every way to quote it.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Every string of a tree, and every number of at least four digits, with its path. The metadata of sops (`sops` at the top) is left out.
#[must_use]
pub fn texts(tree: &Value) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    collect(tree, &mut Vec::new(), &mut found);
    found
}

fn collect(value: &Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    match value {
        Value::String(text) if !text.is_empty() => found.push((path.clone(), text.clone())),
        Value::Number(number) if number.to_string().len() >= SHOWN => found.push((path.clone(), number.to_string())),
        Value::Tagged(tagged) => collect(&tagged.value, path, found),
        Value::Sequence(items) => items.iter().enumerate().for_each(|(position, item)| {
            path.push(position.to_string());
            collect(item, path, found);
            path.pop();
        }),
        Value::Mapping(map) => {
            for (key, value) in map {
                let key = key.as_str().map_or_else(|| generator::yaml::write(key), str::to_owned);
                if path.is_empty() && key == "sops" {
                    continue;
                }
                path.push(key);
                collect(value, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_a_secret_or_its_beginning_is_hidden() {
        let hidden = "(a line that may contain a password is hidden)";
        let secret = Redaction::of(["x7Kq0ZpLm2Vt9RbW", "a \"b\" cdefg", "pw1"]);
        let message = "line 1: cannot unmarshal !!str `x7Kq0Zp...`\nx7Kq0ZpLm2Vt9RbW\nline 3";
        assert_eq!(secret.apply(message), format!("{hidden}\nline 3"));
        // Quoted as Go does, and a short word by itself.
        assert_eq!(secret.apply(r#"got "a \"b\" cdefg""#), hidden);
        assert_eq!(secret.apply("value pw1"), hidden);
        assert_eq!(secret.apply("value pw12"), "value pw12");
        assert_eq!(Redaction::default().apply(message), message);
    }

    #[test]
    fn a_file_hides_its_values_and_comments_but_not_its_keys_and_ciphertext() {
        let file = "web:\n  credentials: {broker: {password: hunter2hunter2}}\n  # was swordfish\n  n: 123456\n  e: ENC[abcdef]\n\
                    sops: {age: recipient}\n";
        let secret = Redaction::of_file(file);
        for shown in ["web credentials broker", "recipient", "ENC[abcdef]", "line 12"] {
            assert_eq!(secret.apply(shown), shown);
        }
        for hidden in ["`hunter2...`", "swordfish", "got 123456", "1234567"] {
            assert_ne!(secret.apply(hidden), hidden);
        }
        assert_ne!(Redaction::of_file("a: \"b").apply("anything"), "anything");
    }
}
