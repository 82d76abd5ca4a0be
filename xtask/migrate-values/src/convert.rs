//! From the values of an earlier version to those of this version, and what is left.

use std::collections::BTreeMap;

use generator::password_rules::{PasswordFault, PasswordRules};
use generator::{
    CredentialPath, EarlierValue, Resolved, Successor, ValuePath, VariableSuccessor, VariableValue, credential_paths,
    earlier_values, value_paths, yaml,
};
use serde_yaml::{Mapping, Value};
use vocabulary::Setting;

/// The result of a conversion.
pub struct Converted {
    /// The new values, in the order of the chart's.
    pub values: Value,
    /// The number of values that were carried over.
    pub carried: usize,
    /// The number of passwords among them.
    pub passwords: usize,
    /// What could not be carried over, in the order of the old file.
    pub left: Vec<Left>,
}

/// A value that could not be carried over.
#[derive(Debug, PartialEq, Eq)]
pub struct Left {
    /// Its path in the old file.
    pub path: String,
    /// The reason, as a clause. It shows no value.
    pub reason: String,
}

/// Converts the values of a file. Values that this version has too are kept.
#[must_use]
pub fn convert(platform: &Resolved, old: &Mapping) -> Converted {
    let paths = value_paths(platform);
    let mut conversion = Conversion {
        kinds: paths.iter().map(|value| (value.path.as_slice(), value.is_section)).collect(),
        earlier: earlier_values(platform),
        credentials: credential_paths(platform),
        rules: PasswordRules::of(platform),
        new: Value::Mapping(Mapping::new()),
        carried: BTreeMap::new(),
        passwords: Vec::new(),
        required: Vec::new(),
        left: Vec::new(),
    };
    // Values of this version take precedence over those of an earlier one.
    for pass in [Pass::Kept, Pass::Earlier] {
        conversion.section(&mut Vec::new(), old, pass);
    }
    for (path, text) in std::mem::take(&mut conversion.required) {
        if find(&conversion.new, &path).is_none() {
            yaml::put(&mut conversion.new, &path, text.into());
        }
    }
    let order: Vec<&ValuePath> = paths.iter().collect();
    Converted {
        values: ordered(&conversion.new, &order),
        carried: conversion.carried.len(),
        passwords: conversion.passwords.len(),
        left: conversion.left,
    }
}

/// What a walk over the old values looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Values that this version has too.
    Kept,
    /// Values of earlier versions, and unknown ones.
    Earlier,
}

struct Conversion<'a> {
    /// The keys of this version, and whether each is a section.
    kinds: BTreeMap<&'a [String], bool>,
    earlier: Vec<EarlierValue>,
    credentials: Vec<CredentialPath>,
    rules: PasswordRules,
    new: Value,
    /// The old path of each value that was carried over, by its new path.
    carried: BTreeMap<Vec<String>, String>,
    /// The passwords that were carried over, each with its path.
    passwords: Vec<(String, Vec<String>)>,
    /// Values that others need: set at the end, unless the file has set them.
    required: Vec<(Vec<String>, &'static str)>,
    left: Vec<Left>,
}

