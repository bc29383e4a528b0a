//! Comparing `__pycache__` folders with the records, and emptying them of what nobody recorded.
//!
//! Nobody but root, and the owner who changes the modes first, can write there; root's Python does it whenever it imports a
//! module that is not compiled yet. Sizes, times and modes are compared, and contents where those differ; hashing everything
//! is [`Store::verify`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::path::Path;

use virtpy_files::{self as fs, MetadataExt as _, PermissionsExt as _};
use virtpy_wheel::RecordDigest;

use super::publish::write_record;
use super::record::{Compiled, Record};
use super::{Module, PREFIX, bytecode_path, folders};
use crate::open::{OpenFolder, while_released};
use crate::{Entry, Store, StoreError};

/// Something that lay in a `__pycache__` folder and was not virtpy's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Its path in the entry.
    pub path: String,
    /// Whether it has the name of a module's bytecode: then it is what Python left that root ran.
    pub is_usual: bool,
}

/// What an entry's folders of bytecode hold that they should not, and lack.
#[derive(Debug, Default)]
struct Findings {
    strays: Vec<Stray>,
    /// Files that a record names and that are not there, or not as they were.
    lost: Vec<LostFile>,
    /// Folders and files of virtpy's own that can be written.
    writable: BTreeSet<String>,
    /// What a killed process left in the entry's own folder.
    unfinished: Vec<String>,
}

/// A file of bytecode that is not as it was recorded.
#[derive(Debug)]
struct LostFile {
    /// The cache tag of the record.
    tag: String,
    /// The module that it was compiled from.
    source: String,
}

impl Findings {
    fn is_empty(&self) -> bool {
        self.strays.is_empty()
            && self.lost.is_empty()
            && self.writable.is_empty()
            && self.unfinished.is_empty()
    }
}

/// By the path of a file of bytecode in the entry: which record names it, of which source.
pub(crate) struct Recorded(BTreeMap<String, (String, String, Compiled)>);

impl Recorded {
    pub(crate) fn of(entry: &Entry) -> Self {
        Self::among(&entry.records())
    }

    fn among(records: &[(String, Record)]) -> Self {
        let mut files = BTreeMap::new();
        for (tag, record) in records {
            for (source, compiled) in record.files() {
                if let Some(path) = bytecode_path(source, tag) {
                    files.insert(format!("site/{path}"), (tag.clone(), source.clone(), compiled.clone()));
                }
            }
        }
        Self(files)
    }

    /// The SHA-256 of a file, if it is recorded.
    pub(crate) fn sha256(&self, path: &str) -> Option<&RecordDigest> {
        self.0.get(path).map(|(_, _, compiled)| &compiled.sha256)
    }
}

impl Store {
    /// Empties an entry's `__pycache__` folders of what nobody recorded, closes what a killed process left open, and forgets
    /// in the records what is no longer there. `modules` are all of the entry. Returns what did not belong there; nothing
    /// is done while somebody else works on the entry.
    ///
    /// # Errors
    /// When the entry cannot be read, or there is something to do and it is somebody else's.
    pub fn clean_bytecode(&self, entry: &Entry, modules: &[Module]) -> Result<Vec<Stray>, StoreError> {
        if look(entry, modules, &entry.records())?.is_empty() {
            return Ok(Vec::new());
        }
        let Some(_lock) = self.try_lock_entry(&entry.id)? else { return Ok(Vec::new()) };
        let mut records = entry.records();
        let findings = look(entry, modules, &records)?;
        for path in &findings.unfinished {
            let _open = OpenFolder::at(&entry.path)?;
            fs::remove_file(&entry.path.join(path))?;
        }
        for path in &findings.writable {
            let path = entry.path.join(path);
            let mode = fs::symlink_metadata(&path)?.permissions().mode();
            while_released(&path, || fs::set_mode(&path, mode & 0o555))?;
            // A protected one had been opened for a moment when somebody was killed.
            if fs::is_root() && fs::is_immutable(&entry.path) {
                fs::set_immutable(&path, true)?;
            }
        }
        for stray in &findings.strays {
            let path = entry.path.join(&stray.path);
            let _open = path.parent().map(OpenFolder::at).transpose()?;
            fs::remove_tree(&path)?;
        }
        for (tag, record) in &mut records {
            let mut is_changed = false;
            for lost in findings.lost.iter().filter(|lost| lost.tag == *tag) {
                record.forget(&lost.source);
                is_changed = true;
            }
            if is_changed {
                write_record(entry, &format!("{PREFIX}{tag}"), record)?;
            }
        }
        Ok(findings.strays)
    }
}

