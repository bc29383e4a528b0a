//! The look at an entry's files, once after each boot.
//!
//! Reading an entry's manifest is all that a warm install does. The first use after a boot compares the size, the mode and
//! the time of every file with the manifest, and notes that in `cache/`, from where it may be deleted at any time. What a
//! power cut may have emptied is hashed as well (`durable.rs`).

use std::collections::HashSet;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use virtpy_files::{self as fs, MetadataExt as _, PermissionsExt as _};

use super::manifest::MANIFEST;
use super::{Entry, EntryId, Store, StoreError};

/// Which entries were looked at since the machine started.
#[derive(Debug)]
pub struct Checked {
    path: Option<PathBuf>,
    ids: HashSet<String>,
}

impl Checked {
    /// Whether a text was noted since the machine started.
    pub fn is_noted(&self, text: &str) -> bool {
        self.ids.contains(text)
    }

    /// The entries that were published or looked at since the machine started.
    pub(super) fn entries(&self) -> impl Iterator<Item = EntryId> {
        self.ids.iter().filter_map(|text| EntryId::parse(text).ok())
    }

    /// Knows of one that was looked at just now.
    pub(super) fn add(&mut self, id: &EntryId) {
        self.ids.insert(id.to_string());
    }
}

/// By this variable tests say that the machine was started again.
const TEST_BOOT_ID: &str = "VIRTPY_TEST_BOOT_ID";

/// What tells this start of the machine from all others, where the system tells it.
fn boot_id() -> Option<&'static str> {
    static BOOT_ID: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let boot = match std::env::var(TEST_BOOT_ID) {
            Ok(boot) => boot.into_bytes(),
            Err(_) => fs::read_own(Path::new("/proc/sys/kernel/random/boot_id"), 64).ok()?,
        };
        Some(boot.into_iter().filter(u8::is_ascii_hexdigit).map(char::from).collect())
    };
    BOOT_ID.get_or_init(read).as_deref()
}

impl Store {
    /// Reads which entries were looked at since the machine started.
    pub fn checked(&self) -> Checked {
        let path = self.checked_path();
        let content = path.as_deref().and_then(|path| fs::read_own(path, 8 * 1024).ok()).unwrap_or_default();
        let ids = String::from_utf8_lossy(&content).lines().map(str::to_owned).collect();
        Checked { path, ids }
    }

    /// Notes that these entries are sound; they were just made or just looked at. A note that cannot be written
    /// only costs another look.
    pub(super) fn note_checked(&self, ids: &[EntryId]) {
        if ids.is_empty() {
            return;
        }
        self.append_notes(&ids.iter().fold(String::new(), |text, id| text + id.as_str() + "\n"));
    }

    fn append_notes(&self, text: &str) {
        let Some(path) = self.checked_path() else { return };
        let _ = fs::append_own_with_folder(&path, text.as_bytes());
    }

    fn checked_path(&self) -> Option<PathBuf> {
        Some(self.cache().join("checked").join(boot_id()?))
    }

    /// Removes the notes of earlier boots.
    pub(super) fn sweep_checked(&self) {
        let Some(path) = self.checked_path() else { return };
        let Some(folder) = path.parent() else { return };
        for name in fs::own_names(folder) {
            let is_boot = name.to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_hexdigit()));
            if is_boot && Some(name.as_os_str()) != path.file_name() {
                let _ = fs::remove_file(&folder.join(name));
            }
        }
    }

    /// Compares the size, the mode, the owner and the time of every file of an entry with its manifest.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for the first that is not as it should be.
    pub fn look_at(&self, entry: &Entry) -> Result<(), StoreError> {
        look(entry).map_err(|reason| StoreError::Damaged { id: entry.id.to_string(), reason })
    }

    /// Whether a text was noted since the machine started.
    pub fn is_noted(&self, text: &str) -> bool {
        self.checked().is_noted(text)
    }

    /// Notes a text until the machine starts again. A note that cannot be written only costs another look.
    pub fn note(&self, text: &str) {
        self.append_notes(&format!("{text}\n"));
    }

    /// Looks at the entries that were not looked at since the machine started.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for the first that is not as its manifest says.
    pub(super) fn check_since_boot(&self, entries: &[&Entry], checked: &Checked) -> Result<(), StoreError> {
        let mut sound = Vec::new();
        for entry in entries {
            let id = &entry.id;
            if checked.path.is_none() || !checked.ids.contains(id.as_str()) {
                look(entry).map_err(|reason| StoreError::Damaged { id: id.to_string(), reason })?;
                sound.push(id.clone());
            }
        }
        if !sound.is_empty() {
            self.note_checked(&sound);
        }
        Ok(())
    }
}

