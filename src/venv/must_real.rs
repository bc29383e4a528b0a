//! Which folders of a distribution may not be folded because a shared library in them looks for another
//! distribution's files.
//!
//! The kernel resolves `$ORIGIN/../..` through a folded folder into the store, where the neighbours are not; and Qt
//! resolves links before it loads a plugin. So the folder of such a library, and those above it, are made real. Whether a library is of that kind depends
//! on who else is there: torch alone is folded, beside the wheels with the CUDA libraries it is not.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Member;

/// The folders of one distribution that must be real, with their tree: `site/torch/lib`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RealFolders(BTreeSet<String>);

impl RealFolders {
    /// Decides for each member of a venv.
    pub(super) fn of(members: &[Member<'_>]) -> Vec<Self> {
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
        members
            .iter()
            .enumerate()
            .map(|(index, member)| {
                let searching = &member.manifest.libraries.searching;
                let is_met = |names: &[String]| names.iter().any(|name| of_another(name, index));
                let mut folders = Self::default();
                if searching.iter().any(|folder| is_met(&folder.wanted)) {
                    for folder in searching.iter().filter(|folder| folder.climbs || is_met(&folder.wanted)) {
                        folders.add(&folder.folder);
                    }
                }
                folders
            })
            .collect()
    }

    fn add(&mut self, folder: &str) {
        let mut path = folder;
        while self.0.insert(path.to_owned()) {
            let Some((parent, _)) = path.rsplit_once('/') else { break };
            path = parent;
        }
    }

    /// Whether a folder must be real.
    pub(super) fn has(&self, folder: &str) -> bool {
        self.0.contains(folder)
    }
}
