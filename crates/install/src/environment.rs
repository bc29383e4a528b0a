//! An environment that is worked on: its venv, which nobody else changes meanwhile, in a store that nobody collects.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use virtpy_resolver::IndexSettings;

use crate::installed::{recover, with_system};
use crate::{Error, Host, Indexes, Result, base, contents, restore};
use virtpy_files::{self as fs, Lock, MetadataExt as _};
use virtpy_interpreters::Interpreter;
use virtpy_venv::{self as venv, Contents, LinkMode, NewVenv, PackageToInstall, Phase, Venv};

/// An environment that is worked on. One that was made is removed again, unless it is [kept](Self::keep).
#[derive(Debug)]
pub struct Environment<'a> {
    /// Where, and for whom.
    pub host: &'a Host,
    /// What is in it.
    pub contents: Contents,
    pub(super) indexes: &'a Indexes,
    venv: Option<Venv>,
    interpreter: OnceCell<Interpreter>,
    is_unkept: bool,
    _locks: Vec<Lock>,
}

/// What kind of environment is to be made.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct NewEnvironment {
    /// Where, absolute.
    pub path: PathBuf,
    /// The name that activation shows; the folder's where none is given.
    pub prompt: Option<String>,
    /// Whether the base interpreter's own packages are visible.
    pub system_site_packages: bool,
    /// Whether a venv that is there is replaced.
    pub clear: bool,
    /// How packages come into it; as the user prefers where it is not said.
    pub link_mode: Option<LinkMode>,
    /// Whether it gets the `pip` that hands over to virtpy, if the user prefers that.
    pub pip_shim: bool,
    /// Whether it is one of virtpy's own, in the store's folder, where nobody else may make any.
    pub in_store: bool,
    /// What is in it from the start, beside that `pip`; it is for the interpreter.
    pub packages: Vec<PackageToInstall>,
}

impl NewEnvironment {
    /// A usual one at a path.
    pub fn at(path: PathBuf) -> Self {
        Self { path, pip_shim: true, ..Self::default() }
    }

    /// One of virtpy's own, in the store's folder.
    pub(super) fn in_store(path: PathBuf) -> Self {
        Self { link_mode: Some(LinkMode::default()), pip_shim: false, in_store: true, ..Self::at(path) }
    }
}

/// Says so when root is about to write into the store of a user, who could then no longer change all of it.
fn warn_of_other_owner(host: &Host) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !fs::is_root() {
        return;
    }
    let home = host.store.home();
    let owner = fs::metadata(home).map_or(0, |found| found.uid());
    if owner != 0 && !TOLD.swap(true, Ordering::Relaxed) {
        host.warning(format_args!(
            "the store `{}` belongs to user {owner}, and what root adds to it will be root's; run this as that user, or set \
             `VIRTPY_HOME` to a store of root's own",
            home.display()
        ));
    }
}

/// Holds the store, so that it is not collected: always before a venv. The stores below it have to be believed.
pub(super) fn lock_store(host: &Host) -> Result<Lock> {
    warn_of_other_owner(host);
    for missing in host.store.lower()?.iter().filter(|layer| !layer.is_there()) {
        let home = missing.home().display();
        host.warning(format_args!("the store `{home}` in the setting `stores` is not there"));
    }
    host.caller().note_store(host.store.home());
    Ok(host.store.lock_shared(&mut host.announce())?)
}

impl<'a> Environment<'a> {
    /// Takes hold of a venv as it is: only what a killed command or a power cut left is put right.
    ///
    /// # Errors
    /// When another process holds it for too long, or it cannot be read.
    pub fn open_as_it_is(host: &'a Host, venv: Venv, indexes: &'a Indexes) -> Result<Self> {
        if host.preferences()?.immutable {
            host.store.require_protection()?;
        }
        let store_lock = lock_store(host)?;
        let venv_lock = venv.lock(&host.store, &mut host.announce())?;
        if recover(host, &venv)? {
            host.detail("Rolled back an interrupted change");
        }
        let found = contents(host, &venv)?;
        Ok(Self {
            host,
            contents: restore::torn(host, &venv, found, indexes)?,
            indexes,
            venv: Some(venv),
            interpreter: OnceCell::new(),
            is_unkept: false,
            _locks: vec![venv_lock, store_lock],
        })
    }

    /// Takes hold of a venv and makes it whole: what the store lost of it is fetched again, and what another installer did to
    /// the store through it is put right. So nothing leaves a venv behind that does not work.
    ///
    /// # Errors
    /// When another process holds it for too long, it cannot be read, or what is missing cannot be had.
    pub fn open(host: &'a Host, venv: Venv, indexes: &'a Indexes) -> Result<Self> {
        let mut environment = Self::open_as_it_is(host, venv, indexes)?;
        let found = std::mem::take(&mut environment.contents);
        let venv = environment.venv();
        let found = restore::lost(host, venv, found, indexes)?;
        environment.contents = restore::damaged(host, venv, found, indexes)?;
        Ok(environment)
    }

