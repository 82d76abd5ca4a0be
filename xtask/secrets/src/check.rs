//! `check`: reports all problems of the file and its passwords.

use std::collections::BTreeMap;
use std::io::Write;

use generator::CredentialPath;
use serde_yaml::Value;

use super::document::{Document, NoMap};
use super::file::{Content, SourceLocation};
use super::sops::{Rule, Sops};
use super::{Subject, shell_word, strength};

/// The highest revision that the chart accepts.
pub(super) const HIGHEST_REVISION: u64 = 9999;

/// Reports all problems to `out`. Returns whether there are none.
pub(super) fn run(subject: &Subject, out: &mut dyn Write) -> anyhow::Result<bool> {
    let sops = Sops::default();
    let encrypted = SourceLocation::of(subject)?;
    let other = subject.other_form();
    // Passwords in the clear are checked as well, where there are no encrypted ones.
    let found = if subject.file.exists() { subject } else { other.as_ref().unwrap_or(subject) };
    let place = SourceLocation::of(found)?;
    let Some(content) = place.read()? else {
        let about = "the file".to_owned();
        let reason = format!("does not exist, and {} credentials need a password", subject.credentials.len());
        return tell(subject, &[Finding { about, reason, remedy: subject.new_command() }], "", out);
    };
    let rule = sops.rule(&encrypted)?;
    // Without recipients, a file in the clear can be changed only as such.
    let stays_clear = !content.is_encrypted() && matches!(rule, Rule::None(_));
    let subject = &Subject { is_plaintext: stays_clear, ..found.clone() };
    let beside = other.filter(|other| other.file != subject.file);
    let document = content.document(subject, &place, &sops)?;
    let findings = [
        of_file(subject, &place, &content, &rule),
        beside.iter().map(in_the_clear_too).collect(),
        subject.credentials.iter().flat_map(|one| of_credential(subject, &content, &document, one)).collect(),
        same(subject, &document),
        undeclared(subject, &content, &document),
    ]
    .concat();
    let state = if content.is_encrypted() { "encrypted" } else { "not encrypted: do not commit it" };
    tell(subject, &findings, state, out)
}

/// A problem and its remedy. It never contains a password.
#[derive(Clone)]
struct Finding {
    about: String,
    reason: String,
    remedy: String,
}

fn tell(subject: &Subject, findings: &[Finding], state: &str, out: &mut dyn Write) -> anyhow::Result<bool> {
    let (file, count) = (&subject.shown, subject.credentials.len());
    match findings.len() {
        0 => writeln!(out, "{file}: no problems in {count} passwords; {state}")?,
        1 => writeln!(out, "{file}: 1 problem")?,
        several => writeln!(out, "{file}: {several} problems")?,
    }
    for Finding { about, reason, remedy } in findings {
        writeln!(out, "  {about} {reason}\n      {remedy}")?;
    }
    Ok(findings.is_empty())
}

/// The problems of the file as a whole.
fn of_file(subject: &Subject, place: &SourceLocation, content: &Content, rule: &Rule) -> Vec<Finding> {
    let finding = |reason, remedy| Finding { about: "the file".to_owned(), reason, remedy };
    let mut all = Vec::new();
    match rule {
        Rule::By(source) if !content.is_encrypted() => {
            let encrypt = subject.form(false).new_command();
            all.push(finding(format!("is not encrypted, although {source} names recipients"), encrypt));
        }
        Rule::None(reason) if content.is_encrypted() => {
            let remedy = "add a rule for the file to a .sops.yaml in its folder or above".to_owned();
            all.push(finding(format!("is encrypted, but sops cannot encrypt it again: {reason}"), remedy));
        }
        _ => {}
    }
    if !content.is_encrypted() && place.is_open_to_others() {
        let remedy = format!("chmod 600 {}", shell_word(subject.shown.as_str()));
        all.push(finding("is not encrypted, and other users can read it".to_owned(), remedy));
    }
    all
}

/// The file in the clear beside the encrypted one.
fn in_the_clear_too(other: &Subject) -> Finding {
    let remedy = format!("rm {}", shell_word(other.shown.as_str()));
    Finding { about: other.shown.to_string(), reason: "contains passwords in the clear, too".to_owned(), remedy }
}

