//! `virtpy upgrade`, `reinstall`, `inject` and `uninject`: an application is made again from what is known of it.

use virtpy_pep::Requirement;

use super::report::Reports;
use super::{chosen, each_at_once, origin};
use crate::cli::{InjectArguments, ReinstallArguments, UninjectArguments, UpgradeArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::install::{IndexOptions, ToolOutcome, ToolSpec, absolutize_spec, install_tool};
use crate::tools::{Manifest, Tool};

pub(super) fn upgrade(context: &Context, arguments: &UpgradeArguments) -> Result<u8, Failure> {
    let names = chosen(context, &arguments.tools.names, arguments.tools.all)?;
    let reports = Reports::new(context, arguments.json);
    let upgrade = |context: &Context, name: &str| {
        let old = context.host.tool(name)?;
        if old.manifest.pinned {
            return Ok(Upgrade::Pinned(Box::new(old)));
        }
        let spec = ToolSpec::of(with_python(old.manifest, arguments.python.as_ref()));
        let spec = spec.asking(&arguments.index.options());
        let outcome = install_tool(&context.host, ToolSpec { upgrade: true, keep_same: true, ..spec })?;
        Ok(Upgrade::Done(Box::new(outcome)))
    };
    let code = each_at_once(context, &names, &upgrade, &|upgrade| match upgrade {
        Upgrade::Pinned(tool) => reports.unchanged(
            &tool,
            format_args!(
                "is pinned at {}; `virtpy unpin {}` lets it be upgraded",
                tool.manifest.version, tool.name
            ),
        ),
        Upgrade::Done(outcome) if !outcome.changed => {
            let tool = &outcome.tool;
            reports.unchanged(tool, format_args!("{} {}", tool.manifest.version, why_unchanged(tool)));
        }
        Upgrade::Done(outcome) => {
            let before = outcome.previous.as_ref().map(|previous| &previous.manifest.version);
            let before = before.filter(|before| **before != outcome.tool.manifest.version);
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
    let names = chosen(context, &arguments.tools.names, arguments.tools.all)?;
    let reports = Reports::new(context, arguments.json);
    let reinstall = |context: &Context, name: &str| {
        let host = &context.host;
        let old = host.tool(name)?;
        let preferred = if old.manifest.pinned { host.tool_versions(&old)? } else { Vec::new() };
        let spec = ToolSpec::of(with_python(old.manifest, arguments.python.as_ref()));
        install_tool(host, ToolSpec { preferred, ..spec })
    };
    let code = each_at_once(context, &names, &reinstall, &|outcome| reports.tell("Installed", &outcome))?;
    reports.end(code)
}

pub(super) fn inject(context: &Context, arguments: &InjectArguments) -> Result<u8, Failure> {
    let host = &context.host;
    let old = host.tool(&arguments.name)?;
    let specs: Vec<String> = arguments.specs.iter().map(|spec| absolutize_spec(host, spec)).collect();
    let preferred = host.tool_versions(&old)?;
    let mut manifest = old.manifest;
    manifest.inject(&specs, arguments.with_apps, origin(context, &arguments.index, false));
    // Where the packages come from is said of them, how they are had of everything.
    let IndexOptions { offline, no_binary, only_binary, .. } = arguments.index.options();
    let how = IndexOptions { offline, no_binary, only_binary, ..IndexOptions::default() };
    let spec = ToolSpec::of(manifest).asking(&how);
    let outcome = install_tool(host, ToolSpec { preferred, keep_same: true, ..spec })?;
    let reports = Reports::new(context, arguments.json);
    if outcome.changed {
        reports.tell(&format!("Injected {} into", specs.join(", ")), &outcome);
    } else {
        reports.unchanged(&outcome.tool, "has it already");
    }
    reports.end(0)
}

pub(super) fn uninject(context: &Context, arguments: &UninjectArguments) -> Result<u8, Failure> {
    let host = &context.host;
    let old = host.tool(&arguments.name)?;
    let preferred = host.tool_versions(&old)?;
    let mut manifest = old.manifest;
    if let Some(package) = arguments.packages.iter().find(|package| !manifest.uninject(package)) {
        return Err(Failure::new(format!("`{package}` was not injected into {}", old.name))
            .hinted("`virtpy tool list` shows what was"));
    }
    let outcome = install_tool(host, ToolSpec { preferred, ..ToolSpec::of(manifest) })?;
    let reports = Reports::new(context, arguments.json);
    reports.tell(&format!("Removed {} from", arguments.packages.join(", ")), &outcome);
    reports.end(0)
}
