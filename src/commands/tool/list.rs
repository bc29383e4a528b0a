//! `virtpy tool list`: what is installed, and what is wrong with it. The network is asked only for `--outdated`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::ToolListArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::output::Output;
use crate::tools::{Tool, Toolbox};
use crate::venv::Venv;

pub(super) fn run(context: &Context, arguments: &ToolListArguments) -> Result<u8, Failure> {
    let toolbox = Toolbox::new(&context.store);
    let (mut rows, mut tools) = (Vec::new(), Vec::new());
    for name in toolbox.names()? {
        match toolbox.open(&name) {
            Ok(Some(tool)) => {
                rows.push(Row::of(context, &tool));
                tools.push(tool);
            }
            Ok(None) => {}
            Err(error) => rows.push(Row {
                name,
                version: "?".to_owned(),
                broken: Some(error.to_string()),
                ..Row::default()
            }),
        }
    }
    if arguments.outdated {
        let mut newer = context.host.newer_tools(&tools, &arguments.index.options())?;
        for row in &mut rows {
            row.latest = newer.remove(&row.name);
        }
        rows.retain(|row| row.latest.is_some());
    }
    if arguments.json {
        context.output.json(&rows)?;
    } else {
        for row in &rows {
            row.show(context.output, arguments.short);
        }
    }
    Ok(0)
}

#[derive(Default, JsonSchema, Serialize)]
pub(in crate::commands) struct Row {
    /// Its name.
    name: String,
    /// Its package.
    package: String,
    /// Its version.
    version: String,
    /// The newest version, with `--outdated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<String>,
    /// What was asked for.
    request: String,
    /// What is beside it in its venv.
    with: Vec<String>,
    /// Its commands.
    commands: Vec<String>,
    /// The version of its interpreter.
    #[serde(skip_serializing_if = "Option::is_none")]
    python: Option<String>,
    /// Whether upgrades leave it out.
    pinned: bool,
    /// Its venv.
    venv: PathBuf,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
}

impl Row {
    fn of(context: &Context, tool: &Tool) -> Self {
        let manifest = tool.manifest.clone();
        let python =
            Venv::open(&tool.venv).ok().and_then(|venv| venv.config.get("version").map(str::to_owned));
        Self {
            name: tool.name.clone(),
            commands: manifest.commands().map(str::to_owned).collect(),
            package: manifest.package,
            version: manifest.version,
            latest: None,
            request: manifest.request,
            with: manifest.with,
            python,
            pinned: manifest.pinned,
            venv: tool.venv.clone(),
            broken: context.host.tool_problem(tool),
        }
    }

    fn show(&self, output: Output, is_short: bool) {
        let Self { name, version, .. } = self;
        if is_short {
            output.data(format_args!("{name} {version}"));
            return;
        }
        let latest = self.latest.as_ref().map(|latest| format!(" (newest: {latest})")).unwrap_or_default();
        let pinned = if self.pinned { " [pinned]" } else { "" };
        output.data(format_args!("{name} {version}{latest}{pinned}"));
        if let Some(broken) = &self.broken {
            output.data(format_args!("    broken: {broken}; `virtpy tool repair {name}` repairs it"));
        }
        if !self.with.is_empty() {
            output.data(format_args!("    with {}", self.with.join(", ")));
        }
        for command in &self.commands {
            output.data(format_args!("    {command}"));
        }
    }
}