impl Conversion<'_> {
    fn section(&mut self, path: &mut Vec<String>, old: &Mapping, pass: Pass) {
        for (key, value) in old {
            path.push(shown_key(key));
            self.value(path, value, pass);
            path.pop();
        }
    }

    fn value(&mut self, path: &mut Vec<String>, value: &Value, pass: Pass) {
        let earlier = self.earlier.iter().find(|earlier| earlier.path == *path).cloned();
        if let Some(earlier) = earlier {
            if pass == Pass::Earlier {
                self.converted(path, value, &earlier);
            }
            return;
        }
        let is_above = self.earlier.iter().any(|earlier| earlier.path.starts_with(path));
        let is_section = self.kinds.get(path.as_slice()).copied();
        // Helm takes any key of `global`, and the switch by which a parent chart would install this one.
        let is_free = path.len() == 2 && path[0] == "global" || path.len() == 1 && path[0] == "enabled";
        match (value, is_section) {
            (Value::Mapping(map), Some(true)) => self.section(path, map, pass),
            (Value::Mapping(map), None) if is_above => self.section(path, map, pass),
            (_, Some(false)) if pass == Pass::Kept => self.kept(path, value),
            (_, Some(true)) if pass == Pass::Earlier => {
                self.leave(path, "it is no map, but the chart has a section there");
            }
            (_, None) if is_free && pass == Pass::Kept => self.kept(path, value),
            (_, None) if !is_free && pass == Pass::Earlier => {
                self.leave(path, "it is neither a value of this version of the chart nor of an earlier one");
            }
            _ => {}
        }
    }

    /// Carries a value of this version over.
    fn kept(&mut self, path: &[String], value: &Value) {
        if self.is_password(path) {
            self.password(path, value, &path.join("."));
        } else {
            self.put(path, value.clone(), &path.join("."));
        }
    }

    /// Carries a value of an earlier version over.
    fn converted(&mut self, path: &[String], value: &Value, earlier: &EarlierValue) {
        let from = path.join(".");
        match &earlier.successor {
            Successor::None(reason) => self.leave(path, reason),
            Successor::Variables(variables) => self.variables(path, value, variables),
            Successor::Key { path: to, words, requires } => {
                if self.is_password(to) {
                    self.password(to, value, &from);
                    return;
                }
                let Some(value) = translated(value, words) else {
                    let words: Vec<_> = words.iter().map(|(old, _)| *old).collect();
                    self.leave(path, &format!("only {} can be carried over", words.join(", ")));
                    return;
                };
                if self.put(to, value, &from) {
                    self.required.extend(requires.clone());
                }
            }
        }
    }

    /// Carries environment variables over: a map of them, or a list of `name` and `value`.
    fn variables(&mut self, path: &[String], value: &Value, successors: &[VariableSuccessor]) {
        let pairs: Vec<(String, Option<&Value>)> = match value {
            Value::Null => Vec::new(),
            Value::Mapping(map) => map.iter().map(|(name, value)| (shown_key(name), Some(value))).collect(),
            Value::Sequence(items) if items.iter().all(|item| item.get("name").is_some_and(Value::is_string)) => items
                .iter()
                .map(|item| (item["name"].as_str().unwrap_or_default().to_owned(), item.get("value")))
                .collect(),
            _ => return self.leave(path, "it is neither a map nor a list of `name` and `value`"),
        };
        for (name, value) in pairs {
            let path: Vec<String> = path.iter().chain([&name]).cloned().collect();
            let Some(value) = value else {
                self.leave(&path, "it has no `value`");
                continue;
            };
            let exact = successors.iter().find(|successor| successor.variable == name);
            let similar = || successors.iter().find(|successor| successor.variable.eq_ignore_ascii_case(&name));
            match exact.or_else(similar).map(|successor| &successor.value) {
                None => self.leave(&path, "the service has no such variable"),
                Some(VariableValue::Derived) => self.leave(&path, "the chart sets this variable"),
                Some(VariableValue::Secret(to)) => self.password(to, value, &path.join(".")),
                Some(VariableValue::Setting(to, setting)) => match fitted(value, *setting) {
                    Ok(value) => {
                        self.put(to, value, &path.join("."));
                    }
                    Err(reason) => self.leave(&path, &reason),
                },
            }
        }
    }

    fn is_password(&self, path: &[String]) -> bool {
        self.credentials.iter().any(|credential| credential.value == path)
    }

    /// Carries a password over, unless the chart would refuse it.
    fn password(&mut self, to: &[String], value: &Value, from: &str) {
        let Some(credential) = self.credentials.iter().find(|credential| credential.value == to) else { return };
        let from_path = [from.to_owned()];
        let password = match value {
            Value::Null => return,
            Value::String(password) if password.is_empty() => return,
            Value::String(password) => password,
            _ => return self.leave(&from_path, "it is not a text; Helm would not read it as one"),
        };
        let faults = self.rules.faults(credential, password).into_iter().map(PasswordFault::reason);
        let faults: Vec<_> = faults.collect();
        if !faults.is_empty() {
            let reason = format!(
                "the chart refuses this password: it {}. Set another for {}",
                faults.join(" and "),
                to.join(".")
            );
            return self.leave(&from_path, &reason);
        }
        if let Some((_, other)) = self.passwords.iter().find(|(other, path)| other == password && path != to) {
            let reason = format!(
                "{} has the same password, and the chart refuses one for two uses. Set another for {}",
                other.join("."),
                to.join(".")
            );
            return self.leave(&from_path, &reason);
        }
        let password = password.clone();
        if self.put(to, password.as_str().into(), from) && !self.passwords.iter().any(|(_, path)| path == to) {
            self.passwords.push((password, to.to_vec()));
        }
    }

    /// Puts a value at its new path. Lists are joined. Returns whether it stands there now.
    fn put(&mut self, to: &[String], value: Value, from: &str) -> bool {
        let joined = match (find(&self.new, to), value) {
            (Some(Value::Sequence(before)), Value::Sequence(items)) => {
                let further = items.into_iter().filter(|item| !before.contains(item));
                Value::Sequence(before.iter().cloned().chain(further).collect())
            }
            (Some(Value::Mapping(_)), Value::Mapping(map)) => {
                for (key, value) in map {
                    let to: Vec<String> = to.iter().cloned().chain([shown_key(&key)]).collect();
                    self.put(&to, value, from);
                }
                return true;
            }
            (Some(before), value) if *before != value => {
                let other = self.carried.get(to).cloned().unwrap_or_else(|| to.join("."));
                self.leave(&[from.to_owned()], &format!("{other} sets {} otherwise", to.join(".")));
                return false;
            }
            (_, value) => value,
        };
        yaml::put(&mut self.new, to, joined);
        self.carried.entry(to.to_vec()).or_insert_with(|| from.to_owned());
        true
    }

    fn leave(&mut self, path: &[String], reason: &str) {
        self.left.push(Left { path: path.join("."), reason: reason.to_owned() });
    }
}

