//! Records of builds: this source, for this interpreter and platform, gave this wheel.

use serde::{Deserialize, Serialize};
use virtpy_files::digest::{hex, sha256};
use virtpy_pep::WheelHash;

use crate::names;
use crate::signed::{self, Refusal};
use crate::{Kind, PrivateKey, PublicKey};

/// What decides about a build. Builds with settings or constraints of their own have no record: what they give is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildKey {
    /// The source: its hash or its commit, and a folder in it.
    pub source: String,
    /// The interpreter: implementation, version and ABI.
    pub interpreter: String,
    /// The machine: system, processor and C library.
    pub platform: String,
}

impl BuildKey {
    /// The text that stands for it.
    fn text(&self) -> String {
        // No part can pass for the end of one and the beginning of the next: lengths stand before them.
        let part = |text: &str| format!("{}:{text}\n", text.len());
        [&self.source, &self.interpreter, &self.platform].into_iter().map(|text| part(text)).collect()
    }

    /// The name of its record.
    pub(crate) fn name(&self) -> String {
        names::object(Kind::Build, &hex(&sha256(self.text())))
    }
}

/// What a build gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildRecord {
    /// What was built, by what.
    pub key: BuildKey,
    /// The SHA-256 of the wheel.
    pub wheel_sha256: WheelHash,
    /// Its file name.
    pub filename: String,
    /// Its size in bytes.
    pub size: u64,
}

impl BuildRecord {
    /// The object's name.
    pub(crate) fn name(&self) -> String {
        self.key.name()
    }

    /// The object.
    pub(crate) fn encode(&self, key: &PrivateKey) -> Vec<u8> {
        signed::sign(Kind::Build, &self.name(), self, key)
    }

    /// Reads an object that stands under the name of a build, or says why it does not count.
    pub(crate) fn decode(object: &[u8], name: &str, trusted: &[PublicKey]) -> Result<Self, Refusal> {
        let record: Self = signed::open(Kind::Build, name, object, trusted)?;
        if record.name() != name {
            return Err(Refusal::Misplaced);
        }
        let is_plain = !record.filename.is_empty()
            && record.filename.len() < 256
            && !record.filename.contains(['/', '\\', '\0']);
        if is_plain { Ok(record) } else { Err(Refusal::Content) }
    }
}
