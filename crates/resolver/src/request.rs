//! What goes in and what comes out of the resolver, as plain data: a [`Request`] of inputs and options, and
//! the [`Package`]s that satisfy it.

use std::path::PathBuf;

use serde::Serialize;
use virtpy_pep::{
    ArchiveHashes, DirectSource, DirectUrl, NamedVersion, PackageName, Sha256Digest, Version, WheelHash,
};

use crate::requirements::RequirementsFiles;
use crate::tool_uv::UvTable;

/// What to resolve.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// What is asked for.
    pub requirements: Vec<Input>,
    /// Requirements files: what they ask for as well, and what only limits the versions of what is resolved anyway.
    pub files: RequirementsFiles,
    /// Constraints for what builds need.
    pub build_constraints: RequirementsFiles,
    /// What is installed where the packages will go, whoever installed it and wherever it came from. What satisfies the
    /// requirements is kept, whether or not an index has it, unless [`Options::upgrade`] or
    /// [`Options::reinstall`] say otherwise. Of a package that is here twice the last one counts.
    pub installed: Vec<InstalledDistribution>,
    /// Versions that are taken from an index rather than others, as long as the requirements admit them, unless
    /// [`Options::upgrade`] says otherwise.
    pub preferred: Vec<NamedVersion>,
    /// What `[tool.uv]` of a script says of versions; that of an [`Input::Project`] is read with it.
    pub rules: UvTable,
    /// The directory of a project whose `[tool.uv]` counts, though it is not asked for itself: what its venv has is.
    pub project: Option<PathBuf>,
    /// How to resolve.
    pub options: Options,
}

/// One thing that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A requirement (PEP 508), or a path, a URL or `git+URL` as pip takes it on its command line.
    Requirement(String),
    /// A folder to be installed in place (PEP 660).
    Editable(String),
    /// A project, with the extras and groups that are chosen.
    Project(ProjectInput),
}

/// A project whose dependencies are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectInput {
    /// Its `pyproject.toml`.
    pub path: PathBuf,
    /// What stands in place of that file's text, if the file is to be changed.
    pub text: Option<String>,
    /// What is wanted beside the dependencies that everybody gets.
    pub selection: Selection,
    /// Ask for all that the selection does not leave out, each under the condition that its extra or group is
    /// chosen when the result is installed: the markers of PEP 751's lock files.
    pub conditional: bool,
    /// Whether what is no part of a group stands under a condition as well, by which it is known what the groups need without it.
    pub marks_base: bool,
}

/// Which parts of a project or of a lock file are wanted, beside what everybody gets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for a flag of its own")]
pub struct Selection {
    /// Extras (optional dependencies).
    pub extras: Vec<String>,
    /// All extras there are.
    pub all_extras: bool,
    /// Dependency groups (PEP 735), beside the default ones.
    pub groups: Vec<String>,
    /// All groups there are.
    pub all_groups: bool,
    /// Groups that are left out, even if they are default ones.
    pub without_groups: Vec<String>,
    /// Leave the default groups out.
    pub no_default_groups: bool,
    /// Leave the group `dev` out, if there is one.
    pub no_dev: bool,
    /// Only these groups, without the project's own dependencies.
    pub only_groups: Vec<String>,
    /// Leave the project itself out.
    pub no_project: bool,
    /// Members of the workspace that are meant instead of the lock's own project.
    pub members: Vec<String>,
    /// All members of the workspace are meant.
    pub all_members: bool,
    /// Install the project and the members of its workspace as they would be built, not in place.
    pub no_editable: bool,
}

/// A distribution that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledDistribution {
    /// Its name.
    pub name: PackageName,
    /// The version (PEP 440). What has another kind of version is no candidate.
    pub version: String,
    /// Where its metadata lie. No two distributions have the same place, and nothing is read there.
    pub location: PathBuf,
    /// What it requires, each a PEP 508 text.
    pub requires_dist: Vec<String>,
    /// The extras that it has.
    pub provides_extra: Vec<String>,
}

