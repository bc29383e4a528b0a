//! `entry.json`: what an entry holds, in the form that the link plan needs without opening another file.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use virtpy_files::digest::sha256;
use virtpy_files::{self as fs, PathError};
use virtpy_pep::{InvalidName, NamedVersion, PackageName, WheelHash};
use virtpy_wheel::{
    self as wheel, Climbing, EntryPoint, Libraries, RecordAdditions, RecordDigest, RecordRow, Tree, Unpacked,
};

use super::StoreError;

/// The version of the format that this program writes and reads.
const FORMAT: u32 = 4;

/// The name of the manifest's file.
pub(super) const MANIFEST: &str = "entry.json";

/// The name of the file with the RECORD rows of all files in `site/`, each with hash and size.
pub const ROWS: &str = "rows";

/// From `site-packages` to the folder of the scripts, in every venv of POSIX.
const SCRIPTS: &str = "../../../bin";

/// Everything known about an entry. Paths are `/`-separated and relative to the tree they are in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this file's format.
    pub format: u32,
    /// The wheel's SHA-256.
    pub sha256: WheelHash,
    /// The wheel's file name (PEP 427).
    pub filename: String,
    /// Where its bytes came from: a URL without credentials, or a path.
    pub origin: String,
    /// The indexes that it was resolved with, where it came from one: it is the last one's, and those before it had nothing of
    /// its name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<String>,
    /// The distribution's name as its METADATA spells it.
    pub name: String,
    /// Its version as its METADATA spells it.
    pub version: String,
    /// The compatibility tags of its WHEEL file.
    pub tags: Vec<String>,
    /// Whether WHEEL says that the root belongs to purelib.
    pub root_is_purelib: bool,
    /// The requirements of METADATA, each a PEP 508 text.
    pub requires_dist: Vec<String>,
    /// The Python versions that METADATA asks for.
    pub requires_python: Option<String>,
    /// The extras of METADATA.
    pub provides_extra: Vec<String>,
    /// The name of the dist-info folder.
    pub dist_info: String,
    /// What lies directly in `site/`, the dist-info folder left out.
    pub top: Vec<FolderItem>,
    /// What lies directly in the dist-info folder.
    pub dist_info_items: Vec<FolderItem>,
    /// Console and GUI scripts to be made.
    pub entry_points: Vec<EntryPoint>,
    /// The scripts in `scripts/`.
    pub scripts: Vec<ScriptRow>,
    /// The files in `data/`, which belong to the venv's root.
    pub data: Vec<FileRow>,
    /// The files in `headers/`.
    pub headers: Vec<FileRow>,
    /// The files that describe the entry beside this one: [`ROWS`], and the RECORDs of venvs (PEP 376) where those are alike.
    pub texts: Vec<FileRow>,
    /// The folders of `site/` that are portions of namespace packages, or may be: see [`wheel::namespaces`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// What its shared libraries have to do with other wheels.
    #[serde(default, skip_serializing_if = "Libraries::is_empty")]
    pub libraries: Libraries,
    /// What its modules need that look for other wheels' files by their own path.
    #[serde(default, skip_serializing_if = "Climbing::is_empty")]
    pub climbing: Climbing,
    /// When the entry was unpacked, in seconds since 1970: no file of it is newer.
    pub unpacked_at: u64,
    /// The bytes of all its files together.
    pub size: u64,
    /// What is in [`ROWS`]: nine tenths of all that there is to say, and hardly ever needed.
    #[serde(skip)]
    pub(super) site_rows: LazyText,
}

/// The text of a file, read when it is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LazyText {
    path: PathBuf,
    text: OnceLock<String>,
}

impl LazyText {
    pub(super) fn of(path: PathBuf) -> Self {
        Self { path, text: OnceLock::new() }
    }

    /// A text that is there already.
    fn ready(text: String) -> Self {
        Self { path: PathBuf::new(), text: OnceLock::from(text) }
    }

    fn read(&self) -> Result<&str, PathError> {
        if let Some(text) = self.text.get() {
            return Ok(text);
        }
        let text = fs::read_to_string(&self.path)?;
        Ok(self.text.get_or_init(|| text))
    }
}

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FolderItem {
    /// The name.
    pub name: String,
    /// Whether it is a folder.
    pub folder: bool,
}

