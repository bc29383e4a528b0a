//! Reading the distributions that other installers put into a venv, to find those that the store can hold.
//!
//! RECORD says which files a distribution has, and with which hashes; only one whose files are all there and unchanged
//! is what its wheel was. RECORD is input: no row makes virtpy read or touch anything outside the venv.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_files::{self as fs, FileKind};
use virtpy_wheel::{self as wheel, InstalledWheel, Part, PartSource, RecordDigest, RecordRow, Tree};

use super::contents::Contents;
use super::{Distribution, Venv, VenvError, direct_url, foreign};

/// How many files are named where some are changed.
const NAMED: usize = 3;

/// A distribution that the store can hold.
#[derive(Debug)]
pub struct Adoptable {
    /// The distribution as it is installed.
    pub distribution: Distribution,
    /// Whether somebody asked for it by name.
    pub requested: bool,
    /// What its wheel was.
    pub wheel: InstalledWheel,
    /// What it takes in the venv.
    pub extent: Extent,
}

/// A distribution that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
pub struct LeftAlone {
    /// Its name, or the name of its folder where nothing tells.
    pub name: String,
    /// Its version, where it is known.
    pub version: String,
    /// Why.
    pub reason: String,
}

/// What files take on the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Extent {
    /// How many files.
    pub files: u64,
    /// How many bytes, in whole blocks. Files that have another name elsewhere do not count: they stay there.
    pub bytes: u64,
}

impl std::ops::AddAssign for Extent {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
    }
}

/// What was found in a venv.
#[derive(Debug, Default)]
pub struct Inventory {
    /// What the store can hold, sorted by name.
    pub adoptable: Vec<Adoptable>,
    /// What stays, sorted by name.
    pub left_alone: Vec<LeftAlone>,
    /// Folders that have to stay real, because files that no distribution owns are in them.
    pub real_folders: BTreeSet<String>,
}

impl Venv {
    /// Looks at every distribution of another installer.
    ///
    /// # Errors
    /// When the venv cannot be read.
    pub fn inventory(&self, contents: &Contents) -> Result<Inventory, VenvError> {
        // What has no dist-info was not installed from a wheel.
        let foreign: Vec<&Distribution> =
            contents.distributions.iter().filter(|one| one.is_foreign() && one.has_dist_info()).collect();
        let mut keys: BTreeMap<&str, usize> = BTreeMap::new();
        for distribution in &contents.distributions {
            *keys.entry(&distribution.package).or_default() += 1;
        }
        let examined = fs::map_ordered(&foreign, fs::processors(), |distribution| self.examine(distribution));
        let mut inventory = Inventory::default();
        for (distribution, examined) in foreign.iter().zip(examined) {
            let twice = keys.get(distribution.package.as_str()).is_some_and(|count| *count > 1);
            let examined = if twice { Err("it is installed twice".to_owned()) } else { examined };
            match examined {
                Ok(adoptable) => inventory.adoptable.push(adoptable),
                Err(reason) => inventory.left_alone.push(LeftAlone {
                    name: distribution.name.clone(),
                    version: distribution.version.clone(),
                    reason,
                }),
            }
        }
        while self.leave_those_in_the_way(&mut inventory)? {}
        self.measure(&mut inventory)?;
        inventory.left_alone.extend(self.without_wheel(contents)?);
        inventory.left_alone.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(inventory)
    }

    /// Compares a distribution with its RECORD. The error says why it has to stay.
    fn examine(&self, distribution: &Distribution) -> Result<Adoptable, String> {
        if distribution.direct_url().is_some_and(|text| direct_url::editable_location(text).is_some()) {
            return Err("it is editable".to_owned());
        }
        let folder = self.site_packages().join(&distribution.dist_info);
        let Ok(text) = fs::read_to_string(&folder.join("RECORD")) else {
            return Err("it has no readable RECORD".to_owned());
        };
        let rows = wheel::parse_record(&text).map_err(|error| error.to_string())?;
        let mut wheel = InstalledWheel::read(&self.site_packages(), &distribution.dist_info)
            .map_err(|error| error.to_string())?;
        let mut reader =
            Reader { venv: self, wheel: &wheel, parts: Vec::new(), scripts: Vec::new(), changed: Vec::new() };
        for row in &rows {
            reader.read(row)?;
        }
        let parts = reader.finish()?;
        wheel.set_parts(parts).map_err(|error| error.to_string())?;
        let requested = fs::kind(&folder.join("REQUESTED")).is_ok_and(|kind| kind.is_some());
        Ok(Adoptable { distribution: distribution.clone(), requested, wheel, extent: Extent::default() })
    }

