//! Detects weak passwords.

use std::collections::BTreeSet;

use generator::CredentialPath;

/// The minimum number of characters, not counting placeholder words and the credential's own name.
const SHORTEST: usize = 16;

/// The minimum number of different characters.
const FEWEST_DIFFERENT: usize = 8;

/// Words that people write as placeholders for a password.
const PLACEHOLDERS: [&str; 14] = [
    "change-me",
    "change_me",
    "changeme",
    "default",
    "dummy",
    "example",
    "fixme",
    "passw0rd",
    "password",
    "placeholder",
    "replaceme",
    "sample",
    "secret",
    "todo",
];

/// Why the password of the credential is weak, as the rest of a sentence that begins with the credential's name. `None` if it is not weak.
pub(super) fn weakness(credential: &CredentialPath, password: &str) -> Option<&'static str> {
    let lower = password.to_lowercase();
    if lower.starts_with('<') && lower.ends_with('>') {
        return Some("is a placeholder in angle brackets");
    }
    // A random password may contain such a word by chance. It is weak only if the rest is too short.
    if is_little_beside(&lower, &PLACEHOLDERS) {
        return Some("is a placeholder, or little more than that");
    }
    let mut names: Vec<&str> =
        credential.name.split('.').flat_map(|part| std::iter::once(part).chain(part.split('-'))).collect();
    names.retain(|name| name.len() > 2);
    // Remove long names first, so that a name is removed before its parts.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    if is_little_beside(&lower, &names) {
        return Some("is the credential's name, or little more than that");
    }
    if password.chars().count() < SHORTEST {
        return Some("has fewer than 16 characters");
    }
    let different: BTreeSet<char> = password.chars().collect();
    (different.len() < FEWEST_DIFFERENT).then_some("has fewer than 8 different characters")
}

/// Whether the password contains one of the words, and too few other characters.
fn is_little_beside(password: &str, words: &[&str]) -> bool {
    let rest = words.iter().fold(password.to_owned(), |rest, word| rest.replace(word, ""));
    rest.len() < password.len() && rest.chars().count() < SHORTEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(password: &str) -> Option<&'static str> {
        let credential = CredentialPath {
            name: "audit-log-analysis.rabbitmq".to_owned(),
            value: Vec::new(),
            revision: Vec::new(),
            doc: String::new(),
        };
        weakness(&credential, password)
    }

    #[test]
    fn placeholders_of_any_length_are_weak() {
        for password in [
            "changeme",
            "CHANGE-ME",
            "password",
            "My-Secret-Password",
            "example-password-for-dev",
            "TODO",
            "changemechangeme",
        ] {
            assert_eq!(of(password), Some("is a placeholder, or little more than that"), "{password}");
        }
        assert_eq!(of("<the password of the broker>"), Some("is a placeholder in angle brackets"));
    }

    #[test]
    fn names_are_weak() {
        for password in
            ["rabbitmq", "audit-log-analysis", "Audit-Log-Analysis-RabbitMQ", "analysis-rabbitmq-2026", "audit_log_1"]
        {
            assert_eq!(of(password), Some("is the credential's name, or little more than that"), "{password}");
        }
    }

    #[test]
    fn short_and_repetitive_passwords_are_weak() {
        assert_eq!(of("x7Kq0ZpLm2Vt9Rb"), Some("has fewer than 16 characters"));
        assert_eq!(of("ÄÖÜäöüßéèêÀÇñøå"), Some("has fewer than 16 characters"));
        assert_eq!(of("abcabcabcabcabcabcabc"), Some("has fewer than 8 different characters"));
    }

    #[test]
    fn a_random_password_that_contains_a_word_is_not_weak() {
        for password in
            ["x7Kq0ZpLm2Vt9RbW", "x7Kq0ZpTodoLm2Vt9RbW", "correct horse battery staple", "rabbitmq/x7Kq0ZpLm2Vt9RbW"]
        {
            assert_eq!(of(password), None, "{password}");
        }
        for _ in 0..1000 {
            let password = super::super::password::random().expect("random bytes");
            assert_eq!(of(&password), None, "{password}");
        }
    }
}
