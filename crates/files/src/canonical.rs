//! Paths without links.

use std::path::{Path, PathBuf};

use super::error::{IoResultExt as _, PathError};

/// Returns the absolute path without links, `.` and `..`.
///
/// # Errors
/// When a part is missing.
pub fn canonicalize(path: &Path) -> Result<PathBuf, PathError> {
    match resolved_by_kernel(path) {
        Some(resolved) => Ok(resolved),
        None => std::fs::canonicalize(path).at("resolve", path),
    }
}

/// The same by three system calls, where a library makes one for each part of the path. `None` where the kernel does not tell.
fn resolved_by_kernel(path: &Path) -> Option<PathBuf> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use std::os::fd::AsRawFd as _;
        use std::os::unix::ffi::OsStrExt as _;

        use rustix::fs::{Mode, OFlags};
        let file = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let resolved = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
        // Of what was removed meanwhile, or is out of reach, the kernel says so in the text.
        let is_plain = resolved.is_absolute() && !resolved.as_os_str().as_bytes().ends_with(b" (deleted)");
        is_plain.then_some(resolved)
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = path;
        None
    }
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
