//! What a directory's wheel is built from, as it is now: as long as that does not change, what was built last is what would be
//! built again.
//!
//! That is every file of the directory (but for what builders leave there), what git says of it, what the project names itself
//! (`cache-keys` in `[tool.uv]`), and the variables that builders listen to.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use virtpy_files::digest::{hex, sha256};
use virtpy_files::{self as fs, FileKind, Stamp};
use virtpy_resolver::{KnownDirectories, named_inputs};
use virtpy_store::Store;

use super::built::BuiltWheels;
use super::watched::SourceTree;

/// Variables that builders listen to: what their names begin with.
const VARIABLES: [&str; 20] = [
    "AR",
    "CARGO_",
    "CC",
    "CFLAGS",
    "CMAKE_",
    "CPPFLAGS",
    "CXX",
    "DISTUTILS_",
    "HATCH_",
    "LDFLAGS",
    "MATURIN_",
    "MESON",
    "PBR_",
    "PDM_BUILD_",
    "POETRY_",
    "RUSTFLAGS",
    "SETUPTOOLS_",
    "SKBUILD_",
    "SOURCE_DATE_EPOCH",
    "VERSIONEER_",
];

/// The inputs of a build.
#[derive(Debug)]
pub(super) struct BuildInputs {
    directory: PathBuf,
    editable: bool,
    state: String,
    newest: Option<Stamp>,
}

impl BuildInputs {
    /// Looks at a directory. `None` where it cannot be told quickly how it is.
    pub(super) fn of(directory: &Path, editable: bool) -> Option<Self> {
        let tree = SourceTree::of(directory)?;
        let named = named_inputs(directory).ok()?.unwrap_or_default();
        let state = [tree.digest, commit(directory)?, named, variables()].join("\n");
        Some(Self { directory: directory.to_path_buf(), editable, state, newest: tree.newest })
    }

    /// What stands for the wheel that is built from them.
    pub(super) fn key(&self) -> String {
        let kind = if self.editable { "editable" } else { "wheel" };
        format!("{kind} of directory\n{}\n{}", self.directory.display(), self.state)
    }

    /// Whether they are as they were, and a change after a moment could not have escaped both looks.
    pub(super) fn are_unchanged_since(&self, moment: SystemTime) -> bool {
        self.is_settled(moment)
            && Self::of(&self.directory, self.editable).is_some_and(|now| now.state == self.state)
    }

    fn is_settled(&self, moment: SystemTime) -> bool {
        self.newest.as_ref().is_none_or(|newest| newest.is_settled(moment))
    }

    /// Notes that the resolver has been told, after a moment, what these inputs say of the package.
    pub(super) fn note_asked(&self, built: &BuiltWheels<'_>, moment: SystemTime) {
        let (asked, digest) = (asked_key(&self.directory, self.editable), self.digest());
        if self.is_settled(moment) && built.get(&asked).as_ref() != Some(&digest) {
            built.put(&asked, &digest);
        }
    }

    fn digest(&self) -> String {
        hex(&sha256(self.key().as_bytes()))
    }
}

/// What stands for the last inputs of a directory by which its builds were asked for metadata.
fn asked_key(directory: &Path, editable: bool) -> String {
    format!("metadata of directory\n{}\n{editable}", directory.display())
}

/// What is known of directories, for the resolver.
#[derive(Debug)]
pub(crate) struct KnownBuilds {
    store: Store,
    interpreter: String,
}

impl KnownBuilds {
    /// What was built for an interpreter.
    pub(crate) fn new(store: Store, interpreter: String) -> Self {
        Self { store, interpreter }
    }
}

impl KnownDirectories for KnownBuilds {
    fn is_unchanged(&self, directory: &Path, editable: bool) -> bool {
        let built = BuiltWheels::new(&self.store, &self.interpreter);
        let asked = asked_key(directory, editable);
        let Some(known) = built.get(&asked) else { return false };
        let is_it = BuildInputs::of(directory, editable).is_some_and(|inputs| inputs.digest() == known);
        if !is_it {
            // What they are about to say is of other inputs, whatever becomes of it.
            built.forget(&asked);
        }
        is_it
    }
}

fn variables() -> String {
    let of_builds = |name: &str| VARIABLES.iter().any(|beginning| name.starts_with(beginning));
    let mut variables: Vec<String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| of_builds(name))
        .map(|(name, value)| format!("{name}={}", value.display()))
        .collect();
    variables.sort();
    variables.join("\n")
}

/// What git would call the present commit, told from its files: a version may be made of commits and tags. `None` where another
/// system may know one.
pub(crate) fn commit(folder: &Path) -> Option<String> {
    for folder in folder.ancestors() {
        if fs::kind(&folder.join(".hg")).ok()?.is_some() {
            return None;
        }
        let git = folder.join(".git");
        let own = match fs::kind(&git).ok()? {
            None => continue,
            Some(FileKind::Folder) => git,
            // A worktree, or a submodule.
            Some(_) => folder.join(fs::read_to_string(&git).ok()?.strip_prefix("gitdir:")?.trim()),
        };
        let shared =
            fs::read_to_string(&own.join("commondir")).map_or(own.clone(), |path| own.join(path.trim()));
        let head = fs::read_to_string(&own.join("HEAD")).ok()?;
        let branch = head.strip_prefix("ref:").map(|name| shared.join(name.trim()));
        let files = [shared.join("packed-refs"), shared.join("refs/tags")].into_iter().chain(branch);
        let stamps: Vec<Option<Stamp>> = files.map(|file| Stamp::of(&file)).collect();
        return serde_json::to_string(&(head, stamps)).ok();
    }
    Some(String::new())
}
