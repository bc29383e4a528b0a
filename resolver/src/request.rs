//! What is asked of the resolver, and what it answers: plain data.

use std::path::PathBuf;

use uv_distribution_types::ResolvedDist;
use uv_pypi_types::HashDigest;

/// What to resolve.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// What is wanted.
    pub requirements: Vec<Input>,
    /// Files of constraints, in pip's format.
    pub constraints: Vec<PathBuf>,
    /// What is installed: normalized names and versions, kept where nothing speaks against it.
    pub installed: Vec<(String, String)>,
    /// How to choose.
    pub options: Options,
}

/// One thing that is wanted.
#[derive(Debug, Clone)]
pub enum Input {
    /// A requirement (PEP 508), or a path, a URL or `git+…` as pip accepts it.
    Requirement(String),
    /// A folder to be used in place.
    Editable(String),
    /// A requirements file in pip's format, or a `pyproject.toml`.
    RequirementsFile(PathBuf),
}

/// How to choose among what the indexes have.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools)] // each stands for a flag of its own
pub struct Options {
    /// Leave out what the wanted packages require.
    pub no_deps: bool,
    /// Prefer the newest versions to the installed ones.
    pub upgrade: bool,
    /// The same for single packages.
    pub upgrade_packages: Vec<String>,
    /// Accept pre-releases.
    pub prerelease: bool,
    /// Packages to build from source: names, `:all:`, `:none:`.
    pub no_binary: Vec<String>,
    /// Packages never to build from source: names, `:all:`, `:none:`.
    pub only_binary: Vec<String>,
    /// Refuse everything whose hash the requirements do not give.
    pub require_hashes: bool,
    /// Leave out what was uploaded later: RFC 3339, or a date.
    pub exclude_newer: Option<String>,
    /// What relative paths are relative to.
    pub working_directory: PathBuf,
}

/// A set of packages that fit together.
#[derive(Debug)]
pub struct Resolution {
    /// The packages, sorted by name.
    pub packages: Vec<Package>,
    /// What the user should know: yanked releases, extras that do not exist.
    pub warnings: Vec<String>,
    /// What fetching needs, in the order of `packages`.
    pub(crate) distributions: Vec<(ResolvedDist, Vec<HashDigest>)>,
    /// How sources may be built.
    pub(crate) options: Options,
}

/// One package of a resolution.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its normalized name.
    pub name: String,
    /// Its version; `0` for a source whose version is known after its build only.
    pub version: String,
    /// Whether an input names it.
    pub requested: bool,
    /// The normalized names of what it requires here.
    pub dependencies: Vec<String>,
    /// The file that was chosen.
    pub file: Artifact,
    /// The content of its `direct_url.json` (PEP 610), for what does not come from an index.
    pub direct_url: Option<serde_json::Value>,
}

/// The file of a package.
#[derive(Debug, Clone)]
pub enum Artifact {
    /// A wheel.
    Wheel {
        /// Its file name.
        filename: String,
        /// Its URL without credentials, or its path.
        location: String,
        /// Its SHA-256, where somebody names it: 64 hexadecimal digits.
        sha256: Option<String>,
        /// Its size in bytes, where the index tells.
        size: Option<u64>,
    },
    /// Something to be built.
    Source {
        /// What it is, for people.
        description: String,
        /// Whether it is to be used in place.
        editable: bool,
        /// What tells this source from every other; none for a folder, whose content changes.
        key: Option<String>,
    },
}
