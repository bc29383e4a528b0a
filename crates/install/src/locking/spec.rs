//! What is asked of a lock.

use std::path::{Path, PathBuf};

use crate::IndexOptions;

/// What is to be locked, and how.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for a flag of its own")]
pub struct Locking {
    /// Requirements, requirements files, projects, or one script; where none is named, what is found here.
    pub inputs: Vec<String>,
    /// Where to write; `-` is the standard output.
    pub output: Option<PathBuf>,
    /// Files that limit the versions.
    pub constraints: Vec<PathBuf>,
    /// Whether the newest versions are taken, whatever is locked.
    pub upgrade: bool,
    /// The packages whose newest versions are taken.
    pub upgrade_packages: Vec<String>,
    /// Whether a lock file that was made from something else is replaced.
    pub force: bool,
    /// Whether nothing is written, and a lock file that is out of date is an error.
    pub check: bool,
    /// Whether the lock is for every platform, not for the interpreter alone.
    pub universal: bool,
    /// The versions of Python to lock for, if they are not the inputs' own.
    pub requires_python: Option<String>,
    /// The interpreter to resolve with.
    pub python: Option<String>,
    /// Whether a project itself is left out.
    pub no_project: bool,
    /// The groups of a project that are left out.
    pub without_groups: Vec<String>,
    /// What a project's file is to say. With it nothing is written: the answer is what the lock would be.
    pub draft: Option<Draft>,
    /// Whether the index is asked about what the lock has and need not move as well.
    pub refresh: bool,
    /// Whether pre-releases are accepted.
    pub pre: bool,
    /// Whether requirements are written with hashes.
    pub hashes: bool,
    /// The date after which nothing counts.
    pub exclude_newer: Option<String>,
    /// Where packages come from.
    pub index: IndexOptions,
}

/// What a project's file is to say, before it says so.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

impl Locking {
    /// How a project or a script is locked where nothing else is said: for every platform, with hashes.
    pub(crate) fn of_file(path: &Path) -> Self {
        let inputs = vec![path.display().to_string()];
        Self { inputs, universal: true, hashes: true, ..Self::default() }
    }
}
