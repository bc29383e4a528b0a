//! What a directory's wheel is built from, as it is now: as long as that does not change, what was built last is what would be
//! built again.
//!
//! That is every file of the directory (but for what builders leave there), what git says of it, what the project names itself
//! (`cache-keys` in `[tool.uv]`), and the variables that builders listen to. A directory is known by its path and its files' times,
//! which takes no reading, and else by its contents, since a fresh copy of a source gives the same wheel.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use virtpy_files::Stamp;
use virtpy_files::digest::sha256;
use virtpy_pep::{Sha256Digest, WheelHash};
use virtpy_resolver::{KnownDirectories, named_inputs};
use virtpy_store::Store;

use super::built::BuiltWheels;
use super::repository::{Repository, UnknownRepository};
use super::source_contents;
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
    /// How the directory is now.
    state: String,
    /// What counts beside the directory.
    beside: String,
    newest: Option<Stamp>,
}

impl BuildInputs {
    /// Looks at a directory. `None` where it cannot be told quickly how it is.
    pub(super) fn of(directory: &Path, editable: bool) -> Option<Self> {
        let tree = SourceTree::of(directory)?;
        let named = named_inputs(directory).ok()?.unwrap_or_default();
        let beside = [named, variables()].join("\n");
        let state = [&tree.digest, &commit(directory)?, &beside].map(String::as_str).join("\n");
        Some(Self { directory: directory.to_path_buf(), editable, state, beside, newest: tree.newest })
    }

    /// What stands for the wheel that is built from them.
    pub(super) fn key(&self) -> String {
        let kind = if self.editable { "editable" } else { "wheel" };
        format!("{kind} of directory\n{}\n{}", self.directory.display(), self.state)
    }

    /// What stands for the wheel that is built of their contents, wherever these lie. `None` where the place may count.
    pub(super) fn contents_key(&self) -> Option<String> {
        if self.editable {
            return None;
        }
        let contents = source_contents::digest(&self.directory)?;
        Some(format!("wheel of contents\n{contents}\n{}", self.beside))
    }

    /// The SHA-256 of the wheel that was built from them, if one was.
    pub(super) fn known_wheel(&self, built: &BuiltWheels<'_>) -> Option<WheelHash> {
        built.get(&self.key()).or_else(|| built.get(&self.contents_key()?))
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
        if self.is_settled(moment) && built.digest(&asked) != Some(digest) {
            built.put_digest(&asked, digest);
        }
    }

    fn digest(&self) -> Sha256Digest {
        sha256(self.key()).into()
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
        let Some(known) = built.digest(&asked) else { return false };
        let is_it = BuildInputs::of(directory, editable).is_some_and(|inputs| inputs.digest() == known);
        if !is_it {
            // What they are about to say is of other inputs, whatever becomes of it.
            built.forget(&asked);
        }
        is_it
    }

    fn metadata(&self, directory: &Path) -> Option<PathBuf> {
        let built = BuiltWheels::new(&self.store, &self.interpreter);
        let inputs = BuildInputs::of(directory, false)?;
        if built.get(&inputs.key()).is_some() {
            // Then the builds were asked about this very directory.
            return None;
        }
        let entry = self.store.entry(&built.get(&inputs.contents_key()?)?).ok()??;
        Some(entry.manifest.metadata_in(&entry.path))
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

/// What git would call the present commit of a directory: empty where there is none, `None` where that cannot be told.
pub(crate) fn commit(directory: &Path) -> Option<String> {
    match Repository::of(directory) {
        Ok(Some(repository)) => repository.state(),
        Ok(None) => Some(String::new()),
        Err(UnknownRepository) => None,
    }
}
