//! Containers that run a script with the login of a service.

use super::EnvVar;
use crate::expr::env_value;
use crate::graph::{EnvBinding, EnvValue, Graph, LoginScripts, Runner, Script};
use crate::text::scalar;

/// The command line of a script in this folder.
pub(crate) fn command(script: &Script, folder: &str) -> Vec<String> {
    let program: &[&str] = match script.runner {
        Runner::Python => PYTHON,
        Runner::ServerImage => &["sh"],
    };
    let words = program.iter().copied().map(str::to_owned);
    words.chain([format!("{folder}/{}", script.file)]).chain(script.arguments.iter().map(ToString::to_string)).collect()
}

/// Python without what the image adds to it (`-I`), without site packages, which halves its start (`-S`), and without writing (`-B`).
pub(crate) const PYTHON: &[&str] = &["python3", "-ISB"];

/// The variables of the scripts; `secret` is the name of the service's Secret, as text.
pub(crate) fn env(graph: &Graph, scripts: &LoginScripts, secret: &str) -> Vec<EnvVar> {
    let variable = |EnvBinding { variable, value }: &EnvBinding| match value {
        EnvValue::SecretKey(key) => EnvVar::of_secret(variable, secret, &scalar(key)),
        value => EnvVar::new(variable, env_value(graph, value)),
    };
    scripts.env.iter().map(variable).collect()
}
