//! The journal of a change: enough to put the venv back as it was, written before the first touch.
//!
//! Whoever is killed in the middle leaves it behind, and the next command that holds the venv goes back (or, if
//! the state was already replaced, only tidies up). Files that are replaced or removed wait in `.virtpy/trash`
//! until the change has happened.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use virtpy_files::{self as fs, FileKind, PathError};
use virtpy_wheel as wheel;

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
    pub(super) fn trash(venv: &Venv, slot: usize) -> PathBuf {
        venv.private().join("trash").join(slot.to_string())
    }

    /// Writes the journal, whole or not at all.
    pub(super) fn write(&self, venv: &Venv) -> Result<(), VenvError> {
        let path = venv.journal();
        let text = serde_json::to_vec(self)
            .map_err(|error| VenvError::Damaged { path: path.clone(), reason: error.to_string() })?;
        let trash = venv.private().join("trash");
        let has_trash = self.removed.iter().any(|removed| matches!(removed, Removed::File(..)));
        if has_trash {
            // Whatever lies there without a journal must not be taken for what this change removes.
            fs::remove_tree(&trash)?;
        }
        match fs::write_by_way_of(&venv.unfinished(), &path, &text) {
            Err(error) if error.is_not_found() => {
                fs::create_dir_all(&venv.private())?;
                fs::write_by_way_of(&venv.unfinished(), &path, &text)?;
            }
            other => other?,
        }
        if has_trash {
            fs::create_dir(&trash)?;
        }
        Ok(())
    }

    /// Ends a change that has happened, or was taken back. The journal goes last: as long as it is there, somebody will
    /// come and take the rest away.
    pub(super) fn discard(venv: &Venv, has_trash: bool) -> Result<(), PathError> {
        if has_trash {
            fs::remove_tree(&venv.private().join("trash"))?;
        }
        fs::remove_file(&venv.journal())
    }

    /// Puts everything back as it was before the change. Can be repeated: what is back already is left.
    pub(super) fn roll_back(&self, venv: &Venv) -> Result<(), VenvError> {
        self.undo(venv).map_err(|source| VenvError::Rollback { venv: venv.root.clone(), source })
    }

    fn undo(&self, venv: &Venv) -> Result<(), PathError> {
        let replaced: BTreeSet<&str> = self.removed.iter().map(Removed::path).collect();
        for path in self.created.iter().rev().filter(|path| !replaced.contains(path.as_str())) {
            let Some(path) = inside(venv, path)? else { continue };
            clear(&path)?;
        }
        for removed in self.removed.iter().rev() {
            match removed {
                Removed::Folder(path) => {
                    let Some(path) = inside(venv, path)? else { continue };
                    if fs::kind(&path)? != Some(FileKind::Folder) {
                        clear(&path)?;
                        fs::create_dir(&path)?;
                    }
                }
                Removed::Link(path, target) => {
                    let Some(path) = inside(venv, path)? else { continue };
                    if !fs::read_link(&path).is_ok_and(|found| found == *target) {
                        clear(&path)?;
                        fs::symlink(target, &path)?;
                    }
                }
                Removed::File(path, slot) => {
                    let Some(path) = inside(venv, path)? else { continue };
                    let kept = Self::trash(venv, *slot);
                    if fs::kind(&kept)?.is_some() {
                        clear(&path)?;
                        fs::rename(&kept, &path)?;
                    }
                }
            }
        }
        Self::discard(venv, true)
    }
}

/// Removes a file, a link or a folder that is empty but for bytecode. A folder with other content is not of the
/// change's making and stays.
fn clear(path: &Path) -> Result<(), PathError> {
    match fs::kind(path)? {
        None => Ok(()),
        Some(FileKind::Folder) => {
            let bytecode = path.join(wheel::BYTECODE_FOLDER);
            if fs::kind(&bytecode)? == Some(FileKind::Folder) {
                fs::remove_tree(&bytecode)?;
            }
            if path.file_name().is_some_and(|name| name == wheel::BYTECODE_FOLDER) {
                return fs::remove_tree(path);
            }
            let _ = fs::remove_dir(path);
            Ok(())
        }
        Some(_) => fs::remove_file(path),
    }
}

