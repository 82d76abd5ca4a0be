//! A service's rights at Valkey: its declared commands on its declared keys, out of all commands of the server.

use anyhow::Context as _;
use serde_json::{Value, json};
use vocabulary::KeyUse;

use super::trial::{Login, Trial, WRONG_PASSWORD};

/// Commands for logging in and disconnecting. Valkey marks them `no_auth` and always allows them.
const ALWAYS: &[&str] = &["auth", "hello", "quit", "reset"];
/// The user of the chart's health checks. It accepts any password and may only ping.
const HEALTH: &str = "probe";
const ADMINISTRATOR: &str = "administrator";
/// A meaningless argument, so that a command that is allowed by mistake fails instead of stopping or emptying the server.
const JUNK: &str = "rights";

/// A command of the server, as `COMMAND` describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// `zadd`, or `client|setinfo`.
    name: String,
    /// The number of words; negative for a minimum.
    arity: i64,
    /// Positions of its keys: first, last (negative from the end), step. 0 means no keys.
    keys: (i64, i64, i64),
    /// Whether other arguments determine the positions of its keys.
    movable: bool,
    blocks: bool,
}

impl Command {
    /// All commands and subcommands. A command with subcommands is included itself only if it works without one.
    pub(super) fn all(described: &Value) -> anyhow::Result<Vec<Self>> {
        let mut all = Vec::new();
        for one in described.as_array().context("the server lists no commands")? {
            let (command, subcommands) = (Self::read(one)?, one[9].as_array().cloned().unwrap_or_default());
            if subcommands.is_empty() || command.arity == -1 {
                all.push(command);
            }
            for subcommand in &subcommands {
                all.push(Self::read(subcommand)?);
            }
        }
        Ok(all)
    }

    fn read(one: &Value) -> anyhow::Result<Self> {
        let number = |index: usize| one[index].as_i64().context("unexpected description of a command");
        let flag = |flag: &str| one[2].as_array().is_some_and(|flags| flags.iter().any(|one| one == flag));
        Ok(Self {
            name: one[0].as_str().context("a command has no name")?.to_owned(),
            arity: number(1)?,
            keys: (number(3)?, number(4)?, number(5)?),
            movable: flag("movablekeys"),
            blocks: flag("blocking"),
        })
    }

    fn takes_keys(&self) -> bool {
        self.keys.0 > 0 || self.movable
    }

    /// The command line with this key. `further` adds an optional argument.
    fn words(&self, key: &str, further: bool) -> Vec<String> {
        let mut words: Vec<_> = self.name.split('|').map(str::to_owned).collect();
        let fewest = usize::try_from(self.arity.unsigned_abs()).unwrap_or(usize::MAX);
        // `COMMAND` accepts only subcommands as arguments.
        let further = further && self.arity < 0 && self.name != "command";
        words.resize(fewest.max(words.len()) + usize::from(further), JUNK.to_owned());
        let index = |position: i64| {
            let from_end = usize::try_from(position.unsigned_abs()).unwrap_or(0);
            if position < 0 { words.len().saturating_sub(from_end) } else { from_end }
        };
        let (first, last, step) = self.keys;
        if first > 0 {
            let positions: Vec<_> =
                (index(first)..=index(last)).step_by(usize::try_from(step).unwrap_or(1).max(1)).collect();
            for word in positions {
                if let Some(word) = words.get_mut(word) {
                    key.clone_into(word);
                }
            }
        } else if self.movable {
            // Most of these commands take the number of keys before the keys.
            for (place, word) in words.iter_mut().skip(1).enumerate() {
                if place == 0 { "1" } else { key }.clone_into(word);
            }
        }
        words
    }

    fn is_one_of(&self, commands: &[&str]) -> bool {
        // The right to a command includes all its subcommands.
        let whole = self.name.split('|').next().unwrap_or_default();
        commands.iter().any(|&command| command == self.name || command == whole)
    }

    fn trial(&self, login: &Login, key: &str, may: bool) -> Trial {
        self.trial_named(login, self.name.replace('|', " "), key, may)
    }

