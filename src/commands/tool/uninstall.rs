//! `virtpy uninstall`.

use std::path::PathBuf;

use super::{chosen, each};
use crate::cli::{ToolUninstallArguments, VenvArgument};
use crate::context::Context;
use crate::error::Failure;
use crate::output::counted;
use crate::tools::Toolbox;
use crate::venv::{Contents, Venv};

/// The venv that is meant here, if it has a package of this name.
fn venv_with(context: &Context, name: &str) -> Option<PathBuf> {
    let path = context.meant_venv(&VenvArgument::default()).ok()??;
    let contents = Contents::read(&Venv::open(&path).ok()?, &context.store).ok()?;
    contents.find_spelled(name).map(|_| path)
}

pub(super) fn run(context: &Context, arguments: &ToolUninstallArguments) -> Result<u8, Failure> {
    let names = chosen(context, &arguments.tools.names, arguments.tools.all)?;
    let toolbox = Toolbox::new(&context.store);
    each(context, &names, &|name| {
        // One whose manifest is damaged can be removed by its exact name.
        let (name, commands) = if toolbox.names()?.iter().any(|known| known == name) {
            let commands = toolbox.open(name).ok().flatten().map(|tool| tool.manifest.commands().count());
            (name.to_owned(), commands)
        } else {
            let tool = context.host.tool(name).map_err(|failure| match venv_with(context, name) {
                Some(venv) => failure.hinted(format!(
                    "it is a package in the venv at `{}`: `virtpy remove {name}`",
                    venv.display()
                )),
                None => failure,
            })?;
            (tool.name.clone(), Some(tool.manifest.commands().count()))
        };
        let _lock = toolbox.lock(&name, &mut context.host.announce())?;
        toolbox.remove(&name)?;
        let gone = commands.map_or(String::new(), |count| format!(" and its {}", counted(count, "command")));
        context.output.message(format_args!("Uninstalled {name}{gone}"));
        Ok(())
    })
}
