//! Removing what virtpy did not compile from the store's folders of bytecode: root's Python writes there all the same.

use virtpy_files as fs;
use virtpy_venv::{Contents, Distribution, Installed, Venv};

use super::pass::tell_strays;
use crate::Host;
use crate::compiler::{self, PackageStray};

/// Empties the `__pycache__` folders of what the venv uses, of all that virtpy did not compile, and says what that was.
pub fn clean(host: &Host, venv: &Venv, contents: &Contents) {
    if !venv.config.link_mode().folds() {
        return;
    }
    // A lower store is its owner's to clean.
    let is_cleaned = |one: &&Installed| !one.copied && one.layer.is_none();
    let linked: Vec<&Installed> =
        contents.distributions.iter().filter_map(Distribution::installed).filter(is_cleaned).collect();
    let store = &host.store;
    let cleaned = fs::map_ordered(&linked, fs::processors(), |installed| {
        // Whatever else is wrong with an entry has its own problem.
        let entry = store.own_entry(&installed.sha256).ok().flatten();
        entry.map_or(Ok(Vec::new()), |entry| compiler::clean(store, &entry))
    });
    let mut strays = Vec::new();
    for (installed, found) in linked.into_iter().zip(cleaned) {
        let label = installed.label().to_string();
        match found {
            Ok(found) => strays.extend(PackageStray::of(&label, found)),
            Err(error) => host.warning(format_args!(
                "{label} has files in `__pycache__` that virtpy did not compile, and they stay: {error}"
            )),
        }
    }
    tell_strays(host, &strays);
}
