//! Random passwords.

/// The length of a new password: 190 bits of entropy.
const LENGTH: usize = 32;

/// Letters and digits only: they need no quoting in shells, URLs and configuration files.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A password from the operating system's random generator. All characters are equally likely.
pub(super) fn random() -> Result<String, getrandom::Error> {
    let mut password = String::with_capacity(LENGTH);
    let mut bytes = [0_u8; 2 * LENGTH];
    loop {
        getrandom::fill(&mut bytes)?;
        for byte in bytes {
            // Six bits are 0 to 63. 62 and 63 have no character and are skipped; a remainder would make two characters more likely.
            if let Some(character) = ALPHABET.get(usize::from(byte & 0x3f)) {
                password.push(char::from(*character));
            }
            if password.len() == LENGTH {
                return Ok(password);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn passwords_are_long_alphanumeric_and_distinct() {
        let all: BTreeSet<_> = (0..1000).map(|_| random().expect("random bytes")).collect();
        assert_eq!(all.len(), 1000);
        assert!(all.iter().all(|one| one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_alphanumeric())));
    }

    /// If `random` used a remainder, two characters would be twice as frequent as the others.
    #[test]
    fn all_characters_are_equally_likely() {
        let mut counts = BTreeMap::<char, u32>::new();
        for _ in 0..4000 {
            for character in random().expect("random bytes").chars() {
                *counts.entry(character).or_default() += 1;
            }
        }
        // 128,000 characters: 2065 of each, with a standard deviation of 45. The limits are ten deviations away.
        assert_eq!(counts.len(), 62);
        assert!(counts.values().all(|count| (1600..2530).contains(count)), "{counts:?}");
    }
}
