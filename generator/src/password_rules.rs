//! The rules for passwords: one source for the chart's check, which Helm runs, and for `cargo xtask secrets`.
//!
//! The check in `checks.yaml` is a Go template and [`PasswordRules::faults`] is Rust. Both take words, bounds and reasons from here, and a test
//! runs one table of passwords through both.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use vocabulary::Resolved;

use crate::CredentialPath;

/// The minimum number of characters. Characters of known words do not count where a password contains such words.
pub const SHORTEST: usize = 16;

/// The minimum number of different characters.
pub const FEWEST_DIFFERENT: usize = 8;

/// Words that stand for a password which is still to be chosen.
const PLACEHOLDERS: &[&str] = &[
    "change-me",
    "change-this",
    "change_me",
    "change_this",
    "changeit",
    "changeme",
    "changethis",
    "default",
    "dummy",
    "example",
    "fixme",
    "passw0rd",
    "password",
    "placeholder",
    "replace-me",
    "replace_me",
    "replaceme",
    "sample",
    "secret",
    "todo",
];

/// Common passwords and rows of keys: what a dictionary attack begins with. Source: the lists of leaked passwords that are published each year.
const COMMON: &[&str] = &[
    "0123456789",
    "123123",
    "12345",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
    "1q2w3e",
    "1q2w3e4r",
    "1q2w3e4r5t6y",
    "1qaz2wsx",
    "1qaz2wsx3edc",
    "654321",
    "87654321",
    "987654321",
    "9876543210",
    "abc123",
    "abcd1234",
    "abcdef",
    "abcdefgh",
    "abcdefghijklmnopqrstuvwxyz",
    "access",
    "admin",
    "administrator",
    "asdfgh",
    "asdfghjkl",
    "azerty",
    "azertyuiop",
    "baseball",
    "batman",
    "correcthorsebatterystaple",
    "dragon",
    "football",
    "freedom",
    "guest",
    "hello",
    "hunter2",
    "iloveyou",
    "letmein",
    "login",
    "master",
    "monkey",
    "motdepasse",
    "p@ssw0rd",
    "p@ssword",
    "pa55word",
    "passwort",
    "princess",
    "qazwsx",
    "qwerty",
    "qwertyuiop",
    "qwertz",
    "qwertzuiop",
    "root",
    "shadow",
    "starwars",
    "sunshine",
    "superman",
    "test",
    "trustno1",
    "user",
    "welcome",
    "whatever",
    "zxcvbn",
    "zxcvbnm",
];

/// The characters that a password must not contain, as a character class of RE2: programs cannot be given a line break in every way.
pub(crate) const CONTROL: &str = r"[\x{00}-\x{1f}\x{7f}-\x{9f}]";

/// A placeholder that documents write around the name of a value, as a regular expression of RE2.
pub(crate) const BRACKETS: &str = "(?s)^<.*>$";

/// What is wrong with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PasswordFault {
    /// It stands in angle brackets, as in `<password>`.
    Brackets,
    /// It is one that the platform declares as published.
    Published,
    /// It says that it is to be replaced.
    Placeholder,
    /// It consists of common passwords.
    Common,
    /// It repeats the name of its credential.
    Name,
    /// It has fewer than [`SHORTEST`] characters.
    Short,
    /// It has fewer than [`FEWEST_DIFFERENT`] different characters.
    Repetitive,
    /// It has control characters.
    Control,
}

impl PasswordFault {
    /// The fault as the rest of a sentence that begins with the credential. It never contains the password.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Brackets => "is a placeholder in angle brackets",
            Self::Published => "is a password that was published, or little more than that",
            Self::Placeholder => "is a placeholder, or little more than that",
            Self::Common => "is a common password, or little more than that",
            Self::Name => "is the credential's name, or little more than that",
            Self::Short => "has fewer than 16 characters",
            Self::Repetitive => "has fewer than 8 different characters",
            Self::Control => "has control characters, such as a line break",
        }
    }
}

/// Words by which a password is recognised: one that contains some of them has a fault if fewer than [`SHORTEST`] characters are left without them.
#[derive(Clone, Debug)]
pub(crate) struct WordList {
    pub(crate) fault: PasswordFault,
    /// In lower case. A longer word precedes a shorter one, which it may contain.
    pub(crate) words: Vec<String>,
}

