//! `virtpy python`: interpreters, where they come from and what becomes of them.

mod build_index;
mod find;
mod hand_over;
pub(super) mod install;
pub(super) mod list;
mod pin;
pub(super) mod show;
mod uninstall;
mod update;
mod update_index;

pub(super) use hand_over::{newest, poetry};
pub(super) use update_index::run as refresh_index;

use crate::cli::{PythonArguments, PythonCommand};
use crate::context::Context;
use crate::error::Failure;

pub(super) fn run(context: &Context, arguments: &PythonArguments) -> Result<u8, Failure> {
    match &arguments.command {
        PythonCommand::Install(arguments) => install::run(context, arguments),
        PythonCommand::List(arguments) => list::run(context, arguments),
        PythonCommand::Find(arguments) => find::run(context, arguments),
        PythonCommand::Show(arguments) => show::run(context, arguments),
        PythonCommand::Update(arguments) => update::run(context, arguments),
        PythonCommand::Uninstall(arguments) => uninstall::run(context, arguments),
        PythonCommand::Pin(arguments) => pin::run(context, arguments),
        PythonCommand::Dir => {
            context.output.data(context.store.pythons().display());
            Ok(0)
        }
        PythonCommand::Use(arguments) => hand_over::run(context, arguments),
        PythonCommand::UpdateIndex(_) => update_index::run(context),
        PythonCommand::BuildIndex(arguments) => build_index::run(context, arguments),
    }
}
