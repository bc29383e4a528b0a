//! `virtpy pin` and `virtpy unpin`.

use super::each;
use crate::cli::ToolPinArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::tools::Toolbox;

pub(super) fn run(context: &Context, arguments: &ToolPinArguments, pinned: bool) -> Result<u8, Failure> {
    each(context, &arguments.names, &|name| {
        let found = context.host.tool(name)?;
        let _lock = Toolbox::new(&context.store).lock(&found.name, &mut context.announce())?;
        // Read again: another process may just have upgraded it.
        let mut tool = context.host.tool(&found.name)?;
        tool.manifest.pinned = pinned;
        tool.manifest.write(&tool.venv)?;
        let now = if pinned { "stays at" } else { "may be upgraded from" };
        context.output.message(format_args!("{} {now} {}", tool.name, tool.manifest.version));
        Ok(())
    })
}
