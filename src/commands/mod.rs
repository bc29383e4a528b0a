//! One short file per command: arguments and context in, calls, output.

mod add;
mod adopt;
mod cache;
mod check;
pub mod completions;
mod detach;
mod export;
mod follow;
mod freeze;
mod help;
mod hook;
mod init;
pub mod isopy;
#[cfg(test)]
mod json_page;
mod kernel;
mod list;
mod list_all;
mod listing;
mod lock;
mod man;
mod new;
mod path;
mod pip;
mod places;
mod plugins;
mod poetry;
mod poetry_install;
mod python;
mod relink;
mod remote;
mod remove;
mod run;
mod save;
mod seed;
mod show;
mod store;
mod sync;
mod tool;
mod tree;
mod why;

use crate::cli::{ApplicationCommand, Command, ToolCommand};
use crate::context::Context;
use crate::error::Failure;
use crate::install;
use crate::output::Output;

/// Runs a command. Returns the exit code of one that went through: 0, or 1 where a check found something.
///
/// # Errors
/// When the command failed.
pub fn run(command: Command, output: Output) -> Result<u8, Failure> {
    let mut context = Context::new(output)?;
    if matches!(
        command,
        Command::Application(_) | Command::Tool(_) | Command::EnsurePath(_) | Command::Path(_)
    ) {
        context = context.with_commands_in_place()?;
    }
    let changes = matches!(
        command,
        Command::Add(_)
            | Command::Sync(_)
            | Command::Remove(_)
            | Command::Pip(_)
            | Command::PoetryInstall(_)
            | Command::Application(ApplicationCommand::Install(_) | ApplicationCommand::Upgrade(_))
    );
    if tells_news(&command) {
        install::bytecode::tell(&context.host);
    }
    let code = dispatch(&context, command)?;
    if changes {
        // The venvs' own pip finds the program by it; where there is none, nobody asks for it.
        let _ = context.refresh_program();
    }
    if changes && let Err(failure) = store::automatic(&context) {
        // What was asked for is done; that the store could not be tidied up is only worth a note.
        context.output.warning(format_args!("the store was not collected: {failure}"));
    }
    Ok(code)
}

/// Whether a command is one that says what was found in the store since the last one: who runs it looks at its messages, as
/// those do not who call the venvs' pip, and shells that ask for a path when they start.
fn tells_news(command: &Command) -> bool {
    match command {
        Command::Path(_)
        | Command::Pip(_)
        | Command::Seed(_)
        | Command::Completions(_)
        | Command::Help(_) => false,
        Command::Store(arguments) => !arguments.is_in_background(),
        _ => true,
    }
}

fn dispatch(context: &Context, command: Command) -> Result<u8, Failure> {
    match command {
        Command::New(arguments) => new::run(context, &arguments),
        Command::Add(arguments) => add::run(context, &arguments),
        Command::Sync(arguments) => sync::run(context, &arguments),
        Command::Lock(arguments) => lock::run(context, *arguments),
        Command::Adopt(arguments) => adopt::run(context, &arguments),
        Command::Detach(arguments) => detach::run(context, &arguments),
        Command::Relink(arguments) => relink::run(context, &arguments),
        Command::Export(arguments) => export::run(context, &arguments),
        Command::Remove(arguments) => remove::run(context, &arguments),
        Command::Init(arguments) => init::run(context, &arguments),
        Command::Run(arguments) => run::run(context, &arguments),
        Command::List(arguments) => list::run(context, &arguments),
        Command::Freeze(arguments) => freeze::run(context, &arguments),
        Command::Show(arguments) => show::run(context, &arguments),
        Command::Check(arguments) => check::run(context, &arguments),
        Command::Tree(arguments) => tree::run(context, &arguments),
        Command::Why(arguments) => why::run(context, &arguments),
        Command::Outdated(arguments) => list::run(context, &arguments.into()),
        Command::ListAll(arguments) => list_all::run(context, &arguments),
        Command::Application(command) => tool::run_application(context, command),
        Command::EnsurePath(arguments) => tool::run(context, ToolCommand::EnsurePath(arguments)),
        Command::Tool(arguments) => tool::run(context, arguments.command),
        Command::Enable(arguments) => plugins::enable(context, &arguments),
        Command::Disable(arguments) => plugins::disable(context, &arguments),
        Command::Status(arguments) => plugins::status(context, &arguments),
        Command::Hook(arguments) => hook::run(context, &arguments),
        Command::Kernel(arguments) => kernel::run(context, &arguments),
        Command::Seed(arguments) => seed::run(context, &arguments),
        Command::Poetry(arguments) => poetry::run(context, &arguments),
        Command::PoetryInstall(arguments) => poetry_install::run(context, &arguments),
        Command::Python(arguments) => python::run(context, &arguments),
        Command::Store(arguments) => store::run(context, &arguments),
        Command::Remote(arguments) => remote::run(context, &arguments),
        Command::Pip(arguments) => Ok(pip::run(context, &arguments)),
        Command::Path(arguments) => path::run(context, &arguments),
        Command::Help(arguments) => help::run(context, &arguments),
        Command::Completions(arguments) => completions::run(context, &arguments),
        Command::Man(arguments) => man::run(context, &arguments),
        Command::Cache(arguments) => cache::run(context, &arguments),
    }
}