    /// Makes an environment.
    ///
    /// # Errors
    /// When something stands in the way, or the disk cannot be written; nothing is left of it then.
    pub fn create(
        host: &'a Host,
        interpreter: Interpreter,
        new: NewEnvironment,
        indexes: &'a Indexes,
    ) -> Result<Self> {
        let preferences = host.preferences()?;
        if preferences.immutable {
            host.store.require_protection()?;
        }
        // A collection must not come between the registration of the venv and its appearance.
        let store_lock = lock_store(host)?;
        let mut packages = Vec::with_capacity(new.packages.len() + 1);
        if new.pip_shim && preferences.pip_shim {
            host.note_program()?;
            let entry = host.store.pip_shim(&mut host.announce())?;
            packages.push(PackageToInstall { entry, requested: false, direct_url: None, copied: false });
        }
        packages.extend(new.packages);
        let new = NewVenv {
            path: new.path,
            prompt: new.prompt,
            system_site_packages: new.system_site_packages,
            clear: new.clear,
            in_store: new.in_store,
            link_mode: new.link_mode.unwrap_or(preferences.link_mode),
            packages,
        };
        Phase::UnderWay.enter();
        let made = venv::create(&host.store, &base(&interpreter), &new, &mut host.announce())?;
        Ok(Self {
            host,
            contents: with_system(host, &made.venv, made.contents),
            indexes,
            venv: Some(made.venv),
            interpreter: OnceCell::from(interpreter),
            is_unkept: true,
            _locks: vec![made.lock, store_lock],
        })
    }

    /// An environment that would have to be made: what would come into it can be planned.
    pub fn imagined(host: &'a Host, interpreter: Interpreter, indexes: &'a Indexes) -> Self {
        Self {
            host,
            contents: Contents::default(),
            indexes,
            venv: None,
            interpreter: OnceCell::from(interpreter),
            is_unkept: false,
            _locks: Vec::new(),
        }
    }

    /// Takes an interpreter that was found already.
    #[must_use]
    pub(super) fn with_interpreter(mut self, interpreter: Interpreter) -> Self {
        self.interpreter = OnceCell::from(interpreter);
        self
    }

    /// Says that what was made is wanted.
    pub fn keep(&mut self) {
        self.is_unkept = false;
        Phase::Changed.enter();
    }

    /// The venv, if it is there.
    pub(super) fn existing(&self) -> Option<&Venv> {
        self.venv.as_ref()
    }

    /// The venv.
    ///
    /// # Panics
    /// For an imagined environment, which nobody can do anything with but plan.
    pub fn venv(&self) -> &Venv {
        self.venv.as_ref().unwrap_or_else(|| unreachable!("an imagined environment has no venv"))
    }

    /// The interpreter.
    ///
    /// # Errors
    /// When it is gone, does not run, or is not known.
    pub fn interpreter(&self) -> Result<&Interpreter> {
        if let Some(interpreter) = self.interpreter.get() {
            return Ok(interpreter);
        }
        let interpreter = self.host.interpreter(self.venv())?;
        Ok(self.interpreter.get_or_init(|| interpreter))
    }

    /// The settings of the indexes that are asked for it.
    pub(super) fn settings(&self) -> Result<&IndexSettings> {
        self.indexes.settings(self.host)
    }

    /// Whether this is the name of virtpy's own pip, which no other replaces.
    pub(super) fn is_own_pip(&self, name: &str) -> bool {
        name == "pip" && self.contents.has_pip_shim()
    }

    /// Whether the packages of the base interpreter are seen in it.
    pub(super) fn sees_system_site(&self) -> bool {
        self.venv.as_ref().is_some_and(Venv::sees_system_site)
    }
}

impl Drop for Environment<'_> {
    fn drop(&mut self) {
        if let Some(venv) = self.venv.as_ref().filter(|_| self.is_unkept)
            && let Err(error) = venv::discard(&self.host.store, &venv.root)
        {
            self.host.warning(format_args!("`{}` could not be removed again: {error}", venv.root.display()));
        }
    }
}

impl Host {
    /// Leads the store's link to this program, for the `pip` of the venvs.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note_program(&self) -> Result<()> {
        Ok(self.store.note_program(&own_program()?)?)
    }
}

/// Where this program is.
///
/// # Errors
/// When the system does not say so.
pub fn own_program() -> Result<PathBuf> {
    std::env::current_exe()
        .map_err(|error| Error::new(format!("virtpy does not find its own program: {error}")))
}
