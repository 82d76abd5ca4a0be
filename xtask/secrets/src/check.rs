//! `check`: everything that is wrong with the passwords, at once.

use std::collections::BTreeMap;
use std::io::Write;

use generator::CredentialPath;
use serde_yaml::Value;

use super::document::{Document, NoMap};
use super::file::{Content, SourceLocation};
use super::sops::{Rule, Sops};
use super::{Subject, shell_word, strength};

/// The highest revision that the chart takes.
pub(super) const HIGHEST_REVISION: u64 = 9999;

/// Says on `out` what is wrong; whether nothing is.
pub(super) fn run(subject: &Subject, out: &mut dyn Write) -> anyhow::Result<bool> {
    let sops = Sops::default();
    let place = SourceLocation::of(subject)?;
    let Some(content) = place.read()? else {
        let about = "it".to_owned();
        let reason = format!("is not there, and {} credentials need a password", subject.credentials.len());
        return tell(subject, &[Finding { about, reason, remedy: subject.new_command() }], "", out);
    };
    let rule = sops.rule(&place)?;
    let document = content.document(&place, &sops)?;
    let findings = [
        of_file(subject, &place, &content, &rule),
        subject.credentials.iter().flat_map(|one| of_credential(subject, &content, &document, one)).collect(),
        same(subject, &document),
        undeclared(subject, &content, &document),
    ]
    .concat();
    let state = if content.is_encrypted() { "encrypted" } else { "not encrypted, so never to be committed" };
    tell(subject, &findings, state, out)
}

/// One thing that is wrong. None of its parts is a password.
#[derive(Clone)]
struct Finding {
    about: String,
    reason: String,
    remedy: String,
}

fn tell(subject: &Subject, findings: &[Finding], state: &str, out: &mut dyn Write) -> anyhow::Result<bool> {
    let (file, count) = (&subject.shown, subject.credentials.len());
    match findings.len() {
        0 => writeln!(out, "{file}: all is well with {count} passwords; {state}")?,
        1 => writeln!(out, "{file}: 1 thing is wrong")?,
        several => writeln!(out, "{file}: {several} things are wrong")?,
    }
    for Finding { about, reason, remedy } in findings {
        writeln!(out, "  {about} {reason}\n      {remedy}")?;
    }
    Ok(findings.is_empty())
}

/// What is wrong with the file as a whole.
fn of_file(subject: &Subject, place: &SourceLocation, content: &Content, rule: &Rule) -> Vec<Finding> {
    let finding = |reason, remedy| Finding { about: "it".to_owned(), reason, remedy };
    let mut all = Vec::new();
    match rule {
        Rule::By(source) if !content.is_encrypted() => {
            all.push(finding(format!("is in the clear, and recipients are named in {source}"), subject.new_command()));
        }
        Rule::None(reason) if content.is_encrypted() => {
            let remedy = "put a rule for it into .sops.yaml, in its folder or one above".to_owned();
            all.push(finding(format!("is encrypted, but cannot be again: {reason}"), remedy));
        }
        _ => {}
    }
    if !content.is_encrypted() && place.is_open_to_others() {
        let remedy = format!("chmod 600 {}", shell_word(subject.shown.as_str()));
        all.push(finding("is in the clear, and others than its owner may read it".to_owned(), remedy));
    }
    all
}

/// What is wrong with one credential, without regard to the others.
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
            let remedy = edit(format!("and make `{path}` a map, or take it out"));
            return vec![finding("cannot be there, since what should hold it is no map".to_owned(), remedy)];
        }
        Ok(None) => all.push(finding("has no password".to_owned(), subject.new_command())),
        Ok(Some(Value::String(password))) => {
            let weakness = strength::weakness(credential, password).map(str::to_owned);
            all.extend(weakness.map(|reason| finding(reason, rotate())));
            if password.chars().any(char::is_control) {
                all.push(finding("has control characters, such as a line break".to_owned(), rotate()));
            }
        }
        // What is written without quotes, as digits or as `true`.
        Ok(Some(_)) => all.push(finding("is no text, which Helm would refuse".to_owned(), rotate())),
    }
    if content.is_encrypted() && content.is_clear(&credential.value) {
        let remedy = format!("take encrypted_regex and its kin out of the rule in .sops.yaml, then {}", rotate());
        all.push(finding("is in the clear, in a file that is encrypted otherwise".to_owned(), remedy));
    }
    let now = document.find(&credential.revision).ok().flatten();
    if let Err(reason) = revision(now) {
        let path = credential.revision.join(".");
        let remedy = edit(format!("and set `{path}` to the revision that is installed, or to 1"));
        all.push(finding(format!("has a revision that {reason}"), remedy));
    }
    all
}

/// The revision that a value says, 1 when there is none; or why it says none.
pub(super) fn revision(value: Option<&Value>) -> Result<u64, &'static str> {
    let Some(value) = value else { return Ok(1) };
    value.as_u64().filter(|number| (1..=HIGHEST_REVISION).contains(number)).ok_or("is no integer from 1 to 9999")
}

/// Which credentials have the password of another.
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

/// What the file calls credentials and no declaration does.
fn undeclared(subject: &Subject, content: &Content, document: &Document) -> Vec<Finding> {
    let mut all = Vec::new();
    let charts = document.root().as_mapping().into_iter().flatten();
    for (chart, values) in charts {
        let keys = values.get("credentials").and_then(Value::as_mapping).into_iter().flat_map(|map| map.keys());
        for (chart, key) in keys.filter_map(|key| Some((chart.as_str()?, key.as_str()?))) {
            let about = format!("{chart}.{key}");
            if !subject.credentials.iter().any(|credential| credential.name == about) {
                let remedy = format!("{}, and take `{chart}.credentials.{key}` out", by_hand(subject, content));
                all.push(Finding { about, reason: "is no declared credential".to_owned(), remedy });
            }
        }
    }
    all
}

/// How the file is changed by hand.
fn by_hand(subject: &Subject, content: &Content) -> String {
    let file = shell_word(subject.shown.as_str());
    if content.is_encrypted() { format!("sops {file}") } else { format!("edit {file}") }
}
