//! The step `passwords`: git tracks no password in the clear, would add none, and ignores the files that are meant to be in the clear.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use generator::password_rules::SHORTEST;
use generator::{CredentialPath, password_files};
use helm_values::{is_encrypted, scalars};

use super::context::VerifyContext;
use super::report::Outcome;

pub(super) fn untracked(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let Some(files) = listed(&context.root, &["ls-files", "--cached", "--others", "--exclude-standard", "-z"])? else {
        let why = format!("{} is in no work tree of git, so git can commit nothing", context.root);
        let outcome = Outcome::of("no file that git could track");
        return Ok(if context.strict { outcome.with(vec![why]) } else { outcome.noting(vec![why]) });
    };
    let mut wrong = Vec::new();
    let clear = clear_files(context)?;
    // The text of a password finds it in a file of any form. A short text occurs by chance.
    let known = clear.iter().flat_map(|text| found(text, &context.credentials));
    let known: BTreeSet<(String, String)> =
        known.filter(|(_, password)| password.chars().count() >= SHORTEST).collect();
    let mut checked = 0;
    for path in &files {
        // A file that is deleted and not committed is still listed.
        let Ok(bytes) = std::fs::read(context.root.join(path)) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        checked += 1;
        let is_generated = path
            .strip_prefix(owned_tree::FOLDER)
            .is_ok_and(|path| context.wanted.get(path).is_some_and(|generated| *generated == text));
        let names: BTreeSet<String> = if is_generated {
            BTreeSet::new()
        } else {
            let of_values = if is_values(path) { found(&text, &context.credentials) } else { Vec::new() };
            let repeated = known.iter().filter(|(_, password)| text.contains(password.as_str())).cloned();
            of_values.into_iter().chain(repeated).map(|(name, _)| name).collect()
        };
        if !names.is_empty() {
            let names = names.into_iter().collect::<Vec<_>>().join(", ");
            wrong.push(format!(
                "{path} contains passwords in the clear: {names}\n  Encrypt it with `cargo xtask secrets new`, or let git ignore it (`git rm --cached` if it is tracked). \
                 A password that was committed stays in\n  git's history: replace it."
            ));
        } else if path.as_str().ends_with(password_files::PLAINTEXT) {
            wrong.push(format!("git does not ignore {path}, whose name says that it contains passwords in the clear"));
        }
    }
    wrong.extend(not_ignored(context)?);
    Ok(Outcome::of(format!("{checked} files")).with(wrong))
}

/// The paths that git prints, relative to the folder; `None` outside a work tree.
fn listed(root: &Utf8Path, arguments: &[&str]) -> anyhow::Result<Option<Vec<Utf8PathBuf>>> {
    let output = match Command::new("git").args(arguments).current_dir(root).env("LC_ALL", "C").output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context("cannot run git"),
    };
    if !output.status.success() {
        if String::from_utf8_lossy(&output.stderr).contains("not a git repository") {
            return Ok(None);
        }
        bail!("git {} fails in {root}", arguments.join(" "));
    }
    let paths = String::from_utf8_lossy(&output.stdout);
    Ok(Some(paths.split('\0').filter(|path| !path.is_empty()).map(Utf8PathBuf::from).collect()))
}

/// The texts of the files beside the chart that contain passwords in the clear, which git ignores.
fn clear_files(context: &VerifyContext) -> anyhow::Result<Vec<String>> {
    let mut texts = Vec::new();
    for folder in [context.folder.clone(), context.folder.join("environments")] {
        let Ok(entries) = folder.read_dir_utf8() else { continue };
        for entry in entries {
            let path = entry?.into_path();
            if path.as_str().ends_with(password_files::PLAINTEXT) {
                texts.push(std::fs::read_to_string(&path).with_context(|| path.to_string())?);
            }
        }
    }
    Ok(texts)
}

/// The files that `secrets new --plaintext` writes by default, and that git does not ignore.
fn not_ignored(context: &VerifyContext) -> anyhow::Result<Vec<String>> {
    if context.credentials.is_empty() {
        return Ok(Vec::new());
    }
    let mut wrong = Vec::new();
    for environment in context.moving_tags.keys() {
        let path = Utf8Path::new(owned_tree::FOLDER).join("environments").join(password_files::plaintext(environment));
        let ignored =
            Command::new("git").args(["check-ignore", "--quiet", path.as_str()]).current_dir(&context.root).status()?;
        if ignored.code() == Some(1) {
            let remedy = format!(
                "run `cargo xtask generate`, which writes {}/.gitignore, and remove rules that undo it",
                owned_tree::FOLDER
            );
            wrong.push(format!("git does not ignore {path}\n  {remedy}"));
        }
    }
    Ok(wrong)
}

fn is_values(path: &Utf8Path) -> bool {
    matches!(path.extension(), Some("yaml" | "yml" | "json"))
}

/// The passwords in the clear in a values file, with the names of their credentials: a value at the path of a declared credential, below any other
/// keys, or of a credential that is not declared any more.
fn found(text: &str, declared: &[CredentialPath]) -> Vec<(String, String)> {
    // What Helm cannot read as values is a template, or no values file.
    let documents = helm_values::documents(text).unwrap_or_default();
    let all = documents.iter().flat_map(scalars);
    let clear = all.filter_map(|(path, value)| {
        let password = value.as_str().map_or_else(|| generator::yaml::write(value), str::to_owned);
        if is_encrypted(&password) {
            return None;
        }
        if let Some(credential) = declared.iter().find(|credential| path.ends_with(&credential.value)) {
            return Some((credential.name.clone(), password));
        }
        let [.., owner, credentials, key, field] = path.as_slice() else { return None };
        let is_credential = credentials == "credentials" && matches!(field.as_str(), "password" | "value");
        is_credential.then(|| (format!("{owner}.{key}"), password))
    });
    clear.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let platform = second_platform::platform().resolve().expect("the platform resolves");
        found(text, &generator::credential_paths(&platform)).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn passwords_are_found_at_their_paths_and_below_other_keys() {
        let declared =
            generator::credential_paths(&second_platform::platform().resolve().expect("the platform resolves"));
        for credential in &declared {
            let mut tree = serde_yaml::Value::Null;
            generator::yaml::put(&mut tree, &credential.value, "hunter2-hunter2".into());
            let text = generator::yaml::write(&tree);
            assert_eq!(names(&text), [credential.name.as_str()]);
            assert_eq!(names(&format!("subchart:\n  {}", text.replace('\n', "\n  "))), [credential.name.as_str()]);
            assert_eq!(names(&text.replace("hunter2-hunter2", "1_234")), [credential.name.as_str()]);
            assert!(names(&text.replace("hunter2-hunter2", "ENC[AES256_GCM,data:x]")).is_empty());
            assert!(names(&text.replace("hunter2-hunter2", "\"\"")).is_empty());
        }
        assert_eq!(names("old: {credentials: {broker: {password: hunter2, revision: 2}}}"), ["old.broker"]);
        assert!(names("a: {{ template }}\npassword: x").is_empty());
    }
}
