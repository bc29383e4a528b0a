//! From a distribution that some tool has installed back to what its wheel held.
//!
//! An installer spreads a wheel over a venv, writes scripts for its entry points and a few files of its own. Who knows
//! the venv says which file belongs to which tree of the wheel; what is here turns these into the same [`Unpacked`] as
//! the wheel would have given, by the same rules. All of it is hostile input.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, PermissionsExt as _};
use virtpy_pep::WheelName;

use super::RecordDigest;
use super::unpack::{Trees, bytecode_folders};
use super::{
    EntryPoint, Error, InstalledFile, Item, Metadata, Tree, Unpacked, WheelInfo, entry_points, layout,
};
use crate::archive::check_name;

/// Files that single installers add to a dist-info folder for themselves.
const NOTES: [&str; 2] = ["uv_cache.json", "uv_build.json"];

/// Whether a file of a dist-info folder is written by the installer, so that no wheel brings it.
pub fn is_written_by_installers(name: &str) -> bool {
    layout::INSTALLERS_OWN.contains(&name) || NOTES.contains(&name)
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartSource {
    /// In this file.
    File(PathBuf),
    /// Here: an installer wrote other ones.
    Content(Vec<u8>),
}

/// A file that the wheel held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The folder that it goes to.
    pub tree: Tree,
    /// Its path in there.
    pub path: String,
    /// Its SHA-256.
    pub sha256: RecordDigest,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it can be executed.
    pub executable: bool,
    /// Where its bytes are.
    pub source: PartSource,
}

/// A distribution that lies installed somewhere, as the wheel that it came from.
#[derive(Debug, Clone)]
pub struct InstalledWheel {
    /// The name of its dist-info folder.
    pub dist_info: String,
    /// A file name as the wheel may have had it: name, version and the tags of WHEEL (PEP 427).
    pub filename: String,
    /// METADATA.
    pub metadata: Metadata,
    /// WHEEL.
    pub wheel: WheelInfo,
    /// The scripts of `entry_points.txt`.
    pub entry_points: Vec<EntryPoint>,
    parts: Vec<Part>,
}

impl InstalledWheel {
    /// Reads what a dist-info folder tells. The files are not known yet.
    ///
    /// # Errors
    /// When a file that every wheel has is missing or malformed, or names and versions contradict each other.
    pub fn read(site_packages: &Path, dist_info: &str) -> Result<Self, Error> {
        let file = |name: &str| match fs::read(&site_packages.join(dist_info).join(name)) {
            Err(error) if error.is_not_found() => Ok(None),
            other => other.map(Some),
        };
        let missing = |name: &str| Error::Missing(format!("{dist_info}/{name}"));
        let metadata = Metadata::parse(&file("METADATA")?.ok_or_else(|| missing("METADATA"))?)?;
        metadata.check_requirements()?;
        let mut wheel = WheelInfo::parse(&file("WHEEL")?.ok_or_else(|| missing("WHEEL"))?)?;
        let entry_points =
            file("entry_points.txt")?.map_or_else(|| Ok(Vec::new()), |text| entry_points::parse(&text))?;
        let filename = file_name(&metadata, &wheel.tags);
        let name = WheelName::parse(&filename)?;
        if !dist_info.strip_suffix(".dist-info").is_some_and(|stem| name.is_named_by(stem)) {
            let reason = "which is not named after its name and version";
            return Err(Error::Folder { folder: dist_info.to_owned(), reason });
        }
        layout::check_identity(&metadata, &name)?;
        if wheel.tags.is_empty() {
            wheel.tags.clone_from(&name.tags);
        }
        let dist_info = dist_info.to_owned();
        Ok(Self { dist_info, filename, metadata, wheel, entry_points, parts: Vec::new() })
    }

    /// Its files, sorted by tree and path.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Says which files it has.
    ///
    /// # Errors
    /// When a wheel could not have had these: a name is illegal, a place is not a wheel's, two are one.
    pub fn set_parts(&mut self, mut parts: Vec<Part>) -> Result<(), Error> {
        parts.sort_by(|left, right| (left.tree, &left.path).cmp(&(right.tree, &right.path)));
        parts.dedup();
        for part in &parts {
            let wrong =
                |reason: String| Error::Verification { path: part.path.escape_debug().to_string(), reason };
            check_name(part.path.as_bytes())
                .map_err(|problem| wrong(format!("has a name that {problem}")))?;
            let is_own = part.tree == Tree::Site
                && part.path.split_once('/').is_some_and(|(top, _)| top == self.dist_info);
            if !is_own {
                layout::check_place(part.tree, &part.path)
                    .map_err(|reason| Error::Forbidden { path: part.path.clone(), reason })?;
            }
        }
        layout::check_collisions(&items(&parts))?;
        self.parts = parts;
        Ok(())
    }

