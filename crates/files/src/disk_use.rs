//! What files take on the disk: the blocks that they have, and a file with several names once.

use std::collections::HashSet;
use std::fs::Metadata;
use std::path::Path;

use super::facts::{allocated, count_names, identity, symlink_metadata};
use super::{FileKind, Found, walk};

/// Adds up what files take on the disk.
#[derive(Debug, Default)]
pub struct DiskUse {
    bytes: u64,
    /// The inodes that were counted and have other names.
    counted: HashSet<(u64, u64)>,
}

impl DiskUse {
    /// Adds a file, a folder or a link, whose facts are known.
    pub fn add(&mut self, path: &Path, facts: &Metadata) {
        let has_other_names = !facts.is_dir() && count_names(path, facts) > 1;
        if !has_other_names || self.counted.insert(identity(path, facts)) {
            self.bytes += allocated(facts);
        }
    }

    /// Adds a folder and all that is in it, but for the files in folders of a name. What cannot be looked at is left out.
    pub fn add_tree(&mut self, folder: &Path, without: &str) {
        if let Ok(facts) = symlink_metadata(folder) {
            self.add(folder, &facts);
        }
        let mut walk = walk(folder);
        while let Some(found) = walk.next() {
            let Ok(Found { path, kind }) = found else { continue };
            if kind == FileKind::Folder && path.ends_with(without) {
                walk.skip_folder();
            }
            if let Ok(facts) = symlink_metadata(&path) {
                self.add(&path, &facts);
            }
        }
    }

    /// The bytes of all that was added.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{create_dir, hard_link, write_new};

    #[test]
    fn blocks_count_and_a_file_with_two_names_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let of = || {
            let mut disk = DiskUse::default();
            disk.add_tree(root, "skipped");
            disk.bytes()
        };
        let empty = of();
        write_new(&root.join("file"), &[b'x'; 10_000], 0o644).unwrap();
        let blocks = allocated(&symlink_metadata(&root.join("file")).unwrap());
        assert!(blocks >= 10_000, "{blocks}");
        assert_eq!(of(), empty + blocks);
        hard_link(&root.join("file"), &root.join("other name")).unwrap();
        assert_eq!(of(), empty + blocks);
        create_dir(&root.join("skipped")).unwrap();
        let with_folder = of();
        write_new(&root.join("skipped/file"), &[b'x'; 10_000], 0o644).unwrap();
        assert_eq!(of(), with_folder);
    }
}
