//! `virtpy remote pull`: take the bytecode of what a venv uses from the remote, now.

use super::configured;
use crate::cli::RemotePullArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Environment, Indexes, bytecode};
use crate::output::counted;

pub(super) fn run(context: &Context, arguments: &RemotePullArguments) -> Result<u8, Failure> {
    let remote = configured(context)?;
    let venv = context.venv_to_change(&arguments.venv)?;
    let indexes = Indexes::new(arguments.index.options());
    let environment = Environment::open(&context.host, venv, &indexes)?;
    let count = bytecode::pull(&environment, &remote)?;
    let address = &remote.settings().address;
    for news in remote.news() {
        context.output.warning(news);
    }
    if let Some(reason) = remote.failure() {
        return Err(Failure::new(format!("the remote `{address}` does not answer: {reason}")));
    }
    context.output.message(format_args!("Took {} from `{address}`", counted(count, "compiled module")));
    Ok(0)
}