    /// A text that is the same for the same content, wherever it lies: a heading, then for each file, sorted by tree and
    /// path, its SHA-256 as RECORD writes it, its size, `x` or `-` for whether it can be executed, and where it belongs.
    pub fn content_text(&self) -> String {
        let mut text = "virtpy: the files of an installed distribution, 1\n".to_owned();
        for Part { tree, path, sha256, size, executable, .. } in &self.parts {
            let mode = if *executable { 'x' } else { '-' };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{sha256} {size} {mode} {}/{path}", tree.folder());
        }
        text
    }

    /// Copies the files into `destination`, as [`super::unpack`] would have unpacked the wheel, and verifies the copies.
    ///
    /// # Errors
    /// When a file is no longer as it was described, or the disk does not take it. Files may then have been written to
    /// `destination`, never outside.
    pub fn copy_to(&self, destination: &Path) -> Result<Unpacked, Error> {
        let mut trees = Trees::default();
        for part in &self.parts {
            let path = destination.join(part.tree.folder()).join(&part.path);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mode = if part.executable { 0o555 } else { 0o444 };
            let sha256 = match &part.source {
                PartSource::File(source) => {
                    fs::copy_new(source, &path, mode)?;
                    RecordDigest::of_file(&path)?
                }
                PartSource::Content(content) => {
                    fs::write_new(&path, content, mode)?;
                    RecordDigest::of(content)
                }
            };
            if sha256 != part.sha256 {
                let reason = "was changed while it was copied".to_owned();
                return Err(Error::Verification { path: part.path.clone(), reason });
            }
            let (path, size, executable) = (part.path.clone(), part.size, part.executable);
            trees.push(part.tree, InstalledFile { path, sha256, size, executable }, destination)?;
        }
        for folder in bytecode_folders(&items(&self.parts), &self.dist_info) {
            fs::create_dir(&destination.join(folder))?;
        }
        fs::make_folders_read_only(destination)?;
        let libraries = trees.libraries(destination);
        let climbing = trees.climbing(destination, |_| true)?;
        Ok(Unpacked {
            name: self.metadata.name.clone(),
            version: self.metadata.version.clone(),
            dist_info: self.dist_info.clone(),
            tags: self.wheel.tags.clone(),
            root_is_purelib: self.wheel.root_is_purelib,
            site: trees.site,
            data: trees.data,
            headers: trees.headers,
            scripts: trees.scripts,
            entry_points: self.entry_points.clone(),
            requires_dist: self.metadata.requires_dist.clone(),
            requires_python: self.metadata.requires_python.clone(),
            provides_extra: self.metadata.provides_extra.clone(),
            libraries,
            climbing,
            warnings: Vec::new(),
        })
    }
}

impl Part {
    /// Describes a file as it lies on the disk.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_file(tree: Tree, path: &str, source: PathBuf) -> Result<Self, Error> {
        let facts = fs::metadata(&source)?;
        Ok(Self {
            tree,
            path: path.to_owned(),
            sha256: RecordDigest::of_file(&source)?,
            size: facts.len(),
            executable: tree == Tree::Scripts || facts.permissions().mode() & 0o111 != 0,
            source: PartSource::File(source),
        })
    }
}

fn items(parts: &[Part]) -> Vec<Item> {
    let item = |(member, part): (usize, &Part)| Item {
        member,
        tree: part.tree,
        path: part.path.clone(),
        executable: part.executable,
    };
    parts.iter().enumerate().map(item).collect()
}

/// The file name of a wheel with this name and version and these tags; `py3-none-any` where there are none.
fn file_name(metadata: &Metadata, tags: &[String]) -> String {
    let mut name = metadata.name.replace(['-', '.'], "_");
    while name.contains("__") {
        name = name.replace("__", "_");
    }
    let version = metadata.version.replace('-', "_");
    let mut parts: [Vec<&str>; 3] = Default::default();
    for tag in tags {
        for (known, part) in parts.iter_mut().zip(tag.splitn(3, '-')) {
            if !known.contains(&part) {
                known.push(part);
            }
        }
    }
    let [pythons, abis, platforms] = parts.map(|part| part.join("."));
    if platforms.is_empty() {
        return format!("{name}-{version}-py3-none-any.whl");
    }
    format!("{name}-{version}-{pythons}-{abis}-{platforms}.whl")
}
