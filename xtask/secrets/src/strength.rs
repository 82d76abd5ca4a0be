//! Which passwords are weak.

use std::collections::BTreeSet;

use generator::CredentialPath;

/// The fewest characters of a password that is not weak, what is guessed first not counted.
const SHORTEST: usize = 16;

/// The fewest different ones.
const FEWEST_DIFFERENT: usize = 8;

/// What people write where a password is to come.
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

/// Why this password of the credential is weak, as the rest of a sentence that begins with the credential's name; nothing if it is not.
pub(super) fn weakness(credential: &CredentialPath, password: &str) -> Option<&'static str> {
    let lower = password.to_lowercase();
    if lower.starts_with('<') && lower.ends_with('>') {
        return Some("is a placeholder in angle brackets");
    }
    // A random password may hold such a word by chance; it is weak if there is not enough beside it.
    if is_little_beside(&lower, &PLACEHOLDERS) {
        return Some("is a placeholder, or little more than that");
    }
    let mut names: Vec<&str> =
        credential.name.split('.').flat_map(|part| std::iter::once(part).chain(part.split('-'))).collect();
    names.retain(|name| name.len() > 2);
    // The longest first, so that a name is taken out whole before its parts are.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    if is_little_beside(&lower, &names) {
        return Some("is its own name, or little more than that");
    }
    if password.chars().count() < SHORTEST {
        return Some("has fewer than 16 characters");
    }
    let different: BTreeSet<char> = password.chars().collect();
    (different.len() < FEWEST_DIFFERENT).then_some("has fewer than 8 different characters")
}

/// Whether the password has one of the words in it, and too little that is none of them.
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
    fn placeholders_are_weak_however_long() {
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
            assert_eq!(of(password), Some("is its own name, or little more than that"), "{password}");
        }
    }

    #[test]
    fn short_and_repeated_ones_are_weak() {
        assert_eq!(of("x7Kq0ZpLm2Vt9Rb"), Some("has fewer than 16 characters"));
        assert_eq!(of("ÄÖÜäöüßéèêÀÇñøå"), Some("has fewer than 16 characters"));
        assert_eq!(of("abcabcabcabcabcabcabc"), Some("has fewer than 8 different characters"));
    }

    #[test]
    fn a_random_one_is_not_weak_even_with_a_word_in_it() {
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
