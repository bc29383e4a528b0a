//! `virtpy tool export` and `sync`: applications from one machine to another.

use super::report::Reports;
use super::{each_at_once, warn_about_path};
use crate::cli::{ToolExportArguments, ToolSyncArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::{ToolList, install_tool};
use crate::tools::Toolbox;

pub(super) fn export(context: &Context, arguments: &ToolExportArguments) -> Result<u8, Failure> {
    let text = ToolList::of_installed(&context.host)?.text()?;
    match &arguments.file {
        Some(file) => {
            fs::write_in_project(&context.working_directory.join(file), text.as_bytes(), 0o644)?;
            context.output.message(format_args!("Wrote `{}`", file.display()));
        }
        None => context.output.data_block(&text),
    }
    Ok(0)
}

pub(super) fn sync(context: &Context, arguments: &ToolSyncArguments) -> Result<u8, Failure> {
    let text = fs::read_to_string(&context.working_directory.join(&arguments.file))?;
    let list = ToolList::parse(&text).map_err(|reason| {
        Failure::new(format!("`{}` is not a list of applications: {reason}", arguments.file.display()))
            .hinted("`virtpy tool export FILE` writes one")
    })?;
    let names = list.names();
    let reports = Reports::new(context, false);
    let install_one = |context: &Context, name: &str| {
        let Some(mut spec) = list.spec(name) else { return Ok(None) };
        spec.index.offline = arguments.index.offline;
        install_tool(&context.host, spec).map(Some)
    };
    let code = each_at_once(context, &names, &install_one, &|done| match done {
        Some(outcome) if outcome.changed => reports.tell("Installed", &outcome),
        Some(outcome) => {
            let tool = &outcome.tool;
            reports.unchanged(tool, format_args!("{} is up to date", tool.manifest.version));
        }
        None => {}
    })?;
    if arguments.exact && code == 0 {
        let toolbox = Toolbox::new(&context.store);
        for name in toolbox.names()?.into_iter().filter(|name| !names.contains(name)) {
            let _lock = toolbox.lock(&name, &mut context.host.announce())?;
            toolbox.remove(&name)?;
            context.output.message(format_args!("Uninstalled {name}"));
        }
    }
    warn_about_path(context);
    Ok(code)
}
