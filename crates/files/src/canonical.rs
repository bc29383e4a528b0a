//! Paths without links.

use std::path::{Path, PathBuf};

use super::error::{IoResultExt as _, PathError};
use super::platform;

/// Returns the absolute path without links, `.` and `..`.
///
/// # Errors
/// When a part is missing.
pub fn canonicalize(path: &Path) -> Result<PathBuf, PathError> {
    platform::resolved(path).at("resolve", path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{create_dir_all, symlink, write_new};

    #[test]
    fn the_kernel_and_the_library_agree() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        create_dir_all(&root.join("a/b")).unwrap();
        write_new(&root.join("a/b/file (deleted)"), b"", 0o000).unwrap();
        write_new(&root.join("a/b/file"), b"", 0o000).unwrap();
        symlink(&root.join("a/b"), &root.join("link")).unwrap();
        symlink(Path::new("nowhere"), &root.join("dangling")).unwrap();
        symlink(Path::new("circle"), &root.join("circle")).unwrap();
        for name in ["", "a/b/../b/./file", "link", "link/file", "link/", "a/b/file (deleted)", "link/../b"] {
            let path = root.join(name);
            assert_eq!(canonicalize(&path).unwrap(), std::fs::canonicalize(&path).unwrap(), "{name}");
        }
        for name in ["missing", "dangling", "circle", "a/b/file/below"] {
            let (own, other) = (canonicalize(&root.join(name)), std::fs::canonicalize(root.join(name)));
            assert_eq!(own.unwrap_err().source.kind(), other.unwrap_err().kind(), "{name}");
        }
    }
}
