//! What was compiled of an entry as a whole, to be carried to another store.

use virtpy_files as fs;
use virtpy_wheel::RecordDigest;

use super::{Dialect, Record};
use crate::Entry;

/// A file of bytecode with what it was compiled from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompiledFile {
    /// The path of the source in `site/`.
    pub source: String,
    /// The bytecode.
    pub content: Vec<u8>,
}

/// All that was compiled of an entry for one kind of interpreter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compilation {
    /// The files.
    pub files: Vec<CompiledFile>,
    /// The sources that do not compile.
    pub failed: Vec<String>,
}

impl Entry {
    /// The kinds of interpreters that everything was compiled for.
    pub fn dialects(&self) -> Vec<Dialect> {
        let complete = self.records().into_iter().filter(|(_, record)| record.is_complete());
        complete.filter_map(|(tag, record)| Dialect::of(&tag, &record.magic)).collect()
    }

    /// What was compiled of it, where that is complete and each file is as it was recorded.
    pub fn compilation(&self, dialect: &Dialect) -> Option<Compilation> {
        let record: Record = self.record(dialect);
        if !record.is_complete() {
            return None;
        }
        let mut compilation =
            Compilation { files: Vec::new(), failed: record.failed().iter().cloned().collect() };
        for (source, compiled) in record.files() {
            let path = self.path.join("site").join(dialect.path(source)?);
            let content = fs::read_bounded(&path, compiled.size).ok()?;
            if RecordDigest::of(&content) != compiled.sha256 {
                return None;
            }
            compilation.files.push(CompiledFile { source: source.clone(), content });
        }
        Some(compilation)
    }
}
