//! The journal of a change: enough to put the venv back as it was, written before the first touch.
//!
//! Whoever is killed in the middle leaves it behind, and the next command that holds the venv goes back (or, if
//! the state was already replaced, only tidies up). Files that are replaced or removed wait in `.virtpy/trash`
//! until the change has happened.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use virtpy_files::{self as fs, Directory, FileKind, PathError};
use virtpy_wheel as wheel;

use super::layout::{JOURNAL, PRIVATE_FOLDER, TRASH, UNFINISHED};
use super::{State, Venv, VenvError, rebuild};

/// Something that a change takes away, and how it comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Removed {
    /// An empty real folder.
    Folder(String),
    /// A link with its target.
    Link(String, PathBuf),
    /// A file; the number is its name in the trash.
    File(String, usize),
}

impl Removed {
    /// Where it stands, relative to the venv's root.
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Folder(path) | Self::Link(path, _) | Self::File(path, _) => path,
        }
    }
}

/// What a change is about to do. Paths are relative to the venv's root.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Journal {
    /// The change's id.
    pub(super) change: String,
    /// Every path that will be made, folders before what is in them. Nothing stands there when the change begins, but
    /// for what is `removed`, and bytecode.
    pub(super) created: Vec<String>,
    /// Every path that will be taken away, folders after what is in them.
    pub(super) removed: Vec<Removed>,
}

impl Journal {
    /// Where a removed file waits.
    pub(super) fn trash(slot: usize) -> String {
        format!("{TRASH}/{slot}")
    }

    /// Writes the journal, whole or not at all.
    pub(super) fn write(&self, directory: &Directory) -> Result<(), VenvError> {
        let text = serde_json::to_vec(self).map_err(|error| damaged(directory, &error.to_string()))?;
        let has_trash = self.removed.iter().any(|removed| matches!(removed, Removed::File(..)));
        if has_trash {
            // Whatever lies there without a journal must not be taken for what this change removes.
            directory.remove_tree(TRASH)?;
        }
        // Without its content nobody knows how to go back.
        match directory.replace_early(UNFINISHED, JOURNAL, &text, 0o644) {
            Err(error) if error.is_not_found() => {
                directory.create_dir_all(PRIVATE_FOLDER)?;
                directory.replace_early(UNFINISHED, JOURNAL, &text, 0o644)?;
            }
            other => other?,
        }
        if has_trash {
            directory.create_dir(TRASH)?;
        }
        Ok(())
    }

    /// Ends a change that has happened, or was taken back. The journal goes last: as long as it is there, somebody will
    /// come and take the rest away.
    pub(super) fn discard(directory: &Directory, has_trash: bool) -> Result<(), PathError> {
        if has_trash {
            directory.remove_tree(TRASH)?;
        }
        directory.remove_file(JOURNAL)
    }

    /// Puts everything back as it was before the change. Can be repeated: what is back already is left.
    pub(super) fn roll_back(&self, venv: &Venv) -> Result<(), VenvError> {
        // Others may have put folders of their own in place of those that the change worked in.
        self.undo(&venv.directory.for_many_changes())
            .map_err(|source| VenvError::Rollback { venv: venv.root.clone(), source })
    }

    /// Takes away what the change had made, and leaves the journal.
    pub(super) fn clear_created(&self, venv: &Venv) -> Result<(), VenvError> {
        self.clear_in(&venv.directory.for_many_changes())
            .map_err(|source| VenvError::Rollback { venv: venv.root.clone(), source })
    }

    fn clear_in(&self, directory: &Directory) -> Result<(), PathError> {
        let replaced: BTreeSet<&str> = self.removed.iter().map(Removed::path).collect();
        for path in self.created.iter().rev().filter(|path| !replaced.contains(path.as_str())) {
            if is_inside(directory, path)? {
                clear(directory, path)?;
            }
        }
        Ok(())
    }

    fn undo(&self, directory: &Directory) -> Result<(), PathError> {
        self.clear_in(directory)?;
        for removed in self.removed.iter().rev() {
            if !is_inside(directory, removed.path())? {
                continue;
            }
            match removed {
                Removed::Folder(path) => {
                    if directory.kind(path)? != Some(FileKind::Folder) {
                        clear(directory, path)?;
                        directory.create_dir(path)?;
                    }
                }
                Removed::Link(path, target) => {
                    if !directory.read_link(path).is_ok_and(|found| found == *target) {
                        clear(directory, path)?;
                        directory.symlink(target, path)?;
                    }
                }
                Removed::File(path, slot) => {
                    let kept = Self::trash(*slot);
                    if directory.kind(&kept)?.is_some() {
                        clear(directory, path)?;
                        directory.rename(&kept, path)?;
                    }
                }
            }
        }
        Self::discard(directory, true)
    }
}

fn damaged(directory: &Directory, reason: &str) -> VenvError {
    VenvError::Damaged { path: directory.path().join(JOURNAL), reason: reason.to_owned() }
}

/// Removes a file, a link or a folder that is empty but for bytecode. A folder with other content is not of the
/// change's making and stays.
fn clear(directory: &Directory, path: &str) -> Result<(), PathError> {
    match directory.kind(path)? {
        None => Ok(()),
        Some(FileKind::Folder) => {
            let bytecode = format!("{path}/{}", wheel::BYTECODE_FOLDER);
            if directory.kind(&bytecode)? == Some(FileKind::Folder) {
                directory.remove_tree(&bytecode)?;
            }
            if path.rsplit('/').next() == Some(wheel::BYTECODE_FOLDER) {
                return directory.remove_tree(path);
            }
            let _ = directory.remove_dir(path);
            Ok(())
        }
        Some(_) => directory.remove_file(path),
    }
}

