//! `virtpy remove`: remove packages from a venv.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_pep::{NamedVersion, PackageName};

use super::save;
use crate::cli::RemoveArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{self, Environment, Indexes, InstallOptions, InstallPlan};
use crate::output::counted;
use crate::report::{self, Telling};
use crate::settings::Settings;
use crate::venv::Contents;

pub(super) fn run(context: &Context, arguments: &RemoveArguments) -> Result<u8, Failure> {
    if arguments.save.is_meant(Settings::current()?.save) {
        return save::remove(context, arguments);
    }
    let started = Instant::now();
    if let Some(venv) = context.meant_venv(&arguments.venv)? {
        context.name_venv(&venv);
    }
    let venv = context.venv_to_change(&arguments.venv)?;
    let indexes = Indexes::default();
    let mut environment = Environment::open(&context.host, venv, &indexes)?;
    let RemoveArguments { dry_run, force, json, .. } = *arguments;
    let options = InstallOptions { dry_run, force, ..InstallOptions::default() };
    let plan = InstallPlan::removal(keys(context, &environment.contents, &arguments.names)?, options);
    let log = if dry_run { plan.preview(&environment) } else { install::execute(&mut environment, plan)? };
    if json {
        report::warnings(context.output, &log);
        context.output.json(&Removal { dry_run, removed: &log.summary.removed })?;
        return Ok(0);
    }
    let telling = Telling { dry_run, json, file: None, started };
    let count = counted(log.summary.removed.len(), "package");
    report::changelog(context.output, &telling, &log, |elapsed| {
        if dry_run {
            format!("Would remove {count} (nothing was changed)")
        } else {
            format!("Removed {count} in {elapsed}")
        }
    })
}

/// What is to go; all have to be installed, or nothing is removed.
fn keys(context: &Context, contents: &Contents, names: &[String]) -> Result<BTreeSet<PackageName>, Failure> {
    let mut keys = BTreeSet::new();
    let (mut missing, mut outside) = (Vec::new(), Vec::new());
    for name in names {
        let known = name.parse().ok();
        match known.as_ref().and_then(|name| contents.find(name)) {
            Some(distribution) if distribution.is_pip_shim() => {
                context.output.warning("pip is virtpy's own here, and stays");
            }
            Some(distribution) => drop(keys.insert(distribution.package.clone())),
            None => match contents.find_spelled(name) {
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
    let (found, state, hint) = if missing.is_empty() {
        let hint = "a venv made without `--system-site-packages` does not see it";
        (outside, "the base interpreter's, outside this venv", hint)
    } else {
        (missing, "not installed", "`virtpy list` shows what is installed")
    };
    let verb = if found.len() == 1 { "is" } else { "are" };
    Err(Failure::new(format!("{} {verb} {state}; nothing was removed", found.join(", "))).hinted(hint))
}

/// The answer for programs.
#[derive(JsonSchema, Serialize)]
pub(super) struct Removal<'a> {
    /// Whether nothing was changed.
    dry_run: bool,
    /// What went.
    removed: &'a [NamedVersion],
}
