//! Downloads that are complete and wait for being unpacked. They lie under the hash that the index gave, so that whoever comes
//! after a killed command takes them from there. A collection sweeps them with all else that killed commands left.

use std::path::{Path, PathBuf};

use virtpy_files as fs;
use virtpy_pep::WheelHash;
use virtpy_resolver::{Artifact, Package};
use virtpy_store::{Store, WheelFile};
use virtpy_wheel as wheel;

/// The hash that an index gave a wheel that has to be downloaded.
fn announced(package: &Package) -> Option<WheelHash> {
    match &package.file {
        Artifact::Wheel { sha256, local: None, .. } => *sha256,
        _ => None,
    }
}

/// Puts a complete download where the next try finds it. Returns where it is then.
pub(super) fn keep(store: &Store, package: &Package, path: PathBuf) -> PathBuf {
    let Some(sha256) = announced(package) else { return path };
    let kept = store.kept_wheels().join(sha256.to_string());
    let moved = fs::rename(&path, &kept).is_ok()
        || (fs::create_dir_all(&store.kept_wheels()).is_ok() && fs::rename(&path, &kept).is_ok());
    if moved { kept } else { path }
}

/// The download of a package that a killed command had completed. One that is not what its name says goes. The caller holds the
/// right to make the package's entry.
pub(super) fn take(store: &Store, package: &Package) -> Option<WheelFile> {
    let sha256 = announced(package)?;
    let path = store.kept_wheels().join(sha256.to_string());
    fs::kind(&path).ok()??;
    let Artifact::Wheel { filename, location, .. } = &package.file else { return None };
    if wheel::file_sha256(&path).is_ok_and(|found| WheelHash::from(found) == sha256) {
        let (filename, origin) = (filename.clone(), location.clone());
        return Some(WheelFile { path, filename, sha256, origin, indexes: package.indexes.clone() });
    }
    discard(&path);
    None
}

/// Removes a download that was unpacked; what cannot be removed is swept by a collection.
pub(super) fn discard(path: &Path) {
    let _ = fs::remove_file(path);
}