/// Whether a journal's path stays inside the venv and the folder that it is in is there: the file is input like any other,
/// and where a folder was to be made a link into the store may still stand, through which nothing may be touched.
fn is_inside(directory: &Directory, path: &str) -> Result<bool, PathError> {
    let path = Path::new(path);
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    match path.parent() {
        Some(parent) if is_plain => directory.has_folder(parent),
        _ => Ok(false),
    }
}

/// What a killed command or a power cut had left of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    /// A journal, by which the change was finished or taken back.
    Settled,
    /// The name of a journal, which is still there: nothing says what the change had done.
    Emptied,
}

/// Finishes or takes back what a killed command left. To be called by whoever holds the venv, before anything
/// else.
///
/// # Errors
/// When the venv cannot be written.
pub(super) fn recover(venv: &Venv) -> Result<Left, VenvError> {
    let directory = venv.directory.for_many_changes();
    let content = match fs::read(&venv.root.join(JOURNAL)) {
        Err(error) if error.is_not_found() => {
            // Nobody was killed, or so early that this is all there is.
            if fs::kind(&venv.root.join(UNFINISHED))?.is_some() {
                let _ = directory.remove_file(UNFINISHED);
            }
            return Ok(Left::Nothing);
        }
        other => other?,
    };
    if rebuild::is_emptied(&content) {
        return Ok(Left::Emptied);
    }
    let Ok(journal) = serde_json::from_slice::<Journal>(&content) else {
        // It is written by one rename, so this is not a half-written one: nothing here can be trusted.
        return Err(damaged(&directory, "it is not a journal"));
    };
    let _ = directory.remove_file(UNFINISHED);
    if State::read(venv)?.change == journal.change {
        Journal::discard(&directory, true)?;
    } else {
        journal.roll_back(venv)?;
    }
    Ok(Left::Settled)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests {
    use super::*;

    fn venv(folder: &tempfile::TempDir) -> Venv {
        let config = "home = /usr/bin\nvirtpy-id = 0123456789abcdef\nvirtpy-library = python3.12\n";
        fs::write_new(&folder.path().join("pyvenv.cfg"), config.as_bytes(), 0o644).unwrap();
        fs::create_dir_all(&folder.path().join("lib/python3.12/site-packages")).unwrap();
        Venv::open(folder.path()).unwrap()
    }

    #[test]
    fn what_lies_in_the_trash_without_a_journal_comes_back_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let venv = venv(&folder);
        fs::create_dir_all(&venv.private().join("trash")).unwrap();
        venv.directory
            .write_new(Journal::trash(0), b"of a change that was finished long ago", 0o644)
            .unwrap();
        fs::write_new(&venv.root.join("kept"), b"kept", 0o644).unwrap();
        let removed = vec![Removed::File("kept".to_owned(), 0)];
        let journal = Journal { change: "1".to_owned(), created: Vec::new(), removed };
        journal.write(&venv.directory).unwrap();
        // Killed here, before anything was moved.
        assert_eq!(recover(&venv).unwrap(), Left::Settled);
        assert_eq!(fs::read(&venv.root.join("kept")).unwrap(), b"kept");
        assert_eq!(recover(&venv).unwrap(), Left::Nothing);
    }

    #[test]
    fn nothing_is_touched_through_a_link_that_was_to_become_a_folder() {
        let (folder, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let venv = venv(&folder);
        fs::write_new(&store.path().join("module.py"), b"shared", 0o644).unwrap();
        fs::symlink(store.path(), &venv.root.join("package")).unwrap();
        let removed = vec![Removed::Link("package".to_owned(), store.path().to_owned())];
        let created = ["package", "package/module.py", "package/../module.py"].map(str::to_owned).to_vec();
        Journal { change: "1".to_owned(), created, removed }.write(&venv.directory).unwrap();
        // Killed here, before the link was taken away.
        assert_eq!(recover(&venv).unwrap(), Left::Settled);
        assert_eq!(fs::read(&venv.root.join("package/module.py")).unwrap(), b"shared");
    }

    #[test]
    fn a_change_that_happened_leaves_nothing_whenever_its_end_was_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let venv = venv(&folder);
        fs::write_new(&venv.root.join("old"), b"old", 0o644).unwrap();
        let removed = vec![Removed::File("old".to_owned(), 0)];
        let journal = Journal { change: "1".to_owned(), created: Vec::new(), removed };
        journal.write(&venv.directory).unwrap();
        venv.directory.rename("old", Journal::trash(0)).unwrap();
        let mut state = State::default();
        state.change.clone_from(&journal.change);
        state.write(&venv).unwrap();
        // Killed while the trash was taken away, and once more while a file was written.
        venv.directory.write_new(UNFINISHED, b"half", 0o644).unwrap();
        assert_eq!(recover(&venv).unwrap(), Left::Settled);
        let left: Vec<_> = fs::names(&venv.private()).unwrap();
        assert_eq!(left, ["state.json"]);
        assert_eq!(fs::kind(&venv.root.join("old")).unwrap(), None);
    }
}
