//! The folder of everything, and what is where in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use virtpy_files as fs;
use virtpy_files::digest::{hex, sha256};

use super::layer::LowerStores;
use super::{EntryId, Layer, LayerError, StoreError};

/// The store under one `$VIRTPY_HOME`. Cheap to make: no folder is touched before it is needed.
#[derive(Debug, Clone)]
pub struct Store {
    home: PathBuf,
    /// The folder of the applications' commands, if it is another one than usual.
    bin: Option<PathBuf>,
    /// The stores below it, which are only read.
    lower: LowerStores,
    /// What stood in it when a process began to watch for its removal; nothing for processes that don't.
    pub(super) watched: Arc<OnceLock<Vec<PathBuf>>>,
}

impl Store {
    /// The store that lives in `home`, an absolute path.
    pub fn new(home: PathBuf) -> Self {
        Self { home, bin: None, lower: LowerStores::default(), watched: Arc::default() }
    }

    /// The same store above those that `source` finds for its folder, once somebody needs them.
    #[must_use]
    pub fn above(
        self,
        source: impl Fn(&Path) -> Result<Vec<Layer>, LayerError> + Send + Sync + 'static,
    ) -> Self {
        Self { lower: LowerStores::of(Arc::new(source)), ..self }
    }

    /// The store in another folder, above the same ones.
    #[must_use]
    pub fn beside(&self, home: PathBuf) -> Self {
        Self { lower: self.lower.beside(), ..Self::new(home) }
    }

    /// The stores below this one, in the order in which they are looked through. They are only read.
    ///
    /// # Errors
    /// When one of them is not believed.
    pub fn lower(&self) -> Result<&[Layer], StoreError> {
        Ok(self.lower.below(&self.home)?)
    }

    /// The same store, with the applications' commands in another folder.
    #[must_use]
    pub fn with_bin(self, bin: Option<PathBuf>) -> Self {
        Self { bin, ..self }
    }

    /// The folder of everything: `$VIRTPY_HOME`.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The folder of the entries. Its name is one letter so that links into it stay under 60 bytes, which ext4
    /// keeps inside the inode.
    pub fn entries(&self) -> PathBuf {
        self.home.join("w")
    }

    /// The folder in which entries and downloads are made before they are published.
    pub fn temporary(&self) -> PathBuf {
        self.home.join("tmp")
    }

    /// The folder of the lock files.
    pub fn locks(&self) -> PathBuf {
        self.home.join("locks")
    }

    /// What may be deleted at any time: HTTP answers, interpreters' facts, wheels built from source.
    pub fn cache(&self) -> PathBuf {
        self.home.join("cache")
    }

    /// The folder of the installed interpreters.
    pub fn pythons(&self) -> PathBuf {
        self.home.join("pythons")
    }

    /// The folder of the applications' commands.
    pub fn bin(&self) -> PathBuf {
        self.bin.clone().unwrap_or_else(|| self.usual_bin())
    }

    /// The folder in which they are unless another one is chosen.
    pub fn usual_bin(&self) -> PathBuf {
        self.home.join("bin")
    }

    /// The folder of the applications, one folder each.
    pub fn tools(&self) -> PathBuf {
        self.home.join("tools")
    }

    /// The folder of the real pips, one venv for each version of Python, that do what only pip can do.
    pub fn shared_pips(&self) -> PathBuf {
        self.home.join("tools/.pip")
    }

    /// Where an entry stands or would stand.
    pub fn entry_path(&self, id: &EntryId) -> PathBuf {
        self.entries().join(id.as_str())
    }

    /// A short digest of a text, for notes.
    pub fn digest_of(text: &str) -> String {
        hex(&sha256(text.as_bytes()))[..16].to_owned()
    }

    /// Whether a name in a folder of notes is a digest that [`Self::digest_of`] made.
    pub(super) fn is_digest(name: &OsStr) -> bool {
        let name = name.as_encoded_bytes();
        name.len() == 16 && name.iter().all(u8::is_ascii_hexdigit)
    }

    /// Makes the folders that every store has; whoever registers the first venv does it.
    pub(super) fn create_folders(&self) -> Result<(), StoreError> {
        let roots = self.home.join("roots");
        for folder in [self.entries(), self.temporary(), self.locks(), self.cache(), roots] {
            fs::create_dir_all(&folder)?;
        }
        self.create_durable()
    }

    /// Marks the entries as third-party code, once for each store: coverage takes for such what lies in a folder of
    /// `sys.path` that has a `pyvenv.cfg` somewhere above. Returns the folder that venvs put on their `sys.path`.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn mark_as_third_party(&self) -> Result<PathBuf, StoreError> {
        let mark = self.home.join("pyvenv.cfg");
        if fs::kind(&mark)?.is_none() {
            fs::write_atomic(&mark, b"# This is no venv: it marks what lies below as third-party code.\n")?;
        }
        Ok(self.entries())
    }

    /// Makes a folder of its own under `tmp/`, removed when the returned value is dropped.
    ///
    /// # Errors
    /// When the store's folder cannot be written.
    pub fn temporary_folder(&self) -> Result<tempfile::TempDir, StoreError> {
        let parent = self.temporary();
        fs::create_dir_all(&parent)?;
        Ok(fs::temporary_folder(&parent)?)
    }
}