/// The problems of one credential by itself.
fn of_credential(
    subject: &Subject,
    content: &Content,
    document: &Document,
    credential: &CredentialPath,
) -> Vec<Finding> {
    let name = &credential.name;
    let finding = |reason: String, remedy| Finding { about: name.clone(), reason, remedy };
    let rotate = || subject.rotate_command(name);
    let edit = |what| format!("{}, {what}", by_hand(subject, content));
    let mut all = Vec::new();
    match document.get(&credential.value) {
        Err(NoMap(path)) => {
            let remedy = edit(format!("and make `{path}` a map, or remove it"));
            return vec![finding(
                "cannot be read, because the value that should contain it is not a map".to_owned(),
                remedy,
            )];
        }
        // It is used only if its switch is on; then the chart asks for it.
        Ok(None) if credential.switch.is_some() => {}
        Ok(None) => all.push(finding("has no password".to_owned(), subject.new_command())),
        Ok(Some(value)) if value.is_string() => {
            let password = value.as_str().unwrap_or_default();
            let weaknesses = strength::weaknesses(&subject.rules, credential, password);
            all.extend(weaknesses.map(|reason| finding(reason.to_owned(), rotate())));
        }
        // A number or boolean to Helm, written without quotes.
        Ok(Some(_)) => all.push(finding("is not a string, so Helm would reject it".to_owned(), rotate())),
    }
    if content.is_encrypted() && content.is_clear(&credential.value) {
        let remedy =
            format!("remove encrypted_regex and similar keys from the rule in .sops.yaml, then run {}", rotate());
        all.push(finding("is not encrypted, although the file is".to_owned(), remedy));
    }
    let now = document.find(&credential.revision).ok().flatten();
    if let Err(reason) = revision(now) {
        let path = credential.revision.join(".");
        let remedy = edit(format!("and set `{path}` to the installed revision, or to 1"));
        all.push(finding(format!("has a revision that {reason}"), remedy));
    }
    all
}

/// Parses a revision; a missing value means 1. The error completes a sentence about the value.
pub(super) fn revision(value: Option<&Value>) -> Result<u64, &'static str> {
    let Some(value) = value else { return Ok(1) };
    value.as_u64().filter(|number| (1..=HIGHEST_REVISION).contains(number)).ok_or("is not an integer from 1 to 9999")
}

/// The credentials whose password equals that of another credential.
fn same(subject: &Subject, document: &Document) -> Vec<Finding> {
    let mut first = BTreeMap::<&str, &str>::new();
    let mut all = Vec::new();
    for credential in &subject.credentials {
        let name = credential.name.as_str();
        let Some(password) = document.get(&credential.value).ok().flatten().and_then(Value::as_str) else { continue };
        if let Some(other) = first.get(password) {
            let reason = format!("has the same password as {other}");
            all.push(Finding { about: name.to_owned(), reason, remedy: subject.rotate_command(name) });
        } else {
            first.insert(password, name);
        }
    }
    all
}

/// The credentials in the file that the platform does not declare.
fn undeclared(subject: &Subject, content: &Content, document: &Document) -> Vec<Finding> {
    let mut all = Vec::new();
    let charts = document.root().as_mapping().into_iter().flatten();
    for (chart, values) in charts {
        let keys = values.get("credentials").and_then(Value::as_mapping).into_iter().flat_map(|map| map.keys());
        for (chart, key) in keys.filter_map(|key| Some((chart.as_str()?, key.as_str()?))) {
            let about = format!("{chart}.{key}");
            if !subject.credentials.iter().any(|credential| credential.name == about) {
                let remedy = format!("{}, and remove `{chart}.credentials.{key}`", by_hand(subject, content));
                all.push(Finding { about, reason: "is not a declared credential".to_owned(), remedy });
            }
        }
    }
    all
}

/// How to change the file by hand.
fn by_hand(subject: &Subject, content: &Content) -> String {
    let file = shell_word(subject.shown.as_str());
    if content.is_encrypted() { format!("sops {file}") } else { format!("edit {file}") }
}
