//! Child processes with a time limit, stopped when this process is interrupted.

use std::io::{Read, Write as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::error::Error;

/// Set by control-c and SIGTERM.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Installs the signal handler: the first control-c or SIGTERM stops the run early with cleanup, the second exits at once.
pub fn end_on_signal() -> Result<(), Error> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .map_err(|error| Error::Signals(error.to_string()))
}

/// Whether a signal has interrupted this process.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Exit status and output of a program.
#[derive(Debug)]
pub struct CommandOutput {
    /// Whether it exited with 0.
    pub success: bool,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl CommandOutput {
    /// The standard output, if the program succeeded.
    pub fn ok(self, what: &str) -> Result<String, Error> {
        if self.success { Ok(self.out) } else { Err(Error::Failed { what: what.to_owned(), output: self.all() }) }
    }

    /// Standard error and standard output, for a message.
    #[must_use]
    pub fn all(&self) -> String {
        [self.err.trim_end(), self.out.trim_end()]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Runs a command with `input` on its standard input and kills it after `limit`.
///
/// A signal kills it too, except with `tidying`: cleanup commands run even after a signal.
pub fn run(mut command: Command, input: &str, limit: Duration, tidying: bool) -> Result<CommandOutput, Error> {
    let name = name(&command);
    let cannot = |source| Error::CannotRun { what: name.clone(), source };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(cannot)?;
    let (mut stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(mut stdin) = stdin.take() {
                // A program that exits without reading its input reports the reason on standard error.
                let _ = stdin.write_all(input.as_bytes());
            }
        });
        let out = scope.spawn(|| all_of(stdout));
        let err = scope.spawn(|| all_of(stderr));
        let until = Instant::now() + limit;
        let status = loop {
            if let Some(status) = child.try_wait().map_err(cannot)? {
                break Ok(status);
            }
            let late = Instant::now() >= until;
            if late || (interrupted() && !tidying) {
                child.kill().map_err(cannot)?;
                child.wait().map_err(cannot)?;
                break Err(if late { Error::TooLong { what: name.clone(), limit } } else { Error::Interrupted });
            }
            thread::sleep(Duration::from_millis(20));
        };
        let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
        Ok(CommandOutput { success: status?.success(), out, err })
    })
}

fn all_of(stream: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        // What was read before a pipe broke is worth showing.
        let _ = stream.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The command as one would type it, shortened: programs in its arguments are of no interest in a message.
fn name(command: &Command) -> String {
    let program =
        camino::Utf8Path::new(command.get_program().to_str().unwrap_or("?")).file_name().unwrap_or("?").to_owned();
    let words = command.get_args().map(|word| {
        let word = word.to_string_lossy();
        let first = word.lines().next().unwrap_or_default().chars().take(60).collect::<String>();
        if first.len() < word.len() { format!("{first}…") } else { first }
    });
    std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ")
}

/// Asks again and again until there is an answer; what was lacking last is the error.
pub fn until<T>(
    limit: Duration,
    pause: Duration,
    mut ask: impl FnMut() -> anyhow::Result<Result<T, String>>,
) -> anyhow::Result<T> {
    let end = Instant::now() + limit;
    loop {
        match ask()? {
            Ok(answer) => return Ok(answer),
            Err(lacking) if Instant::now() >= end => return Err(Error::NotInTime { lacking, limit }.into()),
            Err(_) => sleep(pause)?,
        }
    }
}

/// Waits, but not beyond a signal.
pub fn sleep(time: Duration) -> Result<(), Error> {
    let end = Instant::now() + time;
    loop {
        if interrupted() {
            return Err(Error::Interrupted);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(Duration::from_millis(200)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_gets_its_input_and_is_heard() {
        let output = run(shell("cat; echo no >&2; exit 3"), "yes", Duration::from_secs(10), false).expect("it runs");
        assert_eq!((output.success, output.out.as_str(), output.err.as_str()), (false, "yes", "no\n"));
        let error = output.ok("the program").expect_err("it failed").to_string();
        assert_eq!(error, "the program failed: no\nyes");
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let error = run(shell("exec sleep 60"), "", Duration::from_millis(50), false).expect_err("it is ended");
        assert!(matches!(error, Error::TooLong { .. }), "{error}");
    }

    #[test]
    fn what_does_not_come_in_time_is_named() {
        let never = || Ok(Err::<(), _>("the moon".to_owned()));
        let error = until(Duration::ZERO, Duration::ZERO, never).expect_err("it never comes");
        assert_eq!(error.to_string(), "timed out after 0 s: the moon");
    }
}
