//! Unix: groups of processes, and the kernel's name.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process_group};

/// Lets a program lead a group of its own, in which is what it starts.
pub(crate) fn lead_group(command: &mut Command) -> &mut Command {
    command.process_group(0)
}

/// Ends a program that leads a group, and the rest of that.
pub(crate) fn end_with_children(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by itself just now.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// What changes whenever the kernel is updated.
pub(crate) fn kernel() -> String {
    let kernel = rustix::system::uname();
    format!("{} {}", kernel.release().to_string_lossy(), kernel.version().to_string_lossy())
}
