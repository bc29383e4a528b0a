//! Whole folders: reading names, removing. No function here follows a link.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::{FileKind, IoResultExt as _, PathError, platform};

/// Returns the names in a folder and what they are, unsorted.
///
/// # Errors
/// When the folder is missing or may not be read.
pub fn read_dir_names(folder: &Path) -> Result<Vec<(OsString, FileKind)>, PathError> {
    let mut names = Vec::new();
    for item in std::fs::read_dir(folder).at("list", folder)? {
        let item = item.at("list", folder)?;
        let kind = item.file_type().at("list", folder)?;
        names.push((item.file_name(), kind.into()));
    }
    Ok(names)
}

/// Returns the names in a folder of virtpy's own, unsorted; none if it is missing, or if a link is in its place: what lies where
/// that leads is somebody else's.
pub fn own_names(folder: &Path) -> Vec<OsString> {
    let is_own = matches!(super::kind(folder), Ok(Some(FileKind::Folder)));
    let names = if is_own { read_dir_names(folder).unwrap_or_default() } else { Vec::new() };
    names.into_iter().map(|(name, _)| name).collect()
}

/// Removes whatever stands at `path`: a file, a link (not its target), or a folder with all it holds, also one
/// whose folders are read-only or protected, as the store's are. Nothing there is fine. What is mounted at it or in it stays.
///
/// # Errors
/// When a part belongs to somebody else, or something is mounted there; what could be removed is then gone.
pub fn remove_tree(path: &Path) -> Result<(), PathError> {
    match platform::remove_tree(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(())
        }
        other => other.at("remove", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_read_only_folders_and_leaves_what_links_point_at() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("kept"), "kept").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        std::fs::create_dir_all(tree.join("a/b")).unwrap();
        std::os::unix::fs::symlink(outside.path(), tree.join("a/link")).unwrap();
        std::fs::write(tree.join("a/b/file"), "x").unwrap();
        crate::make_folders_read_only(&tree).unwrap();
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        assert_eq!(std::fs::read(outside.path().join("kept")).unwrap(), b"kept");
        remove_tree(&tree).unwrap();
    }
}
