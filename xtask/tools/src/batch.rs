//! Renders with a program that runs `helm template` and `helm lint` many times in one process (`helm3/batch.go`, `helm4/batch.go`).
//!
//! A process renders one chart at a time. Each thread that renders takes an idle process, or starts one. The processes end with this one, because their
//! standard input then ends.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
    sync::{Mutex, PoisonError},
};

use camino::Utf8PathBuf;

use crate::{Rendered, ToolBinary, ToolError};

/// The processes that wait for a request, by their program.
static IDLE: Mutex<Vec<(Utf8PathBuf, Process)>> = Mutex::new(Vec::new());

/// Runs Helm with these arguments, and returns its output or its error message.
pub(crate) fn run(binary: &ToolBinary, arguments: &[&str]) -> Result<Rendered, ToolError> {
    let mut process = match take(binary) {
        Some(process) => process,
        None => Process::start(binary).map_err(ToolError::io("run", &binary.path))?,
    };
    match process.ask(arguments) {
        Ok(rendered) => {
            let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push((binary.path.clone(), process));
            Ok(rendered)
        }
        // The program has said why on standard error.
        Err(error) => {
            let ended = process.end();
            let output =
                format!("it gave no answer ({error}); {ended}; its message, if it has one, stands before this one");
            Err(ToolError::Failed { path: binary.path.clone(), output })
        }
    }
}

fn take(binary: &ToolBinary) -> Option<Process> {
    let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let position = idle.iter().position(|(path, _)| *path == binary.path)?;
    Some(idle.swap_remove(position).1)
}

struct Process {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    fn start(binary: &ToolBinary) -> io::Result<Self> {
        let mut child = binary.command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (requests, answers) = pipes.ok_or_else(|| io::Error::other("it has no pipes"))?;
        Ok(Self { child, requests, answers: BufReader::new(answers) })
    }

    fn ask(&mut self, arguments: &[&str]) -> io::Result<Rendered> {
        let mut request = serde_json::to_vec(arguments)?;
        request.push(b'\n');
        self.requests.write_all(&request)?;
        self.requests.flush()?;
        let mut head = String::new();
        self.answers.read_line(&mut head)?;
        let unreadable = || io::Error::other(format!("its answer begins with {head:?}"));
        let (word, length) = head.trim_end().split_once(' ').ok_or_else(unreadable)?;
        let mut text = vec![0; length.parse().map_err(|_| unreadable())?];
        self.answers.read_exact(&mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        match word {
            "ok" => Ok(Ok(text)),
            "error" => Ok(Err(text)),
            _ => Err(unreadable()),
        }
    }

    /// Ends the process, and says how it ended.
    fn end(mut self) -> String {
        drop(self.requests);
        drop(self.answers);
        self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}
