//! What can be wrong with an archive.

use std::io;

use virtpy_files::PathError;

use super::NameProblem;

/// Why an archive could not be read or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive breaks the policy of this module.
    #[error("`{file}` {problem}")]
    Refused {
        /// The archive's file name.
        file: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A member's bytes are not what the archive promised.
    #[error("`{file}` has a damaged member `{member}`")]
    Member {
        /// The archive's file name.
        file: String,
        /// The member's name.
        member: String,
        /// What the decompression or the checksum said.
        source: io::Error,
    },
    /// The archive's tables cannot be read.
    #[error("`{file}` is not a usable zip archive")]
    Zip {
        /// The archive's file name.
        file: String,
        /// What the zip reader said.
        source: zip::result::ZipError,
    },
    /// The archive's data cannot be decompressed.
    #[error("`{file}` is damaged")]
    Compression {
        /// The archive's file name.
        file: String,
        /// What the decompression said.
        source: io::Error,
    },
    /// The archive could not be read, or what is in it not be written.
    #[error(transparent)]
    Path(#[from] PathError),
}

/// One way to break the policy. The text continues a sentence that starts with the archive's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The end is missing: cut off, or never an archive.
    #[error("is not a complete archive")]
    Incomplete,
    /// Bytes follow the end record; other readers could see another archive in them.
    #[error("has data after its end")]
    TrailingData,
    /// The tables contradict each other.
    #[error("is not a sound archive: {0}")]
    Unsound(&'static str),
    /// A member's name is not allowed.
    #[error("contains the name `{}`, which {problem}", name.escape_debug())]
    Name {
        /// The name, with what is not UTF-8 replaced.
        name: String,
        /// Why it is not allowed.
        problem: NameProblem,
    },
    /// Two members have one name.
    #[error("contains `{0}` twice")]
    Duplicate(String),
    /// A file's name is also a folder of another member.
    #[error("contains `{0}` as a file and as a folder")]
    FileAndFolder(String),
    /// Two members have names that are one to the file system: it ignores case or the form of accents.
    #[error("contains `{name}` and `{other}`, which are one to this file system")]
    Clash {
        /// A member, or a folder that it is in.
        name: String,
        /// The other one.
        other: String,
    },
    /// Anything but a regular file or a folder that can be read: a device, a pipe, something encrypted.
    #[error("contains `{name}`, which is {kind}")]
    Special {
        /// The member.
        name: String,
        /// What it is, with an article where that is a noun.
        kind: String,
    },
    /// A link that leads out of the folder, or nowhere that can be told.
    #[error("contains the link `{name}` to `{}`, which {reason}", target.escape_debug())]
    Link {
        /// The member.
        name: String,
        /// Where it leads, with what is not UTF-8 replaced.
        target: String,
        /// Why that is not allowed.
        reason: &'static str,
    },
    /// More members or folders than [`super::Limits::members`].
    #[error("has more than {0} members")]
    TooMany(u64),
    /// More bytes than [`super::Limits::unpacked_size`] or [`super::Limits::in_memory`].
    #[error("would unpack `{name}` to more than {limit} bytes in all")]
    TooLarge {
        /// The member at which the bound was passed.
        name: String,
        /// The bound.
        limit: u64,
    },
    /// More bytes than the disk has free.
    #[error("would unpack to {needed} bytes, and the disk has {free} left")]
    NoRoom {
        /// Bytes of the members to be written.
        needed: u64,
        /// Bytes that may still be written.
        free: u64,
    },
    /// The members grow more than [`super::Limits::ratio`] times.
    #[error("would unpack to more than {0} times its size")]
    Bomb(u64),
    /// Two places that describe a member (a local header and the central directory, a header and its extension)
    /// tell different things.
    #[error("describes `{name}` in two different ways: its {field} differs")]
    HeadersDiffer {
        /// The member.
        name: String,
        /// What differs.
        field: &'static str,
    },
    /// Members overlap, or there are unnamed bytes between them.
    #[error("does not end `{0}` where the next member begins")]
    Gap(String),
    /// The member is shorter than declared.
    #[error("contains `{name}` with {actual} bytes instead of {declared}")]
    Size {
        /// The member.
        name: String,
        /// Bytes, as the central directory has it.
        declared: u64,
        /// Bytes that came out.
        actual: u64,
    },
}

impl Error {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Path(error) => error.hint(),
            Self::Refused { problem, .. } => match problem {
                Problem::Incomplete | Problem::Size { .. } => {
                    Some("the download was probably cut off: get the file again".to_owned())
                }
                Problem::TooMany(_) | Problem::TooLarge { .. } | Problem::Bomb(_) => Some(
                    "this looks like an archive made to fill a disk; ask its publisher if you expected it"
                        .to_owned(),
                ),
                Problem::NoRoom { .. } => {
                    Some("make room, or set VIRTPY_HOME to a folder on a larger disk".to_owned())
                }
                Problem::Clash { .. } => Some("use a file system that tells the two names apart".to_owned()),
                _ => Some("the archive is malformed: ask its publisher for a correct one".to_owned()),
            },
            Self::Member { .. } | Self::Zip { .. } | Self::Compression { .. } => {
                Some("the file is damaged: get it again".to_owned())
            }
        }
    }
}