/// How to resolve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for a flag of its own")]
pub struct Options {
    /// Leave the packages' own dependencies out.
    pub no_deps: bool,
    /// Packages to leave out, whoever asks for them: they are there in another way.
    pub left_out: Vec<PackageName>,
    /// Take the newest versions that fit, whatever [`Request::installed`] and [`Request::preferred`] say. What is
    /// installed stays where no index has anything newer.
    pub upgrade: bool,
    /// The names of packages to take the newest versions of.
    pub upgrade_packages: Vec<String>,
    /// Leave [`Request::installed`] out of account: everything comes again.
    pub reinstall: bool,
    /// Admit pre-releases even where a final release would do.
    pub prerelease: bool,
    /// Packages that are built from source always: names, `:all:` or `:none:`.
    pub no_binary: Vec<String>,
    /// Packages that are never built from source: names, `:all:` or `:none:`.
    pub only_binary: Vec<String>,
    /// Refuse every file whose hash the requirements do not give.
    pub require_hashes: bool,
    /// Leave out what was uploaded after this date (`2024-05-01`), time (RFC 3339) or for less than this
    /// span (`7 days`).
    pub exclude_newer: Option<String>,
    /// Settings for the build backends (PEP 517): `KEY=VALUE`.
    pub build_settings: Vec<String>,
    /// Whether those are for what [`Request::requirements`] names alone, and not for all that is built.
    pub settings_of_inputs: bool,
    /// The environment that packages are built in, with what is installed there; otherwise each is built in one of its own.
    pub build_environment: Option<PathBuf>,
    /// The folder that relative paths in the inputs start from; the process's own if empty.
    pub working_directory: PathBuf,
}

/// One package of a resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: PackageName,
    /// The version (PEP 440), normalized. Known even for sources that have not been built.
    pub version: String,
    /// Whether an input names it directly.
    pub requested: bool,
    /// The extras it was asked for with, by inputs or by other packages.
    pub extras: Vec<String>,
    /// The packages that it needs in this environment, sorted.
    pub dependencies: Vec<PackageName>,
    /// The file that was chosen.
    pub file: Artifact,
    /// Its `direct_url.json` (PEP 610), if the package comes from a URL, a path or a repository.
    pub direct_url: Option<DirectUrl>,
    /// The indexes, without credentials, that were asked for it one after the other. The last one gave it, those before it had
    /// nothing of its name. Empty where it came from elsewhere, where a lock file names it, and where none could be asked.
    pub indexes: Vec<String>,
}

/// Where the wheel of a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Artifact {
    /// A wheel, at hand or on an index.
    Wheel {
        /// The wheel's file name.
        filename: String,
        /// Its URL, without credentials, or its path.
        location: String,
        /// The SHA-256 that is expected, if anybody says so.
        sha256: Option<WheelHash>,
        /// The size in bytes that the index gives.
        size: Option<u64>,
        /// The file, if it is on this machine.
        local: Option<PathBuf>,
    },
    /// A source that has to be built.
    Source {
        /// What it is, for messages: a URL without credentials or a path.
        description: String,
        /// Whether an editable wheel (PEP 660) is to be built.
        editable: bool,
        /// A name for exactly this source, under which a wheel built from it may be kept: by the hash of
        /// the archive or by the commit. `None` if the source may change at any time, as folders may.
        key: Option<String>,
        /// The directory that it is built from, where that alone decides about the wheel: no settings for the build, no other
        /// environment, and nobody wants it again.
        directory: Option<PathBuf>,
    },
}

impl Artifact {
    /// Whether obtaining it means to build it.
    pub fn is_source(&self) -> bool {
        matches!(self, Self::Source { .. })
    }

    /// Where it comes from, for people: a URL without credentials, or a path.
    pub fn origin(&self) -> &str {
        match self {
            Self::Wheel { location, .. } => location,
            Self::Source { description, .. } => description,
        }
    }

    /// The path of the file or directory on this machine that it is, unless that is used in place.
    pub fn local_path(&self) -> Option<&str> {
        let place = match self {
            Self::Wheel { local, .. } => local.as_ref()?.to_str()?,
            Self::Source { description, editable: false, .. } => description,
            Self::Source { .. } => return None,
        };
        let path = place.strip_prefix("file://").unwrap_or(place);
        path.starts_with('/').then_some(path)
    }

