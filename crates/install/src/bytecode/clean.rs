//! Removing what virtpy did not compile from the store's folders of bytecode: root's Python writes there all the same.

use virtpy_venv::{Contents, Owner, Venv};

use super::pass::tell_strays;
use crate::Host;
use crate::compiler::{self, PackageStray};

/// Empties the `__pycache__` folders of what the venv uses, of all that virtpy did not compile, and says what that was.
pub fn clean(host: &Host, venv: &Venv, contents: &Contents) {
    if !venv.config.link_mode().folds() {
        return;
    }
    let mut strays = Vec::new();
    for distribution in contents.distributions.iter().filter(|one| !one.is_copied()) {
        let Owner::Virtpy(installed) = &distribution.owner else { continue };
        // Whatever else is wrong with an entry has its own problem.
        // A lower store is its owner's to clean.
        let entry =
            if installed.layer.is_some() { Ok(None) } else { host.store.own_entry(&installed.sha256) };
        let Ok(Some(entry)) = entry else { continue };
        let label = distribution.label().to_string();
        match compiler::clean(&host.store, &entry) {
            Ok(found) => strays.extend(PackageStray::of(&label, found)),
            Err(error) => host.warning(format_args!(
                "{label} has files in `__pycache__` that virtpy did not compile, and they stay: {error}"
            )),
        }
    }
    tell_strays(host, &strays);
}
