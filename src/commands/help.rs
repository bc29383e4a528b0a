//! `virtpy help`: what a command or a topic is about.

use crate::cli::{HelpArguments, help_about};
use crate::context::Context;
use crate::error::Failure;

pub(super) fn run(context: &Context, arguments: &HelpArguments) -> Result<u8, Failure> {
    let asked = arguments.words.join(" ");
    let text = help_about(&arguments.words).ok_or_else(|| {
        Failure::usage(format!("there is no command `{asked}`"))
            .hinted("`virtpy help` lists the commands; `virtpy help index` says where packages come from")
    })?;
    context.output.help(&text);
    Ok(0)
}
