//! `virtpy freeze`: what is installed, in the form of a requirements file.

use crate::cli::FreezeArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::report;
use crate::venv::frozen;

pub(super) fn run(context: &Context, arguments: &FreezeArguments) -> Result<u8, Failure> {
    let venv = context.venv(&arguments.venv)?;
    let contents = report::contents(context, &venv)?;
    let mut block = String::new();
    for distribution in contents.visible().into_iter().filter(|one| !one.is_pip_shim()) {
        block.push_str(&frozen(distribution));
        block.push('\n');
    }
    context.output.data_block(&block);
    Ok(0)
}
