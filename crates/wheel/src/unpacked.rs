//! What is known of a wheel that lies unpacked on the disk.

use serde::{Deserialize, Serialize};

use super::{Climbing, EntryPoint, Libraries, RecordDigest};

/// A wheel that lies unpacked on the disk. Paths are `/`-separated and relative to the tree they are in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpacked {
    /// The distribution's name as METADATA spells it.
    pub name: String,
    /// Its version as METADATA spells it.
    pub version: String,
    /// The name of the dist-info folder in `site/`.
    pub dist_info: String,
    /// The compatibility tags of WHEEL, `python-abi-platform` each.
    pub tags: Vec<String>,
    /// Whether WHEEL says that the root belongs to purelib.
    pub root_is_purelib: bool,
    /// The files in `site/`, the dist-info folder's included; RECORD and what else an installer writes left out.
    pub site: Vec<InstalledFile>,
    /// The files in `data/`.
    pub data: Vec<InstalledFile>,
    /// The files in `headers/`.
    pub headers: Vec<InstalledFile>,
    /// The files in `scripts/`.
    pub scripts: Vec<ScriptFile>,
    /// The scripts to be made for entry points.
    pub entry_points: Vec<EntryPoint>,
    /// The requirements of METADATA, each a PEP 508 text that nobody has checked yet.
    pub requires_dist: Vec<String>,
    /// The Python versions that METADATA asks for, unchecked.
    pub requires_python: Option<String>,
    /// The extras of METADATA, unchecked.
    pub provides_extra: Vec<String>,
    /// What its shared libraries have to do with other wheels.
    pub libraries: Libraries,
    /// What its modules need that look for other wheels' files by their own path.
    pub climbing: Climbing,
    /// What a user may want to know: how RECORD had to be repaired.
    pub warnings: Vec<String>,
}

/// A file that was unpacked and verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledFile {
    /// Its path in its tree.
    pub path: String,
    /// Its SHA-256.
    pub sha256: RecordDigest,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it can be executed.
    pub executable: bool,
}

/// A script that the wheel carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptFile {
    /// The file.
    pub file: InstalledFile,
    /// Whether its first line starts with `#!python`, to be replaced by [`super::rewrite_python_shebang`].
    pub python: bool,
}
