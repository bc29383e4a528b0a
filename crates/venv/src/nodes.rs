//! Making the single nodes of a plan: folders, links, files.
//!
//! A venv shares no inode with the store: whoever works on the venv (`chown -R`, `chmod -R u+w`, an editor) would change
//! mode, owner or content for all venvs. So what has to be a real file is a copy, which costs no space where the file system
//! can share blocks. Two exceptions: the link mode `hardlink`, and real files of 1 MiB and more for an ordinary
//! user who owns both sides, and could write to the store anyway.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, FileKind};
use virtpy_wheel as wheel;

use super::node::Node;
use super::{Layout, VenvError};

/// Makes what a plan wants at a path where nothing stands.
pub(super) fn make(layout: &Layout, path: &Path, node: &Node) -> Result<(), VenvError> {
    match node {
        Node::Folder => match fs::create_dir(path) {
            Err(error) if error.already_exists() && fs::kind(path)? == Some(FileKind::Folder) => {}
            other => other?,
        },
        Node::Link(target) => fs::symlink(target, path)?,
        Node::Text { content, executable } => {
            fs::write_new(path, content, if *executable { 0o755 } else { 0o644 })?;
        }
        Node::Shared(content) => put_shared(path, content, &mut BTreeMap::new())?,
        Node::Script(source) => {
            let content = fs::read(source)?;
            let content = wheel::rewrite_python_shebang(&content, &layout.shebang).unwrap_or(content);
            fs::write_new(path, &content, 0o755)?;
        }
        Node::Hardlink(source) => fs::hard_link(source, path)?,
        Node::Real(source) => put_real(source, path)?,
        Node::Copy(source) => fs::copy_new(source, path, mode_of_copy(source)?)?,
    }
    Ok(())
}

/// Real files of so many bytes may be a second name of the store's.
const LARGE: u64 = 1 << 20;

/// Makes a read-only file of the venv's own with the content of one in the store.
fn put_real(source: &Path, path: &Path) -> Result<(), VenvError> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let facts = fs::metadata(source)?;
    let owner = fs::effective_user();
    let folder = path.parent().unwrap_or(Path::new("."));
    if facts.len() >= LARGE
        && !fs::is_root()
        && facts.uid() == owner
        && fs::metadata(folder)?.uid() == owner
        && fs::hard_link(source, path).is_ok()
    {
        return Ok(());
    }
    let executable = facts.permissions().mode() & 0o111;
    Ok(fs::copy_new(source, path, 0o444 | executable)?)
}

/// The permission bits of a copy: those of an ordinary file, and whether it may be run.
pub(super) fn mode_of_copy(source: &Path) -> Result<u32, VenvError> {
    use std::os::unix::fs::PermissionsExt as _;
    let executable = fs::metadata(source)?.permissions().mode() & 0o111 != 0;
    Ok(if executable { 0o755 } else { 0o644 })
}

/// Writes a file that others of the venv equal, or gives the first of them in this change a second name: it saves a
/// block and two system calls per distribution. All of these names are of this venv, none of the store.
pub(super) fn put_shared(
    path: &Path,
    content: &'static str,
    firsts: &mut BTreeMap<&'static str, PathBuf>,
) -> Result<(), VenvError> {
    if let Some(first) = firsts.get(content) {
        match fs::hard_link(first, path) {
            Err(error) if error.already_exists() => return Err(error.into()),
            Err(_) => {}
            Ok(()) => return Ok(()),
        }
    }
    fs::write_new(path, content.as_bytes(), 0o644)?;
    firsts.insert(content, path.to_path_buf());
    Ok(())
}
