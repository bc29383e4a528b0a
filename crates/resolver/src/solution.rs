//! What satisfies a request, and what is needed to obtain it.

use std::fmt;
use std::sync::Arc;

use uv_distribution_types::{BuiltDist, Dist, HashPolicy, SourceDist};
use virtpy_pep::PackageName;

use crate::context::Context;
use crate::folders::Folder;
use crate::pages::Pages;
use crate::request::{Kept, Package};

/// What satisfies a request: packages to be had, sorted by name, and what is installed already.
pub struct Resolution {
    /// The packages to be had: all but those that are kept.
    pub packages: Vec<Package>,
    /// What of [`Request::installed`] satisfies the request and stays as it is, sorted by name.
    pub kept: Vec<Kept>,
    /// The names among [`Options::left_out`] that the request itself asks for.
    pub left_out: Vec<PackageName>,
    /// What the user should know: yanked versions, extras that do not exist, missing folders.
    pub warnings: Vec<String>,
    /// What of the indexes' pages was passed over, for who wants to know more.
    pub notes: Vec<String>,
    /// The pages that all of this depends on, where it depends on nothing else and it is known until when they may be
    /// believed.
    pub pages: Option<Pages>,
    /// Whether some of it was chosen among wheels that are here, in place of an index's page: asked again, an index may know
    /// better.
    pub is_makeshift: bool,
    pub(crate) plan: Arc<Plan>,
}

impl fmt::Debug for Resolution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Resolution")
            .field("packages", &self.packages)
            .field("kept", &self.kept)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

impl Resolution {
    /// Whether the package at an index is a wheel of which nobody knows or demands a hash: whatever the file is, it is the one.
    pub fn takes_any_file(&self, index: usize) -> bool {
        let Some(chosen) = self.plan.chosen.get(index) else { return false };
        let is_listed = match &*chosen.dist {
            Dist::Built(BuiltDist::Registry(registry)) => !registry.best_wheel().file.hashes.is_empty(),
            Dist::Built(BuiltDist::DirectUrl(_) | BuiltDist::Path(_)) => false,
            Dist::Built(BuiltDist::GitPath(_)) | Dist::Source(_) => return false,
        };
        !is_listed
            && matches!(self.plan.context.demanded(&chosen.dist), HashPolicy::None | HashPolicy::Generate(_))
    }
}

/// What is needed to obtain the packages.
pub(crate) struct Plan {
    pub(crate) context: Context,
    /// What was chosen for each of the packages, in their order.
    pub(crate) chosen: Vec<Chosen>,
}

impl Plan {
    /// The folders that are to be built, but those that an archive was unpacked to.
    pub(crate) fn folders(&self) -> impl Iterator<Item = Folder> {
        self.chosen.iter().filter_map(|chosen| match &*chosen.dist {
            Dist::Source(SourceDist::Directory(folder)) => {
                let is_archive = self.context.archive_of(&folder.install_path).is_some();
                let editable = folder.editable == Some(true);
                (!is_archive).then(|| Folder { path: folder.install_path.clone(), editable })
            }
            _ => None,
        })
    }
}

/// What was chosen for one package, as the libraries know it.
pub(crate) struct Chosen {
    pub(crate) dist: Arc<Dist>,
    /// The name and the version, for messages.
    pub(crate) label: String,
}
