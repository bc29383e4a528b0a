//! Bytecode of what a venv has copies of. The interpreter works by paths, which may lead anywhere by the time it writes, so it
//! compiles into a folder of virtpy's own, and what it made there is brought into the venv.

use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, Directory, FileKind};
use virtpy_wheel as wheel;

use super::layout::UNFINISHED;
use super::{Venv, VenvError};

/// The most that is read of one file of bytecode.
const LARGEST: u64 = 256 << 20;

impl Venv {
    /// Puts the bytecode of this venv's packages beside their sources. It lies in `compiled` as the interpreter's
    /// `pycache_prefix` has it: in a folder by the whole path of the sources. The caller holds the venv's lock.
    ///
    /// # Errors
    /// When it cannot be read, or the venv cannot be written.
    pub fn take_bytecode(&self, compiled: &Path) -> Result<(), VenvError> {
        let site_packages = self.site_packages();
        let compiled = compiled.join(site_packages.strip_prefix("/").unwrap_or(&site_packages));
        if fs::kind(&compiled)?.is_none() {
            return Ok(());
        }
        let directory = self.directory.for_many_changes();
        let mut waiting: Vec<(PathBuf, String)> = vec![(compiled, self.layout.site_packages.clone())];
        while let Some((from, folder)) = waiting.pop() {
            for (name, kind) in fs::read_dir_names(&from)? {
                let path = from.join(&name);
                let Some(name) = name.to_str() else { continue };
                match kind {
                    FileKind::Folder => waiting.push((path, format!("{folder}/{name}"))),
                    FileKind::File => take_one(&directory, &path, &folder, name)?,
                    FileKind::Link | FileKind::Other => {}
                }
            }
        }
        Ok(())
    }
}

/// Takes `module.cpython-312.pyc` of a module in a folder.
fn take_one(directory: &Directory, from: &Path, folder: &str, name: &str) -> Result<(), VenvError> {
    let Some((module, _)) = name.strip_suffix(".pyc").and_then(|stem| stem.rsplit_once('.')) else {
        return Ok(());
    };
    // What the interpreter found behind a link is none of the venv's modules.
    if directory.kind(format!("{folder}/{module}.py"))?.is_none() {
        return Ok(());
    }
    let content = fs::read_bounded(from, LARGEST)?;
    let bytecode = format!("{folder}/{}", wheel::BYTECODE_FOLDER);
    directory.create_dir_all(&bytecode)?;
    Ok(directory.replace(UNFINISHED, format!("{bytecode}/{name}"), &content, 0o644)?)
}
