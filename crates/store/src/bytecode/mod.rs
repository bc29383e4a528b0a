//! Bytecode in entries: which files virtpy compiled and published, and what lies there besides.
//!
//! Only virtpy writes bytecode into the store, for all venvs: what Python or a library writes depends on the venv that it
//! runs in. Each entry has a record for each kind of interpreter (`bytecode.<cache tag>`, [`Record`]); a file in a
//! `__pycache__` folder that no record names does not belong there ([`audit`]). Publishing ([`publish`]) is by rename; who
//! runs the compilers is not known here.

mod audit;
mod carry;
mod publish;
mod record;
mod requests;

use std::collections::{BTreeSet, HashSet};

pub(super) use audit::Recorded;
pub use audit::Stray;
pub use carry::{Compilation, CompiledFile};
pub use publish::{Batch, Published, Staging};
pub use record::Record;

use super::{Entry, EntryId, Manifest, Store, StoreError};
use virtpy_files as fs;
use virtpy_wheel::{self as wheel, RecordDigest};

/// What the names of an entry's records begin with.
const PREFIX: &str = "bytecode.";

/// Which bytecode an interpreter reads: the tag in its files' names, and the number at their beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    tag: String,
    magic: String,
}

impl Dialect {
    /// Of an interpreter with this cache tag (`sys.implementation.cache_tag`) and this magic number, in hexadecimal digits.
    /// Both come from the interpreter: `None` where the tag cannot be a part of a file's name, or the number is none.
    pub fn of(tag: &str, magic: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_tag = !tag.is_empty() && tag.len() <= 64 && tag.bytes().all(is_plain);
        let is_magic = magic.len() == 8 && magic.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_tag && is_magic).then(|| Self { tag: tag.to_owned(), magic: magic.to_ascii_lowercase() })
    }

    /// The cache tag: `cpython-312`.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The magic number, in hexadecimal digits.
    pub fn magic(&self) -> &str {
        &self.magic
    }

    /// Where the bytecode of a module lies (PEP 3147): `demo/__pycache__/part.cpython-312.pyc` of `demo/part.py`. `None` for
    /// what is no module in a folder: those at the top are compiled into the venv, by Python.
    pub fn path(&self, source: &str) -> Option<String> {
        bytecode_path(source, &self.tag)
    }

    /// Whether some bytes begin as a file of this interpreter does that is never compared with its source (PEP 552).
    pub fn begins(&self, content: &[u8]) -> bool {
        let unchecked = [1, 0, 0, 0];
        content.len() > HEADER
            && virtpy_files::digest::hex(&content[..4]) == self.magic
            && content[4..8] == unchecked
    }

    fn record_name(&self) -> String {
        format!("{PREFIX}{}", self.tag)
    }
}

/// The bytes before the code: the magic number, flags, and a hash of the source.
const HEADER: usize = 16;

fn bytecode_path(source: &str, tag: &str) -> Option<String> {
    let (folder, file) = source.rsplit_once('/')?;
    let stem = file.strip_suffix(".py").filter(|stem| !stem.is_empty())?;
    Some(format!("{folder}/{}/{stem}.{tag}.pyc", wheel::BYTECODE_FOLDER))
}

/// A module of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Its path in `site/`.
    pub path: String,
    /// The SHA-256 of its source, as RECORD writes it.
    pub sha256: RecordDigest,
}

impl Manifest {
    /// The modules whose bytecode the entry holds: those in folders, the dist-info folder left out.
    ///
    /// # Errors
    /// When the list of the files cannot be read.
    pub fn modules(&self) -> Result<Vec<Module>, StoreError> {
        let dist_info = format!("{}/", self.dist_info);
        let is_module = |path: &str| bytecode_path(path, "").is_some() && !path.starts_with(&dist_info);
        let rows = self.rows()?.into_iter().filter(|row| is_module(&row.path));
        let module = |row: wheel::RecordRow| Some(Module { path: row.path, sha256: row.hash?.into() });
        Ok(rows.filter_map(module).collect())
    }