    /// Leaves those alone whose scripts would replace something that none of the others owns. Returns whether there were any:
    /// what those own may be in the way of others.
    fn leave_those_in_the_way(&self, inventory: &mut Inventory) -> Result<bool, VenvError> {
        let mut owned = BTreeSet::new();
        for adoptable in &inventory.adoptable {
            owned.extend(foreign::files(self, &adoptable.distribution)?);
        }
        let in_the_way = |adoptable: &Adoptable| {
            let scripts = adoptable.wheel.entry_points.iter();
            scripts.map(|script| format!("{}/{}", self.layout.scripts, script.name)).find(|path| {
                !owned.contains(path) && fs::kind(&self.root.join(path)).is_ok_and(|kind| kind.is_some())
            })
        };
        let (stay, go): (Vec<_>, Vec<_>) = std::mem::take(&mut inventory.adoptable)
            .into_iter()
            .map(|adoptable| (in_the_way(&adoptable), adoptable))
            .partition(|(path, _)| path.is_some());
        inventory.adoptable = go.into_iter().map(|(_, adoptable)| adoptable).collect();
        let found = !stay.is_empty();
        inventory.left_alone.extend(stay.into_iter().map(|(path, adoptable)| LeftAlone {
            name: adoptable.distribution.name,
            version: adoptable.distribution.version,
            reason: format!("its RECORD does not list its script `{}`", path.unwrap_or_default()),
        }));
        Ok(found)
    }

    /// Measures what is to go, and finds the folders in which something else lies.
    fn measure(&self, inventory: &mut Inventory) -> Result<(), VenvError> {
        let mut going = BTreeSet::new();
        let mut folders = BTreeSet::new();
        for adoptable in &mut inventory.adoptable {
            let files = foreign::files(self, &adoptable.distribution)?;
            let mut own_folders = BTreeSet::new();
            for file in &files {
                if let Some((folder, _)) = file.rsplit_once('/') {
                    foreign::insert_with_parents(&self.layout, folder, &mut own_folders);
                }
                if !wheel::is_bytecode(file) {
                    adoptable.extent += extent(&self.root.join(file))?;
                }
            }
            for folder in &own_folders {
                let bytecode = self.root.join(folder).join(wheel::BYTECODE_FOLDER);
                if !folders.contains(folder) && fs::kind(&bytecode)? == Some(FileKind::Folder) {
                    for name in fs::names(&bytecode)? {
                        adoptable.extent += extent(&bytecode.join(name))?;
                    }
                }
            }
            going.extend(files);
            folders.extend(own_folders);
        }
        for folder in &folders {
            if folder.rsplit('/').next() == Some(wheel::BYTECODE_FOLDER) {
                continue;
            }
            let is_foreign = |name: &std::ffi::OsString| {
                let path = format!("{folder}/{}", name.to_string_lossy());
                !going.contains(&path) && !folders.contains(&path) && name != wheel::BYTECODE_FOLDER
            };
            if fs::names(&self.root.join(folder))?.iter().any(is_foreign) {
                foreign::insert_with_parents(&self.layout, folder, &mut inventory.real_folders);
            }
        }
        Ok(())
    }

    /// What is installed without a dist-info folder that could be read.
    fn without_wheel(&self, contents: &Contents) -> Result<Vec<LeftAlone>, VenvError> {
        let known: BTreeSet<&str> =
            contents.distributions.iter().map(|distribution| distribution.dist_info.as_str()).collect();
        let mut found = Vec::new();
        for name in fs::names(&self.site_packages())? {
            let name = name.to_string_lossy();
            let reason = match Path::new(name.as_ref()).extension().and_then(|end| end.to_str()) {
                Some("egg-link") => "it is editable",
                Some("egg-info" | "egg") => "it was not installed from a wheel",
                Some("dist-info") if !known.contains(name.as_ref()) => "it has no readable METADATA",
                _ => continue,
            };
            let (stem, _) = name.rsplit_once('.').unwrap_or((&name, ""));
            let mut parts = stem.split('-');
            let mut part = || parts.next().unwrap_or_default().to_owned();
            found.push(LeftAlone { name: part(), version: part(), reason: reason.to_owned() });
        }
        Ok(found)
    }
}

fn extent(path: &Path) -> Result<Extent, VenvError> {
    let facts = fs::symlink_metadata(path)?;
    let bytes = if fs::count_names(path, &facts) > 1 { 0 } else { fs::allocated(&facts) };
    Ok(Extent { files: 1, bytes })
}

/// The way through the rows of one RECORD.
struct Reader<'a> {
    venv: &'a Venv,
    wheel: &'a InstalledWheel,
    parts: Vec<Part>,
    /// The digests of the scripts that an installer made for entry points.
    scripts: Vec<RecordDigest>,
    /// Files that are missing or not as RECORD says.
    changed: Vec<String>,
}

