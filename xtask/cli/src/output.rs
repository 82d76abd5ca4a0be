//! Standard output of a command.

use std::io::{self, ErrorKind, Write};

/// A writer that ignores a closed pipe, as in `cargo xtask generate --check | head -1`: further output is discarded, and the command keeps its exit
/// code.
pub(crate) struct Output<W> {
    writer: W,
    is_closed: bool,
}

impl<W: Write> Output<W> {
    pub(crate) const fn new(writer: W) -> Self {
        Self { writer, is_closed: false }
    }

    /// The result of `write`, or `discarded` once the pipe is closed.
    fn unless_closed<T>(&mut self, discarded: T, write: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.is_closed {
            return Ok(discarded);
        }
        match write(&mut self.writer) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(discarded)
            }
            result => result,
        }
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_closed(bytes.len(), |writer| writer.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_closed((), Write::flush)
    }
}
