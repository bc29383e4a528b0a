//! `virtpy tool repair`: applications whose interpreter or packages are gone get them again, in the same versions.

use super::each;
use super::report::Reports;
use crate::cli::RepairToolsArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{ToolSpec, install_tool};
use crate::tools::{Manifest, Toolbox};

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
        let tool = context.host.tool(name)?;
        if arguments.python.is_none() && context.host.tool_problem(&tool).is_none() {
            context.output.message(format_args!("{} is not broken", tool.name));
            return Ok(());
        }
        let locked = context.host.tool_versions(&tool)?;
        let constraints = locked.iter().map(|(name, version)| format!("{name}=={version}")).collect();
        let python = arguments.python.clone().or_else(|| tool.manifest.python.clone());
        // An interpreter that was named by its path may be what is gone.
        let python = python.filter(|text| {
            !text.contains('/') || arguments.python.is_some() || std::path::Path::new(text).exists()
        });
        let spec = ToolSpec { constraints, ..ToolSpec::of(Manifest { python, ..tool.manifest.clone() }) };
        let outcome = install_tool(&context.host, spec)?;
        Reports::new(context, false).tell("Repaired", &outcome);
        Ok(())
    })
}