    fn trial_named(&self, login: &Login, what: String, key: &str, may: bool) -> Trial {
        let words = self.words(key, !may && !self.is_one_of(ALWAYS));
        Trial::new(login, what, may, json!({"command": words, "blocks": self.blocks}))
    }
}

/// The trials with a service's login, or without a login if the service has none.
pub(super) fn trials(service: &str, keys: &KeyUse, commands: &[Command]) -> Vec<Trial> {
    let own = Login::own(service);
    let (key, foreign) = (sample(keys.pattern.as_str()), foreign(keys.pattern.as_str()));
    let mut trials = Vec::new();
    for command in commands {
        let declared = command.is_one_of(keys.commands);
        trials.push(command.trial(&own, &key, declared || command.is_one_of(ALWAYS)));
        for foreign in foreign.iter().filter(|_| declared && command.takes_keys()) {
            let what = format!("{} the foreign key {foreign}", command.name);
            trials.push(command.trial_named(&own, what, foreign, false));
        }
    }
    // A declared command that the server does not have is tried too, so that it is reported as missing.
    let known = |name: &str| commands.iter().any(|command| command.is_one_of(&[name]));
    for name in keys.commands.iter().filter(|name| !known(name)) {
        let words: Vec<_> = name.split('|').collect();
        trials.push(Trial::new(&own, *name, true, json!({"command": words})));
    }
    trials
}

/// The trials without a service's login, made once per server.
///
/// `anonymous` says whether a service uses the server without a login; its rights are then tried as that service.
pub(super) fn intrusions(anonymous: bool, commands: &[Command]) -> Vec<Trial> {
    let mut trials = Vec::new();
    for password in ["", WRONG_PASSWORD] {
        let who = Login::with(ADMINISTRATOR, password);
        trials.push(Trial::new(&who, "log in", false, json!({"command": ["ping"]})));
    }
    let health = Login::with(HEALTH, "any");
    for command in commands.iter().filter(|command| !command.is_one_of(ALWAYS)) {
        if command.name != "ping" {
            trials.push(command.trial(&health, JUNK, false));
        }
        if !anonymous {
            trials.push(command.trial(&Login::anonymous(), JUNK, false));
        }
    }
    trials
}

/// A key that a pattern matches.
fn sample(pattern: &str) -> String {
    let mut key = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '*' => key.push_str(JUNK),
            '?' => key.push('x'),
            '\\' => key.extend(characters.next()),
            '[' => {
                // Uses the first character of the class; for an excluded class, `~`.
                let set: String = characters.by_ref().take_while(|&one| one != ']').collect();
                key.push(if set.starts_with('^') { '~' } else { set.chars().next().unwrap_or('x') });
            }
            other => key.push(other),
        }
    }
    key
}

/// Keys that a pattern does not match: an unrelated key, and one that differs in the last character before the first wildcard.
///
/// Empty for a pattern that may match every key.
fn foreign(pattern: &str) -> Vec<String> {
    let literal: Vec<char> = pattern.chars().take_while(|one| !"*?[\\".contains(*one)).collect();
    let Some((first, last)) = literal.first().zip(literal.last()) else { return Vec::new() };
    let other = if *first == 'o' { "another:x" } else { "other:x" };
    let near: String = literal.iter().take(literal.len() - 1).collect();
    vec![other.to_owned(), format!("{near}{}{JUNK}", if *last == '~' { '-' } else { '~' })]
}

#[cfg(test)]
mod tests {
    use vocabulary::{CacheEnv, CacheLogin, Use, Valkey, keys, variable};

    use super::*;

