//! `virtpy relink`: make a venv that was moved, copied or cut off from its store or its interpreter whole again.

use std::time::Instant;

use serde::Serialize;
use virtpy_resolver::{Input, Options, Request};

use super::new::base;
use super::progress::Progress;
use crate::cli::{IndexArguments, RelinkArguments, VenvArgument};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::interpreters::{Interpreter, PythonRequest};
use crate::output::{counted, seconds};
use crate::resolve::{self, ResolveError, Supply};
use crate::store::Entry;
use crate::venv::{self, Arrival, Change, Contents, Distribution, Installed, Owner, Place, Venv};

pub(super) fn run(context: &Context, arguments: &RelinkArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let store = &context.store;
    let venv = context.displaced_venv(&arguments.venv)?;
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
    let (own_pip, others): (Vec<&Installed>, Vec<&Installed>) =
        missing.iter().partition(|one| one.is_pip_shim());
    let mut fetched = fetch(context, &interpreter, &others, &arguments.index)?;
    if !own_pip.is_empty() {
        fetched.push(store.pip_shim(&mut context.announce())?);
    }
    let install = arrivals(context, &wanted, &fetched)?;
    let base = base(&interpreter);
    venv.prepare(store, &base)?;
    // A move took the scripts along unchanged, so what the set satisfies it still does.
    let satisfies = contents.state.satisfied.clone();
    let change = Change { install, satisfies, anew: true, ..Change::default() };
    let linked = change.install.len();
    let summary = venv.apply(store, &contents, &change)?;
    venv.settle(store, &base)?;
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

/// Brings what the store no longer has into it again: the same versions, from where each came from.
fn fetch(
    context: &Context,
    interpreter: &Interpreter,
    missing: &[&Installed],
    index: &IndexArguments,
) -> Result<Vec<Entry>, Failure> {
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let settings = context.index_settings(index)?;
    let session = context.session(interpreter, settings.clone());
    let progress = Progress::new(context.output, "resolving");
    let request = Request {
        requirements: missing.iter().map(|installed| input(installed)).collect(),
        options: Options {
            no_deps: true,
            prerelease: true,
            no_binary: settings.no_binary,
            only_binary: settings.only_binary,
            working_directory: context.working_directory.clone(),
            ..Options::default()
        },
        ..Request::default()
    };
    let resolution = session.resolve(&request).map_err(ResolveError::from)?;
    progress.stage("fetching");
    let supply = Supply {
        store: &context.store,
        session: &session,
        interpreter: &Context::build_key(interpreter),
        reporter: &progress,
    };
    let all: Vec<usize> = (0..resolution.packages.len()).collect();
    let obtained = resolve::obtain(&supply, &resolution, &all, &mut context.announce())?;
    progress.end();
    Ok(obtained.into_iter().map(|one| one.entry).collect())
}

/// An installed distribution as something to ask the resolver for.
fn input(installed: &Installed) -> Input {
    let editable = installed.direct_url.as_deref().and_then(venv::editable_location);
    if let Some(location) = editable {
        return Input::Editable(location);
    }
    let owner = Owner::Virtpy(installed.clone());
    Input::Requirement(venv::frozen(&Distribution {
        key: installed.key.clone(),
        name: installed.name.clone(),
        version: installed.version.clone(),
        dist_info: installed.dist_info.clone(),
        owner,
    }))
}

/// What is linked, in the old order; for what had to be fetched the entry that came.
fn arrivals(context: &Context, wanted: &[Installed], fetched: &[Entry]) -> Result<Vec<Arrival>, Failure> {
    let mut arrivals = Vec::with_capacity(wanted.len());
    for installed in wanted {
        let key = |name: &str| virtpy_resolver::normalize_name(name).ok();
        let again = fetched.iter().find(|entry| key(&entry.manifest.name).as_ref() == Some(&installed.key));
        let entry = match again {
            Some(entry) => Some(entry.clone()),
            None => context.store.entry(&installed.sha256)?,
        };
        let entry = entry.ok_or_else(|| {
            Failure::new(format!("{} {} could not be fetched again", installed.name, installed.version))
        })?;
        if entry.manifest.sha256 != installed.sha256 {
            context.output.warning(format_args!(
                "{} {} is another file than before",
                installed.name, installed.version
            ));
        }
        arrivals.push(Arrival {
            entry,
            requested: installed.requested,
            direct_url: installed.direct_url.clone(),
            copied: installed.copied,
        });
    }
    Ok(arrivals)
}

#[derive(Serialize)]
struct Report {
    path: String,
    id: String,
    was: &'static str,
    linked: usize,
    fetched: usize,
}
