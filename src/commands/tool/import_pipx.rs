//! `virtpy tool import-pipx`: install what pipx has installed.

use super::report::Reports;
use super::{each_at_once, warn_about_path};
use crate::cli::ImportPipxArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{ToolSpec, install_tool};
use crate::tools::{PipxTool, pipx_home, pipx_tools};

pub(super) fn run(context: &Context, arguments: &ImportPipxArguments) -> Result<u8, Failure> {
    let home = pipx_home().ok_or_else(|| Failure::new("there is no home directory: `HOME` is not set"))?;
    let mut tools: Vec<PipxTool> = Vec::new();
    for tool in pipx_tools(&home)? {
        match tool {
            Ok(tool) => tools.push(tool),
            Err(reason) => context.output.warning(format_args!("skipped pipx's {reason}")),
        }
    }
    if let Some(unknown) = arguments.names.iter().find(|name| !tools.iter().any(|tool| tool.name == **name)) {
        return Err(Failure::new(format!("pipx has no `{unknown}`"))
            .hinted(format!("its tools are looked for in `{}`", home.display())));
    }
    tools.retain(|tool| arguments.names.is_empty() || arguments.names.contains(&tool.name));
    if tools.is_empty() {
        context.output.message(format_args!("pipx has nothing in `{}`", home.display()));
        return Ok(0);
    }
    if arguments.dry_run {
        for tool in &tools {
            context.output.data(format_args!("{} ({})", tool.name, tool.manifest.request));
        }
        return Ok(0);
    }
    let import = |context: &Context, name: &str| {
        let Some(tool) = tools.iter().find(|tool| tool.name == name) else { return Ok(None) };
        let spec = ToolSpec::of(tool.manifest.clone()).asking(&arguments.index.options());
        let spec = ToolSpec { preferred: tool.versions.clone(), keep_same: true, ..spec };
        install_tool(&context.host, spec).map(Some)
    };
    let names: Vec<String> = tools.iter().map(|tool| tool.name.clone()).collect();
    let reports = Reports::new(context, false);
    let code = each_at_once(context, &names, &import, &|done| {
        if let Some(outcome) = done {
            reports.tell("Installed", &outcome);
        }
    })?;
    warn_about_path(context);
    Ok(code)
}
