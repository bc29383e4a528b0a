//! What can go wrong with a remote, where somebody has to hear of it.

use virtpy_files::PathError;

/// Why a remote could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A setting makes no sense.
    #[error("the setting `remote.{name}`: {reason}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Something that is to be a key is none.
    #[error("`{shown}` is not a {what}: {reason}")]
    Key {
        /// What it is to be.
        what: &'static str,
        /// As much of it as may be shown.
        shown: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The private key is not there, or others can read it.
    #[error("the private key in `{path}` is not used: {reason}")]
    KeyFile {
        /// Where it is, or should be.
        path: String,
        /// Why.
        reason: &'static str,
    },
    /// The storage refuses or does not answer.
    #[error("the remote `{address}` {what}: {reason}")]
    Request {
        /// Which storage.
        address: String,
        /// What it was asked.
        what: &'static str,
        /// What came of it.
        reason: String,
    },
    /// It can only be read.
    #[error("the remote `{address}` can only be read")]
    ReadOnly {
        /// Which storage.
        address: String,
    },
    /// What waits for the network cannot be started.
    #[error("could not start what waits for the network")]
    Start(#[source] std::io::Error),
}

impl Error {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Path(error) => error.hint(),
            Self::Setting { .. } => Some("docs/teams.md says how a remote is set up".to_owned()),
            Self::Key { .. } => Some("`virtpy remote key` makes a pair of keys".to_owned()),
            Self::KeyFile { .. } => Some(
                "`virtpy remote key` makes one; the setting `remote.key-file` or the variable `VIRTPY_REMOTE_KEY` names \
                 another"
                    .to_owned(),
            ),
            Self::Request { .. } => Some(
                "look at the address, at the credentials of the environment (`AWS_…`, `GOOGLE_…`, `AZURE_…`) and at what they \
                 may do"
                    .to_owned(),
            ),
            Self::ReadOnly { .. } => {
                Some("name it as `s3://`, `gs://`, `az://` or `file://` to write to it".to_owned())
            }
            Self::Start(_) => None,
        }
    }
}
