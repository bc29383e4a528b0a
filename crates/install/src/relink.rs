//! Making a venv that was moved, copied or cut off from its store or its interpreter whole again.

use schemars::JsonSchema;
use serde::Serialize;

use crate::installed::recover;
use crate::{Error, Host, Indexes, Result, base, bytecode, restore};
use virtpy_files as fs;
use virtpy_interpreters::Interpreter;
use virtpy_venv::{ChangeSet, ChangeSummary, Contents, Place, Venv, VenvError};

/// What came of it.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Relinked {
    /// Where the venv is.
    path: String,
    /// Its id.
    id: String,
    /// What it was: `in_place`, `moved`, `copy` or `of_another_store`.
    was: &'static str,
    /// How many packages are linked.
    pub linked: usize,
    /// How many of them the store had lost.
    pub fetched: usize,
    /// What changed in the venv.
    #[serde(skip)]
    pub summary: ChangeSummary,
}

/// Relinks a venv, to another interpreter of the same version if one is named.
///
/// # Errors
/// When there is no interpreter for it, or what the store lost cannot be had.
pub fn relink(host: &Host, venv: &Venv, python: Option<&str>, indexes: &Indexes) -> Result<Relinked> {
    let store = &host.store;
    let interpreter = interpreter(host, venv, python)?;
    let _store_lock = store.lock_shared(&mut host.announce())?;
    // The original's lock, while this may be a copy of it: two relinks of one copy must not both give it an id.
    let _original_lock = venv.lock(store, &mut host.announce())?;
    // Only now nobody else changes it.
    let mut venv = Venv::open_recorded(store, &venv.root)?;
    let place = venv.place(store)?;
    let mut _own_lock = None;
    if matches!(place, Place::Copy(_)) {
        venv = venv.part_from_original(store)?;
        _own_lock = Some(store.lock_venv(&venv.id, &mut host.announce())?);
    }
    store.register(&venv.id, &venv.root)?;
    recover(host, &venv)?;

    let venv = venv.in_store(store)?;
    let contents = Contents::read(&venv, store)?;
    let wanted = venv.to_be_linked(&contents)?;
    let missing = restore::LowerStores(host).absent(&wanted, |one| !store.has(&one.sha256))?;
    let fetched = restore::fetch(host, &interpreter, &missing, indexes)?;
    let install = restore::packages(host, &wanted, &fetched)?;
    // Before anything is laid out for the interpreter.
    let tags = interpreter.tags();
    for package in &install {
        tags.check(&package.entry.manifest.filename).map_err(VenvError::from)?;
    }
    let venv = venv.naming_stores(install.iter().map(|package| &package.entry))?;
    let base = base(&interpreter);
    venv.prepare(store, &base)?;
    // A move took the scripts along unchanged, so what the set satisfies it still does.
    let satisfies = contents.state.satisfied.clone();
    let change = ChangeSet { install, satisfies, relayout: true, ..ChangeSet::default() };
    let summary = venv.apply(store, &contents, &change)?;
    venv.settle(store, &base)?;
    bytecode::after_change(host, &interpreter, &venv, &change.install, false)?;
    Ok(Relinked {
        path: venv.root.display().to_string(),
        id: venv.id.to_string(),
        was: match &place {
            Place::Own => "in_place",
            Place::Moved(_) => "moved",
            Place::Copy(_) => "copy",
            Place::OtherStore(_) => "of_another_store",
        },
        linked: change.install.len(),
        fetched: missing.len(),
        summary,
    })
}

/// The interpreter that the venv shall run on: the one asked for, its own, or another of the same version.
fn interpreter(host: &Host, venv: &Venv, python: Option<&str>) -> Result<Interpreter> {
    let version = venv.layout.python_version();
    let found = match python {
        None if fs::metadata(&venv.python()).is_ok() => host.interpreter(venv)?,
        text => host.wanted_interpreter(text.or(Some(version)))?,
    };
    if venv.layout.site_packages.split('/').nth(1) != Some(base(&found).library.as_str()) {
        return Err(Error::new(format!(
            "the venv is of Python {version}, and `{}` is {}",
            found.executable.display(),
            found.version
        ))
        .hinted(format!(
            "relinking keeps the version; `virtpy new --keep -p {} {}` gives the venv another one, with the same packages",
            found.version,
            venv.root.display()
        )));
    }
    Ok(found)
}
