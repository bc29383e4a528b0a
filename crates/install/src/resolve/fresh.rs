//! Remembered resolutions of sets that nothing pins, in `cache/resolutions` too: for as long as the index lets its pages be
//! believed.
//!
//! An index says for how many minutes a page may be kept, and the resolver believes pages for so long without asking. Until
//! then the same request has the same answer, unless one of the pages was fetched again (an upgrade does that). So the entries
//! are taken from the store at once, if the pages' files are those that were read and none is too old.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use virtpy_resolver::{Artifact, Pages, Resolution};

use super::Obtained;
use super::resolution_cache::{CachedPackage, Note, ResolutionCache, notes_of};
use virtpy_files::{self as fs, Stamp};
use virtpy_store::Store;

/// A remembered resolution.
#[derive(Debug, Serialize, Deserialize)]
struct Fresh {
    packages: Vec<Note>,
    /// The files of the pages, and the folders of wheels, as they were read.
    pages: Vec<Stamp>,
    /// When it was written down, in milliseconds since 1970.
    from: u64,
    /// When the first page is too old.
    until: u64,
}

impl ResolutionCache<'_> {
    /// Returns the entries of the resolution that is remembered under a digest, if it may be believed and the store has all of
    /// them, sound. Only for a request that is all that decides: nothing is installed that could be kept.
    pub(crate) fn get_fresh(self, digest: &str) -> Option<Vec<CachedPackage>> {
        let content = fs::read_own(&self.path(&name(digest)), 256 * 1024).ok()?;
        let fresh: Fresh = serde_json::from_slice(&content).ok()?;
        let now = milliseconds(SystemTime::now())?;
        // A clock that was set back tells nothing.
        let is_believed = (fresh.from..fresh.until).contains(&now);
        if !is_believed || !fresh.pages.iter().all(Stamp::is_current) {
            return None;
        }
        self.entries_of(&fresh.packages)
    }

    /// Remembers a resolution that depends on these pages and nothing else, if all its packages are wheels of an
    /// index or of a folder. A note that cannot be written costs time, no more.
    pub(crate) fn put_fresh(
        self,
        digest: &str,
        resolution: &Resolution,
        obtained: &[Obtained],
        pages: &Pages,
    ) {
        let is_whole = obtained.len() == resolution.packages.len();
        if !is_whole {
            return;
        }
        let mut files: Vec<&Path> = pages.files.iter().map(PathBuf::as_path).collect();
        for one in obtained {
            match made_of(self.store, resolution, one) {
                MadeOf::Index => {}
                MadeOf::File(path) => files.push(path),
                MadeOf::Other => return,
            }
        }
        let times = milliseconds(SystemTime::now()).zip(milliseconds(pages.until));
        let files: Option<Vec<Stamp>> = files.iter().map(|file| Stamp::of(file)).collect();
        let (Some((from, until)), Some(pages)) = (times, files) else { return };
        self.write(&name(digest), &Fresh { packages: notes_of(resolution, obtained), pages, from, until });
    }
}

/// What a package's entry was made of.
enum MadeOf<'a> {
    /// A wheel of an index.
    Index,
    /// A wheel that lies on this machine.
    File(&'a Path),
    /// Something that may have changed without being seen.
    Other,
}

fn made_of<'a>(store: &Store, resolution: &'a Resolution, obtained: &Obtained) -> MadeOf<'a> {
    let package = &resolution.packages[obtained.package];
    match &package.file {
        Artifact::Wheel { local, .. } if package.direct_url.is_none() => match local {
            None => MadeOf::Index,
            Some(path) if store.sha256_of_known(path).as_ref() == Some(&obtained.entry.manifest.sha256) => {
                MadeOf::File(path)
            }
            Some(_) => MadeOf::Other,
        },
        Artifact::Wheel { .. } | Artifact::Source { .. } => MadeOf::Other,
    }
}

/// Beside what is remembered for good.
fn name(digest: &str) -> String {
    format!("{digest}-fresh")
}

fn milliseconds(time: SystemTime) -> Option<u64> {
    u64::try_from(time.duration_since(UNIX_EPOCH).as_ref().map(Duration::as_millis).ok()?).ok()
}
