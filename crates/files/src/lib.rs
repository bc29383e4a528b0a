//! The only place that writes to the disk.
//!
//! Everything here names the path in its error, never follows a link by accident, and makes a change either
//! wholly or not at all. `clippy.toml` bans `std::fs` elsewhere, so a reader who wants to know how the store or
//! a venv is protected from half-written files has this one room to read.

#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod bounded;
mod canonical;
pub mod digest;
mod directory;
mod disk_use;
mod error;
mod facts;
mod folders;
mod immutable;
mod in_project;
mod kind;
mod lock;
mod mounts;
mod new_folder;
mod parallel;
mod platform;
mod refusals;
mod stamp;
mod times;
mod tree;
mod user;
mod walk;

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

pub use bounded::{
    read, read_bounded, read_named, read_own, read_own_with_facts, read_stream, read_to_string, read_unlinked,
};
pub use canonical::canonicalize;
pub use directory::Directory;
pub use disk_use::DiskUse;
pub use error::{IoResultExt, PathError};
pub use facts::{
    allocated, block_size, count_names, identity, is_same_file, kind, metadata, set_mode, symlink_metadata,
};
pub use folders::{create_dir, create_dir_all, create_private_dir, make_no_parents};
pub use immutable::{is_immutable, set_immutable};
pub use in_project::write_in_project;
pub use kind::{Facts, FileKind};
pub use lock::{Lock, LockError, LockMode};
pub use mounts::{is_mount_point, is_on_mount_of, mount_of, mounts_in};
pub use new_folder::NewFolder;
pub use parallel::{map_ordered, processors};
pub use platform::{
    FileExt, MetadataExt, PermissionsExt, is_executable, knows_owners, narrow_umask, restore_umask,
    survive_size_limit,
};
pub use stamp::Stamp;
pub use times::{changed_at, set_back, set_modified, touch};
pub use tree::{own_names, read_dir_names, remove_tree};
pub use user::{effective_user, is_own, is_root};
pub use walk::{Found, Walk, make_folders_read_only, walk};

/// How the names of files begin that are to be renamed when they are complete.
pub const UNFINISHED: &str = ".virtpy-";

/// Replaces `path` by a file with `content`: readers see the old file or the new one, never a part.
///
/// # Errors
/// When the folder is missing or not writable, or the disk is full; the old file is then untouched.
pub fn write_atomic(path: &Path, content: &[u8]) -> Result<(), PathError> {
    write_atomic_with_mode(path, content, 0o644)
}

/// Replaces `path` as [`write_atomic`] does, by a file with these permission bits.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_atomic_with_mode(path: &Path, content: &[u8], mode: u32) -> Result<(), PathError> {
    let file = unfinished(path, content, mode)?;
    file.persist(path).map_err(|failure| failure.error).at("replace", path)?;
    platform::finish_mode(path, mode).at("set the mode of", path)
}

/// Replaces a note that can be made again: for a moment there may be none, and after a power cut half of one. In return nobody waits
/// for the disk, as they do where a file is renamed over another one: ext4 then writes the new one out first, which takes longer than
/// some commands.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_note(path: &Path, content: &[u8]) -> Result<(), PathError> {
    let file = unfinished(path, content, 0o644)?;
    let _ = platform::remove_file(path);
    file.persist(path).map_err(|failure| failure.error).at("replace", path)?;
    Ok(())
}

/// A file with this content, in the folder of `path`, that is to take its place.
fn unfinished(path: &Path, content: &[u8], mode: u32) -> Result<tempfile::NamedTempFile, PathError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = platform::with_mode(tempfile::Builder::new().prefix(UNFINISHED), mode)
        .tempfile_in(folder)
        .map_err(answer_of_system)
        .at("write to", folder)?;
    file.write_all(content).at("write", path)?;
    Ok(file)
}

/// Gives a file or a folder itself to another user.
///
/// # Errors
/// When there is none, or this process may not.
pub fn set_owner(path: &Path, user: u32) -> Result<(), PathError> {
    platform::set_owner(path, user).at("set the owner of", path)
}

/// Puts a copy in the place of a file, with the same permission bits and time, that belongs to this user: whoever has the old
/// one open reaches it no longer.
///
/// # Errors
/// When it cannot be read or its folder not be written, or this process may not give it away.
pub fn renew(path: &Path, user: u32) -> Result<(), PathError> {
    let facts = symlink_metadata(path)?;
    let mode = facts.permissions().mode() & 0o7777;
    write_atomic_with_mode(path, &read(path)?, mode)?;
    // The umask has had its say.
    set_mode(path, mode)?;
    set_owner(path, user)?;
    let set_time = |file: File| file.set_modified(facts.modified()?);
    platform::open_to_date(path).and_then(set_time).at("set the time of", path)
}

