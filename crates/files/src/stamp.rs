//! By what a changed file is recognised without reading it.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::platform::{self, MetadataExt as _};

/// How long the clock of a file system stands still at most, if it knows parts of a second.
const FINE_TICK: Duration = Duration::from_millis(100);

/// The same for one that knows seconds only; those of some count in pairs.
const COARSE_TICK: Duration = Duration::from_secs(3);

/// A file or a folder as it was at a moment; links are followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The file.
    pub path: PathBuf,
    /// In bytes.
    size: u64,
    /// In seconds since 1970, and nanoseconds.
    pub modified: (i64, i64),
    /// When anything about it was changed, which nobody sets at will; of an earlier version it is unknown.
    #[serde(default)]
    changed: (i64, i64),
    inode: u64,
    #[serde(default)]
    device: u64,
}

impl Stamp {
    /// The present state of a file, or `None` if there is none.
    pub fn of(path: &Path) -> Option<Self> {
        super::metadata(path).ok().map(|facts| Self::from_facts(path, &facts))
    }

    /// The state of a file whose facts are known.
    pub fn from_facts(path: &Path, facts: &Metadata) -> Self {
        let (device, inode) = platform::identity(path, facts);
        Self {
            path: path.to_path_buf(),
            size: facts.len(),
            modified: (facts.mtime(), facts.mtime_nsec()),
            changed: (facts.ctime(), facts.ctime_nsec()),
            inode,
            device,
        }
    }

    /// Whether the file is as it was then.
    pub fn is_current(&self) -> bool {
        Self::of(&self.path).as_ref() == Some(self)
    }

    /// Whether any change that comes at `moment` or later gives another stamp. A file that was changed just before may be changed
    /// again within the same tick of the clock, and both have the same time: what was found out of it then must not be remembered.
    pub fn is_settled(&self, moment: SystemTime) -> bool {
        let newest = self.modified.max(self.changed);
        let tick = if self.changed.1 == 0 { COARSE_TICK } else { FINE_TICK };
        let before = moment.duration_since(UNIX_EPOCH).ok().and_then(|since| since.checked_sub(tick));
        // One that is ahead of the clock never is.
        before.is_some_and(|before| {
            let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
            newest < (seconds, i64::from(before.subsec_nanos()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rename, write_new};

    #[test]
    fn a_file_that_was_exchanged_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        write_new(&one, b"one", 0o644).unwrap();
        let before = Stamp::of(&one).unwrap();
        write_new(&other, b"two", 0o644).unwrap();
        rename(&other, &one).unwrap();
        assert!(!before.is_current(), "the same size, and maybe the same time");
    }

    #[test]
    fn what_was_just_changed_is_not_settled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_new(&path, b"one", 0o644).unwrap();
        let stamp = Stamp::of(&path).unwrap();
        let written = UNIX_EPOCH
            + Duration::new(u64::try_from(stamp.changed.0).unwrap(), u32::try_from(stamp.changed.1).unwrap());
        assert!(!stamp.is_settled(written), "a change in the same tick would not be seen");
        assert!(!stamp.is_settled(written - Duration::from_hours(1)), "it is ahead of the clock");
        assert!(stamp.is_settled(written + Duration::from_secs(4)));
        let coarse = Stamp { modified: (1_000, 0), changed: (1_000, 0), ..stamp };
        let at = |milliseconds| UNIX_EPOCH + Duration::from_millis(milliseconds);
        assert!(!coarse.is_settled(at(1_002_500)) && coarse.is_settled(at(1_003_001)));
        let touched = Stamp { modified: (2_000, 5), ..coarse };
        assert!(!touched.is_settled(at(1_900_000)), "its time is set ahead");
    }
}
