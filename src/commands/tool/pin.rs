//! `virtpy pin` and `virtpy unpin`.

use super::each;
use crate::cli::ToolPinArguments;
use crate::context::Context;
use crate::error::Failure;

pub(super) fn run(context: &Context, arguments: &ToolPinArguments, pinned: bool) -> Result<u8, Failure> {
    each(context, &arguments.names, &|name| {
        let tool = context.host.pin_tool(name, pinned)?;
        let now = if pinned { "stays at" } else { "may be upgraded from" };
        context.output.message(format_args!("{} {now} {}", tool.name, tool.manifest.version));
        Ok(())
    })
}
