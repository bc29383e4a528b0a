//! `virtpy add`: install packages into a venv.

use std::time::Instant;

use super::save;
use crate::cli::{AddArguments, ChangeArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::install::{self, Changelog, Extent, Goal, Indexes, Requirements};
use crate::output::counted;
use crate::report::{self, Telling};
use crate::settings::Settings;

pub(super) fn run(context: &Context, arguments: &AddArguments) -> Result<u8, Failure> {
    if arguments.save.is_meant(Settings::current()?.save) {
        return save::add(context, arguments);
    }
    let started = Instant::now();
    if let Some(venv) = context.meant_venv(&arguments.venv)? {
        context.name_venv(&venv);
    }
    let indexes = arguments.index.indexes();
    let wanted = wanted(context, arguments, &indexes)?;
    let venv = context.venv_to_change(&arguments.venv)?;
    let root = venv.root.clone();
    let log = if wanted.is_empty() {
        context.host.interpreter(&venv)?;
        wanted.files.remark_on_nothing().into_iter().for_each(|remark| context.output.warning(remark));
        Changelog::default()
    } else {
        let options = arguments.change.options();
        let goal = Goal { source: &wanted, extent: Extent::Sufficient, options };
        install::install(&context.host, venv, &indexes, &goal)?
    };
    let ChangeArguments { dry_run, json, .. } = arguments.change;
    let telling = Telling { dry_run, json, file: None, started };
    let code = report::changelog(context.output, &telling, &log, |elapsed| sentence(dry_run, &log, elapsed))?;
    save::suggest(context, arguments, &root);
    Ok(code)
}

fn wanted(context: &Context, arguments: &AddArguments, indexes: &Indexes) -> Result<Requirements, Failure> {
    let AddArguments { specs, requirements, constraints, editables, .. } = arguments;
    if specs.is_empty() && requirements.is_empty() && editables.is_empty() {
        return Err(Failure::usage("there is nothing to add")
            .hinted("name packages, or a requirements file with `-r`: `virtpy add requests`"));
    }
    let settings = indexes.settings(&context.host)?;
    Ok(Requirements {
        editables: editables.clone(),
        no_deps: arguments.no_deps,
        upgrade: arguments.upgrade,
        pre: arguments.pre,
        require_hashes: arguments.require_hashes,
        exclude_newer: arguments.exclude_newer.clone(),
        ..Requirements::read(&context.host, specs, requirements, constraints, settings)?
    })
}

fn sentence(dry_run: bool, log: &Changelog, elapsed: &str) -> String {
    let added = counted(log.summary.added.len(), "package");
    if log.summary.added.is_empty() {
        format!("Nothing to do: everything is installed ({elapsed})")
    } else if dry_run {
        let (from_store, downloaded) = (log.origins.from_store, log.origins.downloaded);
        format!(
            "Would add {added} ({from_store} from the store, {downloaded} to download; nothing was changed)"
        )
    } else {
        format!("Added {added} in {elapsed} ({})", log.origins)
    }
}
