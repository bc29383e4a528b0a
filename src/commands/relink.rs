//! `virtpy relink`: make a venv that was moved, copied or cut off from its store or its interpreter whole again.

use std::time::Instant;

use serde::Serialize;

use super::lost;
use super::new::base;
use crate::cli::{RelinkArguments, VenvArgument};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::interpreters::{Interpreter, PythonRequest};
use crate::output::{counted, seconds};
use crate::venv::{Change, Contents, Installed, Place, Venv, VenvError};

pub(super) fn run(context: &Context, arguments: &RelinkArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let store = &context.store;
    let venv = context.displaced_venv(&arguments.venv)?;
    context.name_venv(&venv.root);
    let interpreter = interpreter(context, &venv, arguments.python.as_deref())?;
    let _store_lock = store.lock_shared(&mut context.announce())?;
    // The original's lock, while this may be a copy of it: two relinks of one copy must not both give it an id.
    let _original_lock = store.lock_venv(&venv.id, &mut context.announce())?;
    let named = VenvArgument { path: Some(venv.root.clone()) };
    let mut venv = context.displaced_venv(&named)?;
    let place = venv.place(store)?;
    let mut _own_lock = None;
    if matches!(place, Place::Copy(_)) {
        venv = venv.part_from_original(store)?;
        _own_lock = Some(store.lock_venv(&venv.id, &mut context.announce())?);
    }
    store.register(&venv.id, &venv.root)?;
    venv.recover()?;

    let venv = venv.in_store(store)?;
    let contents = Contents::read(&venv, store)?;
    let wanted = venv.to_be_linked(&contents)?;
    let missing: Vec<&Installed> = wanted.iter().filter(|one| !store.has(&one.sha256)).collect();
    let fetched = lost::fetch(context, &interpreter, &missing, &arguments.index)?;
    let install = lost::arrivals(context, &wanted, &fetched)?;
    // Before anything is made anew for the interpreter.
    let tags = interpreter.tags();
    for arrival in &install {
        tags.check(&arrival.entry.manifest.filename).map_err(VenvError::from)?;
    }
    let base = base(&interpreter);
    venv.prepare(store, &base)?;
    // A move took the scripts along unchanged, so what the set satisfies it still does.
    let satisfies = contents.state.satisfied.clone();
    let change = Change { install, satisfies, anew: true, ..Change::default() };
    let linked = change.install.len();
    let summary = venv.apply(store, &contents, &change)?;
    venv.settle(store, &base)?;
    super::bytecode::after_change(context, &interpreter, &venv, &change.install, false)?;
    super::report_left_alone(context.output, &summary);
    let report = Report {
        path: venv.root.display().to_string(),
        id: venv.id.to_string(),
        was: match &place {
            Place::Own => "in_place",
            Place::Moved(_) => "moved",
            Place::Copy(_) => "copy",
            Place::OtherStore(_) => "of_another_store",
        },
        linked,
        fetched: missing.len(),
    };
    if arguments.json {
        context.output.json(&report)?;
    } else {
        context.output.message(format_args!(
            "Relinked {} in {} ({} fetched)",
            counted(linked, "package"),
            seconds(started.elapsed()),
            missing.len()
        ));
    }
    Ok(0)
}

/// The interpreter that the venv shall run on: the one asked for, its own, or another of the same version.
fn interpreter(context: &Context, venv: &Venv, python: Option<&str>) -> Result<Interpreter, Failure> {
    let parse = |text: &str| text.parse::<PythonRequest>().map_err(|error| Failure::usage(error.to_string()));
    let version = venv.layout.python_version();
    let found = match python {
        Some(text) => context.find_interpreter(Some(&parse(text)?))?,
        None if fs::metadata(&venv.python()).is_ok() => context.interpreter(venv)?,
        None => context.find_interpreter(Some(&parse(version)?))?,
    };
    let library = base(&found).library;
    if venv.layout.site_packages.split('/').nth(1) != Some(library.as_str()) {
        return Err(Failure::new(format!(
            "the venv is of Python {version}, and `{}` is {}",
            found.executable.display(),
            found.version
        ))
        .hinted("a venv keeps its Python version; make another one with `virtpy new`"));
    }
    Ok(found)
}

#[derive(Serialize)]
struct Report {
    path: String,
    id: String,
    was: &'static str,
    linked: usize,
    fetched: usize,
}