fn look(entry: &Entry, modules: &[Module], records: &[(String, Record)]) -> Result<Findings, StoreError> {
    let recorded = Recorded::among(records);
    let mut findings = Findings::default();
    for name in fs::names(&entry.path)?.iter().filter_map(|name| name.to_str()) {
        if name.starts_with(fs::UNFINISHED) {
            findings.unfinished.push(name.to_owned());
        }
    }
    if is_writable(&fs::symlink_metadata(&entry.path)?) {
        findings.writable.insert(String::new());
    }
    let mut present = BTreeSet::new();
    for folder in folders(modules) {
        let folder = format!("site/{folder}");
        let path = entry.path.join(&folder);
        let facts = match fs::symlink_metadata(&path) {
            Err(error) if error.is_not_found() => continue,
            other => other?,
        };
        if !facts.is_dir() {
            continue;
        }
        if is_writable(&facts) {
            findings.writable.insert(folder.clone());
        }
        for name in fs::names(&path)? {
            let file = format!("{folder}/{}", name.to_string_lossy());
            let Some((_, _, compiled)) = recorded.0.get(&file) else {
                let is_usual = is_of_a_module(&file, modules);
                findings.strays.push(Stray { path: file, is_usual });
                continue;
            };
            let facts = fs::symlink_metadata(&path.join(&name))?;
            if !is_as_compiled(entry, &path.join(&name), &facts, compiled) {
                findings.strays.push(Stray { path: file, is_usual: false });
                continue;
            }
            if is_writable(&facts) {
                findings.writable.insert(file.clone());
            }
            present.insert(file);
        }
    }
    let lost = recorded.0.into_iter().filter(|(path, _)| !present.contains(path));
    findings.lost = lost.map(|(_, (tag, source, _))| LostFile { tag, source }).collect();
    Ok(findings)
}

fn is_writable(facts: &Metadata) -> bool {
    facts.permissions().mode() & 0o222 != 0
}

/// Whether a file is the one that was published. Its time tells; a copy of the store may have lost the times.
fn is_as_compiled(entry: &Entry, path: &Path, facts: &Metadata, compiled: &Compiled) -> bool {
    if !facts.is_file() || facts.len() != compiled.size {
        return false;
    }
    let same_time = u64::try_from(facts.mtime()).is_ok_and(|time| time == entry.manifest.unpacked_at)
        && facts.mtime_nsec() == 0;
    same_time || RecordDigest::of_file(path).is_ok_and(|digest| digest == compiled.sha256)
}

/// Whether a file has the name of the bytecode of a module beside its folder, for whatever Python.
fn is_of_a_module(file: &str, modules: &[Module]) -> bool {
    let Some((folder, name)) = file.rsplit_once('/') else { return false };
    let Some(beside) = folder.strip_prefix("site/").and_then(|folder| folder.rsplit_once('/')) else {
        return false;
    };
    let is_its = |module: &Module| {
        let stem = module.path.strip_prefix(beside.0).and_then(|rest| rest.strip_prefix('/'));
        let stem = stem.and_then(|rest| rest.strip_suffix(".py"));
        stem.is_some_and(|stem| name.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.')))
    };
    Path::new(name).extension().is_some_and(|end| end == "pyc") && modules.iter().any(is_its)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_writes_is_told_from_what_others_write() {
        let module = |path: &str| Module { path: path.to_owned(), sha256: RecordDigest::default() };
        let modules = [module("a/b.py"), module("a/c/d.py")];
        let is_usual = |file: &str| is_of_a_module(&format!("site/{file}"), &modules);
        assert!(is_usual("a/__pycache__/b.cpython-312.pyc"));
        assert!(is_usual("a/__pycache__/b.cpython-312.opt-2.pyc"));
        assert!(!is_usual("a/__pycache__/d.cpython-312.pyc"));
        assert!(is_usual("a/c/__pycache__/d.cpython-312.pyc"));
        assert!(!is_usual("a/__pycache__/b.f-1.py311.nbi"));
        assert!(!is_usual("a/__pycache__/core.cpython-312.pyc"));
    }
}
