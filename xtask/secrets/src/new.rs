//! `new`: creates the missing passwords, or replaces the passwords of the named credentials.

use std::io::Write;

use generator::CredentialPath;
use generator::password_files::SOPS_RULE;
use owned_tree::FOLDER;
use serde_yaml::Value;

use super::check::{HIGHEST_REVISION, revision};
use super::document::Document;
use super::file::{self, Content, SourceLocation};
use super::sops::{Rule, Sops};
use super::{Error, Subject, git, password};

/// Creates the missing passwords, or replaces those of the credentials in `rotate`, and reports the changes to `out`.
pub(super) fn run(subject: &Subject, rotate: &[String], out: &mut dyn Write) -> anyhow::Result<()> {
    let named = named(subject, rotate)?;
    let sops = Sops::default();
    let place = SourceLocation::of(subject)?;
    let _lock = place.lock()?;
    let old = place.read()?;
    let was_encrypted = old.as_ref().is_some_and(Content::is_encrypted);
    let other = subject.other_form();
    let rule = rule(subject, &place, was_encrypted, other.as_ref(), &sops)?;
    // Passwords that an earlier run wrote in the clear move into the encrypted file.
    let moved = other.filter(|_| old.is_none());
    let mut document = match (&old, &moved) {
        (Some(content), _) => content.document(subject, &place, &sops)?,
        (None, Some(plaintext)) => {
            let place = SourceLocation::of(plaintext)?;
            let content = place.read()?;
            content.map_or_else(|| Ok(Document::empty("")), |content| content.document(plaintext, &place, &sops))?
        }
        (None, None) => Document::empty(&format!(
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
        Rule::By(source) if moved.is_some() => Some(format!("encrypted for the recipients in {source}")),
        Rule::By(source) if !done.is_empty() => Some(format!("encrypted for the recipients in {source}")),
        _ => None,
    };
    if !done.is_empty() || protection.is_some() {
        file::write(&place, subject, old.as_ref(), &document, &rule, &sops)?;
    }
    if let Some(plaintext) = &moved {
        SourceLocation::of(plaintext)?.delete()?;
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
    if let Some(plaintext) = &moved {
        writeln!(out, "The passwords of {0} are in this file now, and {0} is deleted.", plaintext.shown)?;
    } else if let (Some(other), true) = (subject.other_form(), old.is_some()) {
        writeln!(out, "{} contains passwords in the clear, too: delete it.", other.shown)?;
    }
    if document.lost_comments() {
        let why = "to change a value behind an alias, the command wrote the whole file again";
        writeln!(out, "The file's comments are lost: {why}.")?;
    }
    if let (false, Some(one)) = (named.is_empty(), missing.first()) {
        let others = if missing.len() == 1 { "has" } else { "and other credentials have" };
        writeln!(out, "{} {others} no password yet: run `{}`", one.name, subject.new_command())?;
    }
    if subject.is_plaintext {
        writeln!(
            out,
            "\nThe file is NOT ENCRYPTED; only its owner can read it, and it must not be committed. To encrypt it with sops:"
        )?;
        writeln!(out, "{}", steps_to_encrypt(&subject.form(false)))?;
    }
    Ok(())
}

/// Whether sops encrypts the file.
///
/// # Errors
/// If it cannot and `--plaintext` is not set, or if `--plaintext` is set and the passwords are encrypted or git would take the file.
fn rule(
    subject: &Subject,
    place: &SourceLocation,
    was_encrypted: bool,
    other: Option<&Subject>,
    sops: &Sops,
) -> Result<Rule, Error> {
    if subject.is_plaintext {
        if was_encrypted {
            return Err(Error::IsEncrypted { file: place.shown.clone() });
        }
        if let Some(other) = other {
            let file = other.shown.to_string();
            let is_encrypted = SourceLocation::of(other)?.read()?.is_some_and(|content| content.is_encrypted());
            return Err(if is_encrypted {
                Error::IsEncrypted { file }
            } else {
                Error::Misnamed { file, name: place.shown.clone() }
            });
        }
        git::must_ignore(place)?;
        return Ok(Rule::None("`--plaintext` is set".to_owned()));
    }
    let rule = sops.rule(place)?;
    let Rule::None(reason) = rule else { return Ok(rule) };
    let file = place.shown.clone();
    Err(if was_encrypted {
        Error::NoRule { file, reason, rule: example_of_a_rule("  ") }
    } else {
        let plaintext = subject.form(true).new_command();
        Error::NoRecipients { file, reason, steps: steps_to_encrypt(subject), plaintext }
    })
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

/// How to encrypt the passwords of the subject.
fn steps_to_encrypt(subject: &Subject) -> String {
    format!(
        "  1. Run `age-keygen -o keys.txt`: it creates a key and prints its public part. Keep the file outside the checkout and set SOPS_AGE_KEY_FILE
     to its path (default: sops/age/keys.txt in your configuration folder, ~/.config on Linux).
  2. Add a rule to .sops.yaml at the top of the checkout ({FOLDER}/.sops.yaml.example explains it):
{}
  3. Run `{}`: it encrypts the passwords and changes none.",
        example_of_a_rule("       "),
        subject.new_command()
    )
}

fn example_of_a_rule(indent: &str) -> String {
    SOPS_RULE.lines().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
}
