//! `virtpy tool repair`: applications whose interpreter or packages are gone get them again, in the same versions.

use super::each;
use super::report::Reports;
use crate::cli::RepairToolsArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::tools::Toolbox;

pub(super) fn run(context: &Context, arguments: &RepairToolsArguments) -> Result<u8, Failure> {
    let toolbox = Toolbox::new(&context.store);
    let names = if arguments.names.is_empty() {
        let is_broken = |name: &String| {
            toolbox.open(name).ok().flatten().is_none_or(|tool| context.host.tool_problem(&tool).is_some())
        };
        toolbox.names()?.into_iter().filter(is_broken).collect()
    } else {
        arguments.names.clone()
    };
    if names.is_empty() {
        context.output.message("Nothing to do: no application is broken");
    }
    each(context, &names, &|name| {
        match context.host.repair_tool(name, arguments.python.as_ref())? {
            Some(outcome) => Reports::new(context, false).tell("Repaired", &outcome),
            None => context.output.message(format_args!("{} is not broken", context.host.tool(name)?.name)),
        }
        Ok(())
    })
}