impl Reader<'_> {
    fn read(&mut self, row: &RecordRow) -> Result<(), String> {
        let venv = self.venv;
        let shown = row.path.escape_debug();
        let path = foreign::in_venv(venv, &row.path)
            .ok_or_else(|| format!("its RECORD lists `{shown}`, which is outside the venv"))?;
        let own = format!("{}/{}/", venv.layout.site_packages, self.wheel.dist_info);
        if path.strip_prefix(&own).is_some_and(wheel::is_written_by_installers) || wheel::is_bytecode(&path) {
            return Ok(());
        }
        // virtualenv lists bytecode also beside the modules, where Python never looks for `module.cpython-312.pyc`, and
        // the folders for it.
        let last = path.rsplit('/').next().unwrap_or_default();
        let is_misplaced = last.strip_suffix(".pyc").is_some_and(|stem| stem.contains('.'));
        if row.hash.is_none() && (is_misplaced || last == wheel::BYTECODE_FOLDER) {
            return Ok(());
        }
        let name = path.strip_prefix(&venv.layout.site_packages).unwrap_or_default();
        if name.starts_with("/__editable__") {
            return Err("it is editable".to_owned());
        }
        if venv.layout.is_reserved(&path) || venv.layout.is_skeleton(&path) {
            return Err(format!("its RECORD lists `{shown}`, which belongs to the venv itself"));
        }
        let hash = row.hash.as_ref().filter(|hash| hash.algorithm.eq_ignore_ascii_case("sha256"));
        let hash = hash.ok_or_else(|| format!("its RECORD has no SHA-256 of `{shown}`"))?;
        let absolute = venv.root.join(&path);
        let is_there = foreign::is_own_path(venv, &path).is_ok_and(|is_own| is_own)
            && fs::metadata(&absolute).is_ok_and(|facts| facts.is_file());
        let part = if is_there { self.part(&path, &absolute).ok() } else { None };
        match part {
            Some(part)
                if part.sha256.as_str() == hash.digest && row.size.is_none_or(|size| size == part.size) =>
            {
                self.parts.push(part);
            }
            _ => self.changed.push(path),
        }
        Ok(())
    }

    /// Describes a file, in the place that it had in the wheel.
    fn part(&self, path: &str, absolute: &Path) -> Result<Part, wheel::Error> {
        let layout = &self.venv.layout;
        let below = |folder: &str| path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
        let headers = format!("{}/{}", layout.headers, self.wheel.metadata.name);
        let (tree, inside) = match (below(&layout.site_packages), below(&layout.scripts), below(&headers)) {
            (Some(inside), ..) => (Tree::Site, inside),
            (_, Some(name), _) if !name.contains('/') => (Tree::Scripts, name),
            (.., Some(inside)) => (Tree::Headers, inside),
            _ => (Tree::Data, path),
        };
        Part::of_file(tree, inside, absolute.to_path_buf())
    }

    /// Takes out the scripts that were made for entry points, and gives the others their first line back.
    fn finish(mut self) -> Result<Vec<Part>, String> {
        if !self.changed.is_empty() {
            let names: Vec<String> =
                self.changed.iter().take(NAMED).map(|path| format!("`{}`", path.escape_debug())).collect();
            let more = self.changed.len().saturating_sub(NAMED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let verb = if self.changed.len() == 1 { "is" } else { "are" };
            return Err(format!("{}{more} {verb} changed or missing", names.join(", ")));
        }
        let is_made = |part: &Part| {
            part.tree == Tree::Scripts && self.wheel.entry_points.iter().any(|entry| entry.name == part.path)
        };
        self.scripts =
            self.parts.iter().filter(|part| is_made(part)).map(|part| part.sha256.clone()).collect();
        // pip makes one more script for itself, with its Python's version in the name.
        let is_copy = |part: &Part| part.tree == Tree::Scripts && self.scripts.contains(&part.sha256);
        self.parts.retain(|part| !is_made(part) && !is_copy(part));
        for part in self.parts.iter_mut().filter(|part| part.tree == Tree::Scripts) {
            restore(self.venv, part).map_err(|error| error.to_string())?;
        }
        Ok(self.parts)
    }
}

/// Gives a script the first line that it had in the wheel, if an installer put this venv's interpreter there.
fn restore(venv: &Venv, part: &mut Part) -> Result<(), VenvError> {
    let PartSource::File(path) = &part.source else { return Ok(()) };
    let content = fs::read(path)?;
    let bin = venv.root.join(&venv.layout.scripts);
    let is_own = |interpreter: &Path| {
        let name = interpreter.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let folder = interpreter.parent().and_then(|folder| fs::canonicalize(folder).ok());
        (name.starts_with("python") || name.starts_with("pypy")) && folder.is_some_and(|folder| folder == bin)
    };
    if let Some(content) = wheel::restore_python_shebang(&content, &is_own) {
        part.sha256 = RecordDigest::of(&content);
        part.size = content.len() as u64;
        part.source = PartSource::Content(content);
    }
    Ok(())
}

impl Adoptable {
    /// What its files take in the store.
    pub fn wheel_extent(&self) -> Extent {
        let parts = self.wheel.parts();
        let bytes = parts.iter().map(|part| part.size.next_multiple_of(4096)).sum();
        Extent { files: parts.len() as u64, bytes }
    }

    /// The text of its `direct_url.json` (PEP 610).
    pub fn direct_url(&self) -> Option<String> {
        self.distribution.direct_url().map(str::to_owned)
    }
}
