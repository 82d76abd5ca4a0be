//! `kubectl` commands on the current kube context.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::error::Error;
use super::process::{self, CommandOutput};

const LIMIT: Duration = Duration::from_mins(1);

/// Runs kubectl; a failure is not an error.
pub fn try_run(arguments: &[&str], input: &str) -> Result<CommandOutput, Error> {
    process::run(command(arguments), input, LIMIT, false)
}

/// Runs kubectl and returns its standard output.
pub fn run(arguments: &[&str]) -> Result<String, Error> {
    try_run(arguments, "")?.ok(&called(arguments))
}

/// Runs kubectl for cleanup, even after a signal.
pub fn tidy(arguments: &[&str]) -> Result<String, Error> {
    process::run(command(arguments), "", LIMIT, true)?.ok(&called(arguments))
}

/// Runs kubectl with `--output=json` and parses the result.
pub fn json(arguments: &[&str]) -> Result<Value, Error> {
    let arguments: Vec<_> = arguments.iter().copied().chain(["--output=json"]).collect();
    parsed(&called(&arguments), &run(&arguments)?)
}

/// Runs kubectl with `--output=json` and returns the items of the list.
pub fn items(arguments: &[&str]) -> Result<Vec<Value>, Error> {
    let mut list = json(arguments)?;
    Ok(match list["items"].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    })
}

/// Creates or updates an object and returns the API server's warnings.
pub fn apply(object: &Value) -> Result<String, Error> {
    let output = try_run(&["apply", "--filename=-"], &object.to_string())?;
    let warnings = output.err.clone();
    output.ok("kubectl apply")?;
    Ok(warnings)
}

/// Runs a program in a pod; a failure is not an error.
pub fn exec(namespace: &str, pod: &str, words: &[&str]) -> Result<CommandOutput, Error> {
    let arguments: Vec<_> = ["exec", "--namespace", namespace, pod, "--"].iter().chain(words).copied().collect();
    try_run(&arguments, "")
}

/// Parses JSON text; errors name its source `what`.
pub fn parsed(what: &str, text: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(|error| Error::Unreadable { what: what.to_owned(), why: error.to_string() })
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("kubectl");
    command.args(arguments);
    command
}

fn called(arguments: &[&str]) -> String {
    format!("kubectl {}", arguments.iter().take(6).copied().collect::<Vec<_>>().join(" "))
}
