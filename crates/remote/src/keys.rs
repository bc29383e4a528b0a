//! Ed25519 keys, and how they are written down: `ed25519:` and `virtpy-private-ed25519:`, each with 32 bytes in base64.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use data_encoding::BASE64;

use crate::Error;

const PUBLIC: &str = "ed25519:";
const PRIVATE: &str = "virtpy-private-ed25519:";

/// Whose signature counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Whether a signature of a text is its owner's.
    pub(crate) fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(text, signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PUBLIC}{}", BASE64.encode(&self.0))
    }
}

impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |shown: &str, reason| Error::Key { what: "public key", shown: shown.to_owned(), reason };
        if text.trim().starts_with(PRIVATE) {
            return Err(wrong(PRIVATE, "it is a private key, which stays on the machine that signs"));
        }
        let digits = text.trim().strip_prefix(PUBLIC).ok_or_else(|| wrong(text, "it has no `ed25519:`"))?;
        bytes(digits).map(Self).ok_or_else(|| wrong(text, "32 bytes in base64 have to follow"))
    }
}

/// Who signs.
pub struct PrivateKey(Ed25519KeyPair);

impl fmt::Debug for PrivateKey {
    /// Shows whose it is, and not what it is.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PrivateKey({})", self.public())
    }
}

impl PrivateKey {
    /// A new one.
    ///
    /// # Panics
    /// Where the system has no random numbers; then there are no hash maps either.
    pub fn generate() -> Self {
        Self(Ed25519KeyPair::generate().expect("the system has random numbers"))
    }

    /// The one that is written in a text.
    ///
    /// # Errors
    /// When it is none. What the text says is not repeated.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |reason| Error::Key { what: "private key", shown: "(hidden)".to_owned(), reason };
        let digits = text
            .trim()
            .strip_prefix(PRIVATE)
            .ok_or_else(|| wrong("it does not begin with `virtpy-private-ed25519:`"))?;
        let seed = bytes(digits).ok_or_else(|| wrong("32 bytes in base64 have to follow"))?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed);
        pair.map(Self).map_err(|_| wrong("it is no key of Ed25519"))
    }

    /// The text that it is written as, which nobody else may see.
    ///
    /// # Panics
    /// Never: a key that was made or read has a seed.
    pub fn secret_text(&self) -> String {
        let seed = self.0.seed().and_then(|seed| seed.as_be_bytes()).expect("it has a seed");
        format!("{PRIVATE}{}", BASE64.encode(seed.as_ref()))
    }

    /// The key by which others know its signatures.
    ///
    /// # Panics
    /// Never: keys of Ed25519 have 32 bytes.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().try_into().expect("it has 32 bytes"))
    }

    pub(crate) fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.0.sign(text).as_ref().to_vec()
    }
}

fn bytes(digits: &str) -> Option<[u8; 32]> {
    BASE64.decode(digits.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        let key = PrivateKey::generate();
        let again = PrivateKey::parse(&format!("{}\n", key.secret_text())).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(key.public().to_string().parse::<PublicKey>().unwrap(), key.public());
        let signature = again.sign(b"text");
        assert!(key.public().has_signed(b"text", &signature));
        assert!(!key.public().has_signed(b"texT", &signature));
        assert!(!PrivateKey::generate().public().has_signed(b"text", &signature));
    }

    #[test]
    fn what_is_no_key_is_refused_and_no_secret_shown() {
        let key = PrivateKey::generate();
        for text in ["", "ed25519:", "ed25519:AAAA", "AAAA", &key.public().to_string()[..20]] {
            assert!(text.parse::<PublicKey>().is_err(), "{text}");
        }
        let secret = key.secret_text();
        let error = secret.parse::<PublicKey>().unwrap_err().to_string();
        assert!(!error.contains(&secret[PRIVATE.len()..]) && error.contains("private key"), "{error}");
        let error = PrivateKey::parse(&secret[..60]).unwrap_err().to_string();
        assert!(!error.contains(&secret[PRIVATE.len()..60]), "{error}");
        assert!(!format!("{key:?}").contains(&secret[PRIVATE.len()..]));
    }
}
