//! `virtpy python find`.

use crate::cli::FindArguments;
use crate::context::Context;
use crate::error::Failure;

pub(super) fn run(context: &Context, arguments: &FindArguments) -> Result<u8, Failure> {
    let interpreter = context.host.wanted_interpreter(arguments.request.as_deref())?;
    context.output.data(interpreter.executable.display());
    Ok(0)
}
