//! `virtpy tool list`: what is installed, and what is wrong with it. The network is asked only for `--outdated`.

use serde::Serialize;
use virtpy_pep::{PackageName, Requirement, Version};

use crate::cli::ToolListArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::IndexOptions;
use crate::install::ResolveError;
use crate::interpreters::Interpreter;
use crate::tools::{Origin, Tool, Toolbox};
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
    if let Err(error) = fs::metadata(&venv.python()) {
        if !error.is_not_found() {
            return Some(format!("its interpreter cannot be read: {}", error.source));
        }
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

/// Applications that are looked up together: they have the same interpreter and come from the same indexes.
struct Prober {
    interpreter: Interpreter,
    origin: Origin,
    rows: Vec<usize>,
}

fn add_latest(context: &Context, arguments: &ToolListArguments, rows: &mut [Row]) -> Result<(), Failure> {
    for inquiry in inquiries(context, rows) {
        let index = IndexOptions::of(&inquiry.origin).overridden(&arguments.index.options());
        let session = context.host.session(&inquiry.interpreter, context.host.index_settings(&index)?);
        let names: Vec<PackageName> =
            inquiry.rows.iter().filter_map(|row| rows[*row].package.parse().ok()).collect();
        let latest = session.latest_versions(&names, inquiry.origin.pre).map_err(ResolveError::from)?;
        for number in inquiry.rows {
            let row = &mut rows[number];
            let newest = latest.get(row.package.as_str()).map(|latest| &latest.version);
            let installed = row.version.parse::<Version>().ok();
            row.latest = match (newest, installed) {
                (Some(newest), Some(installed)) if *newest > installed => Some(newest.to_string()),
                _ => None,
            };
        }
    }
    Ok(())
}

/// What has to be asked for these rows. An index knows nothing of what came from a path or a URL.
fn inquiries(context: &Context, rows: &[Row]) -> Vec<Prober> {
    let mut inquiries: Vec<Prober> = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let Some(tool) = &row.tool else { continue };
        let is_from_index = tool.manifest.request.parse::<Requirement>().is_ok_and(|one| one.url().is_none());
        if !is_from_index || tool.manifest.editable {
            continue;
        }
        // One that lost its interpreter is told anyway.
        let Some(interpreter) =
            Venv::open(&tool.venv).ok().and_then(|venv| context.host.interpreter(&venv).ok())
        else {
            continue;
        };
        let origin = &tool.manifest.origin;
        let same = inquiries
            .iter_mut()
            .find(|known| known.interpreter.executable == interpreter.executable && known.origin == *origin);
        match same {
            Some(known) => known.rows.push(number),
            None => inquiries.push(Prober { interpreter, origin: origin.clone(), rows: vec![number] }),
        }
    }
    inquiries
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
    #[serde(skip)]
    tool: Option<Tool>,
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
            tool: Some(tool.clone()),
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
            tool: None,
        }
    }
}