/// A journal's path, if it stays inside the venv: the file is input like any other, and where a folder was to be made
/// a link into the store may still stand, through which nothing may be touched.
fn inside(venv: &Venv, path: &str) -> Result<Option<PathBuf>, PathError> {
    let mut reached = venv.root.clone();
    let mut parts = Path::new(path).components().peekable();
    while let Some(part) = parts.next() {
        let Component::Normal(name) = part else { return Ok(None) };
        reached.push(name);
        if parts.peek().is_none() {
            return Ok(Some(reached));
        }
        if fs::kind(&reached)? != Some(FileKind::Folder) {
            return Ok(None);
        }
    }
    Ok(None)
}

/// Finishes or takes back what a killed command left. To be called by whoever holds the venv, before anything
/// else. Returns whether there was something.
///
/// # Errors
/// When the venv cannot be written.
pub(super) fn recover(venv: &Venv) -> Result<bool, VenvError> {
    let content = match fs::read(&venv.journal()) {
        Err(error) if error.is_not_found() => {
            // Nobody was killed, or so early that this is all there is.
            let _ = fs::remove_file(&venv.unfinished());
            return Ok(false);
        }
        other => other?,
    };
    if rebuild::is_emptied(&content) {
        // A power cut left only its name. What the change had done by then is found where it stands.
        fs::remove_file(&venv.journal())?;
        return Ok(true);
    }
    let Ok(journal) = serde_json::from_slice::<Journal>(&content) else {
        // It is written by one rename, so this is not a half-written one: nothing here can be trusted.
        return Err(VenvError::Damaged { path: venv.journal(), reason: "it is not a journal".to_owned() });
    };
    let _ = fs::remove_file(&venv.unfinished());
    if State::read(venv)?.change == journal.change {
        Journal::discard(venv, true)?;
    } else {
        journal.roll_back(venv)?;
    }
    Ok(true)
}

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
        fs::write_new(&Journal::trash(&venv, 0), b"of a change that was finished long ago", 0o644).unwrap();
        fs::write_new(&venv.root.join("kept"), b"kept", 0o644).unwrap();
        let removed = vec![Removed::File("kept".to_owned(), 0)];
        let journal = Journal { change: "1".to_owned(), created: Vec::new(), removed };
        journal.write(&venv).unwrap();
        // Killed here, before anything was moved.
        assert!(recover(&venv).unwrap());
        assert_eq!(fs::read(&venv.root.join("kept")).unwrap(), b"kept");
        assert!(!recover(&venv).unwrap());
    }

    #[test]
    fn nothing_is_touched_through_a_link_that_was_to_become_a_folder() {
        let (folder, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let venv = venv(&folder);
        fs::write_new(&store.path().join("module.py"), b"shared", 0o644).unwrap();
        fs::symlink(store.path(), &venv.root.join("package")).unwrap();
        let removed = vec![Removed::Link("package".to_owned(), store.path().to_owned())];
        let created = ["package", "package/module.py", "package/../module.py"].map(str::to_owned).to_vec();
        Journal { change: "1".to_owned(), created, removed }.write(&venv).unwrap();
        // Killed here, before the link was taken away.
        assert!(recover(&venv).unwrap());
        assert_eq!(fs::read(&venv.root.join("package/module.py")).unwrap(), b"shared");
    }

    #[test]
    fn a_change_that_happened_leaves_nothing_whenever_its_end_was_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let venv = venv(&folder);
        fs::write_new(&venv.root.join("old"), b"old", 0o644).unwrap();
        let removed = vec![Removed::File("old".to_owned(), 0)];
        let journal = Journal { change: "1".to_owned(), created: Vec::new(), removed };
        journal.write(&venv).unwrap();
        fs::rename(&venv.root.join("old"), &Journal::trash(&venv, 0)).unwrap();
        let mut state = State::default();
        state.change.clone_from(&journal.change);
        state.write(&venv).unwrap();
        // Killed while the trash was taken away, and once more while a file was written.
        fs::write_new(&venv.unfinished(), b"half", 0o644).unwrap();
        assert!(recover(&venv).unwrap());
        let left: Vec<_> = fs::names(&venv.private()).unwrap();
        assert_eq!(left, ["state.json"]);
        assert_eq!(fs::kind(&venv.root.join("old")).unwrap(), None);
    }
}
