//! What somebody has deleted of what virtpy laid out in `site-packages`.

use std::collections::BTreeSet;

use virtpy_files as fs;
use virtpy_store::Store;

use super::change::DistributionDiff;
use super::{Contents, State, Venv, VenvError};

impl Venv {
    /// The paths at the top of `site-packages` that virtpy made and that are gone, from the venv's root on. Only where somebody has put
    /// anything there or taken anything out since virtpy's last change; what another installer took out is its own affair.
    ///
    /// # Errors
    /// When the venv or the store cannot be read.
    pub fn deleted(&self, store: &Store, contents: &Contents) -> Result<BTreeSet<String>, VenvError> {
        let is_untouched = matches!(State::outdated_by(&self.site_packages(), &self.private()), Ok(None));
        if is_untouched || !contents.is_own() || !contents.dangling.is_empty() {
            return Ok(BTreeSet::new());
        }
        let present = DistributionDiff::load(store, &contents.state.distributions)?;
        let plan = self.plan(&present.iter().collect::<Vec<_>>(), &contents.state.shared_folders)?;
        let names = fs::read_dir_names(&self.site_packages())?;
        let names: BTreeSet<String> =
            names.into_iter().filter_map(|(name, _)| name.into_string().ok()).collect();
        let is_gone = |path: &&String| {
            let inner = path.strip_prefix(&self.layout.site_packages).and_then(|path| path.strip_prefix('/'));
            inner.is_some_and(|name| !name.contains('/') && !names.contains(name))
        };
        Ok(plan.nodes.keys().filter(is_gone).cloned().collect())
    }
}
