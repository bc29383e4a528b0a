//! The interpreters of the machine that the tests run on.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// An interpreter that runs by its own path, without a version manager's shim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Python {
    /// The real executable.
    pub(crate) path: PathBuf,
    /// Major and minor number.
    pub(crate) version: (u32, u32),
    /// The whole version, such as `3.12.1`.
    pub(crate) full_version: String,
}

impl Python {
    /// Such as `3.12`.
    pub(crate) fn short(&self) -> String {
        format!("{}.{}", self.version.0, self.version.1)
    }

    /// The folder of site-packages, from the venv on.
    pub(crate) fn site_packages(&self) -> String {
        format!("lib/python{}/site-packages", self.short())
    }
}

/// Examines an interpreter; none if it does not run.
pub(crate) fn examine(executable: &Path) -> Option<Python> {
    let code = "import os, sys; v = sys.version_info; \
                name = 'python%d.%d' % v[:2]; real = os.path.join(sys.base_prefix, 'bin', name); \
                real = real if os.path.exists(real) else sys.executable; \
                print('%d.%d.%d' % v[:3]); print(os.path.realpath(real)); print(sys.implementation.name)";
    let output = Command::new(executable).args(["-I", "-c", code]).output().ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8(output.stdout).ok()?;
    let mut lines = text.lines();
    let full_version = lines.next()?.to_owned();
    let path = PathBuf::from(lines.next()?);
    if lines.next()? != "cpython" {
        return None;
    }
    let mut numbers = full_version.split('.').map(|number| number.parse().unwrap_or(0));
    let version = (numbers.next()?, numbers.next()?);
    Some(Python { path, version, full_version })
}

/// One interpreter for each minor version from 3.8 to 3.13 that the machine has, the oldest first.
pub(crate) fn all() -> &'static [Python] {
    static ALL: OnceLock<Vec<Python>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut found: Vec<Python> = Vec::new();
        for minor in 8..=13 {
            let candidates = candidates(&format!("python3.{minor}"));
            let suitable = |python: &Python| python.version == (3, minor);
            found.extend(candidates.iter().find_map(|path| examine(path).filter(suitable)));
        }
        assert!(!found.is_empty(), "the tests need a Python from 3.8 to 3.13 on PATH");
        found
    })
}

/// The interpreter that most tests use: the one that `python3` runs, or else the newest.
pub(crate) fn default() -> &'static Python {
    static DEFAULT: OnceLock<Python> = OnceLock::new();
    DEFAULT.get_or_init(|| {
        let usual = examine(Path::new("python3")).filter(|python| python.version >= (3, 8));
        usual.or_else(|| all().last().cloned()).expect("there is an interpreter")
    })
}

/// Where an interpreter of this name may stand: on PATH, and where pyenv puts it.
fn candidates(name: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).map(|folder| folder.join(name)).collect())
        .unwrap_or_default();
    let root = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".pyenv")));
    if let Some(versions) = root.and_then(|root| std::fs::read_dir(root.join("versions")).ok()) {
        let mut folders: Vec<PathBuf> = versions.flatten().map(|entry| entry.path()).collect();
        folders.sort();
        paths.extend(folders.into_iter().rev().map(|folder| folder.join("bin").join(name)));
    }
    paths.retain(|path| path.exists());
    paths
}
