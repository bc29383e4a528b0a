//! `virtpy install`.

use std::time::Instant;

use serde::Serialize;
use virtpy_resolver::{Requirement, Version};

use super::realize::{Realized, Wish, names_of, realize, settled};
use super::{each, tell, warn_about_path};
use crate::cli::ToolInstallArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::tools::{Manifest, Origin, Tool, Toolbox};

pub(super) fn install(context: &Context, arguments: &ToolInstallArguments) -> Result<u8, Failure> {
    if arguments.specs.len() > 1 && arguments.editable {
        return Err(Failure::usage("`--editable` takes one folder at a time"));
    }
    let reports = std::cell::RefCell::new(Vec::new());
    let code = each(context, &arguments.specs, &|spec| {
        reports.borrow_mut().push(one(context, arguments, spec)?);
        Ok(())
    })?;
    if arguments.json {
        context.output.json(&reports.into_inner())?;
    } else {
        warn_about_path(context);
    }
    Ok(code)
}

fn one(context: &Context, arguments: &ToolInstallArguments, spec: &str) -> Result<Report, Failure> {
    let started = Instant::now();
    let manifest = manifest(context, arguments, spec);
    let toolbox = Toolbox::new(&context.store);
    if let Some(tool) = present(toolbox, arguments, &manifest) {
        if !arguments.json {
            let commands: Vec<&str> = tool.manifest.commands().collect();
            context.output.message(format_args!(
                "{} {} is installed already: {}",
                tool.name,
                tool.manifest.version,
                commands.join(", ")
            ));
        }
        return Ok(Report::of(&tool, None, false));
    }
    let index = arguments.index.clone();
    let Realized { tool, previous, changed } = realize(
        context,
        toolbox,
        Wish { index, downloads: !arguments.no_python_downloads, ..Wish::of(manifest) },
    )?;
    let before = previous.map(|previous| previous.manifest.version);
    if !arguments.json {
        match &before {
            Some(version) if *version != tool.manifest.version => {
                tell(context, &format!("Replaced {version} by"), &tool, started);
            }
            _ => tell(context, "Installed", &tool, started),
        }
    }
    Ok(Report::of(&tool, before, changed))
}

fn manifest(context: &Context, arguments: &ToolInstallArguments, spec: &str) -> Manifest {
    let with: Vec<String> = arguments.company.with.iter().map(|spec| settled(context, spec)).collect();
    let with_apps = if arguments.company.with_apps { names_of(&with) } else { Vec::new() };
    Manifest {
        editable: arguments.editable,
        suffix: arguments.suffix.clone(),
        with,
        with_apps,
        include_deps: arguments.company.include_deps,
        python: arguments.python.clone(),
        origin: Origin {
            index_url: arguments.index.index_url.clone(),
            extra_index_urls: arguments.index.extra_index_urls.clone(),
            find_links: arguments.index.find_links.iter().map(|link| place(context, link)).collect(),
            no_index: arguments.index.no_index,
            pre: arguments.pre,
        },
        ..Manifest::new(if arguments.editable && !spec.contains('/') {
            settled(context, &format!("./{spec}"))
        } else {
            settled(context, spec)
        })
    }
}

/// A folder's absolute path, or a URL as it is.
fn place(context: &Context, link: &str) -> String {
    if link.contains("://") {
        return link.to_owned();
    }
    context.working_directory.join(link).display().to_string()
}

/// The application that is there already and has what is asked for.
fn present(toolbox: Toolbox<'_>, arguments: &ToolInstallArguments, wanted: &Manifest) -> Option<Tool> {
    let requirement = wanted.request.parse::<Requirement>().ok()?;
    if arguments.force || requirement.url().is_some() {
        return None;
    }
    // One that cannot be read is installed anew.
    let tool = toolbox.open(&format!("{}{}", requirement.name(), wanted.suffix)).ok()??;
    let known = &tool.manifest;
    let version: Option<Version> = known.version.parse().ok();
    let installed: Option<Requirement> = known.request.parse().ok();
    let extras = installed.map(|requirement| requirement.extras()).unwrap_or_default();
    let is_enough = version.is_some_and(|version| requirement.accepts(&version))
        && requirement.extras().iter().all(|extra| extras.contains(extra))
        && wanted.with.iter().all(|spec| known.with.contains(spec))
        && wanted.with_apps.iter().all(|name| known.with_apps.contains(name))
        && (known.include_deps || !wanted.include_deps)
        && (wanted.python.is_none() || wanted.python == known.python);
    is_enough.then_some(tool)
}

/// The answer for programs.
#[derive(Serialize)]
struct Report {
    name: String,
    package: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<String>,
    changed: bool,
    commands: Vec<String>,
    venv: std::path::PathBuf,
}

impl Report {
    fn of(tool: &Tool, replaced: Option<String>, changed: bool) -> Self {
        Self {
            name: tool.name.clone(),
            package: tool.manifest.package.clone(),
            version: tool.manifest.version.clone(),
            replaced,
            changed,
            commands: tool.manifest.commands().map(str::to_owned).collect(),
            venv: tool.venv.clone(),
        }
    }
}
