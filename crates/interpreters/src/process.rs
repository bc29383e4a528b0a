//! Waits for a started program that may hang or print without end.

use std::io::Read;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::{Error, platform};

/// How many bytes of output are read, many times what the facts need.
const OUTPUT_LIMIT: u64 = 1 << 20;

/// A started interpreter, which is ended when this is dropped.
pub(super) struct Running<'a> {
    child: Child,
    executable: &'a Path,
    timeout: Duration,
    deadline: Instant,
}

impl<'a> Running<'a> {
    /// Watches a child that leads its own process group and whose output is piped.
    pub(super) fn new(child: Child, executable: &'a Path, timeout: Duration) -> Self {
        Self { child, executable, timeout, deadline: Instant::now() + timeout }
    }

    /// Waits for its end; returns its status, its output and what it wrote to standard error.
    pub(super) fn finish(mut self) -> Result<(ExitStatus, Vec<u8>, String), Error> {
        let output = read_in_background(self.child.stdout.take());
        let errors = read_in_background(self.child.stderr.take());
        let output = self.receive(&output)?;
        let errors = String::from_utf8_lossy(&self.receive(&errors)?).into_owned();
        // Standard output and error are closed now, so the end is a matter of a few milliseconds.
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok((status, output, errors)),
                Ok(None) if Instant::now() < self.deadline => std::thread::sleep(Duration::from_millis(1)),
                Ok(None) => return Err(self.timed_out()),
                Err(source) => {
                    return Err(Error::Start { executable: self.executable.to_path_buf(), source });
                }
            }
        }
    }

    fn receive(&self, stream: &Receiver<Vec<u8>>) -> Result<Vec<u8>, Error> {
        match stream.recv_timeout(self.deadline.saturating_duration_since(Instant::now())) {
            Ok(bytes) if bytes.len() as u64 > OUTPUT_LIMIT => Err(Error::NotPython {
                executable: self.executable.to_path_buf(),
                reason: "it prints without end".to_owned(),
            }),
            Ok(bytes) => Ok(bytes),
            Err(RecvTimeoutError::Timeout) => Err(self.timed_out()),
            Err(RecvTimeoutError::Disconnected) => Ok(Vec::new()),
        }
    }

    fn timed_out(&self) -> Error {
        Error::TimedOut { executable: self.executable.to_path_buf(), seconds: self.timeout.as_secs() }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        platform::end_with_children(&mut self.child);
        drop(self.child.wait());
    }
}

/// Reads a stream to its end or just past the limit, on a thread of its own, which may outlive the caller.
fn read_in_background<R: Read + Send + 'static>(stream: Option<R>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(stream) = stream {
            // What was read before a failure is judged like any other answer.
            drop(stream.take(OUTPUT_LIMIT + 1).read_to_end(&mut bytes));
        }
        drop(sender.send(bytes));
    });
    receiver
}

/// Why an interpreter did not do as it was told, from what it wrote to standard error, on one line: the exception, if it names
/// one. An interpreter that cannot even begin says more behind that: what it was about to do, and where its threads are.
pub(super) fn reason(errors: &str) -> String {
    let lines = || errors.lines().rev().map(str::trim_end).filter(|line| !line.trim().is_empty());
    let is_fatal = |line: &&str| line.starts_with("Fatal Python error: ");
    let line = lines().find(|line| is_exception(line)).or_else(|| lines().find(is_fatal));
    let line = line.or_else(|| lines().next()).unwrap_or_default();
    line.trim().chars().filter(|character| !character.is_control()).take(200).collect()
}

/// Whether a line ends a traceback: `OSError: [Errno 5] Input/output error`.
fn is_exception(line: &str) -> bool {
    let Some((name, _)) = line.split_once(": ") else { return false };
    let is_name = name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.'));
    is_name && (name.ends_with("Error") || name.ends_with("Exception"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_exception_or_else_the_end() {
        for (errors, expected) in [
            (
                "Traceback (most recent call last):\n  File \"x\", line 1\nOSError: [Errno 5] I/O\n",
                "OSError: [Errno 5] I/O",
            ),
            (
                "Exception ignored error evaluating path:\nTraceback (most recent call last):\n  File \"<frozen getpath>\"\n\
                 OSError: [Errno 5] I/O\nFatal Python error: error evaluating path\nPython runtime state: core\n\n\
                 Current thread 0x0 (most recent call first):\n  <no Python frame>\n",
                "OSError: [Errno 5] I/O",
            ),
            (
                "Fatal Python error: init_sys: no memory\nPython runtime state: core\n\nCurrent thread 0x0:\n  <none>",
                "Fatal Python error: init_sys: no memory",
            ),
            (
                "python: not found: 3.12\n\u{1b}[31mpyenv\u{1b}[0m: no such version\n\n",
                "[31mpyenv[0m: no such version",
            ),
            ("", ""),
        ] {
            assert_eq!(reason(errors), expected);
        }
    }
}
