//! What a directory's wheel is built from, by contents: a fresh copy of a source, as every new checkout is one, gives the wheel that
//! the copy before it gave.
//!
//! That holds only where a build looks at nothing outside of its directory. A repository of its own is taken at its word; elsewhere the
//! files that say how to build it must not speak of other places. What is left open is told by `None`, which costs a build.

use std::ffi::OsString;
use std::path::Path;

use virtpy_files::digest::{Sha256, hex, sha256};
use virtpy_files::{self as fs, MetadataExt as _};

use super::repository::Repository;
use super::watched;

/// The most bytes that are read to know a source by its contents.
const MOST_BYTES: u64 = 32 << 20;

/// The files that say how a source is built, beside the modules at its top, which these may import.
const BUILD_FILES: [&str; 3] = ["pyproject.toml", "setup.cfg", "MANIFEST.in"];

/// What stands in a file that looks at places outside of its own folder, asks where it is, or has others do so.
const WAYS_OUT: [&str; 11] = [
    "..",
    "abspath",
    "backend-path",
    "dirname",
    "expanduser",
    "getcwd",
    "home()",
    "parent",
    "pardir",
    "realpath",
    "resolve",
];

/// Stands for all that is in a source directory and for its commit. `None` where its build may depend on more than that, or where
/// there is too much to read.
pub(super) fn digest(root: &Path) -> Option<String> {
    let repository = Repository::of(root).ok()?;
    let is_whole = repository.as_ref().is_some_and(|repository| repository.is_own(root));
    if !is_whole && looks_outside(root)? {
        return None;
    }
    let mut digest = Sha256::new();
    if let Some(repository) = repository {
        digest.update(repository.contents()?);
    }
    let mut files = watched::files(root, is_no_source)?;
    // Every copy is told in the same order.
    files.sort();
    let mut bytes = 0;
    for path in files {
        let facts = fs::symlink_metadata(&path).ok()?;
        bytes += facts.len();
        if !facts.is_file() || bytes > MOST_BYTES {
            return None;
        }
        let content = hex(&sha256(fs::read_unlinked(&path, MOST_BYTES).ok()?));
        digest.update(path.strip_prefix(root).ok()?.as_os_str().as_encoded_bytes());
        digest.update(format!("\0{:o}:{content}\n", facts.mode()));
    }
    Some(hex(&digest.finish()))
}

/// Whether a build never reads a folder: bytecode, what git keeps (which is looked at by itself), and venvs.
fn is_no_source(root: &Path, folder: &Path) -> Option<bool> {
    let name = folder.file_name()?;
    let is_git = name == ".git" && folder.parent() == Some(root);
    Some(is_git || name == "__pycache__" || fs::kind(&folder.join("pyvenv.cfg")).ok()?.is_some())
}

/// Whether what says how a source is built may speak of other places.
fn looks_outside(root: &Path) -> Option<bool> {
    let names = fs::read_dir_names(root).ok()?.into_iter().map(|(name, _)| name);
    let is_module = |name: &OsString| Path::new(name).extension().is_some_and(|extension| extension == "py");
    for name in names.filter(|name| is_module(name) || BUILD_FILES.iter().any(|known| name == known)) {
        let content = fs::read_unlinked(&root.join(name), MOST_BYTES).ok()?;
        let text = String::from_utf8_lossy(&content);
        if WAYS_OUT.iter().any(|way| text.contains(way)) {
            return Some(true);
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {

    use super::*;

    /// A source of two files.
    fn source(root: &Path, setup: &str) {
        fs::create_dir_all(&root.join("demo")).unwrap();
        fs::write_atomic(&root.join("setup.py"), setup.as_bytes()).unwrap();
        fs::write_atomic(&root.join("demo/code.py"), b"x = 1\n").unwrap();
    }

    const SETUP: &str = "from setuptools import setup\nsetup(name='demo')\n";

    #[test]
    fn a_copy_is_the_same_source_and_any_change_makes_another() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        source(&one, SETUP);
        source(&two, SETUP);
        let before = digest(&one).unwrap();
        assert_eq!(digest(&two).unwrap(), before);
        // What no build reads.
        fs::create_dir_all(&two.join("venv/lib")).unwrap();
        fs::write_atomic(&two.join("venv/pyvenv.cfg"), b"home = /\n").unwrap();
        fs::create_dir_all(&two.join("demo/__pycache__")).unwrap();
        fs::write_atomic(&two.join("demo/__pycache__/code.pyc"), b"bytes").unwrap();
        assert_eq!(digest(&two).unwrap(), before);
        let code = two.join("demo/code.py");
        fs::write_atomic(&code, b"x = 2\n").unwrap();
        assert_ne!(digest(&two).unwrap(), before);
        fs::write_atomic(&code, b"x = 1\n").unwrap();
        assert_eq!(digest(&two).unwrap(), before);
        fs::set_mode(&code, 0o755).unwrap();
        assert_ne!(digest(&two).unwrap(), before);
        fs::rename(&one.join("demo/code.py"), &one.join("demo/other.py")).unwrap();
        assert_ne!(digest(&one).unwrap(), before);
    }

    #[test]
    fn a_build_that_may_look_elsewhere_is_not_known_by_contents() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("source");
        for setup in ["open('../version')", "import os; here = os.path.dirname(__file__)"] {
            source(&root, setup);
            assert_eq!(digest(&root), None, "{setup}");
        }
        source(&root, SETUP);
        fs::write_atomic(&root.join("helper.py"), b"here = Path(__file__).parent\n").unwrap();
        assert_eq!(digest(&root), None, "setup.py may import it");
        fs::remove_file(&root.join("helper.py")).unwrap();
        assert!(digest(&root).is_some());
        fs::write_atomic(&root.join("pyproject.toml"), b"[build-system]\nbackend-path = ['.']\n").unwrap();
        assert_eq!(digest(&root), None, "a backend of its own may do anything");
        fs::create_dir_all(&root.join(".git")).unwrap();
        fs::write_atomic(&root.join(".git/HEAD"), b"0123\n").unwrap();
        assert!(digest(&root).is_some(), "a repository of its own");
        fs::symlink(Path::new("/etc/hostname"), &root.join("linked")).unwrap();
        assert_eq!(digest(&root), None, "what a link leads to may be anywhere");
    }
}
