//! The record of what was compiled of one entry for one kind of interpreter: `w/<id>/bytecode.<cache tag>`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use virtpy_wheel::RecordDigest;

/// The version of the format that this program writes and reads.
const FORMAT: u32 = 1;

/// Which files were compiled, and which could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    format: u32,
    /// The magic number that all of these files begin with, in hexadecimal digits.
    pub(super) magic: String,
    /// Whether every module of the entry is named below.
    pub(super) complete: bool,
    /// What was compiled, by the path of the source in `site/`.
    files: BTreeMap<String, Compiled>,
    /// Sources that do not compile, such as templates and code for another Python.
    failed: BTreeSet<String>,
}

/// A file of bytecode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Compiled {
    /// Its SHA-256.
    pub(super) sha256: RecordDigest,
    /// Its size in bytes.
    pub(super) size: u64,
}

impl Record {
    /// Of nothing yet, for interpreters with this magic number.
    pub(super) fn new(magic: &str) -> Self {
        Self { format: FORMAT, magic: magic.to_owned(), ..Self::default() }
    }

    pub(super) fn parse(content: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(content).ok().filter(|record| record.format == FORMAT)
    }

    /// Whether a module was compiled, or cannot be.
    pub fn has(&self, source: &str) -> bool {
        self.files.contains_key(source) || self.failed.contains(source)
    }

    /// Whether all modules of the entry were seen to.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    pub(super) fn files(&self) -> &BTreeMap<String, Compiled> {
        &self.files
    }

    pub(super) fn failed(&self) -> &BTreeSet<String> {
        &self.failed
    }

    pub(super) fn add(&mut self, source: &str, compiled: Compiled) {
        self.failed.remove(source);
        self.files.insert(source.to_owned(), compiled);
    }

    pub(super) fn fail(&mut self, source: &str) {
        self.files.remove(source);
        self.failed.insert(source.to_owned());
    }

    /// Forgets a file that is not as it was compiled.
    pub(super) fn forget(&mut self, source: &str) {
        self.complete = false;
        self.files.remove(source);
    }

    /// What all files together take on a disk with blocks of this size, in bytes.
    pub(super) fn size_on_disk(&self, block: u64) -> u64 {
        self.files.values().map(|file| file.size.next_multiple_of(block.max(1))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let mut record = Record::new("f30d0d0a");
        record.add("a/b.py", Compiled { sha256: RecordDigest::of("x"), size: 7 });
        record.fail("a/template.py");
        let text = serde_json::to_vec(&record).unwrap();
        assert_eq!(Record::parse(&text), Some(record.clone()));
        assert!(record.has("a/b.py") && record.has("a/template.py") && !record.has("a/c.py"));
        assert_eq!((record.size_on_disk(4096), record.is_complete()), (4096, false));
        let other = String::from_utf8(text).unwrap().replacen("\"format\":1", "\"format\":2", 1);
        assert_eq!(Record::parse(other.as_bytes()), None);
        assert_eq!(Record::parse(b"{"), None);
    }
}
