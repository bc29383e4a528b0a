//! A remote that is a directory, in which may be what is no file. Opening a pipe waits until somebody writes into it, and nothing
//! ends that.

use std::fs::Metadata;

use object_store::path::Path;
use virtpy_files::{self as fs, FileKind, MetadataExt as _};

use super::{Engine, Failure, Listed};
use crate::platform::special_kind;

impl Engine {
    /// Refuses what is no file in a directory.
    pub(super) fn demand_file(&self, path: &Path) -> Result<(), Failure> {
        let Some(folder) = &self.folder else { return Ok(()) };
        match fs::metadata(&folder.join(path.as_ref())) {
            Ok(facts) if !facts.is_file() => {
                Err(Failure::Refused(format!("it is not a file but {}", kind(&facts))))
            }
            // What cannot be looked at cannot be opened, which says why.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The pipes, sockets and devices below a folder of a directory, which a list of files passes over.
    pub(super) fn special_files(&self, folder: &str) -> Vec<Listed> {
        let Some(root) = &self.folder else { return Vec::new() };
        let below = fs::walk(&root.join(folder)).flatten().filter(|found| found.kind == FileKind::Other);
        let listed = |found: fs::Found| {
            let facts = fs::symlink_metadata(&found.path).ok()?;
            let name = found.path.strip_prefix(root).ok()?.to_str()?.to_owned();
            Some(Listed { name, size: 0, put_at: u64::try_from(facts.mtime()).unwrap_or(0) })
        };
        below.filter_map(listed).collect()
    }
}

/// What something is that is no file.
fn kind(facts: &Metadata) -> &'static str {
    let kind = facts.file_type();
    if kind.is_dir() { "a directory" } else { special_kind(kind) }
}
