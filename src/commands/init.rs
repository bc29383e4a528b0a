//! `virtpy init`: begin a project.

use crate::cli::InitArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{NewProject, project_folder};

pub(super) fn run(context: &Context, arguments: &InitArguments) -> Result<u8, Failure> {
    let interpreter = context.host.wanted_interpreter(arguments.python.as_deref())?;
    let python = format!("{}.{}", interpreter.version.major, interpreter.version.minor);
    let project = NewProject {
        folder: project_folder(&context.working_directory, arguments.directory.as_deref()),
        name: arguments.name.clone(),
        backend: arguments.backend.backend(),
        python,
    };
    for file in project.make()? {
        context.output.message(format_args!("Wrote `{}`", context.host.shown(&file)));
    }
    Ok(0)
}
