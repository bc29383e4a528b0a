//! Traces that other installers leave in venvs, and what they may have done to the store through its links.
//!
//! An ordinary user cannot write to an entry. For root there are no permissions: an installer that overwrites without
//! uninstalling first goes through a folded folder into the store. What it leaves in the venv (its own dist-info) is
//! the trace by which the entries of that venv are looked at again, once for each new trace.

use std::os::unix::fs::MetadataExt as _;

use super::{Contents, Owner, Venv, VenvError};
use crate::fs;
use crate::store::{Entry, Root, Store, StoreError};

/// The entries of a venv that another installer damaged, and the note that keeps them from being looked at again.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// The damaged entries.
    pub damaged: Vec<Entry>,
    /// What stands for the trace; `None` where there is no new one.
    pub trace: Option<String>,
}

impl Venv {
    /// Looks at this venv's entries if another installer was here since the last time.
    ///
    /// # Errors
    /// When the venv or the store cannot be read.
    pub fn aftermath(&self, store: &Store, contents: &Contents) -> Result<Aftermath, VenvError> {
        let Some(trace) = self.trace(contents).filter(|trace| !store.is_noted(trace)) else {
            return Ok(Aftermath::default());
        };
        let mut damaged = Vec::new();
        for installed in &contents.state.distributions {
            let Some(entry) = store.entry(&installed.sha256)? else { continue };
            match store.look_at(&entry) {
                Err(StoreError::Damaged { .. }) => damaged.push(entry),
                other => other?,
            }
        }
        Ok(Aftermath { damaged, trace: Some(trace) })
    }

    /// What others did here: their dist-info folders with their times, and what they took away.
    fn trace(&self, contents: &Contents) -> Option<String> {
        let mut trace = String::new();
        let foreign = contents.distributions.iter().filter(|one| matches!(one.owner, Owner::Foreign { .. }));
        for name in foreign.map(|one| &one.dist_info).chain(contents.lost.iter().map(|one| &one.dist_info)) {
            trace.push_str(name);
            if let Ok(facts) = fs::symlink_metadata(&self.site_packages().join(name)) {
                trace.push_str(&format!("{}.{}", facts.mtime(), facts.mtime_nsec()));
            }
        }
        (!trace.is_empty()).then(|| format!("{}-{}", self.id, Store::digest_of(&trace)))
    }

    /// Whether something was installed here after virtpy's last change: the folder of packages is newer than its notes.
    pub fn changed_behind_our_back(root: &Root) -> bool {
        let Ok(venv) = Self::open(&root.path) else { return false };
        let time = |path| fs::symlink_metadata(path).map(|facts| (facts.mtime(), facts.mtime_nsec()));
        match (time(&venv.site_packages()), time(&venv.private().join("state.json"))) {
            (Ok(packages), Ok(state)) => packages > state,
            _ => false,
        }
    }
}
