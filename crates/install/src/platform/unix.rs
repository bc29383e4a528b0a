//! Unix: sessions, priorities, pipes.

use std::fs::FileType;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Starts another program and does not wait for it: then nobody who takes the place of this process by exec(2) has a child
/// that it knows nothing of.
const DETACH: &str = "\"$@\" &";

/// Starts a program that nobody waits for; `prepare` gives it its arguments and what it works with.
pub(crate) fn start_apart(program: &Path, prepare: impl Fn(&mut Command) -> &mut Command) -> io::Result<()> {
    let mut shell = Command::new("/bin/sh");
    match prepare(shell.args(["-c", DETACH, "sh"]).arg(program)).spawn() {
        Ok(mut shell) => shell.wait().map(drop),
        // There is no shell in some containers.
        Err(_) => prepare(&mut Command::new(program)).spawn().map(drop),
    }
}

/// Leaves the terminal, and lets everybody else go first.
pub(crate) fn step_back() {
    // The leader of a group, which a shell has started by hand, stays in its session.
    let _ = rustix::process::setsid();
    let _ = rustix::process::nice(19);
    let process = std::process::id().to_string();
    let mut idle = Command::new("ionice");
    idle.args(["-c", "3", "-p", &process]);
    let idle = idle.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    // It is not everywhere.
    let _ = idle;
}

/// Whether something gives its content only once.
pub(crate) fn is_stream(kind: FileType) -> bool {
    kind.is_fifo() || kind.is_char_device()
}
