//! `virtpy install` and its relatives: applications on PATH.
//!
//! Everything that changes an application goes through [`install_tool`](crate::install::install_tool).

mod change;
mod each;
mod ensure_path;
mod export;
mod import_pipx;
mod install;
pub(super) mod list;
mod pin;
mod repair;
pub(super) mod report;
mod run;
mod uninstall;

use self::each::{each, each_at_once};
use crate::cli::{ApplicationCommand, ToolCommand};
use crate::context::Context;
use crate::error::Failure;
use crate::tools::Toolbox;

pub(super) fn run(context: &Context, command: ToolCommand) -> Result<u8, Failure> {
    match command {
        ToolCommand::Application(command) => run_application(context, command),
        ToolCommand::List(arguments) => list::run(context, &arguments),
        ToolCommand::Run(arguments) => run::run(context, &arguments),
        ToolCommand::Repair(arguments) => repair::run(context, &arguments),
        ToolCommand::Export(arguments) => export::export(context, &arguments),
        ToolCommand::Sync(arguments) => export::sync(context, &arguments),
        ToolCommand::ImportPipx(arguments) => import_pipx::run(context, &arguments),
        ToolCommand::EnsurePath(arguments) => ensure_path::run(context, &arguments),
        ToolCommand::Dir(arguments) => {
            let folder = if arguments.bin { context.store.bin() } else { context.store.tools() };
            context.output.data(folder.display());
            Ok(0)
        }
    }
}

/// The commands that are called without `tool` as well.
pub(super) fn run_application(context: &Context, command: ApplicationCommand) -> Result<u8, Failure> {
    match command {
        ApplicationCommand::Install(arguments) => install::run(context, &arguments),
        ApplicationCommand::Uninstall(arguments) => uninstall::run(context, &arguments),
        ApplicationCommand::Upgrade(arguments) => change::upgrade(context, &arguments),
        ApplicationCommand::Reinstall(arguments) => change::reinstall(context, &arguments),
        ApplicationCommand::Inject(arguments) => change::inject(context, &arguments),
        ApplicationCommand::Uninject(arguments) => change::uninject(context, &arguments),
        ApplicationCommand::Pin(arguments) => pin::run(context, &arguments, true),
        ApplicationCommand::Unpin(arguments) => pin::run(context, &arguments, false),
    }
}

/// The applications that are named, or all of them.
fn chosen(context: &Context, names: &[String], all: bool) -> Result<Vec<String>, Failure> {
    if all { Ok(Toolbox::new(&context.store).names()?) } else { Ok(names.to_vec()) }
}

/// Says so if the commands cannot be found by their names.
fn warn_about_path(context: &Context) {
    let bin = context.store.bin();
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder == bin) {
        context
            .output
            .warning(format_args!("`{}` is not on PATH; `virtpy ensure-path` puts it there", bin.display()));
    }
}
