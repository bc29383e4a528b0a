//! Why there is nothing to install, or why it could not be found out.

use std::error::Error;
use std::path::PathBuf;

use virtpy_files::PathError;
use virtpy_pep::Sha256Digest;

/// What went wrong while virtpy looked for interpreters to install.
#[derive(Debug, thiserror::Error)]
pub enum AvailableError {
    /// No source has what was asked for.
    #[error("there is no build of `{request}` for {triple}")]
    NotFound {
        /// The request as it was typed.
        request: String,
        /// The target triple that was looked for.
        triple: String,
        /// What comes near, best first.
        near: Vec<String>,
    },
    /// A custom distribution is described by some of its three variables only.
    #[error("the custom distribution `{name}` is not complete: {} {} not set", .missing.join(" and "), if .missing.len() == 1 { "is" } else { "are" })]
    Incomplete {
        /// Its name.
        name: String,
        /// The variables that are missing.
        missing: Vec<String>,
    },
    /// An environment variable has a value that makes no sense.
    #[error("`{variable}` cannot be used: {reason}")]
    Variable {
        /// The variable.
        variable: String,
        /// What is wrong with its value.
        reason: String,
    },
    /// An index of interpreters is none.
    #[error("the index of interpreters at `{address}` cannot be used: {reason}")]
    Index {
        /// Where it is.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A page of releases is none.
    #[error("`{address}` is not a page of releases: {reason}")]
    Page {
        /// Where it is.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A location is neither a URL that virtpy can fetch nor a path.
    #[error("`{location}` cannot be fetched: {reason}")]
    Location {
        /// As it was given.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of this machine has another hash than the one that is known of it.
    #[error("the hash of `{}` is not the expected one: expected sha256:{expected}, but got sha256:{computed}", .path.display())]
    Hash {
        /// The file.
        path: PathBuf,
        /// The SHA-256 that it should have.
        expected: Sha256Digest,
        /// The one that it has.
        computed: Sha256Digest,
    },
    /// Something did not come from the network.
    #[error(transparent)]
    Network(#[from] FetchError),
    /// Something on this machine cannot be read or written.
    #[error(transparent)]
    Path(#[from] PathError),
}

impl AvailableError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotFound { near, .. } if near.is_empty() => {
                "`virtpy python list --all` shows what there is".to_owned()
            }
            Self::NotFound { near, .. } => {
                format!("the nearest are {}; `virtpy python list --all` shows everything", near.join(", "))
            }
            Self::Incomplete { .. } => "a custom distribution needs HATCH_PYTHON_CUSTOM_SOURCE_<NAME>, \
                                        HATCH_PYTHON_CUSTOM_PATH_<NAME> and HATCH_PYTHON_CUSTOM_VERSION_<NAME>"
                .to_owned(),
            Self::Variable { .. } => "correct or unset it; docs/interpreters.md tells what it means".to_owned(),
            Self::Index { .. } => "an index is `{\"3.12.11\": \"URL\", …}`, or what `virtpy python build-index` \
                                   writes; look at VIRTPY_PYTHON_INDEX_URL"
                .to_owned(),
            Self::Page { .. } => "`--from` takes the address of a project's releases, such as \
                                  `https://HOST/OWNER/PROJECT/releases`"
                .to_owned(),
            Self::Location { .. } => "a location is an http(s) or file URL, or a path".to_owned(),
            Self::Hash { .. } => "do not use the file unless you know why it changed".to_owned(),
            Self::Network(error) => return error.hint(),
            Self::Path(error) => return error.hint(),
        };
        Some(hint)
    }
}

/// Why something did not come from the network, as whoever fetches it ([`super::location::Fetch`]) tells it.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct FetchError {
    /// What kind of failure it is; the hint depends on it.
    pub kind: FetchProblem,
    /// What happened, with its causes.
    pub source: Box<dyn Error + Send + Sync>,
    /// What a user can do where nothing better is known of this kind.
    pub hint: Option<String>,
}

/// The kinds of failures of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchProblem {
    /// The server wants credentials (HTTP 401, 403).
    Unauthorized,
    /// The server does not have it (HTTP 404).
    NotFound,
    /// There was no answer, or not the one that was needed.
    Network,
    /// No connection may be made.
    Offline,
    /// Another file came than the expected one.
    Hash,
    /// The body did not come whole.
    Broken,
    /// Anything else.
    Other,
}

impl FetchError {
    fn hint(&self) -> Option<String> {
        let text = match self.kind {
            FetchProblem::Unauthorized => "the server wants credentials: put them in ~/.netrc or in the URL",
            FetchProblem::NotFound => {
                "look at the URL, and at VIRTPY_PYTHON_INDEX_URL and VIRTPY_PYTHON_MIRROR if they are set"
            }
            FetchProblem::Network => {
                "look at the network connection; VIRTPY_PYTHON_MIRROR names another place to download from"
            }
            FetchProblem::Offline => {
                "run it again with a network, or name a file with VIRTPY_PYTHON_INDEX_URL"
            }
            FetchProblem::Hash => "do not use the file unless you know why it changed",
            FetchProblem::Broken => "try again; if it stays so, the server or a proxy before it is at fault",
            FetchProblem::Other => return self.hint.clone(),
        };
        Some(text.to_owned())
    }
}
