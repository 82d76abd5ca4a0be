//! Key patterns and commands, as an ACL of Valkey writes them.

use std::fmt;

use crate::name::{NameError, name, only, sized};

name! {
    /// A pattern of keys, as in a Valkey ACL (`~pattern`).
    KeyPattern, "a key pattern is 1 to 128 printable ASCII characters without a space", printable
}
name! {
    /// A command, or a command and its subcommand, as in a Valkey ACL (`zadd`, `client|setinfo`).
    ValkeyCommand, "a command is 1 to 64 of a-z, 0-9, _, . and -, with at most one | before a subcommand", valkey_command
}

const COMMAND: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789_.-|";

const fn printable(text: &[u8]) -> bool {
    let mut i = 0;
    while i < text.len() {
        if !text[i].is_ascii_graphic() {
            return false;
        }
        i += 1;
    }
    sized(text, 128)
}

const fn valkey_command(text: &[u8]) -> bool {
    let mut bars = 0;
    let mut i = 0;
    while i < text.len() {
        if text[i] == b'|' {
            bars += 1;
        }
        i += 1;
    }
    sized(text, 64) && only(text, COMMAND) && bars <= 1 && text[0] != b'|' && text[text.len() - 1] != b'|'
}

#[cfg(test)]
mod tests {
    use super::{KeyPattern, ValkeyCommand};
    use crate::name::tests::{all, lower_or_digit, names};

    names! {
        key_patterns: KeyPattern, key_pattern, ["*", "session:*", "{{a}}~[^b]\"'\\"];
        commands: ValkeyCommand, command, ["get", "client|setinfo", "json.get"];
    }

    fn key_pattern(text: &str) -> bool {
        all(text, 128, |c| ('!'..='~').contains(&c))
    }

    fn command(text: &str) -> bool {
        let parts: Vec<&str> = text.split('|').collect();
        text.len() <= 64
            && parts.len() <= 2
            && parts.iter().all(|part| all(part, 64, |c| lower_or_digit(c) || "_.-".contains(c)))
    }
}
