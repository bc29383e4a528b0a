//! `virtpy tool list`: what is installed, and what is wrong with it. The network is asked only for `--outdated`.

use serde::Serialize;
use virtpy_resolver::Version;

use crate::cli::ToolListArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::resolve::ResolveError;
use crate::tools::{Tool, Toolbox};
use crate::venv::{Contents, Venv};

pub(super) fn run(context: &Context, arguments: &ToolListArguments) -> Result<u8, Failure> {
    let toolbox = Toolbox::new(&context.store);
    let mut rows = Vec::new();
    for name in toolbox.names()? {
        rows.push(match toolbox.open(&name) {
            Ok(Some(tool)) => Row::of(context, &tool),
            Ok(None) => continue,
            Err(error) => Row::damaged(name, error.to_string()),
        });
    }
    if arguments.outdated {
        add_latest(context, arguments, &mut rows)?;
        rows.retain(|row| row.latest.is_some());
    }
    if arguments.json {
        context.output.json(&rows)?;
    } else {
        for row in &rows {
            show(context, arguments, row);
        }
    }
    Ok(0)
}

/// What is wrong with an application, if anything is.
pub(super) fn trouble(context: &Context, tool: &Tool) -> Option<String> {
    let venv = match Venv::open(&tool.venv) {
        Ok(venv) => venv,
        Err(error) => return Some(error.to_string()),
    };
    if fs::metadata(&venv.python()).is_err() {
        let interpreter = venv.config.get("executable").unwrap_or("its interpreter").to_owned();
        return Some(format!("its interpreter `{interpreter}` is gone"));
    }
    match Contents::read(&venv, &context.store) {
        Err(error) => Some(error.to_string()),
        Ok(contents) => contents
            .dangling
            .first()
            .map(|one| format!("the store no longer has {} {}", one.name, one.version)),
    }
}

fn add_latest(context: &Context, arguments: &ToolListArguments, rows: &mut [Row]) -> Result<(), Failure> {
    let interpreter = super::python::interpreter(context, None, false)?;
    let session = context.session(&interpreter, context.index_settings(&arguments.index)?);
    let names: Vec<String> =
        rows.iter().map(|row| row.package.clone()).filter(|name| !name.is_empty()).collect();
    let latest = session.latest_versions(&names, false).map_err(ResolveError::from)?;
    for row in rows {
        let newest = latest.get(&row.package).map(|latest| &latest.version);
        let installed = row.version.parse::<Version>().ok();
        row.latest = match (newest, installed) {
            (Some(newest), Some(installed)) if *newest > installed => Some(newest.to_string()),
            _ => None,
        };
    }
    Ok(())
}

fn show(context: &Context, arguments: &ToolListArguments, row: &Row) {
    let output = context.output;
    let mut line = format!("{} {}", row.name, row.version);
    if arguments.short {
        output.data(line);
        return;
    }
    if let Some(latest) = &row.latest {
        line.push_str(" (newest: ");
        line.push_str(latest);
        line.push(')');
    }
    if row.pinned {
        line.push_str(" [pinned]");
    }
    output.data(line);
    if let Some(broken) = &row.broken {
        output.data(format_args!("    broken: {broken}; `virtpy tool repair {}` mends it", row.name));
    }
    if !row.with.is_empty() {
        output.data(format_args!("    with {}", row.with.join(", ")));
    }
    for command in &row.commands {
        output.data(format_args!("    {command}"));
    }
}

#[derive(Serialize)]
struct Row {
    name: String,
    package: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<String>,
    request: String,
    with: Vec<String>,
    commands: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    python: Option<String>,
    pinned: bool,
    venv: std::path::PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
}

impl Row {
    fn of(context: &Context, tool: &Tool) -> Self {
        let manifest = &tool.manifest;
        let python =
            Venv::open(&tool.venv).ok().and_then(|venv| venv.config.get("version").map(str::to_owned));
        Self {
            name: tool.name.clone(),
            package: manifest.package.clone(),
            version: manifest.version.clone(),
            latest: None,
            request: manifest.request.clone(),
            with: manifest.with.clone(),
            commands: manifest.commands().map(str::to_owned).collect(),
            python,
            pinned: manifest.pinned,
            venv: tool.venv.clone(),
            broken: trouble(context, tool),
        }
    }

    fn damaged(name: String, broken: String) -> Self {
        Self {
            name,
            package: String::new(),
            version: "?".to_owned(),
            latest: None,
            request: String::new(),
            with: Vec::new(),
            commands: Vec::new(),
            python: None,
            pinned: false,
            venv: std::path::PathBuf::new(),
            broken: Some(broken),
        }
    }
}
