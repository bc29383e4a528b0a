//! Windows: a process has its priority and its console from its start on.

use std::fs::FileType;
use std::io;
use std::os::windows::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// It has no console.
const DETACHED_PROCESS: u32 = 0x8;
/// It runs when nobody else does.
const IDLE_PRIORITY_CLASS: u32 = 0x40;
/// ^C is not for it.
const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;

/// Starts a program that nobody waits for; `prepare` gives it its arguments and what it works with.
pub(crate) fn start_apart(program: &Path, prepare: impl Fn(&mut Command) -> &mut Command) -> io::Result<()> {
    let mut command = Command::new(program);
    command.creation_flags(DETACHED_PROCESS | IDLE_PRIORITY_CLASS | CREATE_NEW_PROCESS_GROUP);
    prepare(&mut command).spawn().map(drop)
}

/// Lets everybody else go first, as [`start_apart`] has seen to.
pub(crate) fn step_back() {}

/// Whether something gives its content only once: what is named by a path does not.
pub(crate) fn is_stream(_kind: FileType) -> bool {
    false
}