/// The word lists for every credential of a platform that declares these passwords as published.
pub(crate) fn word_lists(published: &[&str]) -> Vec<WordList> {
    let list = |fault, words: &[&str]| WordList { fault, words: ordered(words.iter().copied()) };
    let lists = [
        list(PasswordFault::Published, published),
        list(PasswordFault::Placeholder, PLACEHOLDERS),
        list(PasswordFault::Common, COMMON),
    ];
    lists.into_iter().filter(|list| !list.words.is_empty()).collect()
}

/// The words of a credential's name, such as `web-shop.broker`. Those of one or two letters occur in too many passwords.
pub(crate) fn words_of_name(name: &str) -> Vec<String> {
    let parts = name.split('.').flat_map(|part| std::iter::once(part).chain(part.split('-')));
    ordered(parts.filter(|part| part.len() > 2))
}

fn ordered<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    let words: BTreeSet<String> = words.map(lower).collect();
    let mut words: Vec<String> = words.into_iter().collect();
    words.sort_by_key(|word| Reverse(word.len()));
    words
}

/// Lower case, one character for each, as Go's `strings.ToLower`.
fn lower(text: &str) -> String {
    text.chars().filter_map(|character| character.to_lowercase().next()).collect()
}

/// The rules for the passwords of a platform.
#[derive(Clone, Debug)]
pub struct PasswordRules {
    lists: Vec<WordList>,
}

impl PasswordRules {
    /// The rules for the passwords of a platform.
    #[must_use]
    pub fn of(platform: &Resolved) -> Self {
        Self { lists: word_lists(platform.platform().published_passwords) }
    }

    /// Everything that is wrong with a password: at most one fault of its content, and then control characters. An empty password is one without
    /// content, and has a fault.
    #[must_use]
    pub fn faults(&self, credential: &CredentialPath, password: &str) -> Vec<PasswordFault> {
        let has_control = password.chars().any(char::is_control);
        let control = has_control.then_some(PasswordFault::Control);
        self.content(credential, password).into_iter().chain(control).collect()
    }

    fn content(&self, credential: &CredentialPath, password: &str) -> Option<PasswordFault> {
        if password.len() > 1 && password.starts_with('<') && password.ends_with('>') {
            return Some(PasswordFault::Brackets);
        }
        let lower = lower(password);
        let is_little_beside = |words: &[String]| {
            let rest = words.iter().fold(lower.clone(), |rest, word| rest.replace(word.as_str(), ""));
            rest != lower && rest.chars().count() < SHORTEST
        };
        if let Some(list) = self.lists.iter().find(|list| is_little_beside(&list.words)) {
            return Some(list.fault);
        }
        let different: BTreeSet<char> = password.chars().collect();
        if is_little_beside(&words_of_name(&credential.name)) {
            Some(PasswordFault::Name)
        } else if password.chars().count() < SHORTEST {
            Some(PasswordFault::Short)
        } else if different.len() < FEWEST_DIFFERENT {
            Some(PasswordFault::Repetitive)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_lower_case_unique_and_long_enough_to_be_rare() {
        for list in [PLACEHOLDERS, COMMON] {
            assert!(list.is_sorted(), "{list:?}");
            assert_eq!(list.iter().collect::<BTreeSet<_>>().len(), list.len());
            for word in list {
                assert!(word.len() >= 4 && word.is_ascii() && *word == lower(word), "{word}");
            }
        }
        assert!(PLACEHOLDERS.iter().all(|word| !COMMON.contains(word)));
    }

    #[test]
    fn reasons_name_the_bounds() {
        assert!(PasswordFault::Short.reason().contains(&SHORTEST.to_string()));
        assert!(PasswordFault::Repetitive.reason().contains(&FEWEST_DIFFERENT.to_string()));
    }

    #[test]
    fn the_words_of_a_name_are_its_parts_and_the_longest_precedes() {
        assert_eq!(words_of_name("web-shop-a.smtpToken"), ["web-shop-a", "smtptoken", "shop", "web"]);
    }
}
