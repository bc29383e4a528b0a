//! The venvs in the cache: those of applications that are run without being installed, and the environments of scripts. Both
//! live for the same time and are swept here.

mod base;
mod download;
mod environments;
mod locked;

pub use base::Base;
pub use environments::{EnvironmentSpec, ReadyEnvironment};
pub use locked::ready_for_lock;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::Host;
use crate::scripts::Environments;
use crate::tools::Toolbox;
use virtpy_files as fs;

/// After so long newer versions are looked for, and what was not used for so long goes.
pub const LIFETIME: Duration = Duration::from_hours(14 * 24);

/// Whether something in the cache may still be used.
pub fn is_young(path: &Path) -> bool {
    fs::metadata(path)
        .ok()
        .and_then(|found| found.modified().ok())
        .and_then(|made| SystemTime::now().duration_since(made).ok())
        .is_some_and(|age| age < LIFETIME)
}

/// Removes what was not used for long. What cannot be removed now is removed another time.
pub fn sweep(host: &Host) {
    let toolbox = Toolbox::cached(&host.store);
    for name in toolbox.names().unwrap_or_default() {
        if let Ok(Some(tool)) = toolbox.open(&name)
            && !is_young(&tool.venv)
            && !tool.is_running()
            && let Ok(Some(_lock)) = toolbox.try_lock(&name)
        {
            let _ = toolbox.remove(&name);
        }
    }
    Environments::new(&host.store).sweep(LIFETIME);
    let downloads = downloads(host);
    for name in fs::own_names(&downloads) {
        let folder = downloads.join(name);
        if !is_young(&folder) {
            let _ = fs::remove_tree(&folder);
        }
    }
}

/// The folder of the scripts that came from URLs.
pub(crate) fn downloads(host: &Host) -> PathBuf {
    host.store.cache().join("scripts")
}
