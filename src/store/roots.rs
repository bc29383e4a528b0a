//! Roots: the venvs that the store knows, one small file each. A root is alive while its path holds a venv that
//! carries the same id; link counts and access times play no part.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Store, StoreError};
use crate::fs;

/// What tells one venv from another, wherever it is moved: 16 hexadecimal digits, in its `pyvenv.cfg`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct VenvId(String);

impl VenvId {
    /// A new id from the operating system's randomness, by way of a hash map's keys.
    pub fn random() -> Self {
        use std::hash::{BuildHasher as _, Hasher as _, RandomState};
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u32(std::process::id());
        Self(format!("{:016x}", hasher.finish()))
    }

    /// Reads an id.
    ///
    /// # Errors
    /// When the text is not 16 hexadecimal digits: it stands in a file that anybody may edit, and becomes part
    /// of a path.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        {
            return Ok(Self(text.to_owned()));
        }
        Err(StoreError::InvalidId(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for VenvId {
    type Error = StoreError;

    fn try_from(text: String) -> Result<Self, StoreError> {
        Self::parse(&text)
    }
}

impl fmt::Display for VenvId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A venv that the store knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The venv's id.
    pub id: VenvId,
    /// Where it stood when it was registered, absolute.
    pub path: PathBuf,
}

impl Store {
    fn root_path(&self, id: &VenvId) -> PathBuf {
        self.home().join("roots").join(id.as_str())
    }

    /// Registers a venv, before anything is linked into it. Registering it again (it was moved) is fine.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn register(&self, root: &Root) -> Result<(), StoreError> {
        if self.root(&root.id)?.is_some_and(|known| known == *root) {
            return Ok(());
        }
        let path = self.root_path(&root.id);
        let text = serde_json::to_vec(root)
            .map_err(|error| StoreError::Damaged { id: root.id.to_string(), reason: error.to_string() })?;
        if let Err(error) = fs::write_atomic(&path, &text) {
            if !error.is_not_found() {
                return Err(error.into());
            }
            self.create_folders()?;
            fs::write_atomic(&path, &text)?;
        }
        Ok(())
    }

    /// Forgets a venv; one that is not known is fine.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn forget(&self, id: &VenvId) -> Result<(), StoreError> {
        match fs::remove_file(&self.root_path(id)) {
            Err(error) if !error.is_not_found() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Returns what is registered under an id.
    ///
    /// # Errors
    /// When the file is there and cannot be read. One that makes no sense counts as absent: it is written anew.
    pub fn root(&self, id: &VenvId) -> Result<Option<Root>, StoreError> {
        match fs::read_own(&self.root_path(id), 512) {
            Ok(content) => Ok(serde_json::from_slice(&content).ok()),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Every venv that the store knows, sorted by path.
    ///
    /// # Errors
    /// When the folder of the roots cannot be read.
    pub fn roots(&self) -> Result<Vec<Root>, StoreError> {
        let names = match fs::names(&self.home().join("roots")) {
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            other => other?,
        };
        let mut roots = Vec::with_capacity(names.len());
        for name in names {
            if let Some(id) = name.to_str().and_then(|name| VenvId::parse(name).ok()) {
                roots.extend(self.root(&id)?);
            }
        }
        roots.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(roots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_registered_moved_and_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        let id = VenvId::random();
        assert_eq!(store.roots().unwrap(), []);
        store.register(&Root { id: id.clone(), path: "/a/.venv".into() }).unwrap();
        let moved = Root { id: id.clone(), path: "/b/.venv".into() };
        store.register(&moved).unwrap();
        assert_eq!(store.roots().unwrap(), [moved]);
        store.forget(&id).unwrap();
        store.forget(&id).unwrap();
        assert_eq!(store.root(&id).unwrap(), None);
    }

    #[test]
    fn an_id_never_leaves_its_folder() {
        assert!(VenvId::parse("../../0123456789").is_err());
        assert_ne!(VenvId::random(), VenvId::random());
    }
}
