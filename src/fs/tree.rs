//! Whole folders: reading names, removing, making read-only. No function here follows a link.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{FileKind, IoResultExt as _, PathError};

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

/// Removes whatever stands at `path`: a file, a link (not its target), or a folder with all it holds, also one
/// whose folders are read-only or protected, as the store's are. Nothing there is fine.
///
/// # Errors
/// When a part belongs to somebody else; what could be removed is then gone.
pub fn remove_tree(path: &Path) -> Result<(), PathError> {
    let removed = match super::kind(path)? {
        None => Ok(()),
        Some(FileKind::Folder) => match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                make_folders_writable(path)?;
                std::fs::remove_dir_all(path)
            }
            other => other,
        },
        Some(_) => match std::fs::remove_file(path) {
            Err(error)
                if error.kind() == std::io::ErrorKind::PermissionDenied && super::is_immutable(path) =>
            {
                super::set_immutable(path, false)?;
                std::fs::remove_file(path)
            }
            other => other,
        },
    };
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.at("remove", path),
    }
}

fn make_folders_writable(folder: &Path) -> Result<(), PathError> {
    take_flag_off(folder)?;
    super::set_mode(folder, 0o755)?;
    for (name, kind) in read_dir_names(folder)? {
        let path = folder.join(name);
        match kind {
            FileKind::Folder => make_folders_writable(&path)?,
            FileKind::File => take_flag_off(&path)?,
            FileKind::Link | FileKind::Other => {}
        }
    }
    Ok(())
}

/// Lets a file or a folder be removed that bears the immutable flag, which only root can have set.
fn take_flag_off(path: &Path) -> Result<(), PathError> {
    if super::is_root() && super::is_immutable(path) { super::set_immutable(path, false) } else { Ok(()) }
}

/// Takes the write permission from every folder under `folder`, itself left out.
///
/// # Errors
/// When a folder cannot be read or changed.
pub fn make_folders_read_only(folder: &Path) -> Result<(), PathError> {
    for (name, kind) in read_dir_names(folder)? {
        if kind == FileKind::Folder {
            let path = folder.join(name);
            make_folders_read_only(&path)?;
            let bits = super::symlink_metadata(&path)?.permissions().mode();
            if bits & 0o222 != 0 {
                super::set_mode(&path, 0o555)?;
            }
        }
    }
    Ok(())
}

/// Returns how many files, links and folders there are under `folder`, itself left out.
///
/// # Errors
/// When a folder cannot be read.
pub fn count_entries(folder: &Path) -> Result<u64, PathError> {
    let mut count = 0;
    for (name, kind) in read_dir_names(folder)? {
        count += 1;
        if kind == FileKind::Folder {
            count += count_entries(&folder.join(name))?;
        }
    }
    Ok(count)
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
        make_folders_read_only(&tree).unwrap();
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        assert_eq!(std::fs::read(outside.path().join("kept")).unwrap(), b"kept");
        remove_tree(&tree).unwrap();
    }
}
