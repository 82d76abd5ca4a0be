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
        for secret in secrets {
            let beginning = |text: &str| text.chars().take(SHOWN).collect::<String>();
            let (long, short): (Vec<String>, Vec<String>) =
                words(secret).map(beginning).partition(|word| word.chars().count() == SHOWN);
            // A quoted beginning has the first word at least. Other short words show nothing by themselves, and occur in every message.
            let first = words(secret).next().map(beginning);
            redaction.words.extend(short.into_iter().filter(|word| long.is_empty() || first.as_ref() == Some(word)));
            redaction.beginnings.extend(long);
            if words(secret).next().is_none() && !secret.trim().is_empty() {
                redaction.beginnings.push(beginning(secret.trim()));
            }
        }
        redaction
    }

    /// Hides every string, number and comment of a values file that sops has not encrypted. Numbers of up to three digits are shown, since line
    /// numbers are such. If Helm cannot read the text, hides every message.
    #[must_use]
    pub fn of_file(text: &str) -> Self {
        let Ok(documents) = crate::documents(text) else { return Self { hides_all: true, ..Self::default() } };
        let secret = |(_, value): (_, &Value)| match value {
            Value::String(text) if !is_encrypted(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()).filter(|digits| digits.len() >= SHOWN),
            _ => None,
        };
        let secrets: Vec<String> = documents.iter().flat_map(scalars).filter_map(secret).collect();
        let mut redaction = Self::of(secrets.iter().map(String::as_str));
        // Words of a comment are common ones, so its beginning is looked for as a whole.
        let comments = text.lines().filter_map(|line| Some(line.split_once('#')?.1.trim()));
        redaction.beginnings.extend(comments.filter(|comment| !is_encrypted(comment)).filter_map(beginning_of_comment));
        redaction
    }

    /// Hides the secrets of values files: every text below a key `credentials`, and below one that names a password, secret, token or key.
    #[must_use]
    pub fn of_values(documents: &[Value]) -> Self {
        let names_a_secret = |key: &String| {
            let key = key.to_lowercase();
            key == "credentials" || ["pass", "pwd", "secret", "token", "key"].iter().any(|word| key.contains(word))
        };
        let secret = |(path, value): (Vec<String>, &Value)| {
            let is_secret = path.iter().any(names_a_secret) && !value.as_str().is_some_and(is_encrypted);
            (is_secret && value.is_string()).then(|| value.as_str().unwrap_or_default().to_owned())
        };
        let secrets: Vec<String> = documents.iter().flat_map(scalars).filter_map(secret).collect();
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

/// Whether a text is the ciphertext of sops.
#[must_use]
pub fn is_encrypted(text: &str) -> bool {
    text.starts_with("ENC[")
}

/// The first characters of a comment's longest part that no program escapes.
fn beginning_of_comment(comment: &str) -> Option<String> {
    let parts = comment.split(|c: char| c == '"' || c == '\\' || c.is_control());
    let longest = parts.max_by_key(|part| part.len())?;
    let beginning: String = longest.chars().take(3 * SHOWN).collect();
    (beginning.chars().count() >= SHOWN).then_some(beginning)
}

/// The runs of letters and digits: what stays of a text in every way to quote it.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Every scalar of a tree that is not null or empty, with its path. The metadata of sops (`sops` at the top) is left out.
#[must_use]
pub fn scalars(tree: &Value) -> Vec<(Vec<String>, &Value)> {
    let mut found = Vec::new();
    collect(tree, &mut Vec::new(), &mut found);
    found
}

fn collect<'a>(value: &'a Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, &'a Value)>) {
    match value {
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(_) | Value::Number(_) | Value::Bool(_) => found.push((path.clone(), value)),
        Value::Tagged(tagged) => collect(&tagged.value, path, found),
        Value::Sequence(items) => {
            for (position, item) in items.iter().enumerate() {
                path.push(position.to_string());
                collect(item, path, found);
                path.pop();
            }
        }
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
        assert_eq!(Redaction::of(["?!=."]).apply("got ?!=."), hidden);
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
        for hidden in ["`hunter2...`", "comment=\"was swordfish\"", "got 123456", "1234567"] {
            assert_ne!(secret.apply(hidden), hidden);
        }
        assert_ne!(Redaction::of_file("a: \"b").apply("anything"), "anything");
    }
}
