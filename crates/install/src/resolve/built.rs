//! Which wheel was built from which source: `cache/built/<digest>`, so that a source is built once per
//! interpreter. The wheel itself is an entry like any other.

use std::path::{Path, PathBuf};

use virtpy_files as fs;
use virtpy_files::digest::{Sha256, hex};
use virtpy_interpreters::Interpreter;
use virtpy_pep::{Sha256Digest, WheelHash};
use virtpy_store::Store;

/// The memory of built wheels, for one interpreter.
#[derive(Debug)]
pub(super) struct BuiltWheels<'a> {
    store: &'a Store,
    interpreter: &'a str,
}

impl<'a> BuiltWheels<'a> {
    pub(super) fn new(store: &'a Store, interpreter: &'a str) -> Self {
        Self { store, interpreter }
    }

    /// The store whose cache it is in.
    pub(super) fn store(&self) -> &'a Store {
        self.store
    }

    fn path(&self, key: &str) -> PathBuf {
        let mut digest = Sha256::new();
        for part in [self.interpreter, "\n", key] {
            digest.update(part.as_bytes());
        }
        let name = hex(&digest.finish()[..16]);
        self.store.cache().join("built").join(name)
    }

    /// The SHA-256 of the wheel that was built from a source.
    pub(super) fn get(&self, key: &str) -> Option<WheelHash> {
        self.digest(key).map(WheelHash::from)
    }

    /// The digest that was noted of the inputs of builds.
    pub(super) fn digest(&self, key: &str) -> Option<Sha256Digest> {
        let content = fs::read_own(&self.path(key), 128).ok()?;
        // A power cut may have emptied it.
        std::str::from_utf8(&content).ok()?.trim().parse().ok()
    }

    /// Remembers what was built. A note that cannot be written costs another build, no more.
    pub(super) fn put(&self, key: &str, wheel: &WheelHash) {
        self.put_digest(key, (*wheel).into());
    }

    /// Notes a digest of inputs.
    pub(super) fn put_digest(&self, key: &str, digest: Sha256Digest) {
        let path = self.path(key);
        let folder = path.parent().unwrap_or(Path::new("."));
        let _ =
            fs::create_dir_all(folder).and_then(|()| fs::write_atomic(&path, digest.to_string().as_bytes()));
    }

    /// Forgets what was noted.
    pub(super) fn forget(&self, key: &str) {
        let _ = fs::remove_file(&self.path(key));
    }
}

/// What tells this interpreter's builds of source distributions from another's.
pub(crate) fn build_key(interpreter: &Interpreter) -> String {
    format!("{} {} {}", interpreter.implementation, interpreter.tag(), interpreter.platform)
}
