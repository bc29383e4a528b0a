//! Starting again with another environment, which a process cannot give itself.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::error::Failure;

/// If an operation stopped because git needs settings in its environment, begins it anew with them. Nothing was changed by then.
/// Returns what is to be said in place of `failure`.
pub fn for_git(failure: Failure) -> Failure {
    let Some(settings) = failure.git_settings() else { return failure };
    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => return Failure::new(format!("cannot start again: {error}")),
    };
    let mut words = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = words.next() {
        command.arg0(name);
    }
    command.args(words);
    virtpy_resolver::add_git_settings(&mut command, settings);
    crate::fs::restore_umask();
    Failure::new(format!("cannot start again: {}", command.exec()))
}
