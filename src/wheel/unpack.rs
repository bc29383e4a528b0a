//! From a wheel file to an entry's folder, verified.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use virtpy_resolver::{Version, normalize_name};

use super::entry_points::{self, EntryPoint};
use super::layout::{self, Layout, Place, Tree};
use super::metadata::{Metadata, WheelFacts};
use super::record::{RecordHash, RecordRow, encode, parse};
use super::shebang::asks_for_python;
use super::{BYTECODE_FOLDER, Error, WheelName};
use crate::archive::{Archive, HashAlgorithm, Limits, Target, Written};

/// What to do when RECORD and the archive do not list the same files. A wrong hash is an error in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStrategy {
    /// Take what the archive has, as other installers do, and say so.
    Repair,
    /// Refuse the wheel.
    RejectInvalid,
}

/// A file that was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledFile {
    /// Its path in its tree.
    pub path: String,
    /// Its SHA-256 in URL-safe base64 without padding, as RECORD writes it.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A script that was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptFile {
    /// The file.
    pub file: InstalledFile,
    /// Whether its first line is `#!python`, to be replaced by a venv's interpreter.
    pub python: bool,
}

/// What was unpacked, and what the wheel says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// The name as METADATA spells it.
    pub name: String,
    /// The version as METADATA spells it.
    pub version: String,
    /// The name of the dist-info folder.
    pub dist_info: String,
    /// The tags of WHEEL.
    pub tags: Vec<String>,
    /// Whether the root of the wheel belongs to purelib.
    pub root_is_purelib: bool,
    /// The requirements of METADATA.
    pub requires_dist: Vec<String>,
    /// The versions of Python it is for.
    pub requires_python: Option<String>,
    /// The extras of METADATA.
    pub provides_extra: Vec<String>,
    /// The scripts to be made.
    pub entry_points: Vec<EntryPoint>,
    /// The files in `site/`.
    pub site: Vec<InstalledFile>,
    /// The files in `data/`.
    pub data: Vec<InstalledFile>,
    /// The files in `headers/`.
    pub headers: Vec<InstalledFile>,
    /// The files in `scripts/`.
    pub scripts: Vec<ScriptFile>,
    /// What people should know about the wheel.
    pub warnings: Vec<String>,
}

/// Unpacks a wheel into the folders `site`, `data`, `headers` and `scripts` of `destination`, an empty folder.
/// Files are 0444, or 0555 where the wheel marks them executable; wherever a package has code, a folder for its
/// bytecode is made.
///
/// # Errors
/// When the archive is broken or hostile, the contents are not what the file name says, or a file is not the
/// one that RECORD lists. Part of the files may have been written then.
pub fn unpack(
    wheel: &Path,
    filename: &str,
    destination: &Path,
    limits: &Limits,
    strategy: CheckStrategy,
) -> Result<Unpacked, Error> {
    let expected = WheelName::parse(filename)?;
    let mut archive = Archive::open(wheel, limits)?;
    let layout = Layout::of(archive.members())?;
    let mut unpacked = describe(&mut archive, &layout, &expected)?;
    let record = String::from_utf8_lossy(&archive.read(layout.record)?).into_owned();
    let listed = Listed::of(&record, archive.members(), strategy, &mut unpacked.warnings)?;
    let targets = targets(&archive, &layout, &listed, strategy, &mut unpacked.warnings)?;
    let written = archive.unpack(destination, &targets, &bytecode_folders(&layout.places))?;
    for ((place, target), written) in layout.places.iter().zip(&targets).zip(&written) {
        let name = &archive.members()[target.member].name;
        if let Some(row) = listed.row(name) {
            verify(row, written)?;
        }
        keep(&mut unpacked, place, written);
    }
    for script in &mut unpacked.scripts {
        script.python = first_line_asks(&mut archive, &layout, &script.file.path)?;
    }
    for files in [&mut unpacked.site, &mut unpacked.data, &mut unpacked.headers] {
        files.sort_by(|a, b| a.path.cmp(&b.path));
    }
    Ok(unpacked)
}

/// Reads what the wheel says about itself and compares it with its file name.
fn describe(archive: &mut Archive, layout: &Layout, expected: &WheelName) -> Result<Unpacked, Error> {
    let facts = WheelFacts::parse(&archive.read(layout.wheel)?)?;
    let metadata = Metadata::parse(&archive.read(layout.metadata)?)?;
    let name = normalize_name(&metadata.name).map_err(|error| invalid(&error))?;
    let version: Version = metadata.version.parse().map_err(|error| invalid(&error))?;
    let mismatch = |found: String| Error::Mismatch {
        expected: format!("{} {}", expected.name, expected.version),
        found,
    };
    // A local label is left out of file names by some build tools.
    let same_version = version == expected.version
        || metadata
            .version
            .split('+')
            .next()
            .is_some_and(|public| public.parse().is_ok_and(|public: Version| public == expected.version));
    if name != expected.name || !same_version {
        return Err(mismatch(format!("{} {}", metadata.name, metadata.version)));
    }
    if !layout::names(&layout.dist_info, &name, &version)
        && !layout::names(&layout.dist_info, &name, &expected.version)
    {
        return Err(mismatch(layout.dist_info.clone()));
    }
    let entry_points = match layout.entry_points {
        Some(index) => entry_points::parse(&String::from_utf8_lossy(&archive.read(index)?))?,
        None => Vec::new(),
    };
    Ok(Unpacked {
        name: metadata.name,
        version: metadata.version,
        dist_info: layout.dist_info.clone(),
        tags: facts.tags,
        root_is_purelib: facts.root_is_purelib,
        requires_dist: metadata.requires_dist,
        requires_python: metadata.requires_python,
        provides_extra: metadata.provides_extra,
        entry_points,
        ..Unpacked::default()
    })
}

