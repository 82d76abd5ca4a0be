//! A registry on the loopback interface, for tests.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use tools::Tool;

/// A running registry. It ends when this value is dropped.
#[derive(Debug)]
pub struct LoopbackRegistry {
    process: Child,
    address: String,
    reader: Option<JoinHandle<()>>,
}

/// A login that the registry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HtpasswdFile(pub Utf8PathBuf);

impl LoopbackRegistry {
    /// Starts a registry that keeps its content below `folder`, on a free port.
    ///
    /// # Errors
    /// If the registry is not available or does not start.
    pub fn start(folder: &Utf8Path, login: Option<&HtpasswdFile>) -> anyhow::Result<Self> {
        let binary = Tool::Registry.ensure()?;
        let login = login.map_or(String::new(), |HtpasswdFile(path)| {
            format!("auth: {{htpasswd: {{realm: charts, path: \"{path}\"}}}}\n")
        });
        let configuration = folder.join("registry.yaml");
        let text = format!(
            "version: 0.1\nlog: {{level: info, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: \"{folder}/content\"}}}}\n\
             http: {{addr: \"127.0.0.1:0\", secret: loopback}}\n{login}"
        );
        fs::write(&configuration, text).with_context(|| format!("cannot write {configuration}"))?;
        let mut command = Command::new(&binary.path);
        command.args(["serve", configuration.as_str()]);
        // The registry sends traces to its own port by default.
        command.env("OTEL_TRACES_EXPORTER", "none");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().with_context(|| format!("cannot run {}", binary.path))?;
        let log = process.stderr.take();
        // Ends the process also if it does not start well.
        let mut started = Self { process, address: String::new(), reader: None };
        let mut log = BufReader::new(log.context("the registry has no standard error")?);
        let mut said = String::new();
        loop {
            let before = said.len();
            if log.read_line(&mut said)? == 0 {
                bail!("the registry does not start: {said}");
            }
            let line = &said[before..];
            let address = line.split_once("listening on ").and_then(|(_, rest)| rest.split(['"', ' ']).next());
            if let Some(address) = address {
                address.clone_into(&mut started.address);
                // A full pipe would stop the registry.
                started.reader = Some(thread::spawn(move || drop(log.read_to_end(&mut Vec::new()))));
                return Ok(started);
            }
        }
    }

    /// Its host and port, such as `127.0.0.1:40123`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for LoopbackRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
