//! virtpy's own pip is part of a venv: no change replaces or removes it.

use std::borrow::Cow;

use virtpy_store::is_pip_shim;

use super::{ChangeSet, Contents, PackageToInstall};

impl ChangeSet {
    /// The change without what would replace or remove virtpy's own pip: whoever asks for another one gets what that does.
    pub(super) fn sparing_own_pip(&self, contents: &Contents) -> Cow<'_, Self> {
        let is_other_pip = |arrival: &PackageToInstall| {
            arrival.entry.package == *"pip" && !is_pip_shim("pip", &arrival.entry.manifest.version)
        };
        let concerns = self.remove.contains("pip") || self.install.iter().any(is_other_pip);
        if !concerns || !contents.has_pip_shim() {
            return Cow::Borrowed(self);
        }
        let mut change = self.clone();
        change.remove.remove("pip");
        change.install.retain(|arrival| !is_other_pip(arrival));
        Cow::Owned(change)
    }
}
