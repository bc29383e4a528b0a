//! `virtpy uninstall`.

use super::{chosen, each, open};
use crate::cli::ToolUninstallArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::output::counted;
use crate::tools::Toolbox;

pub(super) fn run(context: &Context, arguments: &ToolUninstallArguments) -> Result<u8, Failure> {
    let names = chosen(context, &arguments.names, arguments.all)?;
    let toolbox = Toolbox::new(&context.store);
    each(context, &names, &|name| {
        // One whose manifest is damaged can be removed by its exact name.
        let (name, commands) = if toolbox.names()?.iter().any(|known| known == name) {
            let commands = toolbox.open(name).ok().flatten().map(|tool| tool.manifest.commands().count());
            (name.to_owned(), commands)
        } else {
            let tool = open(context, name)?;
            (tool.name.clone(), Some(tool.manifest.commands().count()))
        };
        let _lock = toolbox.lock(&name, &mut context.announce())?;
        toolbox.remove(&name)?;
        let gone = commands.map_or(String::new(), |count| format!(" and its {}", counted(count, "command")));
        context.output.message(format_args!("Uninstalled {name}{gone}"));
        Ok(())
    })
}
