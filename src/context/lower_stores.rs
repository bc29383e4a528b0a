//! The stores below the user's own, as the settings name them.

use std::path::Path;

use crate::fs;
use crate::settings::Settings;
use crate::store::{Layer, LayerError, Owners};

/// Looks at the stores below the one in a folder.
///
/// # Errors
/// When the settings make no sense, or one of the stores is not to be believed.
pub(super) fn below(home: &Path) -> Result<Vec<Layer>, LayerError> {
    let settings =
        Settings::current().map_err(|error| LayerError { message: error.to_string(), hint: error.hint() })?;
    if settings.stores.is_empty() {
        return Ok(Vec::new());
    }
    let owners = Owners::and(settings.store_owners.iter().copied());
    let is_own = |path: &Path| {
        path == home
            || matches!((fs::canonicalize(path), fs::canonicalize(home)), (Ok(one), Ok(other)) if one == other)
    };
    // Whoever fills one of them has it as the own one.
    settings.stores.iter().filter(|path| !is_own(path)).map(|path| Layer::at(path, &owners)).collect()
}
