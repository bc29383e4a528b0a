//! The handles of entries and of venvs: names of folders and files in the store.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use virtpy_files::digest::sha256;
use virtpy_pep::WheelHash;

use super::StoreError;

/// An entry's folder name: the first 16 hexadecimal digits of its wheel's SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct EntryId(String);

impl TryFrom<String> for EntryId {
    type Error = StoreError;

    fn try_from(text: String) -> Result<Self, StoreError> {
        Self::parse(&text)
    }
}

impl EntryId {
    /// The handle of the wheel with this SHA-256.
    pub fn of(sha256: &WheelHash) -> Self {
        Self(sha256.beginning())
    }

    /// A handle for something that is not (yet) known by its wheel's hash.
    pub fn of_text(text: &str) -> Self {
        Self::of(&text.parse().unwrap_or_else(|_| WheelHash::from(sha256(text))))
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

/// What tells one venv from another, wherever it is moved: 16 hexadecimal digits, in its `pyvenv.cfg`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct VenvId(String);

impl VenvId {
    /// A new id.
    ///
    /// # Panics
    /// Where the system has no random numbers; then there are no hash maps either.
    pub fn random() -> Self {
        let number = getrandom::u64().expect("the system has random numbers");
        Self(format!("{number:016x}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_the_beginning_of_a_digest() {
        let digest = "A665A45920422F9D417E4867EFDC4FB8A04A1F3FFF1FA07E998E86F7F7A27AE3";
        assert_eq!(EntryId::of(&digest.parse().unwrap()).as_str(), "a665a45920422f9d");
        assert_eq!(EntryId::of_text(digest).as_str(), "a665a45920422f9d");
        assert!(EntryId::parse("a665a45920422f9d").is_ok());
        assert!(EntryId::parse("A665A45920422F9D").is_err());
        assert_eq!(EntryId::of_text("abc").as_str(), "ba7816bf8f01cfea");
    }
}
