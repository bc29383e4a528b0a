//! What the place that an entry came from says of it.

use std::path::Path;

use virtpy_pep::WheelHash;
use virtpy_wheel as wheel;

use super::adopt::ADOPTED;
use super::pip_shim::PIP_SHIM_ORIGIN;
use super::{EntryId, Store};

/// Whether what came from `origin` was built on this machine: it is neither a wheel, nor was it in a venv.
pub fn was_built(origin: &str) -> bool {
    let path = origin.split(['?', '#']).next().unwrap_or_default();
    !matches!(path, ADOPTED | PIP_SHIM_ORIGIN) && Path::new(path).extension().is_none_or(|end| end != "whl")
}

impl Store {
    /// Whether an entry was made of something on this machine that may be made again, such as a project that is built for each run of
    /// its tests.
    pub fn was_made_here(&self, id: &EntryId) -> bool {
        self.provenance(id).is_some_and(|known| was_made_here(&known.origin, &known.sha256))
    }
}

/// Whether what came from `origin` was made on this machine and may be made again: built from a directory or an archive here, or a
/// wheel here that is gone or another one by now.
fn was_made_here(origin: &str, sha256: &WheelHash) -> bool {
    let path = Path::new(origin);
    if !path.is_absolute() || was_built(origin) {
        return path.is_absolute();
    }
    !wheel::file_sha256(path).is_ok_and(|found| WheelHash::from(found) == *sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_can_be_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("x-1-py3-none-any.whl");
        let origin = wheel.to_string_lossy().into_owned();
        let sha256 = virtpy_files::digest::sha256(b"one").into();
        assert!(was_made_here(&origin, &sha256), "it is gone");
        virtpy_files::write_new(&wheel, b"one", 0o644).unwrap();
        assert!(!was_made_here(&origin, &sha256), "it is there");
        virtpy_files::write_atomic(&wheel, b"two").unwrap();
        assert!(was_made_here(&origin, &sha256), "it is another one");
        assert!(was_made_here("/home/x/project", &sha256));
        for other in ["https://h.example/x-1.tar.gz", "git+file:///x", ADOPTED, PIP_SHIM_ORIGIN] {
            assert!(!was_made_here(other, &sha256), "{other}");
        }
    }

    #[test]
    fn tells_wheels_from_what_was_built() {
        for wheel in
            ["https://h.example/x-1-py3-none-any.whl", "/w/x.whl", "https://h.example/x.whl?a=b#c", ADOPTED]
        {
            assert!(!was_built(wheel), "{wheel}");
        }
        for source in ["https://h.example/x-1.tar.gz", "git+https://h.example/x@abc", "/home/x/project"] {
            assert!(was_built(source), "{source}");
        }
    }
}
