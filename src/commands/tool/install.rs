//! `virtpy install`.

use virtpy_pep::{Requirement, Version};

use super::list::trouble;
use super::report::Reports;
use super::{each_at_once, warn_about_path};
use crate::cli::ToolInstallArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{ToolOutcome, ToolSpec, absolutize_spec, install_tool, names_of};
use crate::tools::{Manifest, Origin, Tool, Toolbox};

pub(super) fn install(context: &Context, arguments: &ToolInstallArguments) -> Result<u8, Failure> {
    if arguments.specs.len() > 1 && arguments.editable {
        return Err(Failure::usage("`--editable` takes one folder at a time"));
    }
    if arguments.specs.len() > 1 && arguments.lock.is_some() {
        return Err(Failure::usage("`--lock` is for one application at a time"));
    }
    let reports = Reports::new(context, arguments.json);
    let install = |context: &Context, spec: &str| one(context, arguments, spec);
    let code = each_at_once(context, &arguments.specs, &install, &|installed| installed.tell(&reports))?;
    if !arguments.json {
        warn_about_path(context);
    }
    reports.end(code)
}

/// What came of installing one application.
enum Installed {
    /// It was there.
    Already(Box<Tool>),
    /// It was made, or made anew.
    Now(Box<ToolOutcome>),
}

impl Installed {
    fn tell(self, reports: &Reports<'_>) {
        match self {
            Self::Already(tool) => {
                let commands: Vec<&str> = tool.manifest.commands().collect();
                reports.say(format_args!(
                    "{} {} is installed already: {}",
                    tool.name,
                    tool.manifest.version,
                    commands.join(", ")
                ));
                reports.add(&tool, Some(&tool.manifest.version), false);
            }
            Self::Now(outcome) => {
                let replaced = outcome.previous.as_ref().map(|previous| &previous.manifest.version);
                let verb = match replaced {
                    Some(version) if *version != outcome.tool.manifest.version => {
                        &format!("Replaced {version} by")
                    }
                    _ => "Installed",
                };
                reports.tell(verb, &outcome);
            }
        }
    }
}

fn one(context: &Context, arguments: &ToolInstallArguments, spec: &str) -> Result<Installed, Failure> {
    let manifest = manifest(context, arguments, spec);
    let toolbox = Toolbox::new(&context.store);
    if let Some(tool) = present(context, arguments, &manifest) {
        return Ok(Installed::Already(Box::new(tool)));
    }
    refuse_pinned(arguments, toolbox, &manifest)?;
    let index = arguments.index.options();
    let lock = arguments.lock.as_ref().map(|lock| context.working_directory.join(lock));
    let downloads = !arguments.no_python_downloads;
    let outcome = install_tool(&context.host, ToolSpec { index, lock, downloads, ..ToolSpec::of(manifest) })?;
    Ok(Installed::Now(Box::new(outcome)))
}

fn manifest(context: &Context, arguments: &ToolInstallArguments, spec: &str) -> Manifest {
    let with: Vec<String> =
        arguments.company.with.iter().map(|spec| absolutize_spec(&context.host, spec)).collect();
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
            absolutize_spec(&context.host, &format!("./{spec}"))
        } else {
            absolutize_spec(&context.host, spec)
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

/// An application that a pin holds stays at its version.
fn refuse_pinned(
    arguments: &ToolInstallArguments,
    toolbox: Toolbox<'_>,
    wanted: &Manifest,
) -> Result<(), Failure> {
    let Ok(requirement) = wanted.request.parse::<Requirement>() else { return Ok(()) };
    let name = format!("{}{}", requirement.name(), wanted.suffix);
    match toolbox.open(&name) {
        Ok(Some(tool)) if tool.manifest.pinned && !arguments.force => Err(Failure::new(format!(
            "{name} is pinned at {}, and `{}` would change it",
            tool.manifest.version, wanted.request
        ))
        .hinted(format!("`virtpy unpin {name}` lets it be changed; `--force` replaces it all the same"))),
        _ => Ok(()),
    }
}

/// The application that is there already, works, and has what is asked for.
fn present(context: &Context, arguments: &ToolInstallArguments, wanted: &Manifest) -> Option<Tool> {
    let requirement = wanted.request.parse::<Requirement>().ok()?;
    if arguments.force || requirement.url().is_some() {
        return None;
    }
    // One that cannot be read is installed anew.
    let tool =
        Toolbox::new(&context.store).open(&format!("{}{}", requirement.name(), wanted.suffix)).ok()??;
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
    (is_enough && trouble(context, &tool).is_none()).then_some(tool)
}
