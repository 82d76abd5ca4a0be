//! A new password.

/// How many characters a new password has: 190 bits.
const LENGTH: usize = 32;

/// Letters and digits alone: every program, shell, URL and configuration file takes them as they are.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A password from the operating system's random generator, each character as likely as any other.
pub(super) fn random() -> Result<String, getrandom::Error> {
    let mut password = String::with_capacity(LENGTH);
    let mut bytes = [0_u8; 2 * LENGTH];
    loop {
        getrandom::fill(&mut bytes)?;
        for byte in bytes {
            // Six bits are 0 to 63; the last two have no character and are passed over, since a remainder would make some likelier.
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
    fn passwords_are_long_plain_and_never_the_same() {
        let all: BTreeSet<_> = (0..1000).map(|_| random().expect("random bytes")).collect();
        assert_eq!(all.len(), 1000);
        assert!(all.iter().all(|one| one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_alphanumeric())));
    }

    /// With a remainder in place of passing over, two characters would come up twice as often as the others.
    #[test]
    fn every_character_is_as_likely_as_any_other() {
        let mut counts = BTreeMap::<char, u32>::new();
        for _ in 0..4000 {
            for character in random().expect("random bytes").chars() {
                *counts.entry(character).or_default() += 1;
            }
        }
        // 128,000 characters: 2065 of each, with a deviation of 45; ten of these are never seen.
        assert_eq!(counts.len(), 62);
        assert!(counts.values().all(|count| (1600..2530).contains(count)), "{counts:?}");
    }
}
