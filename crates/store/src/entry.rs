//! One unpacked wheel, and its handle.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use virtpy_files as fs;
use virtpy_files::digest::{hex, sha256};

use super::manifest::LazyText;
use super::{KnownOrigin, Manifest, ROWS, Store, StoreError};

/// Most manifests fit this many bytes, so one read gets them.
const USUAL_MANIFEST: usize = 8 * 1024;

/// An entry's folder name: the first 16 hexadecimal digits of its wheel's SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct EntryId(String);

impl TryFrom<String> for EntryId {
    type Error = StoreError;

    fn try_from(text: String) -> Result<Self, StoreError> {
        Self::parse(&text)
    }
}

impl EntryId {
    /// The handle of a wheel with this SHA-256 (64 hexadecimal digits).
    ///
    /// # Errors
    /// When the text is no SHA-256: it may come from an index.
    pub fn of(sha256: &str) -> Result<Self, StoreError> {
        let is_digest = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_digest {
            return Err(StoreError::InvalidId(sha256.to_owned()));
        }
        Ok(Self(sha256[..16].to_ascii_lowercase()))
    }

    /// A handle for something that is not (yet) known by its wheel's hash.
    pub fn of_text(text: &str) -> Self {
        Self::of(text).unwrap_or_else(|_| Self(hex(&sha256(text.as_bytes()))[..16].to_owned()))
    }

    /// Reads a folder's name.
    ///
    /// # Errors
    /// When it is not 16 hexadecimal digits.
    pub fn parse(name: &str) -> Result<Self, StoreError> {
        if name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        {
            return Ok(Self(name.to_owned()));
        }
        Err(StoreError::InvalidId(name.to_owned()))
    }

    /// The folder's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The SHA-256 of some bytes, in hexadecimal digits.
pub(super) fn sha256_of(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// A published entry with its manifest.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it stands: `$VIRTPY_HOME/w/<id>`.
    pub path: PathBuf,
    /// What it holds.
    pub manifest: Manifest,
}

impl Entry {
    /// Its handle.
    ///
    /// # Errors
    /// When the manifest's SHA-256 is none, which [`Store::entry`] never lets through.
    pub fn id(&self) -> Result<EntryId, StoreError> {
        EntryId::of(&self.manifest.sha256)
    }
}

impl Store {
    /// A short digest of a text, for notes.
    pub fn digest_of(text: &str) -> String {
        hex(&sha256(text.as_bytes()))[..16].to_owned()
    }

    /// Returns the entry of the wheel with this SHA-256, or `None` where the store has none. One file is read,
    /// whatever the entry's size; the first time after each boot the entry's files are looked at as well. The whole hash
    /// decides: the entry of another wheel whose hash only begins the same is not it.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn entry(&self, sha256: &str) -> Result<Option<Entry>, StoreError> {
        let id = EntryId::of(sha256)?;
        let entry = self.entry_by_id(&id)?;
        Ok(entry.filter(|entry| entry.manifest.sha256.eq_ignore_ascii_case(sha256)))
    }

    /// Returns the entry in the folder `id`, or `None` where there is none.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn entry_by_id(&self, id: &EntryId) -> Result<Option<Entry>, StoreError> {
        let path = self.entry_path(id);
        let content = match fs::read_own(&path.join("entry.json"), USUAL_MANIFEST) {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        let mut manifest = Manifest::parse(&content)
            .map_err(|reason| StoreError::Damaged { id: id.to_string(), reason: reason.to_string() })?;
        manifest.site_rows = LazyText::of(path.join(ROWS));
        Ok(Some(Entry { path, manifest }))
    }

    /// Where the entry in the folder `id` came from, if its manifest tells that much.
    pub fn provenance(&self, id: &EntryId) -> Option<KnownOrigin> {
        let content = fs::read(&self.entry_path(id).join("entry.json")).ok()?;
        serde_json::from_slice(&content).ok()
    }

    /// Whether the store has the wheel with this SHA-256, without reading its manifest.
    pub fn has(&self, sha256: &str) -> bool {
        EntryId::of(sha256)
            .is_ok_and(|id| matches!(fs::kind(&self.entry_path(&id).join("entry.json")), Ok(Some(_))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_made_from_a_digest_only() {
        let digest = "A665A45920422F9D417E4867EFDC4FB8A04A1F3FFF1FA07E998E86F7F7A27AE3";
        assert_eq!(EntryId::of(digest).unwrap().as_str(), "a665a45920422f9d");
        assert!(EntryId::of("../../../etc/passwd").is_err());
        assert!(EntryId::of(&digest[1..]).is_err());
        assert!(EntryId::parse("a665a45920422f9d").is_ok());
        assert!(EntryId::parse("A665A45920422F9D").is_err());
        assert_eq!(EntryId::of_text("abc").as_str(), "ba7816bf8f01cfea");
    }
}
