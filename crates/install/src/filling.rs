//! Filling a store that others read: what files ask for, with bytecode for each interpreter, and without a venv that stays.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::bytecode;
use crate::environment::NewEnvironment;
use crate::execute::bring;
use crate::followed::{Followed, Following};
use crate::lockfile::LockKind;
use crate::plan::{Extent, Goal, InstallOptions};
use crate::sources::{LockChoice, LockSource, Requirements};
use crate::{Environment, Host, Indexes, Result};
use virtpy_interpreters::Interpreter;
use virtpy_venv::PackageToInstall;

/// A file that says what a store is to have.
pub struct Filling {
    label: String,
    asks: Asks,
}

/// What a file asks for.
enum Asks {
    /// Whatever satisfies requirements.
    Requirements(Box<Requirements>),
    /// What is locked.
    Locked(Followed),
}

impl Filling {
    /// Reads a file. What is chosen of it beside the hashes goes for lock files.
    ///
    /// # Errors
    /// When there is no such file, or it makes no sense.
    pub fn read(host: &Host, file: &Path, choice: LockChoice, indexes: &Indexes) -> Result<Self> {
        if LockKind::of(file) == LockKind::Requirements {
            let require_hashes = choice.require_hashes;
            let read = Requirements::read(host, &[], &[file.to_path_buf()], &[], indexes.settings(host)?)?;
            let asks = Asks::Requirements(Box::new(Requirements { require_hashes, ..read }));
            return Ok(Self { label: host.shown(file), asks });
        }
        let choice = LockChoice { files: vec![file.to_path_buf()], ..choice };
        let source = LockSource::find(host, choice, indexes)?;
        Ok(Self { label: source.label(host), asks: Asks::Locked(Followed::of(source)?) })
    }
}

/// What one file gave for one interpreter.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Filled {
    /// The file.
    pub file: String,
    /// The interpreter's version.
    pub python: String,
    /// The interpreter.
    pub executable: String,
    /// How many packages the file asks for.
    pub packages: usize,
    /// How many of them were not in the store before.
    pub fetched: usize,
}

/// Has what a file asks for in the store, with bytecode for an interpreter: the one that is named, or else one that the file
/// admits.
///
/// # Errors
/// When something cannot be had or compiled; what the store has then is complete.
pub fn fill(host: &Host, filling: &Filling, python: Option<&str>, indexes: &Indexes) -> Result<Filled> {
    let options = InstallOptions { compile_bytecode: true, ..InstallOptions::default() };
    match &filling.asks {
        Asks::Requirements(source) => {
            let goal = Goal { source: source.as_ref(), extent: Extent::Exact, options };
            put(host, &host.wanted_interpreter(python)?, filling, &goal, indexes)
        }
        Asks::Locked(followed) => {
            let following = Following { followed, extent: Extent::Exact, options, indexes, python };
            following.with_interpreter(host, &|interpreter| {
                put(host, &interpreter, filling, &following.goal(), indexes)
            })
        }
    }
}

/// Lays out what is wanted in a venv that goes again, since only there it shows what fits together, and compiles it.
fn put(
    host: &Host,
    interpreter: &Interpreter,
    filling: &Filling,
    goal: &Goal<'_>,
    indexes: &Indexes,
) -> Result<Filled> {
    // While the store is held nobody sweeps the folder.
    let _store_lock = host.store.lock_shared(&mut host.announce())?;
    let folder = host.store.temporary_folder()?;
    let new = NewEnvironment::in_store(folder.path().join("venv"));
    let mut environment = Environment::create(host, interpreter.clone(), new, indexes)?;
    let log = bring(&mut environment, goal)?;
    // The pip that venvs get.
    let pip = host.store.pip_shim(&mut host.announce())?;
    let pip = PackageToInstall { entry: pip, requested: false, direct_url: None, copied: false };
    bytecode::now(host, interpreter, &[&pip])?;
    Ok(Filled {
        file: filling.label.clone(),
        python: interpreter.version.to_string(),
        executable: interpreter.executable.display().to_string(),
        packages: log.summary.added.len(),
        fetched: log.origins.downloaded + log.origins.built,
    })
}
