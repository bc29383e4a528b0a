//! SHA-256 hashes as they stand in indexes, lock files and virtpy's own files: 64 hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{InvalidHash, InvalidText};

/// A SHA-256. It is written in lower-case hexadecimal digits and read in those of either case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Sha256Digest([u8; 32]);

impl From<[u8; 32]> for Sha256Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for Sha256Digest {
    type Err = InvalidHash;

    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// When the text is anything else.
    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let mut bytes = [0; 32];
        let is_read = text.len() == 2 * bytes.len()
            && HEXLOWER_PERMISSIVE.decode_mut(text.as_bytes(), &mut bytes).is_ok();
        if is_read {
            return Ok(Self(bytes));
        }
        Err(InvalidText::new(text, "a SHA-256", &"it has to be 64 hexadecimal digits"))
    }
}

impl TryFrom<String> for Sha256Digest {
    type Error = InvalidHash;

    fn try_from(text: String) -> Result<Self, InvalidHash> {
        text.parse()
    }
}

impl From<Sha256Digest> for String {
    fn from(digest: Sha256Digest) -> Self {
        HEXLOWER.encode(&digest.0)
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The SHA-256 of a wheel's archive, by which a store knows the wheel. Where there was no archive (a distribution that lies
/// installed), it is that of a text about all of its files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WheelHash(Sha256Digest);

impl WheelHash {
    /// Its first 16 digits.
    pub fn beginning(&self) -> String {
        HEXLOWER.encode(&self.0.0[..8])
    }
}

impl From<Sha256Digest> for WheelHash {
    /// What was hashed is known to be a wheel.
    fn from(digest: Sha256Digest) -> Self {
        Self(digest)
    }
}

impl From<WheelHash> for Sha256Digest {
    fn from(hash: WheelHash) -> Self {
        hash.0
    }
}

impl From<[u8; 32]> for WheelHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes.into())
    }
}

impl FromStr for WheelHash {
    type Err = InvalidHash;

    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// When the text is anything else.
    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        text.parse().map(Self)
    }
}

impl fmt::Display for WheelHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for WheelHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "a665a45920422f9d417e4867efdc4fb8a04a1f3fff1fa07e998e86f7f7a27ae3";

    #[test]
    fn digits_of_either_case_are_read_and_lower_ones_written() {
        let hash: WheelHash = TEXT.to_ascii_uppercase().parse().unwrap();
        assert_eq!(hash, TEXT.parse().unwrap());
        assert_eq!(hash.to_string(), TEXT);
        assert_eq!(hash.beginning(), "a665a45920422f9d");
        assert_eq!(format!("{hash:?} {hash:.4}"), format!("{TEXT} a665"));
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(json, format!("\"{TEXT}\""));
        assert_eq!(serde_json::from_str::<WheelHash>(&json).unwrap(), hash);
    }

    #[test]
    fn anything_else_is_refused_with_the_text() {
        let (short, long) = (&TEXT[1..], format!("{TEXT}0"));
        let umlaut = format!("ä{}", &TEXT[2..]);
        for wrong in ["", "../../../etc/passwd", short, &long, &umlaut, &TEXT.replace('a', "g")] {
            let told = wrong.parse::<WheelHash>().unwrap_err().to_string();
            assert_eq!(told, format!("`{wrong}` is not a SHA-256: it has to be 64 hexadecimal digits"));
            let json = serde_json::to_string(wrong).unwrap();
            assert!(serde_json::from_str::<Sha256Digest>(&json).unwrap_err().to_string().starts_with(&told));
        }
        assert!(serde_json::from_str::<WheelHash>("null").is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_sorted_alike(one: [u8; 32], other: [u8; 32]) {
            let (one, other) = (Sha256Digest::from(one), Sha256Digest::from(other));
            prop_assert_eq!(one.to_string().parse(), Ok(one));
            prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
        }
    }
}
