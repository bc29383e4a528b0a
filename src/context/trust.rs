//! Whose a venv is, and which store of those that it names is believed: a venv may have come with a repository, or been put
//! there by another user.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::is_same_place;
use crate::settings::Settings;
use crate::store::Store;
use crate::venv::Venv;

impl Context {
    /// The store of a venv, which has to be one that is believed.
    ///
    /// # Errors
    /// When the venv names another store.
    pub fn demand_believed_store(&self, venv: &Venv) -> Result<Store, Failure> {
        self.host.believed_store(venv).ok_or_else(|| {
            let named = venv.store_home().unwrap_or_default();
            Failure::new(format!(
                "the venv at `{}` names the store `{}`, which you have not used before; nothing of it was used",
                venv.root.display(),
                named.display()
            ))
            .hinted(format!(
                "if it is yours, set `VIRTPY_HOME` to it; otherwise bring the venv into the store `{}` with `virtpy relink`",
                self.store.home().display()
            ))
        })
    }

    /// Refuses to run what is in a venv that nobody knows: it may have come with a repository.
    ///
    /// # Errors
    /// When its store has no record of it at its place.
    pub fn demand_own(&self, venv: &Venv) -> Result<(), Failure> {
        let store = self.demand_believed_store(venv)?;
        if venv.is_proven(&store) {
            return Ok(());
        }
        Err(Failure::new(format!(
            "virtpy has not made the venv at `{}`, or it was moved or copied there; nothing in it was run",
            venv.root.display()
        ))
        .hinted("if you trust it, make it one of yours with `virtpy relink`"))
    }

    /// Refuses a venv that was found and not named, if another user has put it there (as git does with `safe.directory`).
    /// Good are this user, root, under `sudo` whoever called it, and what the settings list as `safe-directories`.
    ///
    /// # Errors
    /// When it belongs to somebody else.
    pub fn demand_safe(&self, venv: &Path) -> Result<(), Failure> {
        let Some(owner) = foreign_owner(venv) else { return Ok(()) };
        let listed = &Settings::current()?.safe_directories;
        let project = venv.parent().unwrap_or(venv);
        let is_listed = |safe: &PathBuf| {
            let is_itself = venv.is_absolute() && (is_same_place(safe, project) || is_same_place(safe, venv));
            safe == Path::new("*") || is_itself || {
                let above = safe.file_name().is_some_and(|name| name == "*");
                above && safe.parent().is_some_and(|above| is_in(project, above))
            }
        };
        if listed.iter().any(is_listed) {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the venv at `{}` belongs to user {owner}, and was only found there; nothing of it was used",
            venv.display()
        ))
        .hinted(format!(
            "name it with `--venv`, or trust it for good: `safe-directories = [\"{}\"]` in the settings",
            project.display()
        )))
    }
}

/// Somebody else who owns a venv's folder or what is looked at first in it.
fn foreign_owner(venv: &Path) -> Option<u32> {
    let user = fs::effective_user();
    let caller = std::env::var("SUDO_UID").ok().filter(|_| user == 0).and_then(|id| id.parse().ok());
    let is_good = |owner: u32| owner == user || owner == 0 || Some(owner) == caller;
    let parts = ["", "pyvenv.cfg", "bin", "bin/python", "lib"];
    let owners = parts.iter().flat_map(|part| {
        let path = if part.is_empty() { venv.to_path_buf() } else { venv.join(part) };
        let own = fs::symlink_metadata(&path).ok();
        // A link's own, and that of what it leads to. An interpreter may be anybody's.
        let is_followed = own.as_ref().is_some_and(|own| own.is_symlink() && *part != "bin/python");
        let target = if is_followed { fs::metadata(&path).ok() } else { None };
        own.into_iter().chain(target)
    });
    owners.map(|facts| facts.uid()).find(|owner| !is_good(*owner))
}

fn is_in(path: &Path, folder: &Path) -> bool {
    match (fs::canonicalize(path), fs::canonicalize(folder)) {
        (Ok(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    }
}
