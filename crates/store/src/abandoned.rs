//! What killed commands left: entries and downloads in the making, complete downloads that were not unpacked, and builds.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, DiskUse, Lock};
use virtpy_pep::WheelHash;

use super::Store;

/// How the names begin of what a command would have removed or renamed at its end.
const TEMPORARY: &str = ".tmp";

/// How the names in the folder for temporary files begin, whoever of virtpy made them: unfinished folders and files, interpreters, what a
/// collection or a command took out of the way. Anything else there is not virtpy's: `VIRTPY_HOME` may be somebody's home.
const IN_TEMPORARY: [&str; 5] = [TEMPORARY, fs::UNFINISHED, "python-", "removed-", "found-"];

fn begins_with(name: &OsString, beginnings: &[&str]) -> bool {
    name.to_str().is_some_and(|name| beginnings.iter().any(|beginning| name.starts_with(beginning)))
}

impl Store {
    /// The folder of complete downloads that wait for being unpacked. A command that comes after a killed one takes them from
    /// there.
    pub fn kept_wheels(&self) -> PathBuf {
        self.cache().join("wheels")
    }

    /// Everything that was abandoned. Whoever makes something there holds the store, and the caller holds it alone.
    pub(super) fn abandoned(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut take = |folder: &Path, is_ours: &dyn Fn(&OsString) -> bool| {
            let names = fs::own_names(folder).into_iter().filter(is_ours);
            found.extend(names.map(|name| folder.join(name)));
        };
        let is_temporary = |name: &OsString| begins_with(name, &[TEMPORARY]);
        let resolver = self.cache().join("resolver");
        for bucket in fs::own_names(&resolver).iter().filter(|name| !is_temporary(name)) {
            take(&resolver.join(bucket), &is_temporary);
        }
        take(&resolver, &is_temporary);
        take(&self.temporary(), &|name| begins_with(name, &IN_TEMPORARY));
        // A download that is complete has the hash that was announced for its name.
        take(&self.kept_wheels(), &|name| {
            name.to_str().is_some_and(|name| name.parse::<WheelHash>().is_ok())
        });
        found
    }

    /// How many bytes on the disk killed commands left, which a collection removes. The caller holds the store alone.
    pub fn abandoned_bytes(&self, _lock: &Lock) -> u64 {
        let mut disk = DiskUse::default();
        for path in self.abandoned() {
            let below = fs::walk(&path).flatten().map(|found| found.path);
            for path in below.chain([path.clone()]) {
                if let Ok(facts) = fs::symlink_metadata(&path) {
                    disk.add(&path, &facts);
                }
            }
        }
        disk.bytes()
    }
}
