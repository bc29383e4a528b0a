//! `virtpy upgrade`, `reinstall`, `inject` and `uninject`: what came of making an application again.

use virtpy_pep::Requirement;

use super::report::Reports;
use super::{chosen, each_at_once};
use crate::cli::{InjectArguments, ReinstallArguments, UninjectArguments, UpgradeArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Upgrade, absolutize_spec};
use crate::tools::Tool;

pub(super) fn upgrade(context: &Context, arguments: &UpgradeArguments) -> Result<u8, Failure> {
    let names = chosen(context, &arguments.tools.names, arguments.tools.all)?;
    let reports = Reports::new(context, arguments.json);
    let upgrade = |context: &Context, name: &str| {
        context.host.upgrade_tool(name, arguments.python.as_ref(), &arguments.index.options())
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

pub(super) fn reinstall(context: &Context, arguments: &ReinstallArguments) -> Result<u8, Failure> {
    let names = chosen(context, &arguments.tools.names, arguments.tools.all)?;
    let reports = Reports::new(context, arguments.json);
    let reinstall =
        |context: &Context, name: &str| context.host.reinstall_tool(name, arguments.python.as_ref());
    let code = each_at_once(context, &names, &reinstall, &|outcome| reports.tell("Installed", &outcome))?;
    reports.end(code)
}

pub(super) fn inject(context: &Context, arguments: &InjectArguments) -> Result<u8, Failure> {
    let InjectArguments { name, specs, with_apps, index, json } = arguments;
    let specs: Vec<String> = specs.iter().map(|spec| absolutize_spec(&context.host, spec)).collect();
    let outcome = context.host.inject(name, &specs, *with_apps, &index.options())?;
    let reports = Reports::new(context, *json);
    if outcome.changed {
        reports.tell(&format!("Injected {} into", specs.join(", ")), &outcome);
    } else {
        reports.unchanged(&outcome.tool, "has it already");
    }
    reports.end(0)
}

pub(super) fn uninject(context: &Context, arguments: &UninjectArguments) -> Result<u8, Failure> {
    let outcome = context.host.uninject(&arguments.name, &arguments.packages)?;
    let reports = Reports::new(context, arguments.json);
    reports.tell(&format!("Removed {} from", arguments.packages.join(", ")), &outcome);
    reports.end(0)
}
