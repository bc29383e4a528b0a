//! `virtpy tool export`, `sync` and `import-pipx`: applications from one machine, or one program, to another.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::report::Reports;
use super::{each_at_once, warn_about_path};
use crate::cli::{ImportPipxArguments, ToolExportArguments, ToolSyncArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::{IndexOptions, ToolOutcome, ToolSpec, install_tool, names_of};
use crate::tools::{Manifest, Origin, PipxTool, Toolbox, pipx_tools};
use crate::venv::{Contents, Venv, frozen};

/// The version of the file's format.
const FORMAT: u32 = 1;

/// All applications of a machine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Collection {
    format: u32,
    #[serde(default, rename = "tool")]
    tools: Vec<ExportedTool>,
}

/// One application, with the exact versions of everything that it has.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ExportedTool {
    request: String,
    package: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    suffix: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    with: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    with_apps: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    include_deps: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    python: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pinned: bool,
    #[serde(default)]
    origin: Origin,
    /// `name==version` each.
    locked: Vec<String>,
}

pub(super) fn export(context: &Context, arguments: &ToolExportArguments) -> Result<u8, Failure> {
    let toolbox = Toolbox::new(&context.store);
    let mut tools = Vec::new();
    for name in toolbox.names()? {
        let Some(tool) = toolbox.open(&name)? else { continue };
        let contents = Contents::read(&Venv::open(&tool.venv)?, &context.store)?;
        let known = tool.manifest;
        if known.editable || Path::new(&known.request).is_absolute() {
            context
                .output
                .warning(format_args!("{name} comes from `{}`, which is of this machine", known.request));
        }
        // What came from a repository is written with its commit.
        let request = contents
            .find_spelled(&known.package)
            .filter(|one| one.direct_url().is_some() && !known.editable)
            .map_or(known.request, frozen);
        let from_index = contents.distributions.iter().filter(|one| one.direct_url().is_none());
        tools.push(ExportedTool {
            request,
            package: known.package,
            suffix: known.suffix,
            with: known.with,
            with_apps: known.with_apps,
            include_deps: known.include_deps,
            python: known.python,
            pinned: known.pinned,
            origin: known.origin,
            locked: from_index.map(|one| format!("{}=={}", one.key, one.version)).collect(),
        });
    }
    let text = toml::to_string(&Collection { format: FORMAT, tools })
        .map_err(|error| Failure::new(format!("the applications cannot be written down: {error}")))?;
    match &arguments.file {
        Some(file) => {
            fs::write_atomic(&context.working_directory.join(file), text.as_bytes())?;
            context.output.message(format_args!("Wrote `{}`", file.display()));
        }
        None => context.output.data_block(&text),
    }
    Ok(0)
}

pub(super) fn sync(context: &Context, arguments: &ToolSyncArguments) -> Result<u8, Failure> {
    let path = context.working_directory.join(&arguments.file);
    let wrong = |reason: String| {
        Failure::new(format!("`{}` is no list of applications: {reason}", arguments.file.display()))
            .hinted("`virtpy tool export FILE` writes one")
    };
    let collection: Collection =
        toml::from_str(&fs::read_to_string(&path)?).map_err(|error| wrong(error.to_string()))?;
    if collection.format != FORMAT {
        return Err(wrong(format!("its format {} is another program's", collection.format)));
    }
    let toolbox = Toolbox::new(&context.store);
    let find = |name: &str| collection.tools.iter().find(|tool| tool.name() == name);
    let names: Vec<String> = collection.tools.iter().map(ExportedTool::name).collect();
    let reports = Reports::new(context, false);
    let install_one = |context: &Context, name: &str| {
        let Some(exported) = find(name) else { return Ok(None) };
        let constraints = exported.locked.clone();
        let spec = ToolSpec { constraints, keep_same: true, ..ToolSpec::of(exported.manifest()) };
        let offline = arguments.index.offline;
        let index = IndexOptions { offline, ..spec.index.clone() };
        Ok(Some(install_tool(&context.host, ToolSpec { index, ..spec })?))
    };
    let code = each_at_once(context, &names, &install_one, &|done| match done {
        Some(outcome) if outcome.changed => reports.tell("Installed", &outcome),
        Some(ToolOutcome { tool, .. }) => {
            reports.say(format_args!("{} {} is as it should be", tool.name, tool.manifest.version));
        }
        None => {}
    })?;
    if arguments.exact && code == 0 {
        for name in toolbox.names()?.into_iter().filter(|name| !names.contains(name)) {
            let _lock = toolbox.lock(&name, &mut context.announce())?;
            toolbox.remove(&name)?;
            context.output.message(format_args!("Uninstalled {name}"));
        }
    }
    warn_about_path(context);
    Ok(code)
}

impl ExportedTool {
    fn name(&self) -> String {
        self.manifest().name()
    }

    fn manifest(&self) -> Manifest {
        Manifest {
            package: self.package.clone(),
            suffix: self.suffix.clone(),
            with: self.with.clone(),
            with_apps: self.with_apps.clone(),
            include_deps: self.include_deps,
            python: self.python.clone(),
            pinned: self.pinned,
            origin: self.origin.clone(),
            ..Manifest::new(self.request.clone())
        }
    }
}

pub(super) fn import_pipx(context: &Context, arguments: &ImportPipxArguments) -> Result<u8, Failure> {
    let home = pipx_home()?;
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
    let names: Vec<String> = tools.iter().map(|tool| tool.name.clone()).collect();
    if arguments.dry_run {
        for tool in &tools {
            context.output.data(format_args!("{} ({})", tool.name, tool.request));
        }
        return Ok(0);
    }
    let import = |context: &Context, name: &str| {
        let Some(tool) = tools.iter().find(|tool| tool.name == name) else { return Ok(None) };
        let spec = ToolSpec::of(imported(tool)).asking(&arguments.index.options());
        let spec = ToolSpec { preferred: tool.versions.clone(), keep_same: true, ..spec };
        Ok(Some(install_tool(&context.host, spec)?))
    };
    let reports = Reports::new(context, false);
    let code = each_at_once(context, &names, &import, &|done| {
        if let Some(outcome) = done {
            reports.tell("Installed", &outcome);
        }
    })?;
    warn_about_path(context);
    Ok(code)
}

/// An application as pipx has it.
fn imported(tool: &PipxTool) -> Manifest {
    Manifest {
        editable: tool.editable,
        suffix: tool.suffix.clone(),
        with: tool.with.clone(),
        with_apps: names_of(&tool.with_apps),
        include_deps: tool.include_deps,
        origin: tool.origin.clone(),
        python: tool.python.clone(),
        pinned: tool.pinned,
        ..Manifest::new(tool.request.clone())
    }
}

/// Where pipx keeps its environments: `PIPX_HOME`, its older default if that is there, or its present one.
fn pipx_home() -> Result<PathBuf, Failure> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(home) = variable("PIPX_HOME") {
        return Ok(home);
    }
    let home = variable("HOME").ok_or_else(|| Failure::new("there is no home folder: `HOME` is not set"))?;
    let old = home.join(".local/pipx");
    if old.join("venvs").exists() {
        return Ok(old);
    }
    Ok(variable("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share")).join("pipx"))
}
