//! Making the single nodes of a plan: folders, links, files.
//!
//! A venv shares no inode with the store: whoever works on the venv (`chown -R`, `chmod -R u+w`, an editor) would change
//! mode, owner or content for all venvs. So what has to be a real file is a copy, which costs no space where the file system
//! can share blocks. Two exceptions: the link mode `hardlink`, and real files of 1 MiB and more for an ordinary
//! user who owns both sides, and could write to the store anyway.

use std::collections::BTreeMap;
use std::path::Path;

use virtpy_files::{self as fs, Directory, FileKind, PathError};
use virtpy_wheel as wheel;

use super::node::Node;
use super::{Layout, VenvError};

/// Makes what a plan wants at a path of a venv's folder where nothing stands.
pub(super) fn make(directory: &Directory, layout: &Layout, path: &str, node: &Node) -> Result<(), VenvError> {
    match node {
        Node::Folder => match directory.create_dir(path) {
            Err(error) if error.already_exists() && directory.kind(path)? == Some(FileKind::Folder) => {}
            other => other?,
        },
        Node::Link(target) => directory.symlink(target, path)?,
        Node::Text { content, executable } => {
            directory.write_new(path, content, if *executable { 0o755 } else { 0o644 })?;
        }
        Node::SharedText(content) => put_shared(directory, path, content, &mut BTreeMap::new())?,
        Node::Script(source) => {
            directory.write_new(path, &script(layout, source)?, 0o755)?;
        }
        Node::Hardlink(source) if layout.is_in_lower_store(source) => copy_real(directory, source, path)?,
        Node::Hardlink(source) => directory.hard_link_from(source, path)?,
        // Its size and mode need no look, which would be a call for each distribution.
        Node::HardlinkOrCopy(source) if layout.is_record(path) => {
            directory.copy_new(fs::open(source)?, path, 0o444)?;
        }
        Node::HardlinkOrCopy(source) if layout.is_in_lower_store(source) => {
            copy_real(directory, source, path)?;
        }
        Node::HardlinkOrCopy(source) => put_real(directory, source, path)?,
        Node::Copy(source) => directory.copy_new(fs::open(source)?, path, mode_of_copy(source)?)?,
    }
    Ok(())
}

/// A script of the store with the interpreter line of a venv.
pub(super) fn script(layout: &Layout, source: &Path) -> Result<Vec<u8>, PathError> {
    let content = fs::read(source)?;
    Ok(wheel::rewrite_python_shebang(&content, &layout.shebang).unwrap_or(content))
}

/// Real files of so many bytes may be a second name of the store's.
const LARGE: u64 = 1 << 20;

/// Makes a read-only file of the venv's own with the content of one in the store.
fn put_real(directory: &Directory, source: &Path, path: &str) -> Result<(), VenvError> {
    use fs::MetadataExt as _;
    let facts = fs::metadata(source)?;
    if facts.len() >= LARGE && !fs::is_root() {
        let owner = fs::effective_user();
        if facts.uid() == owner
            && directory.facts_of_parent(path)?.user == owner
            && directory.hard_link_from(source, path).is_ok()
        {
            return Ok(());
        }
    }
    copy_real(directory, source, path)
}

/// Makes a read-only copy.
fn copy_real(directory: &Directory, source: &Path, path: &str) -> Result<(), VenvError> {
    use fs::PermissionsExt as _;
    let executable = fs::metadata(source)?.permissions().mode() & 0o111;
    Ok(directory.copy_new(fs::open(source)?, path, 0o444 | executable)?)
}

/// The permission bits of a copy: those of an ordinary file, and whether it may be run.
fn mode_of_copy(source: &Path) -> Result<u32, VenvError> {
    Ok(if fs::is_executable(&fs::metadata(source)?) { 0o755 } else { 0o644 })
}

/// Writes a file that others of the venv equal, or gives the first of them a second name: it saves a block and two system calls.
/// All of these names are of this venv, none of the store.
pub(super) fn put_shared(
    directory: &Directory,
    path: &str,
    content: &'static str,
    firsts: &mut BTreeMap<&'static str, String>,
) -> Result<(), VenvError> {
    if let Some(first) = firsts.get(content) {
        match directory.hard_link(first, path) {
            Err(error) if error.already_exists() => return Err(error.into()),
            Err(_) => {}
            Ok(()) => return Ok(()),
        }
    }
    directory.write_new(path, content.as_bytes(), 0o644)?;
    firsts.insert(content, path.to_owned());
    Ok(())
}
