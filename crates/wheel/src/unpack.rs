//! From a wheel file to folders that can be linked.

use std::collections::BTreeSet;
use std::path::Path;

use virtpy_files::{self as fs, IoResultExt as _, NewFolder};

use super::climbing::WORDS;
use super::verify::Record;
use super::{
    BYTECODE_FOLDER, CheckStrategy, Climbing, Error, InstalledFile, Item, Libraries, RecordDigest,
    ScriptFile, Tree, Unpacked, WheelContents, layout,
};
use crate::archive::{Archive, Limits, Target, Written, folders_of};

/// Unpacks a wheel into `destination`, and verifies it.
///
/// `filename` is its name in the index, whatever the file at `wheel` is called. The files go to `site`, `data`,
/// `headers` and `scripts` below `destination`, of which only those are made that have content; nobody else may
/// write there meanwhile. Files have mode 0444, or 0555 where they can be executed (less the umask), folders 0555.
/// Each folder of `site` that directly holds a Python module gets an empty `__pycache__`.
///
/// # Errors
/// When the wheel breaks a rule of the format or the archive, a file is not what RECORD says, or the disk does not
/// take it. Files may then have been written to `destination`, never outside.
pub fn unpack(
    wheel: &Path,
    filename: &str,
    destination: &Path,
    limits: &Limits,
    strategy: CheckStrategy,
) -> Result<Unpacked, Error> {
    let mut archive = Archive::open(wheel, filename, limits)?;
    let contents = layout::read(&mut archive, filename)?;
    let record = Record::new(&contents.record)?;
    let targets = targets(&archive, &contents.items, &record);
    let folders = bytecode_folders(&contents.items, &contents.dist_info);
    let written = archive.unpack(destination, &targets, &folders)?;
    let mut installed = vec![false; archive.members().len()];
    for item in &contents.items {
        installed[item.member] = true;
    }
    let name_of = |index: usize| archive.members()[index].name.as_str();
    let files = contents.items.iter().zip(&written).map(|(item, written)| (name_of(item.member), written));
    let others = (0..installed.len()).filter(|index| !installed[*index]).map(name_of);
    let warnings = record.verify(files, others, strategy)?;
    let suspects: BTreeSet<String> = (contents.items.iter().zip(&written))
        .filter(|(_, written)| written.has_word)
        .map(|(item, _)| item.path.clone())
        .collect();
    let trees = Trees::sort(contents.items, &written, destination)?;
    let libraries = trees.libraries(destination);
    let climbing = trees.climbing(destination, |path| suspects.contains(path))?;
    // Their names are known, so nobody has to go through what was just written.
    let made = NewFolder::open(destination)?;
    folders_of(&targets, &folders).into_iter().try_for_each(|folder| made.set_mode(folder, 0o555))?;
    let WheelContents { dist_info, metadata, wheel, entry_points, .. } =
        WheelContents { items: Vec::new(), ..contents };
    Ok(Unpacked {
        name: metadata.name,
        version: metadata.version,
        dist_info,
        tags: wheel.tags,
        root_is_purelib: wheel.root_is_purelib,
        site: trees.site,
        data: trees.data,
        headers: trees.headers,
        scripts: trees.scripts,
        entry_points,
        requires_dist: metadata.requires_dist,
        requires_python: metadata.requires_python,
        provides_extra: metadata.provides_extra,
        libraries,
        climbing,
        warnings,
    })
}

fn targets(archive: &Archive, items: &[Item], record: &Record<'_>) -> Vec<Target> {
    items
        .iter()
        .map(|item| Target {
            member: item.member,
            path: format!("{}/{}", item.tree.folder(), item.path),
            mode: if item.executable { 0o555 } else { 0o444 },
            other_digest: record.other_algorithm(&archive.members()[item.member].name),
            words: if item.tree == Tree::Site && is_module(&item.path) { &WORDS } else { &[] },
        })
        .collect()
}

/// Whether Python imports a file: `.py` only, whatever the file system thinks of case.
fn is_module(path: &str) -> bool {
    path.len() > 3 && path.as_bytes().ends_with(b".py")
}

/// The bytecode folders to make: in every folder below `site` that directly holds a module.
pub(super) fn bytecode_folders(items: &[Item], dist_info: &str) -> Vec<String> {
    let site = items.iter().filter(|item| item.tree == Tree::Site);
    let mut folders = BTreeSet::new();
    for item in site.clone() {
        let Some((folder, file)) = item.path.rsplit_once('/') else {
            continue;
        };
        if is_module(file) && folder != dist_info {
            folders.insert(format!("{folder}/{BYTECODE_FOLDER}"));
        }
    }
    // A file may stand there.
    for item in site {
        folders.remove(&item.path);
    }
    folders.into_iter().map(|folder| format!("{}/{folder}", Tree::Site.folder())).collect()
}

/// The files of a wheel, by the folders that they go to.
#[derive(Default)]
pub(super) struct Trees {
    pub(super) site: Vec<InstalledFile>,
    pub(super) data: Vec<InstalledFile>,
    pub(super) headers: Vec<InstalledFile>,
    pub(super) scripts: Vec<ScriptFile>,
}

impl Trees {
    fn sort(items: Vec<Item>, written: &[Written], destination: &Path) -> Result<Self, Error> {
        let mut trees = Self::default();
        for (item, written) in items.into_iter().zip(written) {
            let file = InstalledFile {
                path: item.path,
                sha256: RecordDigest::of_sha256(written.sha256),
                size: written.size,
                executable: item.executable,
            };
            trees.push(item.tree, file, destination)?;
        }
        Ok(trees)
    }

    /// Adds a file that lies in its tree below `destination` already.
    pub(super) fn push(&mut self, tree: Tree, file: InstalledFile, destination: &Path) -> Result<(), Error> {
        match tree {
            Tree::Site => self.site.push(file),
            Tree::Data => self.data.push(file),
            Tree::Headers => self.headers.push(file),
            Tree::Scripts => {
                let path = destination.join(Tree::Scripts.folder()).join(&file.path);
                self.scripts.push(ScriptFile { python: is_python_script(&path)?, file });
            }
        }
        Ok(())
    }

    /// Looks for modules that climb out of the wheel, among those that may.
    pub(super) fn climbing(
        &self,
        destination: &Path,
        may_climb: impl Fn(&str) -> bool,
    ) -> Result<Climbing, Error> {
        let mut climbing = Climbing::default();
        let modules = self.site.iter().map(|file| file.path.as_str());
        for path in modules.filter(|path| is_module(path) && may_climb(path)) {
            let place = destination.join(Tree::Site.folder()).join(path);
            climbing.add(path, &fs::read(&place)?);
        }
        Ok(climbing)
    }

    /// Examines what may be a shared library; headers and scripts are none.
    pub(super) fn libraries(&self, destination: &Path) -> Libraries {
        let trees = [(Tree::Site, &self.site), (Tree::Data, &self.data)];
        let files = trees.into_iter().flat_map(|(tree, files)| files.iter().map(move |file| (tree, file)));
        let paths = files.map(|(tree, file)| {
            let name = file.path.rsplit('/').next().unwrap_or(&file.path);
            (format!("{}/{}", tree.folder(), file.path), file.executable, name)
        });
        Libraries::examine(destination, paths)
    }
}

fn is_python_script(path: &Path) -> Result<bool, Error> {
    use std::io::Read as _;
    let mut start = Vec::new();
    fs::open(path)?.take(8).read_to_end(&mut start).at("read", path)?;
    Ok(start == b"#!python")
}
