//! What files ask for, without a venv that stays: filling a store that others read with it, and finding out what there is of it.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::bytecode;
use crate::environment::NewEnvironment;
use crate::execute::execute;
use crate::followed::{Followed, Following};
use crate::lockfile::LockKind;
use crate::plan::{Extent, Goal, InstallOptions};
use crate::resolved::AtHand;
use crate::sources::{LockChoice, LockSource, Requirements};
use crate::{Environment, Error, Host, Indexes, Result};
use virtpy_interpreters::Interpreter;
use virtpy_remote::Remote;
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
    let asking = Asking { python, indexes, options };
    filling.for_interpreter(host, asking, &|interpreter, goal| put(host, interpreter, filling, goal, indexes))
}

/// For whom something is asked, and how.
#[derive(Clone, Copy)]
struct Asking<'a> {
    python: Option<&'a str>,
    indexes: &'a Indexes,
    options: InstallOptions,
}

/// What there is of what a file asks for.
#[derive(Debug)]
pub struct Found {
    /// The interpreter that it is for.
    pub interpreter: Interpreter,
    /// What there is.
    pub at_hand: AtHand,
}

impl Filling {
    /// The file's name, for people.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Finds out what the store has of what the file asks for, and a remote, if one is asked; what comes from there is in the store
    /// then. The caller holds the store.
    ///
    /// # Errors
    /// When the file has nothing for the interpreter, or an index that has to be asked what is meant does not answer.
    pub fn at_hand(
        &self,
        host: &Host,
        python: Option<&str>,
        indexes: &Indexes,
        remote: Option<&Remote>,
    ) -> Result<Found> {
        let options = InstallOptions { dry_run: true, ..InstallOptions::default() };
        self.for_interpreter(host, Asking { python, indexes, options }, &|interpreter, goal| {
            let environment = Environment::imagined(host, interpreter.clone(), indexes);
            let plan = goal.source.plan(&environment, goal)?;
            let at_hand = plan.supply.at_hand(&environment, remote)?;
            Ok(Found { interpreter: interpreter.clone(), at_hand })
        })
    }

    /// Does something with the interpreter that is named, or else one that the file admits.
    fn for_interpreter<T>(
        &self,
        host: &Host,
        Asking { python, indexes, options }: Asking<'_>,
        act: &dyn Fn(&Interpreter, &Goal<'_>) -> Result<T>,
    ) -> Result<T> {
        let extent = Extent::Exact;
        match &self.asks {
            Asks::Requirements(source) => {
                let goal = Goal { source: source.as_ref(), extent, options };
                act(&host.wanted_interpreter(python)?, &goal)
            }
            Asks::Locked(followed) => {
                let following = Following { followed, extent, options, indexes, python };
                following.with_interpreter(host, &|interpreter| act(&interpreter, &following.goal()))
            }
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
    let plan = goal.source.plan(&environment, goal)?;
    if let Some(name) = plan.supply.editable() {
        let file = &filling.label;
        return Err(Error::new(format!("`{file}` asks for `{name}` to be editable, which others cannot use from a store"))
            .hinted("leave it out with `--no-install-project`, or have it built with `--no-editable`; in requirements, name it \
                     without `-e`"));
    }
    let log = execute(&mut environment, plan)?;
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
