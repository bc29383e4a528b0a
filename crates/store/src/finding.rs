//! What may be wrong in an entry.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_files as fs;

/// Something in an entry that is not as its manifest says. Paths are relative to the entry.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(tag = "finding", content = "detail", rename_all = "snake_case")]
pub enum Finding {
    /// A file has another content.
    Changed(
        /// Its path; nothing for the entry itself.
        String,
    ),
    /// A file is not there.
    Missing(
        /// Its path; nothing for the entry itself.
        String,
    ),
    /// Something is there that no wheel brought.
    Extra(
        /// Its path; nothing for the entry itself.
        String,
    ),
    /// A file or a folder can be written.
    WrongMode(
        /// Its path; nothing for the entry itself.
        String,
    ),
    /// A file with the right content was written to after it was unpacked.
    Touched(
        /// Its path; nothing for the entry itself.
        String,
    ),
    /// A file or a folder belongs to another user than its entry.
    WrongOwner(
        /// Its path; nothing for the entry itself.
        String,
    ),
    /// Bytecode is not as virtpy compiled it.
    Bytecode(
        /// Its path; nothing for the entry itself.
        String,
    ),
    /// The manifest cannot be read.
    NoManifest(
        /// Why.
        String,
    ),
}

impl Finding {
    /// Whether no file of the wheel has another content: it can be put right in place. Only root can give something away.
    pub fn is_harmless(&self) -> bool {
        match self {
            Self::WrongMode(_) | Self::Extra(_) | Self::Touched(_) | Self::Bytecode(_) => true,
            Self::WrongOwner(_) => fs::is_root(),
            Self::Changed(_) | Self::Missing(_) | Self::NoManifest(_) => false,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(path) if path.is_empty() => formatter.write_str("something else is in its place"),
            Self::Missing(path) if path.is_empty() => formatter.write_str("its directory is missing"),
            Self::Changed(path) => write!(formatter, "`{path}` has another content"),
            Self::Missing(path) => write!(formatter, "`{path}` is missing"),
            Self::Extra(path) => write!(formatter, "`{path}` does not belong there"),
            Self::WrongMode(path) if path.is_empty() => write!(formatter, "its folder can be written"),
            Self::WrongMode(path) => write!(formatter, "`{path}` can be written"),
            Self::Touched(path) => write!(formatter, "`{path}` was written to, and has the same content"),
            Self::WrongOwner(path) if path.is_empty() => {
                write!(formatter, "its folder belongs to another user")
            }
            Self::WrongOwner(path) => write!(formatter, "`{path}` belongs to another user"),
            Self::Bytecode(path) => write!(formatter, "`{path}` is not the bytecode that virtpy compiled"),
            Self::NoManifest(reason) => write!(formatter, "`entry.json` cannot be used: {reason}"),
        }
    }
}