    /// Whether it is a source that may be another one the next time, as what is in a directory may.
    pub fn may_change(&self) -> bool {
        matches!(self, Self::Source { key: None, .. })
    }

    /// The size of the wheel in bytes, if it is known beforehand.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Wheel { size, .. } => *size,
            Self::Source { .. } => None,
        }
    }

    /// The SHA-256 of the wheel, if it is known beforehand.
    pub fn sha256(&self) -> Option<WheelHash> {
        match self {
            Self::Wheel { sha256, .. } => *sha256,
            Self::Source { .. } => None,
        }
    }
}

/// An installed distribution that is part of a resolution and stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub name: PackageName,
    /// The version (PEP 440), normalized.
    pub version: String,
    /// Whether an input names it directly.
    pub requested: bool,
}

/// Whom [`Session::obtain`](crate::Session::obtain) reports to. Its methods are called from several
/// threads at once; the downloads go on while `finished` works.
pub trait Receiver: Sync {
    /// The package at `index` of the resolution is being fetched; `bytes` is its size, if known.
    fn started(&self, index: usize, bytes: Option<u64>);

    /// `bytes` of it have arrived, counted from the start (it is less than before if the transfer broke
    /// and began again).
    fn progress(&self, index: usize, bytes: u64);

    /// Its source is there and is being built.
    fn building(&self, index: usize);

    /// Its wheel is complete and its hashes are as expected.
    ///
    /// # Errors
    ///
    /// An error ends the whole operation and is given to its caller.
    fn finished(
        &self,
        index: usize,
        wheel: ObtainedWheel,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

/// A wheel that was had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownWheel {
    /// Its file name (PEP 427).
    pub filename: String,
    /// Its SHA-256.
    pub sha256: WheelHash,
    /// Where its bytes came from: a URL without credentials, or a path.
    pub origin: String,
}

/// A wheel file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObtainedWheel {
    /// Where it is.
    pub path: PathBuf,
    /// Its proper file name (that of `path` may have something before it).
    pub filename: String,
    /// The SHA-256 of its bytes, computed from what arrived.
    pub sha256: WheelHash,
    /// Its size in bytes.
    pub size: u64,
    /// Where it came from: the URL without credentials, a path, or the source it was built from.
    pub origin: String,
    /// Whether it was made for this call, in the folder that was given, and is the caller's to remove.
    pub temporary: bool,
    /// The SHA-256 of the archive that it was built from, if it was built from one.
    pub archive_sha256: Option<Sha256Digest>,
}

/// A package whose newest version is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// The package.
    pub package: PackageName,
    /// What is installed of it. Versions up to this one are looked at only where none is newer.
    pub installed: Option<Version>,
}

/// A package of which every version matters.
impl From<PackageName> for Sought {
    fn from(package: PackageName) -> Self {
        Self { package, installed: None }
    }
}

/// The newest version that an index has of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatestVersion {
    /// The version.
    pub version: Version,
    /// What there is of it for this interpreter: `wheel` or `sdist`.
    pub kind: String,
    /// The versions that this interpreter can use, the newest first: all, or those that are newer than what is installed.
    pub usable: Vec<Version>,
}

impl Package {
    /// Its `direct_url.json` (PEP 610), with the SHA-256 of the archive that it came from, which may only be
    /// known when that is there.
    pub fn direct_url_with(&self, archive_sha256: Option<Sha256Digest>) -> Option<DirectUrl> {
        let mut direct_url = self.direct_url.clone()?;
        if let (DirectSource::Archive(hashes), Some(sha256)) = (&mut direct_url.source, archive_sha256)
            && hashes.is_empty()
        {
            *hashes = ArchiveHashes::of_sha256(sha256);
        }
        Some(direct_url)
    }
}

impl Options {
    /// The folder that relative paths start from.
    pub(crate) fn folder(&self) -> PathBuf {
        let current = || std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        if self.working_directory.as_os_str().is_empty() {
            current()
        } else if self.working_directory.is_absolute() {
            self.working_directory.clone()
        } else {
            current().join(&self.working_directory)
        }
    }
}