/// Writes a file that must not exist yet, with the given permission bits (less the umask).
///
/// # Errors
/// When something stands at `path`, even a dangling link, or the write fails.
pub fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), PathError> {
    let mut file = create_new(path, mode)?;
    file.write_all(content).at("write", path)
}

/// Writes into an open file; `path` is for the error.
///
/// # Errors
/// When the disk does not take it.
pub fn write_all(file: &mut File, path: &Path, content: &[u8]) -> Result<(), PathError> {
    file.write_all(content).at("write", path)
}

/// Opens a file for writing that must not exist yet.
///
/// # Errors
/// When something stands at `path`, even a dangling link, or the folder is not writable.
pub fn create_new(path: &Path, mode: u32) -> Result<File, PathError> {
    platform::creating(OpenOptions::new().write(true).create_new(true), mode).open(path).at("create", path)
}

/// Opens a file for reading.
///
/// # Errors
/// When the file is missing or may not be read.
pub fn open(path: &Path) -> Result<File, PathError> {
    File::open(path).at("open", path)
}

/// Makes a symbolic link at `link` that holds the text `target`.
///
/// # Errors
/// When something stands at `link` or its folder is missing or not writable.
pub fn symlink(target: &Path, link: &Path) -> Result<(), PathError> {
    platform::symlink(target, link).at("link", link)
}

/// Makes a second name for a file on the same file system.
///
/// # Errors
/// When something stands at `link`, or the two are on different file systems.
pub fn hard_link(original: &Path, link: &Path) -> Result<(), PathError> {
    std::fs::hard_link(original, link).at("link", link)
}

/// Copies a file's content to a path where nothing stands, with the given permission bits (less the umask). The kernel
/// shares the blocks where the file system can.
///
/// # Errors
/// When either side cannot be read or written.
pub fn copy_new(original: &Path, path: &Path, mode: u32) -> Result<(), PathError> {
    let mut source = open(original)?;
    let mut target = create_new(path, mode)?;
    copy_rest(&mut source, &mut target).at("copy to", path)
}

/// Copies what has not been read yet of a file to another one.
fn copy_rest(source: &mut File, target: &mut File) -> std::io::Result<()> {
    // What fits a page or two is not worth the kernel's own way of copying, which takes more calls.
    let mut start = [0; 8 << 10];
    let count = source.read(&mut start)?;
    target.write_all(&start[..count])?;
    if count == start.len() {
        std::io::copy(source, target)?;
    }
    Ok(())
}

/// Renames within a file system; replaces a file or an empty folder at `to`.
///
/// # Errors
/// When the two are on different file systems, or a folder with content stands at `to`.
pub fn rename(from: &Path, to: &Path) -> Result<(), PathError> {
    std::fs::rename(from, to).at("rename to", to)
}

/// Exchanges what stands at two paths of one file system: in one step on Linux, by three renames elsewhere.
///
/// # Errors
/// When one is missing, or a folder is not writable.
pub fn exchange(one: &Path, other: &Path) -> Result<(), PathError> {
    if platform::exchange(one.as_os_str(), other.as_os_str()).at("replace", other)? {
        return Ok(());
    }
    let aside = temporary_folder(one.parent().unwrap_or(Path::new(".")))?;
    let kept = aside.path().join("old");
    rename(other, &kept)?;
    if let Err(error) = rename(one, other) {
        rename(&kept, other)?;
        return Err(error);
    }
    rename(&kept, one)
}

/// Makes a link, in one step where another file or link stands, by way of a fixed name on the same file system at which one
/// process at a time works; one that leads there already is left.
///
/// # Errors
/// When the folder is missing or not writable, or a folder stands there.
pub fn link_by_way_of(temporary: &Path, target: &Path, link: &Path) -> Result<(), PathError> {
    if std::fs::read_link(link).is_ok_and(|found| found == target) {
        return Ok(());
    }
    remove_tree(temporary)?;
    symlink(target, temporary)?;
    rename(temporary, link)
}

/// Removes a file or a link; a link's target stays.
///
/// # Errors
/// When there is none, or the folder is not writable.
pub fn remove_file(path: &Path) -> Result<(), PathError> {
    platform::remove_file(path).at("remove", path)
}

/// Removes an empty folder.
///
/// # Errors
/// When the folder has content or its parent is not writable.
pub fn remove_dir(path: &Path) -> Result<(), PathError> {
    std::fs::remove_dir(path).at("remove the folder", path)
}

/// Returns the text of a link.
///
/// # Errors
/// When nothing stands there or it is no link.
pub fn read_link(path: &Path) -> Result<PathBuf, PathError> {
    std::fs::read_link(path).at("read the link", path)
}

/// Returns the names in a folder, unsorted, without what they are.
///
/// # Errors
/// When the folder is missing or may not be read.
pub fn names(folder: &Path) -> Result<Vec<OsString>, PathError> {
    Ok(read_dir_names(folder)?.into_iter().map(|(name, _)| name).collect())
}