/// A file of the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRow {
    /// Its path in its tree.
    pub path: String,
    /// Its SHA-256.
    pub sha256: RecordDigest,
    /// Its size in bytes.
    pub size: u64,
}

/// A script that the wheel carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptRow {
    /// The file.
    #[serde(flatten)]
    pub file: FileRow,
    /// Whether its first line is `#!python`, to be replaced by the venv's interpreter.
    pub python: bool,
}

/// Where a wheel's bytes came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Provenance<'a> {
    /// The wheel's SHA-256.
    pub(super) sha256: WheelHash,
    /// Its file name.
    pub(super) filename: &'a str,
    /// Its URL or path.
    pub(super) origin: &'a str,
    /// The indexes that it was resolved with.
    pub(super) indexes: &'a [String],
}

/// What manifests of every format have.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// What tells where an entry can be had again, also from a manifest of another format.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KnownOrigin {
    /// The distribution's name as its METADATA spells it.
    pub name: String,
    /// The wheel's SHA-256.
    pub sha256: WheelHash,
    /// The wheel's file name.
    pub filename: String,
    /// Where its bytes came from.
    pub origin: String,
    /// The indexes that it was resolved with.
    #[serde(default)]
    pub indexes: Vec<String>,
}

impl KnownOrigin {
    /// Of the entry in a folder, if its manifest tells that much.
    pub fn of_entry(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(&folder.join(MANIFEST)).ok()?).ok()
    }
}

impl Manifest {
    /// Describes a wheel with this content that no store has: for plans that are only looked at, as tests do.
    pub fn in_memory(unpacked: Unpacked) -> Self {
        let rows = wheel::record_rows(&unpacked.site);
        let sha256 = sha256(format!("{} {}", unpacked.name, unpacked.version)).into();
        let filename = format!("{}-{}-py3-none-any.whl", unpacked.name, unpacked.version);
        let provenance = Provenance { sha256, filename: &filename, origin: "", indexes: &[] };
        Self { site_rows: LazyText::ready(rows), ..Self::of(unpacked, provenance) }
    }

    /// Describes a freshly unpacked wheel.
    pub(super) fn of(unpacked: Unpacked, provenance: Provenance<'_>) -> Self {
        let dist_info_prefix = format!("{}/", unpacked.dist_info);
        let site = unpacked.site.iter().map(|file| file.path.as_str());
        let top = items(site.clone().filter(|path| !path.starts_with(&dist_info_prefix)));
        let dist_info_items = items(site.filter_map(|path| path.strip_prefix(&dist_info_prefix)));
        let row =
            |file: wheel::InstalledFile| FileRow { path: file.path, sha256: file.sha256, size: file.size };
        let rows = unpacked.site.iter().chain(&unpacked.data).chain(&unpacked.headers);
        let scripts = unpacked.scripts.iter().map(|script| &script.file);
        let total = rows.chain(scripts).map(|file| file.size).sum();
        Self {
            format: FORMAT,
            sha256: provenance.sha256,
            filename: provenance.filename.to_owned(),
            origin: provenance.origin.to_owned(),
            indexes: provenance.indexes.to_vec(),
            name: unpacked.name,
            version: unpacked.version,
            tags: unpacked.tags,
            root_is_purelib: unpacked.root_is_purelib,
            requires_dist: unpacked.requires_dist,
            requires_python: unpacked.requires_python,
            provides_extra: unpacked.provides_extra,
            dist_info: unpacked.dist_info,
            top,
            dist_info_items,
            entry_points: unpacked.entry_points,
            scripts: unpacked
                .scripts
                .into_iter()
                .map(|script| ScriptRow { file: row(script.file), python: script.python })
                .collect(),
            data: unpacked.data.into_iter().map(row).collect(),
            headers: unpacked.headers.into_iter().map(row).collect(),
            texts: Vec::new(),
            namespaces: wheel::namespaces(unpacked.site.iter().map(|file| file.path.as_str())),
            libraries: unpacked.libraries,
            climbing: unpacked.climbing,
            unpacked_at: 0,
            size: total,
            site_rows: LazyText::default(),
        }
    }

    /// The distribution's name and version, as its METADATA spells them.
    pub fn label(&self) -> NamedVersion {
        NamedVersion::new(&self.name, &self.version)
    }

