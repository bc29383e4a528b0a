//! Which remote is used, whose signatures count, and who signs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, MetadataExt as _};

use crate::{Address, Error, PrivateKey, PublicKey};

/// Where a private key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In a file that nobody else can read.
    File(PathBuf),
    /// In a variable, as services that build and test hand secrets over.
    Variable(&'static str),
}

/// Which remote is used, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteSettings {
    /// Where it is.
    pub address: Address,
    /// What the library underneath is told, such as `region` and `endpoint`.
    pub options: BTreeMap<String, String>,
    /// Whether an endpoint without TLS is taken that is not of this machine.
    pub allow_http: bool,
    /// Whose signatures count.
    pub trust: Vec<PublicKey>,
    /// Whether what was built or fetched goes there by itself.
    pub push: bool,
    /// Where the key is that signs what goes there.
    pub key: KeySource,
}

impl RemoteSettings {
    /// Reads the private key.
    ///
    /// # Errors
    /// When there is none, or others could read it.
    pub fn private_key(&self) -> Result<PrivateKey, Error> {
        match &self.key {
            KeySource::File(path) => PrivateKey::read(path),
            KeySource::Variable(name) => PrivateKey::parse(&std::env::var(name).unwrap_or_default()),
        }
    }
}

/// The most bytes of a file with a key.
const LARGEST_KEY: u64 = 4096;

/// The text of a file that only its owner, who is this user or root, can read.
fn read_private(path: &Path) -> Result<String, Error> {
    let refused = |reason| Error::KeyFile { path: path.display().to_string(), reason };
    let facts = match fs::metadata(path) {
        Err(error) if error.is_not_found() => return Err(refused("there is no such file")),
        other => other?,
    };
    if !fs::knows_owners() {
        return Err(refused(
            "whether others can read it is not to be had on Windows yet; put the key into a variable",
        ));
    }
    if facts.mode() & 0o077 != 0 {
        return Err(refused("others can read it or write to it; `chmod 600` closes it"));
    }
    if facts.uid() != fs::effective_user() && facts.uid() != 0 {
        return Err(refused("it belongs to another user"));
    }
    let content = fs::read_bounded(path, LARGEST_KEY)?;
    String::from_utf8(content).map_err(|_| refused("it is not text"))
}

impl PrivateKey {
    /// Reads the one in a file.
    ///
    /// # Errors
    /// When there is none, or others could read it.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::parse(&read_private(path)?)
    }

    /// Makes a pair of keys, the private one in a file that must not exist yet. Returns the public one.
    ///
    /// # Errors
    /// When something stands there, or its directory cannot be written.
    pub fn create(path: &Path) -> Result<PublicKey, Error> {
        if !fs::knows_owners() {
            let reason = "a file that nobody else can read is not to be had on Windows yet";
            return Err(Error::KeyFile { path: path.display().to_string(), reason });
        }
        let key = Self::generate();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write_new(path, format!("{}\n", key.secret_text()).as_bytes(), 0o600)?;
        Ok(key.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_is_read_only_where_nobody_else_can() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/remote.key");
        let public = PrivateKey::create(&path).unwrap();
        assert!(PrivateKey::create(&path).is_err(), "one that is there is never written over");
        let settings = RemoteSettings {
            address: Address::parse("file:///x", false).unwrap(),
            options: BTreeMap::new(),
            allow_http: false,
            trust: Vec::new(),
            push: false,
            key: KeySource::File(path.clone()),
        };
        assert_eq!(settings.private_key().unwrap().public(), public);
        fs::set_mode(&path, 0o640).unwrap();
        let error = settings.private_key().unwrap_err().to_string();
        assert!(error.contains("others can read it"), "{error}");
        let absent = RemoteSettings { key: KeySource::File(folder.path().join("absent")), ..settings };
        assert!(absent.private_key().unwrap_err().to_string().contains("no such file"));
    }
}
