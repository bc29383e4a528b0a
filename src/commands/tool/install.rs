//! `virtpy install`.

use super::report::Reports;
use super::{each_at_once, warn_about_path};
use crate::cli::ToolInstallArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{ToolOutcome, ToolSpec, absolutize_spec, install_tool, versioned};
use crate::tools::{Manifest, Tool, names_of};

pub(super) fn run(context: &Context, arguments: &ToolInstallArguments) -> Result<u8, Failure> {
    if arguments.specs.len() > 1 && arguments.editable {
        return Err(Failure::usage("`--editable` takes one directory at a time"));
    }
    if arguments.specs.len() > 1 && arguments.lock.is_some() {
        return Err(Failure::usage("`--lock` is for one application at a time"));
    }
    let reports = Reports::new(context, arguments.json);
    let install = |context: &Context, spec: &str| install(context, arguments, spec);
    let code = each_at_once(context, &arguments.specs, &install, &|installed| tell(&reports, installed))?;
    if !arguments.json {
        warn_about_path(context);
    }
    reports.end(code)
}

/// What came of installing one application.
enum Installed {
    /// It was there.
    Already(Box<Tool>),
    /// It was made, or made again.
    Now(Box<ToolOutcome>),
}

fn install(context: &Context, arguments: &ToolInstallArguments, spec: &str) -> Result<Installed, Failure> {
    let (spec, newest) = versioned(spec);
    let manifest = manifest(context, arguments, &spec);
    if !arguments.force {
        if !newest && let Some(tool) = context.host.satisfying_tool(&manifest) {
            return Ok(Installed::Already(Box::new(tool)));
        }
        context.host.refuse_pinned_tool(&manifest)?;
    }
    let index = arguments.index.options();
    let lock = arguments.lock.as_ref().map(|lock| context.working_directory.join(lock));
    let downloads = !arguments.no_python_downloads;
    let outcome = install_tool(
        &context.host,
        ToolSpec { index, lock, downloads, upgrade: newest, keep_injected: true, ..ToolSpec::of(manifest) },
    )?;
    Ok(Installed::Now(Box::new(outcome)))
}

fn tell(reports: &Reports<'_>, installed: Installed) {
    match installed {
        Installed::Already(tool) => {
            let commands: Vec<&str> = tool.manifest.commands().collect();
            let (version, commands) = (&tool.manifest.version, commands.join(", "));
            reports.unchanged(&tool, format_args!("{version} is installed already: {commands}"));
        }
        Installed::Now(outcome) => {
            let version = &outcome.tool.manifest.version;
            let replaced = outcome.previous.as_ref().map(|previous| &previous.manifest.version);
            let verb = match replaced.filter(|replaced| *replaced != version) {
                Some(replaced) => format!("Replaced {replaced} by"),
                None => "Installed".to_owned(),
            };
            reports.tell(&verb, &outcome);
        }
    }
}

/// What is asked for; paths are absolute.
fn manifest(context: &Context, arguments: &ToolInstallArguments, spec: &str) -> Manifest {
    let with: Vec<String> =
        arguments.company.with.iter().map(|spec| absolutize_spec(&context.host, spec)).collect();
    let with_apps = if arguments.company.with_apps { names_of(&with) } else { Vec::new() };
    let request = if arguments.editable && !spec.contains('/') {
        absolutize_spec(&context.host, &format!("./{spec}"))
    } else {
        absolutize_spec(&context.host, spec)
    };
    Manifest {
        editable: arguments.editable,
        suffix: arguments.suffix.clone(),
        with,
        with_apps,
        include_deps: arguments.company.include_deps,
        python: arguments.python.clone(),
        origin: context.host.origin(&arguments.index.options(), arguments.pre),
        ..Manifest::new(request)
    }
}
