//! Files in a project's own folder, which nobody sweeps: a command that was killed while it replaced one must not litter there for
//! good. Whoever replaces such a file holds a lock on the unfinished one, and takes away the unlocked ones that it finds.
//!
//! They are the user's: a link stays one, and an owner keeps the file. A link that leads elsewhere may have come with a repository, so
//! nothing is written through it.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::platform::{self, MetadataExt as _};
use super::user::effective_user;
use super::{
    FileKind, IoResultExt as _, PathError, UNFINISHED, answer_of_system, canonicalize, kind, read_dir_names,
    symlink_metadata,
};

/// How many random characters follow [`UNFINISHED`] in the name of an unfinished file.
const RANDOM: usize = 6;

/// How often an unfinished file may be taken for one of a killed command before its writer could lock it.
const TRIES: usize = 1000;

/// Replaces a file in a folder of the user's as [`write_atomic_with_mode`](super::write_atomic_with_mode) does, and removes what
/// killed commands left of such files beside it. In place of a link to a file in that folder, the file is replaced.
///
/// # Errors
/// As [`write_atomic`](super::write_atomic), and for a link that leads out of the folder.
pub fn write_in_project(path: &Path, content: &[u8], mode: u32) -> Result<(), PathError> {
    let path = &behind_link(path)?;
    let folder = folder_of(path);
    remove_abandoned(folder);
    let mut file = locked_unfinished(folder, mode)?;
    file.write_all(content).at("write", path)?;
    if let Ok(before) = symlink_metadata(path)
        && before.uid() != effective_user()
    {
        // Root works for the owner. Whoever else may write here cannot give it away.
        let _ = platform::give_to_owner_of(file.as_file(), &before);
    }
    file.persist(path).map_err(|failure| failure.error).at("replace", path)?;
    platform::finish_mode(path, mode).at("set the mode of", path)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The file that a path leads to, by way of a link or not.
fn behind_link(path: &Path) -> Result<PathBuf, PathError> {
    if kind(path)? != Some(FileKind::Link) {
        return Ok(path.to_path_buf());
    }
    let target = canonicalize(path)?;
    if target.starts_with(canonicalize(folder_of(path))?) {
        return Ok(target);
    }
    let text = format!("it is a link to `{}`, which is not in the same folder", target.display());
    Err(std::io::Error::new(ErrorKind::InvalidInput, text)).at("replace", path)
}

/// A new unfinished file that nobody takes for an abandoned one.
fn locked_unfinished(folder: &Path, mode: u32) -> Result<tempfile::NamedTempFile, PathError> {
    let mut tries = 1;
    loop {
        let file = platform::with_mode(tempfile::Builder::new().prefix(UNFINISHED).rand_bytes(RANDOM), mode)
            .tempfile_in(folder)
            .map_err(answer_of_system)
            .at("write to", folder)?;
        let is_locked = match file.as_file().try_lock() {
            Ok(()) => platform::names_of_open(file.as_file()).at("look at", file.path())? == 1,
            Err(std::fs::TryLockError::WouldBlock) => false,
            // Where there are no locks, nothing is taken for abandoned.
            Err(std::fs::TryLockError::Error(_)) => true,
        };
        if is_locked || tries == TRIES {
            return Ok(file);
        }
        tries += 1;
    }
}

/// Removes the unfinished files in a folder that no process is writing any more. What cannot be removed stays.
fn remove_abandoned(folder: &Path) {
    for (name, kind) in read_dir_names(folder).unwrap_or_default() {
        let random = name.to_str().and_then(|name| name.strip_prefix(UNFINISHED));
        let has_form = random.is_some_and(|random| {
            random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if has_form && kind == FileKind::File {
            let path = folder.join(name);
            // The lock is held until the file is gone.
            if let Some(_locked) = lock_abandoned(&path) {
                let _ = std::fs::remove_file(&path);
            }
        }
    }
}

/// An unfinished file of this user's, locked, if no process has it.
fn lock_abandoned(path: &Path) -> Option<File> {
    let file = platform::following_nothing(OpenOptions::new().read(true)).open(path).ok()?;
    let facts = file.metadata().ok()?;
    let is_ours = facts.is_file() && platform::names(path, &facts) == 1 && facts.uid() == effective_user();
    (is_ours && file.try_lock().is_ok()).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = read_dir_names(folder).unwrap();
        let mut names: Vec<String> = names.into_iter().map(|(name, _)| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_command_left_goes_with_the_next_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in [".virtpy-Abc123", ".virtpy-Abc12", ".virtpy-Abc12_", ".virtpy-writes", "lock"] {
            std::fs::write(at(name), "half").unwrap();
        }
        std::fs::create_dir(at(".virtpy-folder")).unwrap();
        std::os::unix::fs::symlink("lock", at(".virtpy-linked")).unwrap();
        std::fs::write(at("twice"), "").unwrap();
        std::fs::hard_link(at("twice"), at(".virtpy-twice1")).unwrap();
        let written = File::open(at(".virtpy-writes")).unwrap();
        written.try_lock().unwrap();

        write_in_project(&at("lock"), b"whole", 0o644).unwrap();

        let kept = [".virtpy-Abc12", ".virtpy-Abc12_", ".virtpy-folder", ".virtpy-linked", ".virtpy-twice1"];
        let kept: Vec<&str> = kept.into_iter().chain([".virtpy-writes", "lock", "twice"]).collect();
        assert_eq!(names(folder.path()), kept);
        assert_eq!(std::fs::read(at("lock")).unwrap(), b"whole");

        drop(written);
        write_in_project(&at("lock"), b"again", 0o644).unwrap();
        assert!(!names(folder.path()).contains(&".virtpy-writes".to_owned()));
    }

    #[test]
    fn a_link_stays_one_and_none_is_followed_elsewhere() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("real"), "old").unwrap();
        std::os::unix::fs::symlink("real", at("link")).unwrap();
        write_in_project(&at("link"), b"new", 0o644).unwrap();
        assert_eq!(std::fs::read_link(at("link")).unwrap(), Path::new("real"));
        assert_eq!(std::fs::read(at("real")).unwrap(), b"new");

        std::fs::write(other.path().join("file"), "theirs").unwrap();
        std::os::unix::fs::symlink(other.path().join("file"), at("away")).unwrap();
        let error = write_in_project(&at("away"), b"new", 0o644).unwrap_err();
        assert!(error.source.to_string().contains("is a link to"), "{error}");
        assert_eq!(std::fs::read(other.path().join("file")).unwrap(), b"theirs");
        std::os::unix::fs::symlink("nowhere", at("dangling")).unwrap();
        write_in_project(&at("dangling"), b"new", 0o644).unwrap_err();
        assert_eq!(names(folder.path()), ["away", "dangling", "link", "real"]);
    }

    #[test]
    fn many_at_once_do_not_take_each_others_files_away() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let path = folder.path().join(format!("file-{thread}"));
                scope.spawn(move || {
                    for round in 0..200 {
                        write_in_project(&path, format!("{round}").as_bytes(), 0o644).unwrap();
                    }
                });
            }
        });
        assert_eq!(names(folder.path()), ["file-0", "file-1", "file-2", "file-3"]);
    }
}