    /// The normalized name of the distribution's package.
    ///
    /// # Errors
    /// When its name is not one: somebody wrote into the store.
    pub(super) fn package_name(&self) -> Result<PackageName, InvalidName> {
        self.name.parse()
    }

    /// Where the METADATA of the entry in a folder lies.
    pub fn metadata_in(&self, folder: &Path) -> PathBuf {
        folder.join("site").join(&self.dist_info).join("METADATA")
    }

    /// Whether the wheel brought a file, by its path in the entry: `site/rich/box.py`.
    pub fn has_file(&self, path: &str) -> bool {
        let is_text = || path == "entry.json" || self.texts.iter().any(|row| row.path == path);
        let Some((tree, inside)) = path.split_once('/') else { return is_text() };
        let has = |rows: &[FileRow]| rows.iter().any(|row| row.path == inside);
        match tree {
            "data" => has(&self.data),
            "headers" => has(&self.headers),
            "scripts" => self.scripts.iter().any(|script| script.file.path == inside),
            _ => self.rows().is_ok_and(|rows| rows.iter().any(|row| row.path == inside)),
        }
    }

    /// The files in `site/`, each with hash and size.
    ///
    /// # Errors
    /// When their list cannot be read.
    pub fn rows(&self) -> Result<Vec<RecordRow>, StoreError> {
        wheel::parse_record(self.site_rows()?).map_err(|error| StoreError::Damaged {
            id: self.sha256.beginning(),
            reason: format!("`{ROWS}`: {error}"),
        })
    }

    /// The files outside of `site/`, each with the folder that it is in.
    pub(super) fn rows_beside(&self) -> impl Iterator<Item = (Tree, &FileRow)> {
        let scripts = self.scripts.iter().map(|script| (Tree::Scripts, &script.file));
        let data = self.data.iter().map(|row| (Tree::Data, row));
        scripts.chain(data).chain(self.headers.iter().map(|row| (Tree::Headers, row)))
    }

    /// The rows as the text of a RECORD.
    ///
    /// # Errors
    /// When their file cannot be read.
    pub fn site_rows(&self) -> Result<&str, PathError> {
        self.site_rows.read()
    }

    /// What a venv has of this distribution if no other one is in its way and its files are of the plain kind: then the RECORD
    /// of all venvs is the same, and the entry has it ready.
    pub fn usual_footprint(&self) -> Option<RecordAdditions> {
        let is_plain = self.data.is_empty()
            && self.headers.is_empty()
            && self.scripts.is_empty()
            && self.namespaces.is_empty();
        if !is_plain {
            return None;
        }
        let folders = self.top.iter().filter(|item| item.folder).map(|item| item.name.clone());
        let inside = self.dist_info_items.iter().filter(|item| item.folder);
        let mut links: Vec<String> =
            folders.chain(inside.map(|item| format!("{}/{}", self.dist_info, item.name))).collect();
        links.sort();
        let mut scripts: Vec<&str> = self.entry_points.iter().map(|script| script.name.as_str()).collect();
        scripts.sort_unstable();
        let row = |name: &&str| wheel::record_row(&format!("{SCRIPTS}/{name}"), None);
        Some(RecordAdditions { links, rows: scripts.iter().map(row).collect() })
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// When it is no JSON of this format.
    pub(super) fn parse(content: &[u8]) -> Result<Self, serde_json::Error> {
        let other_format = |format| {
            serde::de::Error::custom(format!("it has format {format} and this virtpy reads {FORMAT}"))
        };
        match serde_json::from_slice::<Self>(content) {
            Ok(manifest) if manifest.format != FORMAT => Err(other_format(manifest.format)),
            Err(error) => match serde_json::from_slice::<Format>(content) {
                Ok(Format { format }) if format != FORMAT => Err(other_format(format)),
                _ => Err(error),
            },
            manifest => manifest,
        }
    }
}

/// The distinct first components of some paths, sorted.
fn items<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<FolderItem> {
    let mut items: Vec<FolderItem> = paths
        .map(|path| match path.split_once('/') {
            Some((name, _)) => FolderItem { name: name.to_owned(), folder: true },
            None => FolderItem { name: path.to_owned(), folder: false },
        })
        .collect();
    items.sort();
    items.dedup();
    items
}

#[cfg(test)]
mod properties;
