//! Windows: a program is ended by itself. What it has started goes on, since a group that ends as a whole (a job) is not to be had
//! without `unsafe`; nobody waits for it.

use std::path::Path;
use std::process::{Child, Command};

use virtpy_files::Stamp;

/// There are no groups to lead.
pub(crate) fn lead_group(command: &mut Command) -> &mut Command {
    command
}

/// Ends a program.
pub(crate) fn end_with_children(child: &mut Child) {
    // It may have ended by itself just now.
    let _ = child.kill();
}

/// What changes whenever the kernel is updated: its file. Where that is not found it is a text that no other time has, so that nothing
/// remembered counts.
pub(crate) fn kernel() -> String {
    let folder = std::env::var_os("SystemRoot").unwrap_or_default();
    let file = Path::new(&folder).join("System32").join("ntoskrnl.exe");
    let stamp = Stamp::of(&file).map(|stamp| format!("{}.{:09}", stamp.modified.0, stamp.modified.1));
    stamp.unwrap_or_else(|| format!("unknown {:?}", std::time::SystemTime::now()))
}
