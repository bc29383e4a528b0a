//! `virtpy upgrade`, `reinstall`, `inject` and `uninject`: an application made anew from what is known of it.

use virtpy_pep::Requirement;

use super::report::Reports;
use super::{chosen, each_at_once, open};
use crate::cli::{InjectArguments, ReinstallArguments, UninjectArguments, UpgradeArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::install::{ToolOutcome, ToolSpec, absolutize_spec, install_tool, names_of};
use crate::tools::{Manifest, Tool};
use crate::venv::{Contents, Venv};

pub(super) fn upgrade(context: &Context, arguments: &UpgradeArguments) -> Result<u8, Failure> {
    let names = chosen(context, &arguments.names, arguments.all)?;
    let reports = Reports::new(context, arguments.json);
    let upgrade = |context: &Context, name: &str| {
        let old = open(context, name)?;
        if old.manifest.pinned {
            return Ok(Upgrade::Pinned(Box::new(old)));
        }
        let spec = ToolSpec::of(with_python(old.manifest, arguments.python.as_ref()));
        let spec = spec.asking(&arguments.index.options());
        let outcome = install_tool(&context.host, ToolSpec { upgrade: true, keep_same: true, ..spec })?;
        Ok(Upgrade::Done(Box::new(outcome)))
    };
    let code = each_at_once(context, &names, &upgrade, &|upgrade| match upgrade {
        Upgrade::Pinned(tool) => {
            reports.say(format_args!(
                "{} is pinned at {}; `virtpy unpin {0}` lets it be upgraded",
                tool.name, tool.manifest.version
            ));
            reports.add(&tool, None, false);
        }
        Upgrade::Done(outcome) if !outcome.changed => {
            let tool = &outcome.tool;
            reports.say(format_args!("{} {} {}", tool.name, tool.manifest.version, why_unchanged(tool)));
            reports.add(tool, None, false);
        }
        Upgrade::Done(outcome) => {
            let before = outcome.previous.as_ref().map(|previous| previous.manifest.version.clone());
            let before = before.filter(|before| *before != outcome.tool.manifest.version);
            let verb = before.map_or_else(
                || "Upgraded dependencies of".to_owned(),
                |before| format!("Upgraded {before} to"),
            );
            reports.tell(&verb, &outcome);
        }
    })?;
    reports.end(code)
}

/// A manifest with the interpreter that is named now, if one is.
fn with_python(manifest: Manifest, python: Option<&String>) -> Manifest {
    Manifest { python: python.cloned().or(manifest.python), ..manifest }
}

/// Why an upgrade found nothing newer.
fn why_unchanged(tool: &Tool) -> String {
    let request = &tool.manifest.request;
    let specifiers = request.parse::<Requirement>().map(|wanted| wanted.specifiers()).unwrap_or_default();
    if specifiers.contains("==") && !specifiers.contains('*') {
        return format!(
            "is pinned: it was installed as `{request}`; `virtpy install --force {}` takes the newest",
            tool.name
        );
    }
    if specifiers.is_empty() {
        "is up to date".to_owned()
    } else {
        format!("is up to date: the newest that `{request}` admits")
    }
}

/// What came of upgrading one application.
enum Upgrade {
    /// It stays as it is.
    Pinned(Box<Tool>),
    /// It was looked at.
    Done(Box<ToolOutcome>),
}

pub(super) fn reinstall(context: &Context, arguments: &ReinstallArguments) -> Result<u8, Failure> {
    let names = chosen(context, &arguments.names, arguments.all)?;
    let reports = Reports::new(context, arguments.json);
    let reinstall = |context: &Context, name: &str| {
        let old = open(context, name)?;
        let preferred = if old.manifest.pinned { versions(context, &old)? } else { Vec::new() };
        let spec = ToolSpec::of(with_python(old.manifest, arguments.python.as_ref()));
        install_tool(&context.host, ToolSpec { preferred, ..spec })
    };
    let code = each_at_once(context, &names, &reinstall, &|outcome| reports.tell("Installed", &outcome))?;
    reports.end(code)
}

pub(super) fn inject(context: &Context, arguments: &InjectArguments) -> Result<u8, Failure> {
    let old = open(context, &arguments.name)?;
    let specs: Vec<String> =
        arguments.specs.iter().map(|spec| absolutize_spec(&context.host, spec)).collect();
    let names = names_of(&specs);
    let mut manifest = old.manifest.clone();
    // A package that is there already is asked for as it is said now.
    manifest
        .with
        .retain(|known| !names_of(std::slice::from_ref(known)).iter().any(|name| names.contains(name)));
    manifest.with.extend(specs.iter().cloned());
    if arguments.with_apps {
        manifest.with_apps.extend(names);
        manifest.with_apps.sort();
        manifest.with_apps.dedup();
    }
    let spec = ToolSpec::of(manifest).asking(&arguments.index.options());
    let preferred = versions(context, &old)?;
    let outcome = install_tool(&context.host, ToolSpec { preferred, keep_same: true, ..spec })?;
    let reports = Reports::new(context, arguments.json);
    if outcome.changed {
        reports.tell(&format!("Injected {} into", specs.join(", ")), &outcome);
    } else {
        reports.say(format_args!("{} has it already", outcome.tool.name));
        reports.add(&outcome.tool, None, false);
    }
    reports.end(0)
}

pub(super) fn uninject(context: &Context, arguments: &UninjectArguments) -> Result<u8, Failure> {
    let old = open(context, &arguments.name)?;
    let mut manifest = old.manifest.clone();
    for package in &arguments.packages {
        let names = names_of(std::slice::from_ref(package));
        let before = manifest.with.len();
        manifest.with.retain(|known| known != package && names_of(std::slice::from_ref(known)) != names);
        if manifest.with.len() == before {
            return Err(Failure::new(format!("`{package}` was not injected into {}", old.name))
                .hinted("`virtpy tool list` shows what was"));
        }
        manifest.with_apps.retain(|name| !names.contains(name));
    }
    let preferred = versions(context, &old)?;
    let outcome = install_tool(&context.host, ToolSpec { preferred, ..ToolSpec::of(manifest) })?;
    let reports = Reports::new(context, arguments.json);
    reports.tell(&format!("Removed {} from", arguments.packages.join(", ")), &outcome);
    reports.end(0)
}

/// Names and versions of what an application has.
pub(super) fn versions(context: &Context, tool: &Tool) -> Result<Vec<(String, String)>, Failure> {
    let contents = Contents::read(&Venv::open(&tool.venv)?, &context.store)?;
    Ok(contents.distributions.into_iter().map(|one| (one.key.into(), one.version)).collect())
}