fn invalid(error: &dyn std::fmt::Display) -> Error {
    Error::Metadata { file: "METADATA", reason: error.to_string() }
}

/// The rows of RECORD by path.
struct Listed(BTreeMap<String, RecordRow>);

impl Listed {
    fn of(
        text: &str,
        members: &[crate::archive::Member],
        strategy: CheckStrategy,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let names: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
        let mut rows = BTreeMap::new();
        for row in parse(text)? {
            let is_folder = row.path.ends_with('/');
            if !is_folder && !names.contains(row.path.as_str()) {
                match strategy {
                    CheckStrategy::RejectInvalid => return Err(Error::Unlisted(row.path)),
                    CheckStrategy::Repair => {
                        warnings.push(format!("RECORD lists `{}`, which is not in the wheel", row.path));
                    }
                }
            }
            rows.insert(row.path.clone(), row);
        }
        Ok(Self(rows))
    }

    fn row(&self, name: &str) -> Option<&RecordRow> {
        self.0.get(name)
    }
}

fn targets(
    archive: &Archive,
    layout: &Layout,
    listed: &Listed,
    strategy: CheckStrategy,
    warnings: &mut Vec<String>,
) -> Result<Vec<Target>, Error> {
    let mut targets = Vec::with_capacity(layout.places.len());
    for place in &layout.places {
        let member = &archive.members()[place.member];
        let row = listed.row(&member.name);
        if row.is_none() {
            match strategy {
                CheckStrategy::RejectInvalid => return Err(Error::Unlisted(member.name.clone())),
                CheckStrategy::Repair => warnings.push(format!("RECORD does not list `{}`", member.name)),
            }
        }
        let executable = member.executable || place.tree == Tree::Scripts;
        targets.push(Target {
            member: place.member,
            path: format!("{}/{}", place.tree.folder(), place.path),
            mode: if executable { 0o555 } else { 0o444 },
            other_digest: row
                .and_then(|row| row.hash)
                .map(|hash| hash.algorithm)
                .filter(|algorithm| *algorithm != HashAlgorithm::Sha256),
        });
    }
    Ok(targets)
}

/// A folder for bytecode beside all code of packages; not at the top, which every distribution shares.
fn bytecode_folders(places: &[Place]) -> Vec<String> {
    let folders: BTreeSet<&str> = places
        .iter()
        .filter(|place| place.tree == Tree::Site && place.path.ends_with(".py"))
        .filter_map(|place| place.path.rsplit_once('/').map(|(folder, _)| folder))
        .collect();
    folders.into_iter().map(|folder| format!("site/{folder}/{BYTECODE_FOLDER}")).collect()
}

/// Compares what was unpacked with its row.
fn verify(row: &RecordRow, written: &Written) -> Result<(), Error> {
    let refuse = |expected: String, found: String| Error::Record { path: row.path.clone(), expected, found };
    if let Some(expected) = row.hash {
        let bytes = match expected.algorithm {
            HashAlgorithm::Sha256 => Some(&written.sha256[..]),
            _ => written.other_digest.as_deref(),
        };
        let found = bytes.and_then(|bytes| RecordHash::new(expected.algorithm, bytes));
        if found != Some(expected) {
            let found = found.map_or_else(|| "none".to_owned(), |hash| hash.to_string());
            return Err(refuse(expected.to_string(), found));
        }
    }
    match row.size {
        Some(size) if size != written.size => {
            Err(refuse(format!("{size} bytes"), format!("{} bytes", written.size)))
        }
        _ => Ok(()),
    }
}

fn keep(unpacked: &mut Unpacked, place: &Place, written: &Written) {
    let file =
        InstalledFile { path: place.path.clone(), sha256: encode(&written.sha256), size: written.size };
    match place.tree {
        Tree::Site => unpacked.site.push(file),
        Tree::Data => unpacked.data.push(file),
        Tree::Headers => unpacked.headers.push(file),
        Tree::Scripts => unpacked.scripts.push(ScriptFile { file, python: false }),
    }
}

/// Whether a script asks for the venv's interpreter. One too large for the memory is a program, not a text.
fn first_line_asks(archive: &mut Archive, layout: &Layout, path: &str) -> Result<bool, Error> {
    const LARGEST_TEXT: u64 = 4 << 20;
    let place = layout.places.iter().find(|place| place.tree == Tree::Scripts && place.path == path);
    let Some(place) = place else { return Ok(false) };
    if archive.members()[place.member].size > LARGEST_TEXT {
        return Ok(false);
    }
    Ok(asks_for_python(&archive.read(place.member)?))
}