/// Compares every file's size, mode, owner and time with the manifest.
fn look(entry: &Entry) -> Result<(), String> {
    let manifest = &entry.manifest;
    let owner = fs::metadata(&entry.path).map_err(|error| format!("{error}: {}", error.source))?.uid();
    let completed = Completed::of(entry);
    let look_at = |path: &Path, size| look_at(path, size, completed, owner);
    for row in &manifest.texts {
        look_at(&entry.path.join(&row.path), Some(row.size))?;
    }
    for row in &manifest.rows().map_err(|error| error.to_string())? {
        look_at(&entry.path.join("site").join(&row.path), row.size)?;
    }
    for (tree, row) in manifest.rows_beside() {
        look_at(&entry.path.join(tree.folder()).join(&row.path), Some(row.size))?;
    }
    Ok(())
}

fn look_at(path: &Path, size: Option<u64>, completed: Completed, owner: u32) -> Result<(), String> {
    let metadata = fs::symlink_metadata(path).map_err(|error| format!("{error}: {}", error.source))?;
    let reason = if !metadata.is_file() {
        "is not a file".to_owned()
    } else if size.is_some_and(|size| size != metadata.len()) {
        format!("has {} bytes instead of {}", metadata.len(), size.unwrap_or_default())
    } else if metadata.permissions().mode() & 0o222 != 0 {
        "is writable".to_owned()
    } else if metadata.uid() != owner {
        format!("belongs to another user ({}) than its folder", metadata.uid())
    } else if completed.is_before(&metadata) {
        "was changed after it was unpacked".to_owned()
    } else {
        return Ok(());
    };
    Err(format!("`{}` {reason}", path.display()))
}

/// When an entry was complete, in seconds since 1970 and nanoseconds. No file of it is younger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Completed(i64, i64);

impl Completed {
    /// The manifest is written last: its time tells precisely, and by the file system's own clock. It is believed only near
    /// the time that stands in it, for somebody may have written to it as well.
    pub(super) fn of(entry: &Entry) -> Self {
        let seconds = i64::try_from(entry.manifest.unpacked_at).unwrap_or(i64::MAX - 1);
        let (earliest, latest) = ((seconds, 0), (seconds + 1, 999_999_999));
        let written =
            fs::symlink_metadata(&entry.path.join(MANIFEST)).map(|facts| (facts.mtime(), facts.mtime_nsec()));
        let (seconds, nanoseconds) = written.unwrap_or(latest).clamp(earliest, latest);
        Self(seconds, nanoseconds)
    }

    /// Whether a file was written to after that.
    pub(super) fn is_before(self, facts: &Metadata) -> bool {
        (facts.mtime(), facts.mtime_nsec()) > (self.0, self.1)
    }

    /// Whether a folder has the names that it had then: nothing came or went since. The time of a change cannot be set, and one
    /// that is told in whole seconds, as of this entry's completion where the manifest tells it no more precisely, proves nothing.
    pub(super) fn is_after_changes_of(self, folder: &Metadata) -> bool {
        let written = (folder.mtime(), folder.mtime_nsec());
        let changed = written.max((folder.ctime(), folder.ctime_nsec()));
        !matches!(self.1, 0 | 999_999_999) && changed <= (self.0, self.1)
    }
}
