//! Which folders of a distribution may not be folded, and which of its files may not be links, because something in them
//! looks for another distribution's files.
//!
//! The kernel resolves `$ORIGIN/../..` through a folded folder into the store, where the neighbours are not; so it does with
//! the `..` that Python code puts behind its own folder. So the folder of such a library or module, and those above
//! it, are made real. Whether a library is of that kind depends on who else is there: torch alone is folded, beside the
//! wheels with the CUDA libraries it is not. What resolves links before it looks around has to be a real file as well:
//! Qt's libraries and programs, and modules with `Path(__file__).resolve()`.

use std::collections::{BTreeMap, BTreeSet};

use virtpy_wheel::{SearchingFolder, Tree, is_library_name};

use super::VenvError;
use super::candidates::Files;
use super::node::PlannedDistribution;

/// How the names of Qt's libraries begin, on Linux and on macOS.
const QT: [&str; 2] = ["libQt", "Qt"];

/// What of one distribution must be real, by paths with their tree: `site/torch/lib`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RealParts {
    folders: BTreeSet<String>,
    files: BTreeSet<String>,
    /// Those of the folders that are real for modules that look for neighbours.
    of_modules: BTreeSet<String>,
    has_qt: bool,
}

impl RealParts {
    /// Decides for each member of a venv.
    ///
    /// # Errors
    /// When the list of a member's files cannot be read.
    pub(super) fn of(members: &[PlannedDistribution<'_>], files: &[Files]) -> Result<Vec<Self>, VenvError> {
        let mut providers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        if members.iter().any(|member| !member.manifest.libraries.searching.is_empty()) {
            for (index, member) in members.iter().enumerate() {
                for name in &member.manifest.libraries.provided {
                    providers.entry(name).or_default().push(index);
                }
            }
        }
        let of_another = |name: &String, index: usize| {
            providers.get(name.as_str()).is_some_and(|found| found.iter().any(|provider| *provider != index))
        };
        let mut all = Vec::with_capacity(members.len());
        for (index, member) in members.iter().enumerate() {
            let mut parts = Self::of_modules(member);
            let libraries = &member.manifest.libraries;
            let names = libraries.searching.iter().flat_map(|folder| &folder.wanted);
            let is_of_qt = |name: &String| QT.iter().any(|beginning| name.starts_with(beginning));
            parts.has_qt = libraries.provided.iter().chain(names).any(is_of_qt);
            let is_met = |folder: &SearchingFolder| folder.wanted.iter().any(|name| of_another(name, index));
            let any_is_met = libraries.searching.iter().any(is_met);
            for folder in &libraries.searching {
                if any_is_met && (folder.climbs || is_met(folder))
                    || reaches_another(folder, index, members, files)?
                {
                    parts.add_folder(&folder.folder);
                }
            }
            all.push(parts);
        }
        Ok(all)
    }

    /// What its modules demand, whoever else is there: they may look for anything.
    fn of_modules(member: &PlannedDistribution<'_>) -> Self {
        let mut parts = Self::default();
        let climbing = &member.manifest.climbing;
        for folder in &climbing.folders {
            parts.add_folder(&format!("site/{folder}"));
        }
        parts.of_modules.clone_from(&parts.folders);
        parts.files = climbing.files.iter().map(|file| format!("site/{file}")).collect();
        parts
    }

    fn add_folder(&mut self, folder: &str) {
        let mut path = folder;
        while self.folders.insert(path.to_owned()) {
            let Some((parent, _)) = path.rsplit_once('/') else { break };
            path = parent;
        }
    }

    /// Whether a folder must be real.
    pub(super) fn has_folder(&self, folder: &str) -> bool {
        self.folders.contains(folder)
    }

    /// Whether a candidate lies right in a package's folder that is real for its modules.
    pub(super) fn opens_for_modules(&self, candidate: &str) -> bool {
        candidate
            .rsplit_once('/')
            .is_some_and(|(folder, _)| folder.contains('/') && self.of_modules.contains(folder))
    }

    /// Whether a file that has no link above it must be real itself.
    pub(super) fn has_file(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        // Qt's programs have no ending.
        self.files.contains(path) || self.has_qt && (is_library_name(name) || !name.contains('.'))
    }

    /// Whether a module of this folder, which is real itself, must be real: bytecode that is shared would hide an edit.
    pub(super) fn has_module_in(&self, folder: &str) -> bool {
        let is_inside = |file: &String| file.rsplit_once('/').is_some_and(|(parent, _)| parent == folder);
        self.files.iter().any(is_inside)
    }
}

/// Whether a search path of a folder's libraries leads to a folder that another member has.
fn reaches_another(
    folder: &SearchingFolder,
    index: usize,
    members: &[PlannedDistribution<'_>],
    files: &[Files],
) -> Result<bool, VenvError> {
    for path in folder.reaches.iter().filter_map(|path| path.strip_prefix("site/")) {
        let top = path.split('/').next().unwrap_or(path);
        for (other, member) in members.iter().enumerate().filter(|(other, _)| *other != index) {
            let may_have = member.manifest.top.iter().any(|item| item.folder && item.name == top);
            if may_have && !files[other].children(member, Tree::Site, path)?.is_empty() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
