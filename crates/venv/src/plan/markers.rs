//! Which folders need a marker: a file that belongs to nobody who could be uninstalled.
//!
//! Real pip removes a folder when it finds no file in it, nor below it, but those of the distribution that it uninstalls, and
//! links to folders do not count as files: with them it would take the other distributions' links along. So a folder
//! that distributions share, or may come to share, holds an empty file; but not where each of its owners has a file of
//! its own in it, or below it, or where a folder below it has a marker that does as well. A folder of one distribution alone
//! holds one unless a file is directly in it: pip looks only at folders of which a file is listed, and leaves others empty.

use std::collections::{BTreeMap, BTreeSet};

/// The name of the empty file.
pub(crate) const MARKER: &str = ".virtpy";

/// The folders that may need a marker, by their paths in the venv.
#[derive(Debug, Default)]
pub(super) struct Markers(BTreeMap<String, Folder>);

#[derive(Debug)]
struct Folder {
    /// The distributions that have something in it, by their places among the members.
    owners: BTreeSet<usize>,
    /// Those of them of which pip sees a file when it looks at the folder.
    safe: BTreeSet<usize>,
    is_shared: bool,
}

/// What was decided for a folder.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) folder: String,
    pub(super) need: Need,
}

/// Whether a folder needs a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    None,
    /// In nobody's RECORD.
    OfAll,
    /// In the RECORD of the only distribution that has something in the folder.
    OfOne(usize),
}

impl Folder {
    /// Notes a file of an owner in it.
    fn see(&mut self, owner: usize, is_direct: bool) {
        if self.is_shared || is_direct {
            self.safe.insert(owner);
        }
    }
}

impl Markers {
    /// Notes a real folder. `is_shared` says that others than one member have files in it.
    pub(super) fn add_folder(&mut self, path: &str, owners: BTreeSet<usize>, is_shared: bool) {
        self.0.insert(path.to_owned(), Folder { owners, safe: BTreeSet::new(), is_shared });
    }

    /// Notes a file, or a link to one, that one member alone has. The folders above it are known already.
    pub(super) fn add_file(&mut self, path: &str, owner: usize) {
        self.for_each_above(path, |folder, is_direct| folder.see(owner, is_direct));
    }

    /// Decides for all folders.
    pub(super) fn decide(mut self) -> Vec<Decision> {
        // What lies deeper sorts later, and its marker counts for what is above it.
        let folders: Vec<String> = self.0.keys().rev().cloned().collect();
        let mut decisions = Vec::with_capacity(folders.len());
        for folder in folders {
            let Folder { owners, safe, is_shared } = &self.0[&folder];
            let need = match owners.first() {
                _ if owners.is_subset(safe) => Need::None,
                Some(owner) if !is_shared => Need::OfOne(*owner),
                _ => Need::OfAll,
            };
            self.for_each_above(&folder, |above, _| match need {
                Need::None => {}
                Need::OfAll => above.safe.extend(&above.owners),
                Need::OfOne(owner) => above.see(owner, false),
            });
            decisions.push(Decision { folder, need });
        }
        decisions
    }

    /// Calls a function with each noted folder above a path, and whether the path is directly in it.
    fn for_each_above(&mut self, path: &str, mut change: impl FnMut(&mut Folder, bool)) {
        if self.0.is_empty() {
            return;
        }
        let mut below = path;
        while let Some((parent, _)) = below.rsplit_once('/') {
            if let Some(folder) = self.0.get_mut(parent) {
                change(folder, below.len() == path.len());
            }
            below = parent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The folders that need a marker: each of them is given with its owners.
    fn needed(folders: &[(&str, &[usize])], files: &[(&str, usize)]) -> Vec<String> {
        let mut markers = Markers::default();
        for (path, owners) in folders {
            markers.add_folder(path, owners.iter().copied().collect(), owners.len() > 1);
        }
        for (path, owner) in files {
            markers.add_file(path, *owner);
        }
        markers.decide().into_iter().filter(|one| one.need != Need::None).map(|one| one.folder).collect()
    }

    #[test]
    fn links_to_folders_need_one() {
        assert_eq!(needed(&[("google", &[0, 1])], &[]), ["google"]);
        assert_eq!(needed(&[("google", &[0])], &[]), ["google"]);
    }

    #[test]
    fn one_of_two_with_a_file_is_not_enough() {
        assert_eq!(needed(&[("share", &[0, 1])], &[("share/x", 0)]), ["share"]);
        assert_eq!(needed(&[("share", &[0, 1])], &[("share/x", 0), ("share/y", 1)]), [""; 0]);
    }

    #[test]
    fn files_further_down_count_for_all_folders_above() {
        let folders: &[(&str, &[usize])] = &[("etc", &[0, 1]), ("etc/a", &[0]), ("etc/b", &[1])];
        assert_eq!(needed(folders, &[("etc/a/x", 0), ("etc/b/y", 1)]), [""; 0]);
        assert_eq!(needed(folders, &[("etc/a/x", 0)]), ["etc/b"]);
    }

    #[test]
    fn a_folder_of_one_needs_a_file_directly_in_it() {
        assert_eq!(needed(&[("share", &[0]), ("share/man", &[0])], &[("share/man/x.1", 0)]), ["share"]);
    }

    #[test]
    fn the_marker_of_a_shared_folder_counts_for_all_above_and_that_of_one_owner_for_that_owner() {
        assert_eq!(needed(&[("a", &[0, 1, 2]), ("a/b", &[0, 1])], &[]), ["a/b"]);
        assert_eq!(needed(&[("a", &[0, 1]), ("a/b", &[0])], &[]), ["a/b", "a"]);
    }
}
