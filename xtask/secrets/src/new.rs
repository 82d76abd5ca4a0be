//! `new`: creates the missing passwords, or replaces the passwords of the named credentials.

use std::io::Write;

use generator::CredentialPath;
use serde_yaml::Value;

use super::check::{HIGHEST_REVISION, revision};
use super::document::Document;
use super::file::{self, Content, SourceLocation};
use super::sops::{Rule, Sops};
use super::{Error, Subject, password};

/// Creates the missing passwords, or replaces those of the credentials in `rotate`, and reports the changes to `out`.
pub(super) fn run(subject: &Subject, rotate: &[String], out: &mut dyn Write) -> anyhow::Result<()> {
    let named = named(subject, rotate)?;
    let sops = Sops::default();
    let place = SourceLocation::of(subject)?;
    let _lock = place.lock()?;
    let old = place.read()?;
    let rule = sops.rule(&place)?;
    let was_encrypted = old.as_ref().is_some_and(Content::is_encrypted);
    if let (true, Rule::None(reason)) = (was_encrypted, &rule) {
        let (file, rule) = (place.shown.clone(), example_of_a_rule("  "));
        return Err(Error::NoRule { file, reason: reason.clone(), rule }.into());
    }
    let mut document = match &old {
        Some(content) => content.document(subject, &place, &sops)?,
        None => Document::empty(&format!(
            "Created by `{}`, which keeps your other changes; `--rotate NAME` replaces a password.",
            subject.new_command()
        )),
    };

    let missing = missing(subject, &document)?;
    let mut done = Vec::new();
    if named.is_empty() {
        for credential in &missing {
            make(subject, &mut document, credential)?;
            done.push(format!("created  {}", credential.name));
        }
    }
    for credential in &named {
        let next = replace(subject, &mut document, credential)?;
        done.push(format!("replaced  {}, now revision {next}", credential.name));
    }

    // Protect an unencrypted file even if no password changes.
    let protection = match &rule {
        Rule::By(source) if old.is_some() && !was_encrypted => {
            Some(format!("the file was not encrypted and now is, for the recipients in {source}"))
        }
        Rule::None(_) if old.is_some() && place.is_open_to_others() => {
            Some("removed read access for other users".to_owned())
        }
        Rule::By(source) if !done.is_empty() => Some(format!("encrypted for the recipients in {source}")),
        _ => None,
    };
    if !done.is_empty() || protection.is_some() {
        file::write(&place, subject, old.as_ref(), &document, &rule, &sops)?;
    }

    let what = match done.len() {
        0 if protection.is_some() => "no password changed".to_owned(),
        0 => format!("nothing to do: all {} credentials have a password", subject.credentials.len()),
        count => {
            let passwords = if count == 1 { "password" } else { "passwords" };
            format!("{count} {passwords} {}", if named.is_empty() { "created" } else { "replaced" })
        }
    };
    let how = protection.map(|how| format!("; {how}")).unwrap_or_default();
    writeln!(out, "{}: {what}{how}", place.shown)?;
    for line in done {
        writeln!(out, "  {line}")?;
    }
    if document.lost_comments() {
        let why = "to change a value behind an alias, the command wrote the whole file again";
        writeln!(out, "The file's comments are lost: {why}.")?;
    }
    if let (false, Some(one)) = (named.is_empty(), missing.first()) {
        let others = if missing.len() == 1 { "has" } else { "and other credentials have" };
        writeln!(out, "{} {others} no password yet: run `{}`", one.name, subject.new_command())?;
    }
    if let Rule::None(reason) = &rule {
        tell_it_is_clear(subject, reason, out)?;
    }
    Ok(())
}

/// The declared credentials with these names, each once.
fn named<'a>(subject: &'a Subject, names: &[String]) -> Result<Vec<&'a CredentialPath>, Error> {
    let known = || subject.credentials.iter().map(|credential| credential.name.clone()).collect();
    if let Some(name) =
        names.iter().find(|name| !subject.credentials.iter().any(|credential| credential.name == **name))
    {
        return Err(Error::UnknownCredential { name: name.clone(), known: known() });
    }
    Ok(subject.credentials.iter().filter(|credential| names.contains(&credential.name)).collect())
}

/// The credentials that have no password.
fn missing<'a>(subject: &'a Subject, document: &Document) -> Result<Vec<&'a CredentialPath>, Error> {
    let mut missing = Vec::new();
    for credential in &subject.credentials {
        let value = document.get(&credential.value).map_err(|no_map| no_map.of(subject.shown.as_str()))?;
        if value.is_none() {
            missing.push(credential);
        }
    }
    Ok(missing)
}

/// Creates a password. Keeps an existing revision, because a server may already know it.
fn make(subject: &Subject, document: &mut Document, credential: &CredentialPath) -> Result<(), Error> {
    let file = subject.shown.as_str();
    document.set(&credential.value, password::random().map_err(Error::Random)?.into(), file)?;
    if document.get(&credential.revision).map_err(|no_map| no_map.of(file))?.is_none() {
        document.set(&credential.revision, 1.into(), file)?;
    }
    Ok(())
}

/// Replaces an existing password and returns its new revision.
fn replace(subject: &Subject, document: &mut Document, credential: &CredentialPath) -> Result<u64, Error> {
    let file = subject.shown.as_str();
    let (name, path) = (credential.name.clone(), credential.revision.join("."));
    if document.get(&credential.value).map_err(|no_map| no_map.of(file))?.is_none() {
        return Err(Error::NothingToRotate { name, file: file.to_owned(), remedy: subject.new_command() });
    }
    let now = document.find(&credential.revision).map_err(|no_map| no_map.of(file))?;
    let refused =
        |reason, remedy: &str| Error::Revision { name, path, file: file.to_owned(), reason, remedy: remedy.to_owned() };
    let next = match revision(now) {
        Ok(HIGHEST_REVISION) => {
            return Err(refused(
                "is 9999, the highest",
                "Set it to 1; the service's pods are replaced in this case too.",
            ));
        }
        Ok(now) => now + 1,
        Err(reason) => return Err(refused(reason, "Set it to the installed revision, or to 1.")),
    };
    document.set(&credential.value, password::random().map_err(Error::Random)?.into(), file)?;
    document.set(&credential.revision, Value::from(next), file)?;
    Ok(next)
}

/// Warns that the passwords are stored in plain text, and explains how to encrypt them.
fn tell_it_is_clear(subject: &Subject, reason: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let (file, rule, again) = (&subject.shown, example_of_a_rule("       "), subject.new_command());
    writeln!(
        out,
        "\nThe file is NOT ENCRYPTED: {reason}.
Do not commit {file} in this state; only its owner can read it. To encrypt it with sops:
  1. Run `age-keygen -o keys.txt`: it creates a key and prints its public part. Keep the file outside the checkout and set SOPS_AGE_KEY_FILE
     to its path (default: sops/age/keys.txt in your configuration folder, ~/.config on Linux).
  2. Add a rule to .sops.yaml at the top of the checkout:
{rule}
  3. Run `{again}`: it encrypts the file and changes no password."
    )?;
    Ok(())
}

fn example_of_a_rule(indent: &str) -> String {
    let lines =
        ["creation_rules:", r"  - path_regex: secrets-.*\.yaml$", "    age: age1…  # the public part of the key"];
    lines.map(|line| format!("{indent}{line}")).join("\n")
}
