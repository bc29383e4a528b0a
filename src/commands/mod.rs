//! One short file per command: arguments and context in, calls, output.

mod add;
mod check;
mod compile;
mod detach;
mod freeze;
mod list;
mod list_all;
mod new;
mod path;
mod progress;
mod remove;
mod show;
mod tree;

use crate::cli::Command;
use crate::context::Context;
use crate::error::Failure;
use crate::output::Output;
use crate::venv::ChangeSummary;

/// Runs a command. Returns the exit code of one that went through: 0, or 1 where a check found something.
///
/// # Errors
/// When the command failed.
pub fn run(command: Command, output: Output) -> Result<u8, Failure> {
    let context = Context::new(output)?;
    match command {
        Command::New(arguments) => new::run(&context, &arguments),
        Command::Add(arguments) => add::run(&context, &arguments),
        Command::Detach(arguments) => detach::run(&context, &arguments),
        Command::Remove(arguments) => remove::run(&context, &arguments),
        Command::List(arguments) => list::run(&context, &arguments),
        Command::Freeze(arguments) => freeze::run(&context, &arguments),
        Command::Show(arguments) => show::run(&context, &arguments),
        Command::Check(arguments) => check::run(&context, &arguments),
        Command::Tree(arguments) => tree::run(&context, &arguments),
        Command::ListAll(arguments) => list_all::run(&context, &arguments),
        Command::Path(arguments) => Ok(path::run(&context, &arguments)),
    }
}

/// Says which paths were not touched because somebody else had changed them.
fn report_left_alone(output: Output, summary: &ChangeSummary) {
    for path in &summary.left_alone {
        output.warning(format_args!("`{path}` was changed since virtpy made it, and was left alone"));
    }
}
