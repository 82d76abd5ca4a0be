//! Detects weak passwords, by the rules that the chart's check applies too.

use generator::CredentialPath;
use generator::password_rules::PasswordRules;

/// Why the password of the credential is refused, each as the rest of a sentence that begins with the credential's name.
pub(super) fn weaknesses(
    rules: &PasswordRules,
    credential: &CredentialPath,
    password: &str,
) -> impl Iterator<Item = &'static str> {
    rules.faults(credential, password).into_iter().map(generator::password_rules::PasswordFault::reason)
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
            switch: None,
        };
        let rules = PasswordRules::of(&second_platform::platform().resolve().expect("the platform resolves"));
        weaknesses(&rules, &credential, password).next()
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
    fn published_and_common_passwords_are_weak() {
        for password in ["wines-of-the-day", "Wines-of-the-day", "WINES-OF-THE-DAY-2026", "x-wines-of-the-day!"] {
            assert_eq!(of(password), Some("is a password that was published, or little more than that"), "{password}");
        }
        for password in
            ["1234567890123456", "QwertyUiop123456", "admin-root-test-guest", "letmein", "iloveyou-princess"]
        {
            assert_eq!(of(password), Some("is a common password, or little more than that"), "{password}");
        }
    }

    #[test]
    fn control_characters_are_reported_beside_a_weakness() {
        let credential = CredentialPath {
            name: "web.broker".to_owned(),
            value: Vec::new(),
            revision: Vec::new(),
            doc: String::new(),
            switch: None,
        };
        let rules = PasswordRules::of(&second_platform::platform().resolve().expect("the platform resolves"));
        let all = |password| weaknesses(&rules, &credential, password).collect::<Vec<_>>();
        assert_eq!(all("a\nb"), ["has fewer than 16 characters", "has control characters, such as a line break"]);
        assert_eq!(all("x7Kq0ZpLm2Vt9RbW\u{85}"), ["has control characters, such as a line break"]);
        assert_eq!(all("x7Kq0ZpLm2Vt9RbW"), [""; 0]);
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