/// Makes everything written so far on the file system of `folder` durable: one call for a whole batch of
/// entries, where an `fsync` per file would cost thousands.
///
/// # Errors
/// When the kernel reports that writing back failed (a full or failing disk).
pub fn sync_file_system(folder: &Path) -> Result<(), PathError> {
    platform::sync_file_system(folder).at("write back", folder)
}

/// Lets the kernel begin to write a large new file back, without waiting for it: what comes later has less to wait for. Only
/// a hint.
pub fn begin_writing_back(file: &File) {
    platform::begin_writing_back(file);
}

/// How many bytes this user may still write to the file system of a path.
///
/// # Errors
/// When the file system does not tell.
pub fn free_space(path: &Path) -> Result<u64, PathError> {
    platform::free_space(path).at("look at", path)
}

/// Appends to a file, made if it is missing, by one write.
///
/// # Errors
/// When the folder is missing or not writable.
pub fn append(path: &Path, content: &[u8]) -> Result<(), PathError> {
    let mut file = OpenOptions::new().append(true).create(true).open(path).at("open", path)?;
    file.write_all(content).at("write", path)
}

/// Appends to a file of virtpy's own, as [`append`] does. Neither is a link followed nor is a pipe or a device waited for.
///
/// # Errors
/// As those of [`append`]; when it is there and no regular file, too.
pub fn append_own(path: &Path, content: &[u8]) -> Result<(), PathError> {
    let opened = platform::following_nothing(OpenOptions::new().append(true).create(true)).open(path);
    let (mut file, _) = opened.and_then(bounded::regular).at("open", path)?;
    file.write_all(content).at("write", path)
}

/// Appends to a file as [`append_own`] does, and makes the folder that it is in where there is none.
///
/// # Errors
/// As those of [`append_own`] and [`create_dir_all`].
pub fn append_own_with_folder(path: &Path, content: &[u8]) -> Result<(), PathError> {
    match (append_own(path, content), path.parent()) {
        (Err(error), Some(folder)) if error.is_not_found() => {
            create_dir_all(folder)?;
            append_own(path, content)
        }
        (appended, _) => appended,
    }
}

/// Appends to a file as [`append_own`] does, and waits until it is on the disk, its name included.
///
/// # Errors
/// When the folder is missing or not writable, or the disk does not take it.
pub fn append_durably(path: &Path, content: &[u8]) -> Result<(), PathError> {
    let is_new = kind(path)?.is_none();
    append_own(path, content)?;
    open(path)?.sync_all().at("write back", path)?;
    match path.parent().filter(|_| is_new) {
        Some(folder) => platform::sync_folder(folder).at("write back", folder),
        None => Ok(()),
    }
}

/// A file without a name that holds `content` and is read from its beginning; it goes away with its last reader.
///
/// # Errors
/// When the folder for temporary files is not writable, or the disk is full.
pub fn nameless_file(content: &[u8]) -> Result<File, PathError> {
    let folder = std::env::temp_dir();
    let mut file = tempfile::tempfile().map_err(answer_of_system).at("write to", &folder)?;
    file.write_all(content).and_then(|()| file.rewind()).at("write to", &folder)?;
    Ok(file)
}

/// Makes a file without a name that the program which takes this process's place can read as well. Returns the path by which
/// that program knows it.
///
/// # Errors
/// When the folder for temporary files cannot be written.
pub fn inherited_file(content: &[u8]) -> Result<PathBuf, PathError> {
    let file = nameless_file(content)?;
    platform::hand_over(file).at("hand over a file in", &std::env::temp_dir())
}

/// Makes a folder with a name of its own in `parent`; it is removed when the value is dropped.
///
/// # Errors
/// When `parent` is missing or not writable.
pub fn temporary_folder(parent: &Path) -> Result<tempfile::TempDir, PathError> {
    temporary_folder_named(parent, ".tmp")
}

/// Makes a temporary folder whose name begins with `prefix`, by which whoever comes later knows what it was for.
///
/// # Errors
/// When `parent` is missing or not writable.
pub fn temporary_folder_named(parent: &Path, prefix: &str) -> Result<tempfile::TempDir, PathError> {
    platform::with_mode(tempfile::Builder::new().prefix(prefix), 0o755)
        .tempdir_in(parent)
        .map_err(answer_of_system)
        .at("create a folder in", parent)
}

/// The system's own error out of one of `tempfile`, which adds the path (as [`PathError`] does already) and keeps the
/// number, by which the hint is found, in its text only.
fn answer_of_system(error: std::io::Error) -> std::io::Error {
    let text = error.to_string();
    let number = text.split_once("(os error ").and_then(|(_, rest)| rest.split_once(')'));
    match number.and_then(|(number, _)| number.parse().ok()) {
        Some(number) if error.raw_os_error().is_none() => std::io::Error::from_raw_os_error(number),
        _ => error,
    }
}
