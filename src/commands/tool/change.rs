//! `virtpy upgrade`, `reinstall`, `inject` and `uninject`: an application made anew from what is known of it.

use std::time::{Duration, Instant};

use virtpy_pep::Requirement;

use super::realize::{Realized, Wish, names_of, realize, settled};
use super::report::Reports;
use super::{chosen, each_at_once, open};
use crate::cli::{IndexArguments, InjectArguments, ReinstallArguments, UninjectArguments, UpgradeArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::tools::{Manifest, Tool, Toolbox};
use crate::venv::{Contents, Venv};

pub(super) fn upgrade(context: &Context, arguments: &UpgradeArguments) -> Result<u8, Failure> {
    let names = chosen(context, &arguments.names, arguments.all)?;
    let reports = Reports::new(context, arguments.json);
    let upgrade = |context: &Context, name: &str| {
        let started = Instant::now();
        let old = open(context, name)?;
        if old.manifest.pinned {
            return Ok(Upgrade::Pinned(Box::new(old)));
        }
        let before = old.manifest.version.clone();
        let manifest =
            Manifest { python: arguments.python.clone().or(old.manifest.python.clone()), ..old.manifest };
        let wish = Wish { upgrade: true, keep_same: true, ..Wish::of(manifest) };
        let index = overridden(wish.index.clone(), &arguments.index);
        let realized = realize(context, Toolbox::new(&context.store), Wish { index, ..wish })?;
        Ok(Upgrade::Done { before, realized: Box::new(realized), taken: started.elapsed() })
    };
    let code = each_at_once(context, &names, &upgrade, &|upgrade| match upgrade {
        Upgrade::Pinned(tool) => {
            reports.say(format_args!(
                "{} is pinned at {}; `virtpy unpin {0}` lets it be upgraded",
                tool.name, tool.manifest.version
            ));
            reports.add(&tool, None, false);
        }
        Upgrade::Done { realized, .. } if !realized.changed => {
            let tool = &realized.tool;
            reports.say(format_args!("{} {} {}", tool.name, tool.manifest.version, why_unchanged(tool)));
            reports.add(tool, None, false);
        }
        Upgrade::Done { before, realized, taken } if realized.tool.manifest.version == before => {
            reports.tell("Upgraded what is beside", &realized, taken);
        }
        Upgrade::Done { before, realized, taken } => {
            reports.tell(&format!("Upgraded {before} to"), &realized, taken);
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

/// What came of upgrading one application.
enum Upgrade {
    /// It stays as it is.
    Pinned(Box<Tool>),
    /// It was of the version `before`.
    Done { before: String, realized: Box<Realized>, taken: Duration },
}

/// What this call says of the indexes goes before what is known.
pub(super) fn overridden(known: IndexArguments, said: &IndexArguments) -> IndexArguments {
    let mut index = known;
    if said.index_url.is_some() {
        index.index_url.clone_from(&said.index_url);
    }
    index.extra_index_urls.extend(said.extra_index_urls.iter().cloned());
    index.find_links.extend(said.find_links.iter().cloned());
    index.no_index |= said.no_index;
    index.offline |= said.offline;
    index.no_binary.extend(said.no_binary.iter().cloned());
    index.only_binary.extend(said.only_binary.iter().cloned());
    index
}

pub(super) fn reinstall(context: &Context, arguments: &ReinstallArguments) -> Result<u8, Failure> {
    let names = chosen(context, &arguments.names, arguments.all)?;
    let reports = Reports::new(context, arguments.json);
    let reinstall = |context: &Context, name: &str| {
        let started = Instant::now();
        let old = open(context, name)?;
        let preferred = if old.manifest.pinned { versions(context, &old)? } else { Vec::new() };
        let manifest =
            Manifest { python: arguments.python.clone().or(old.manifest.python.clone()), ..old.manifest };
        let wish = Wish { preferred, ..Wish::of(manifest) };
        let realized = realize(context, Toolbox::new(&context.store), wish)?;
        Ok((realized, started.elapsed()))
    };
    let code = each_at_once(context, &names, &reinstall, &|(realized, taken)| {
        reports.tell("Installed", &realized, taken);
    })?;
    reports.end(code)
}

pub(super) fn inject(context: &Context, arguments: &InjectArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let old = open(context, &arguments.name)?;
    let specs: Vec<String> = arguments.specs.iter().map(|spec| settled(context, spec)).collect();
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
    let wish = Wish::of(manifest);
    let index = overridden(wish.index.clone(), &arguments.index);
    let wish = Wish { preferred: versions(context, &old)?, keep_same: true, index, ..wish };
    let realized = realize(context, Toolbox::new(&context.store), wish)?;
    let reports = Reports::new(context, arguments.json);
    if realized.changed {
        reports.tell(&format!("Injected {} into", specs.join(", ")), &realized, started.elapsed());
    } else {
        reports.say(format_args!("{} has it already", realized.tool.name));
        reports.add(&realized.tool, None, false);
    }
    reports.end(0)
}

pub(super) fn uninject(context: &Context, arguments: &UninjectArguments) -> Result<u8, Failure> {
    let started = Instant::now();
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
    let wish = Wish { preferred: versions(context, &old)?, ..Wish::of(manifest) };
    let realized = realize(context, Toolbox::new(&context.store), wish)?;
    let reports = Reports::new(context, arguments.json);
    reports.tell(&format!("Removed {} from", arguments.packages.join(", ")), &realized, started.elapsed());
    reports.end(0)
}

/// Names and versions of what an application has.
pub(super) fn versions(context: &Context, tool: &Tool) -> Result<Vec<(String, String)>, Failure> {
    let contents = Contents::read(&Venv::open(&tool.venv)?, &context.store)?;
    Ok(contents.distributions.into_iter().map(|one| (one.key, one.version)).collect())
}
