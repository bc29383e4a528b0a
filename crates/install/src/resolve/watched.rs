//! Whether a folder or a file that a package was made from is still as it was.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use virtpy_files::digest::{Sha256, hex};
use virtpy_files::{self as fs, FileKind, Found, MetadataExt as _, Stamp};

/// What a package that is used in place is built from; its source is read where it lies.
const BUILD_FILES: [&str; 3] = ["pyproject.toml", "setup.py", "setup.cfg"];

/// Folders in a source tree that no package is made from, beside hidden ones.
const ASIDE: [&str; 2] = ["__pycache__", "node_modules"];

/// Folders at the top of a project that are not watched: there builders put what they made.
const ASIDE_AT_TOP: [&str; 2] = ["build", "dist"];

/// A tree with more files than this is not looked through each time.
const LIMIT: usize = 4_000;

/// A folder or a file, and how it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    path: PathBuf,
    /// Whether only what says how to build it counts.
    in_place: bool,
    stamp: String,
}

impl Watched {
    /// Whether it is as it was.
    pub fn is_unchanged(&self) -> bool {
        stamp(&self.path, self.in_place).is_some_and(|now| now == self.stamp)
    }
}

/// Notes how a folder or a file is now; of a folder that is used `in_place`, only what says how to build it. `None` where it
/// cannot be told quickly each time.
pub fn watch(path: &Path, in_place: bool) -> Option<Watched> {
    Some(Watched { path: path.to_path_buf(), in_place, stamp: stamp(path, in_place)? })
}

fn stamp(path: &Path, in_place: bool) -> Option<String> {
    let found = fs::metadata(path).ok()?;
    if !found.is_dir() {
        return Some(of_file(path, &found));
    }
    if in_place {
        let stamps = BUILD_FILES.iter().map(|name| path.join(name)).map(|file| match fs::metadata(&file) {
            Ok(found) => of_file(&file, &found),
            Err(_) => "-".to_owned(),
        });
        return Some(stamps.collect::<Vec<_>>().join(" "));
    }
    Some(SourceTree::of(path)?.digest)
}

fn of_file(path: &Path, found: &Metadata) -> String {
    let (_, inode) = fs::identity(path, found);
    let (modified, changed) = ((found.mtime(), found.mtime_nsec()), (found.ctime(), found.ctime_nsec()));
    format!("{}:{}.{}:{}.{}:{}", found.len(), modified.0, modified.1, changed.0, changed.1, inode)
}

/// All files of a source tree, as they are now.
pub(super) struct SourceTree {
    /// Stands for their paths, sizes, times and inodes.
    pub(super) digest: String,
    /// The file that was changed last.
    pub(super) newest: Option<Stamp>,
}

impl SourceTree {
    /// Looks at a source tree; `None` where it is too large, or cannot be read.
    pub(super) fn of(root: &Path) -> Option<Self> {
        let mut digest = Sha256::new();
        let mut newest: Option<(i64, i64, Stamp)> = None;
        for path in files(root, is_aside)? {
            let found = fs::symlink_metadata(&path).ok()?;
            let inside = path.strip_prefix(root).unwrap_or(&path);
            digest.update(inside.as_os_str().as_encoded_bytes());
            digest.update(format!("\0{:o}:{}\n", found.mode(), of_file(&path, &found)).as_bytes());
            let time = (found.ctime(), found.ctime_nsec());
            if newest.as_ref().is_none_or(|(seconds, nanoseconds, _)| (*seconds, *nanoseconds) < time) {
                newest = Some((time.0, time.1, Stamp::from_facts(&path, &found)));
            }
        }
        Some(Self { digest: hex(&digest.finish()), newest: newest.map(|(_, _, stamp)| stamp) })
    }
}

/// What is in a source tree and is no folder, but for what is in some folders; `None` where it is too much, or cannot be read.
pub(super) fn files(root: &Path, is_skipped: fn(&Path, &Path) -> Option<bool>) -> Option<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut walk = fs::walk(root);
    while let Some(found) = walk.next() {
        let Found { path, kind } = found.ok()?;
        if kind != FileKind::Folder {
            if files.len() == LIMIT {
                return None;
            }
            files.push(path);
        } else if is_skipped(root, &path)? {
            walk.skip_folder();
        }
    }
    Some(files)
}

/// Whether a folder of a source tree is none of its sources: builders leave files there while they work, or it is a venv.
fn is_aside(root: &Path, folder: &Path) -> Option<bool> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let at_top: &[&str] = if folder.parent() == Some(root) { &ASIDE_AT_TOP } else { &[] };
    let is_aside = name.starts_with('.')
        || name.ends_with(".egg-info")
        || ASIDE.iter().chain(at_top).any(|known| name == **known);
    Some(is_aside || fs::kind(&folder.join("pyvenv.cfg")).ok()?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_seen_where_it_counts() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |name: &str, text: &str| fs::write_atomic(&root.join(name), text.as_bytes()).unwrap();
        write("pyproject.toml", "[project]");
        write("code.py", "x = 1");
        fs::create_dir(&root.join("__pycache__")).unwrap();
        let (in_place, copied) = (watch(root, true).unwrap(), watch(root, false).unwrap());
        assert!(in_place.is_unchanged() && copied.is_unchanged());
        write("__pycache__/code.pyc", "bytes");
        assert!(copied.is_unchanged());
        write("code.py", "x = 22");
        assert!(in_place.is_unchanged() && !copied.is_unchanged());
        write("pyproject.toml", "[project]\n");
        assert!(!in_place.is_unchanged());
        // The same sizes and times, under other names.
        write("other.py", "x = 1");
        let named = watch(root, false).unwrap();
        fs::rename(&root.join("other.py"), &root.join("another.py")).unwrap();
        assert!(!named.is_unchanged());
        assert!(watch(&root.join("gone"), false).is_none());
    }
}