    fn commands() -> Vec<Command> {
        let one = |name: &str, arity: i64, flags: &[&str], keys: [i64; 3], subcommands: Value| {
            json!([name, arity, flags, keys[0], keys[1], keys[2], [], [], [], subcommands])
        };
        let described = json!([
            one("ping", -1, &[], [0, 0, 0], json!([])),
            one("auth", -2, &["no_auth"], [0, 0, 0], json!([])),
            one("zadd", -4, &[], [1, 1, 1], json!([])),
            one("mset", -3, &[], [1, -1, 2], json!([])),
            one("zunion", -3, &["movablekeys"], [0, 0, 0], json!([])),
            one("blpop", -3, &["blocking"], [1, -2, 1], json!([])),
            one("client", -2, &[], [0, 0, 0], json!([one("client|setinfo", 4, &[], [0, 0, 0], json!([]))])),
            one("command", -1, &[], [0, 0, 0], json!([one("command|count", 2, &[], [0, 0, 0], json!([]))])),
        ]);
        Command::all(&described).expect("they are described as Valkey does")
    }

    fn declared(commands: &'static [&'static str]) -> KeyUse {
        const CACHE: Valkey = Valkey::named("cache");
        const ENV: CacheEnv = CacheEnv { host: variable("HOST"), port: variable("PORT"), login: CacheLogin::Anonymous };
        match CACHE.client(ENV, keys("own:*", commands)) {
            Use::Valkey(client) => client.keys,
            _ => unreachable!("it is a client of a cache"),
        }
    }

    #[test]
    fn commands_and_subcommands_of_a_server() {
        let names: Vec<_> = commands().into_iter().map(|command| command.name).collect();
        let expected =
            ["ping", "auth", "zadd", "mset", "zunion", "blpop", "client|setinfo", "command", "command|count"];
        assert_eq!(names, expected);
    }

    #[test]
    fn words_have_keys_where_the_command_has_them() {
        let all = commands();
        let words = |name: &str, further| {
            let command = all.iter().find(|command| command.name == name);
            command.map(|command| command.words("k", further).join(" ")).unwrap_or_default()
        };
        assert_eq!(words("zadd", false), "zadd k rights rights");
        assert_eq!(words("zadd", true), "zadd k rights rights rights");
        assert_eq!(words("mset", false), "mset k rights");
        assert_eq!(words("blpop", false), "blpop k rights");
        assert_eq!(words("zunion", false), "zunion 1 k");
        assert_eq!(words("client|setinfo", true), "client setinfo rights rights");
        assert_eq!((words("ping", true), words("command", true)), ("ping rights".to_owned(), "command".to_owned()));
    }

    #[test]
    fn what_is_declared_and_what_no_acl_forbids() {
        let trials = trials("s", &declared(&["zadd", "client|setinfo", "unknown"]), &commands());
        let may: Vec<_> = trials.iter().filter(|trial| trial.may).map(|trial| trial.what.as_str()).collect();
        assert_eq!(may, ["auth", "zadd", "client setinfo", "unknown"]);
        let foreign = trials.iter().find(|trial| trial.what.contains("another:x")).expect("it is tried");
        assert_eq!(foreign.request["command"], json!(["zadd", "another:x", "rights", "rights", "rights"]));
        assert!(!foreign.may);
    }

    #[test]
    fn a_whole_command_has_its_subcommands() {
        let trials = trials("s", &declared(&["command"]), &commands());
        assert!(trials.iter().any(|trial| trial.may && trial.what == "command count"));
    }

    #[test]
    fn who_does_not_log_in_may_nothing_unless_a_service_is_that() {
        let without_login = |anonymous| {
            intrusions(anonymous, &commands()).iter().filter(|trial| trial.who == "a client without a login").count()
        };
        assert_eq!((without_login(true), without_login(false)), (0, 8));
        assert!(intrusions(false, &commands()).iter().all(|trial| !trial.may));
    }

    #[test]
    fn keys_of_a_pattern_and_of_others() {
        assert_eq!(sample("failed:*"), "failed:rights");
        assert_eq!(sample("a?[bc][^d]\\*"), "axb~*");
        assert_eq!(foreign("failed:*"), ["other:x", "failed~rights"]);
        assert_eq!(foreign("other:*"), ["another:x", "other~rights"]);
        assert!(foreign("*").is_empty());
    }
}