/// A key as a word of a path.
fn shown_key(key: &Value) -> String {
    match key {
        Value::String(key) => key.clone(),
        Value::Bool(key) => key.to_string(),
        Value::Number(key) => key.to_string(),
        _ => String::new(),
    }
}

fn find<'a>(tree: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(tree, |value, key| value.get(key.as_str()))
}

/// The value in the words of this version; none if it has no such word.
fn translated(value: &Value, words: &[(&'static str, &'static str)]) -> Option<Value> {
    if words.is_empty() {
        return Some(value.clone());
    }
    words.iter().find(|(old, _)| value.as_str() == Some(old)).map(|(_, new)| Value::from(*new))
}

/// The value of an environment variable as the setting takes it.
fn fitted(value: &Value, setting: Setting) -> Result<Value, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return Err("it is no text and no number".to_owned()),
    };
    match setting {
        Setting::Text { .. } => Ok(text.into()),
        Setting::Integer { min, max, .. } => match text.trim().parse::<i64>() {
            Ok(number) if (min..=max).contains(&number) => Ok(number.into()),
            _ => Err(format!("it is no whole number from {min} to {max}")),
        },
        Setting::Choice { options, .. } => {
            let exact = options.iter().find(|option| **option == text);
            let option = exact.or_else(|| options.iter().find(|option| option.eq_ignore_ascii_case(&text)));
            option.map(|option| Value::from(*option)).ok_or_else(|| format!("it is none of {}", options.join(", ")))
        }
    }
}

/// The tree with its keys in the order of the chart's values; other keys follow.
fn ordered(tree: &Value, order: &[&ValuePath]) -> Value {
    let Value::Mapping(map) = tree else { return tree.clone() };
    let known = order.iter().filter(|value| value.path.len() == 1).map(|value| value.path[0].as_str());
    let mut sorted = Mapping::new();
    for key in known.filter(|key| map.contains_key(*key)) {
        sorted.insert(key.into(), map[key].clone());
    }
    for (key, value) in map {
        if !sorted.contains_key(key) {
            sorted.insert(key.clone(), value.clone());
        }
    }
    let below = |key: &str| -> Vec<ValuePath> {
        let inner = order.iter().filter(|value| value.path.len() > 1 && value.path[0] == key);
        inner.map(|value| ValuePath { path: value.path[1..].to_vec(), is_section: value.is_section }).collect()
    };
    let inner = |(key, value): (Value, Value)| {
        let below = key.as_str().map(below).unwrap_or_default();
        let value = if below.is_empty() { value } else { ordered(&value, &below.iter().collect::<Vec<_>>()) };
        (key, value)
    };
    Value::Mapping(sorted.into_iter().map(inner).collect())
}

#[cfg(test)]
mod tests;