    /// The paths of its extension modules in `site/`, up to the first dot of their names: Python imports one rather than a
    /// source of that name.
    ///
    /// # Errors
    /// When the list of the files cannot be read.
    pub fn extension_modules(&self) -> Result<HashSet<String>, StoreError> {
        let stem = |path: &str| {
            let path = path.strip_suffix(".so")?;
            let name = path.rfind('/').map_or(0, |slash| slash + 1);
            let dot = path[name..].find('.').map_or(path.len(), |dot| name + dot);
            Some(path[..dot].to_owned())
        };
        Ok(self.rows()?.iter().filter_map(|row| stem(&row.path)).collect())
    }
}

impl Entry {
    /// What was compiled of it for this kind of interpreter. A record of another magic number, or one that cannot be read,
    /// counts as none.
    pub fn record(&self, dialect: &Dialect) -> Record {
        let record = self.record_named(&dialect.record_name()).unwrap_or_default();
        if record.magic == dialect.magic { record } else { Record::new(&dialect.magic) }
    }

    fn record_named(&self, name: &str) -> Option<Record> {
        Record::parse(&fs::read_own(&self.path.join(name), 16 * 1024).ok()?)
    }

    /// Every record, with the cache tag that it is of. Those that cannot be read are left out.
    pub(super) fn records(&self) -> Vec<(String, Record)> {
        let names = fs::names(&self.path).unwrap_or_default();
        let tags = names.iter().filter_map(|name| name.to_str()?.strip_prefix(PREFIX));
        tags.filter_map(|tag| Some((tag.to_owned(), self.record_named(&format!("{PREFIX}{tag}"))?))).collect()
    }
}

/// Whether a name in an entry's folder is a record's.
pub(super) fn is_record(name: &str) -> bool {
    name.starts_with(PREFIX)
}

impl Store {
    /// What all bytecode that was compiled of an entry takes on a disk with blocks of this size, in bytes.
    pub(crate) fn bytecode_size(&self, id: &EntryId, block: u64) -> u64 {
        let folder = self.entry_path(id);
        let names = fs::names(&folder).unwrap_or_default();
        let records = names.iter().filter(|name| name.to_str().is_some_and(is_record));
        let size = |content: Vec<u8>| Record::parse(&content).map_or(0, |record| record.size_on_disk(block));
        records.filter_map(|name| fs::read_own(&folder.join(name), 16 * 1024).ok()).map(size).sum()
    }
}

/// The folders that bytecode lies in, of these modules.
fn folders(modules: &[Module]) -> BTreeSet<String> {
    let parents = modules.iter().filter_map(|module| module.path.rsplit_once('/'));
    parents.map(|(folder, _)| format!("{folder}/{}", wheel::BYTECODE_FOLDER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytecode_lies_where_python_looks_for_it() {
        let dialect = Dialect::of("cpython-313", "f30d0d0a").unwrap();
        assert_eq!(dialect.path("a/b.py").as_deref(), Some("a/__pycache__/b.cpython-313.pyc"));
        assert_eq!(dialect.path("a/b.c.py").as_deref(), Some("a/__pycache__/b.c.cpython-313.pyc"));
        assert_eq!(dialect.path("six.py"), None);
        assert_eq!(dialect.path("a/b.pyi"), None);
        assert_eq!(dialect.path("a/.py"), None);
    }

    #[test]
    fn what_an_interpreter_says_becomes_no_path() {
        for tag in ["", "../x", "a/b", "a b", "a.b"] {
            assert_eq!(Dialect::of(tag, "f30d0d0a"), None, "{tag}");
        }
        assert_eq!(Dialect::of("cpython-313", "f30d0d"), None);
        assert_eq!(Dialect::of("cpython-313", "f30d0d0x"), None);
    }

    #[test]
    fn only_unchecked_bytecode_of_the_right_number_is_taken() {
        let dialect = Dialect::of("cpython-313", "f30d0d0a").unwrap();
        let file = |magic: [u8; 4], flags: u8| [&magic[..], &[flags, 0, 0, 0], &[0; 8], b"code"].concat();
        let magic = [0xf3, 0x0d, 0x0d, 0x0a];
        assert!(dialect.begins(&file(magic, 1)));
        assert!(!dialect.begins(&file(magic, 0)) && !dialect.begins(&file(magic, 3)));
        assert!(!dialect.begins(&file([0xf2, 0x0d, 0x0d, 0x0a], 1)));
        assert!(!dialect.begins(&file(magic, 1)[..16]));
    }
}
