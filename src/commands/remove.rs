//! `virtpy remove`: remove packages from a venv.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::add::{Named, named};
use super::hold::hold_whole;
use crate::cli::{IndexArguments, RemoveArguments, VenvArgument};
use crate::context::Context;
use crate::error::Failure;
use crate::output::{counted, seconds};
use crate::venv::{Change, ChangeSummary, Contents};

pub(super) fn run(context: &Context, arguments: &RemoveArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    if let Some(venv) = context.meant_venv(&arguments.venv)? {
        context.name_venv(&venv);
    }
    let choose = |contents: &Contents| keys(context, contents, &arguments.names);
    let summary = carry_out(context, &arguments.venv, (arguments.dry_run, arguments.force), choose)?;
    if arguments.json {
        context.output.json(&Report { dry_run: arguments.dry_run, removed: named(&summary.removed) })?;
        return Ok(0);
    }
    context.output.changes(&summary.removed, &summary.added);
    let count = counted(summary.removed.len(), "package");
    let elapsed = seconds(started.elapsed());
    if arguments.dry_run {
        context.output.message(format_args!("Would remove {count} (nothing was changed)"));
    } else {
        context.output.message(format_args!("Removed {count} in {elapsed}"));
    }
    Ok(0)
}

/// Removes the distributions with the normalized names that `choose` picks from what is installed.
pub(super) fn carry_out(
    context: &Context,
    venv: &VenvArgument,
    (dry_run, force): (bool, bool),
    choose: impl FnOnce(&Contents) -> Result<BTreeSet<String>, Failure>,
) -> Result<ChangeSummary, Failure> {
    let venv = context.venv_to_change(venv)?;
    let held = hold_whole(context, &venv, &IndexArguments::default())?;
    let contents = &held.contents;
    let remove = choose(contents)?;
    if remove.is_empty() {
        return Ok(ChangeSummary::default());
    }
    let summary = if dry_run {
        foresee(contents, &remove)
    } else {
        venv.apply(&context.store, contents, &Change { remove, force, ..Change::default() })?
    };
    super::report_left_alone(context.output, &summary);
    Ok(summary)
}

/// The normalized names; all have to be installed, or nothing is removed.
fn keys(context: &Context, contents: &Contents, names: &[String]) -> Result<BTreeSet<String>, Failure> {
    let mut keys = BTreeSet::new();
    let (mut missing, mut outside) = (Vec::new(), Vec::new());
    for name in names {
        match contents.find(name) {
            Some(distribution) if distribution.is_pip_shim() => {
                context.output.warning("pip is virtpy's own here, and stays");
            }
            Some(distribution) => drop(keys.insert(distribution.key.clone())),
            None => match contents.find_visible(name) {
                Some(one) => {
                    outside.push(format!("`{}` at `{}`", one.name, one.folder(Path::new("")).display()));
                }
                None => missing.push(format!("`{name}`")),
            },
        }
    }
    if missing.is_empty() && outside.is_empty() {
        return Ok(keys);
    }
    if missing.is_empty() {
        let verb = if outside.len() == 1 { "is" } else { "are" };
        return Err(Failure::new(format!(
            "{} {verb} the base interpreter's, outside this venv; nothing was removed",
            outside.join(", ")
        ))
        .hinted("a venv made without `--system-site-packages` does not see it"));
    }
    let verb = if missing.len() == 1 { "is" } else { "are" };
    Err(Failure::new(format!("{} {verb} not installed; nothing was removed", missing.join(", ")))
        .hinted("`virtpy list` shows what is installed"))
}

fn foresee(contents: &Contents, keys: &BTreeSet<String>) -> ChangeSummary {
    let removed = contents
        .distributions
        .iter()
        .filter(|distribution| keys.contains(&distribution.key))
        .map(|distribution| (distribution.name.clone(), distribution.version.clone()))
        .collect();
    ChangeSummary { removed, ..ChangeSummary::default() }
}

#[derive(Serialize)]
struct Report<'a> {
    dry_run: bool,
    removed: Vec<Named<'a>>,
}
