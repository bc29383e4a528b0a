//! What can go wrong, by stage. Every message is in virtpy's words; [`Error::hint`] says what to do.

use std::error::Error as StdError;
use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;

use virtpy_pep::PackageName;

use crate::git_settings::GitSetting;
use crate::reasons;
use crate::reword::reword;

/// What is said of a redirect that would give up encryption.
pub(crate) const REDIRECT_TO_HTTP: &str = "the server redirects from HTTPS to HTTP";

/// Why something could not be read, resolved, fetched or built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting of the indexes or of the network cannot be used.
    #[error("cannot use {setting}: {reason}")]
    Settings {
        /// The setting, as the user knows it.
        setting: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A requirement, or a file of requirements, cannot be read.
    #[error("{message}")]
    Requirements {
        /// Which one, and what is wrong with it.
        message: String,
        /// What to do, if that is known.
        hint: Option<String>,
        #[source]
        /// Why, in more detail.
        cause: Option<Cause>,
    },
    /// A lock file has nothing for this interpreter; another one may do.
    #[error("{message}")]
    OtherPython {
        /// Which file, and what it is for.
        message: String,
        /// What to do.
        hint: String,
        #[source]
        /// Why, in more detail.
        cause: Option<Cause>,
    },
    /// Git needs settings in its environment: the program has to start again with them.
    #[error("the credentials of a git repository are not in the environment")]
    GitSettings {
        /// Which settings.
        settings: Vec<GitSetting>,
    },
    /// A wheel for another interpreter or system.
    #[error(transparent)]
    Incompatible(#[from] virtpy_pep::IncompatibleWheel),
    /// The interpreter cannot be asked about itself.
    #[error("cannot use the Python interpreter `{}`", python.display())]
    Python {
        /// The interpreter's executable.
        python: PathBuf,
        #[source]
        /// Why.
        cause: Cause,
    },
    /// The resolver's cache cannot be used.
    #[error("cannot use the cache folder `{}`", folder.display())]
    Cache {
        /// The folder.
        folder: PathBuf,
        #[source]
        /// Why.
        cause: Cause,
    },
    /// No set of versions satisfies all requirements.
    #[error("{message}")]
    NoSolution {
        /// What excludes what, or what there is instead of what was asked for.
        message: String,
        #[source]
        /// The solver's proof, where the message is not that.
        proof: Option<Box<Cause>>,
        /// What may help.
        hints: Vec<String>,
        /// The package that no source has, or not in a version that would do, if it is one.
        absent: Option<PackageName>,
        /// Whether another Python may help, and which.
        python: Option<PythonNeed>,
    },
    /// A server did not answer as it should.
    #[error("{}", network_message(what, *status, cause.as_ref()))]
    Network {
        /// What was asked for.
        what: String,
        /// The status of the answer, if there was one.
        status: Option<u16>,
        #[source]
        /// Why.
        cause: Option<Cause>,
    },
    /// It needs the network, which is not to be used.
    #[error("{what} is not on this machine")]
    Offline {
        /// What was asked for.
        what: String,
    },
    /// A file is not the one that was expected.
    #[error("the hash of `{package}` is not the expected one: expected {expected}, but got {computed}")]
    Hash {
        /// The package.
        package: String,
        /// The expected hashes, such as `sha256:…`.
        expected: String,
        /// The hashes of what came.
        computed: String,
    },
    /// A file did not arrive whole.
    #[error("the file of `{package}` did not arrive as it should: {reason}")]
    Transfer {
        /// The package.
        package: String,
        /// What happened.
        reason: String,
    },
    /// A wheel could not be built from its source.
    #[error("could not build `{package}`")]
    Build {
        /// The package or the folder.
        package: String,
        #[source]
        /// Why; the last lines that the build backend wrote are among it.
        cause: Cause,
        /// What may help.
        hint: Option<String>,
        /// Whether another Python may help, and which.
        python: Option<PythonNeed>,
    },
    /// A file or the metadata of a package is not usable.
    #[error("cannot use {what}")]
    Distribution {
        /// What.
        what: String,
        #[source]
        /// Why.
        cause: Cause,
    },
    /// Whoever the wheel was handed to could not use it.
    #[error("could not take in `{package}`")]
    Receiver {
        /// The package.
        package: String,
        #[source]
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The system gives no thread, or nothing to wait for the network with.
    #[error("could not start {what}")]
    Start {
        /// What was to be started.
        what: &'static str,
        #[source]
        /// Why.
        source: std::io::Error,
    },
    /// A file or folder of this machine cannot be read or written.
    #[error("could not {action} `{}`", path.display())]
    File {
        /// What was tried, such as "write".
        action: &'static str,
        /// On what.
        path: PathBuf,
        #[source]
        /// Why.
        source: std::io::Error,
    },
}

/// That another Python may help.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PythonNeed {
    /// The versions that would do, as specifiers (PEP 440), where they are known.
    pub range: Option<String>,
}

/// So many notes are told with an error.
const NOTES: usize = 3;

impl Error {
    /// Tells with a failed resolution what was not looked at: it may be what is missing.
    pub(crate) fn with_notes(mut self, notes: Vec<String>) -> Self {
        if let Self::NoSolution { hints, .. } = &mut self {
            hints.extend(notes.into_iter().take(NOTES));
        }
        self
    }

    /// Whether another Python may help, and which.
    pub fn python_need(&self) -> Option<&PythonNeed> {
        const ANY: &PythonNeed = &PythonNeed { range: None };
        match self {
            Self::NoSolution { python, .. } | Self::Build { python, .. } => python.as_ref(),
            Self::OtherPython { .. } => Some(ANY),
            _ => None,
        }
    }

    /// Whether its message says all that helps: what caused it is for whoever wants to know every detail.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::NoSolution { .. } => true,
            Self::Network { status, cause, .. } => status.is_some() || plain_reason(cause.as_ref()).is_some(),
            _ => false,
        }
    }

    /// What the user may do about it.
    pub fn hint(&self) -> Option<String> {
        if let Some(hint) = messages(self).iter().find_map(|message| hint_by_number(message)) {
            return Some(hint.to_owned());
        }
        let text = match self {
            Self::Settings { .. } => "look at the flags given, the environment variables PIP_* and pip.conf",
            Self::Requirements { hint, .. } | Self::Build { hint, .. } => return hint.clone(),
            Self::OtherPython { hint, .. } => return Some(hint.clone()),
            Self::Incompatible(error) => return Some(error.hint()),
            Self::NoSolution { hints, .. } => return (!hints.is_empty()).then(|| hints.join("\n")),
            Self::Python { .. } => {
                "make the environment again with `virtpy new --clear`, or with another Python"
            }
            Self::Cache { .. } => "set VIRTPY_HOME to a folder that you may write to",
            Self::Network { status: Some(401 | 403), .. } => {
                "the server wants other credentials: put them in ~/.netrc, in a keyring or in `--index-url`"
            }
            Self::Network { status: Some(404), .. } => "look at `--index-url` and at the URL",
            Self::Network { cause: Some(cause), .. } if cause.mentions("certificate") => {
                "if the server is the right one, name the file with the certificate of who vouches for it: \
                 `PIP_CERT` (only that one is believed then) or `SSL_CERT_FILE`"
            }
            Self::Network { cause: Some(cause), .. } if cause.mentions(REDIRECT_TO_HTTP) => {
                "look at the address of the index; if the host is one to trust, name it in `PIP_TRUSTED_HOST`"
            }
            Self::Network { cause, .. }
                if matches!(plain_reason(cause.as_ref()), Some(PlainReason::Repository { .. })) =>
            {
                "look at the address of the repository, and whether `git clone` can fetch it"
            }
            Self::Network { .. } => {
                "look at the network connection and at `--index-url`; `--offline` uses only what is cached"
            }
            Self::GitSettings { .. } => "put the credentials in ~/.netrc or in git's credential helper",
            Self::Offline { .. } => again_with_network(),
            Self::Hash { .. } => {
                "do not use the file unless you know why it changed; if it did on purpose, put the new hash \
                 in the requirements, or make the lock again"
            }
            Self::Transfer { .. } => "try again; if it stays so, the index or a proxy before it is at fault",
            Self::Distribution { what, .. } if what.contains("file://") => {
                "look at what is there: it is damaged, or not what its name says"
            }
            Self::Distribution { .. } => {
                "its authors or the index have to correct it; another version may do: `NAME!=VERSION`"
            }
            Self::Receiver { .. } => return None,
            Self::Start { .. } => {
                "raise the limits of processes and memory (`ulimit -u`, `ulimit -v`), or wait"
            }
            Self::File { source, .. } => match source.kind() {
                ErrorKind::PermissionDenied => {
                    "look at the permissions of that path, and of the directory it is in"
                }
                ErrorKind::ReadOnlyFilesystem => {
                    "that disk is mounted read-only; set VIRTPY_HOME to a directory that can be written"
                }
                _ => return None,
            },
        };
        Some(text.to_owned())
    }
}

/// What is told of something that could not be fetched: who does not answer and why, or else what was asked for.
fn network_message(what: &str, status: Option<u16>, cause: Option<&Cause>) -> String {
    match (status, plain_reason(cause)) {
        (Some(status), _) => format!("could not fetch {what} (HTTP status {status})"),
        (None, Some(PlainReason::Repository { address, reason })) => {
            let address = address.map_or_else(|| what.to_owned(), |address| format!("`{address}`"));
            format!("could not clone {address}: {reason}")
        }
        (None, Some(PlainReason::Connection(reason))) => {
            let host = what.split_once("://").and_then(|(_, rest)| rest.split(['/', '`']).next());
            match host.filter(|host| !host.is_empty()) {
                Some(host) => format!("could not reach `{host}`: {reason}"),
                None => format!("could not fetch {what}: {reason}"),
            }
        }
        (None, None) => format!("could not fetch {what}"),
    }
}

/// Why something could not be fetched, where that can be told in one clause.
enum PlainReason {
    Repository { address: Option<String>, reason: String },
    Connection(String),
}

fn plain_reason(cause: Option<&Cause>) -> Option<PlainReason> {
    let chain = cause?.whole();
    if let Some((address, reason)) = reasons::repository(&chain) {
        return Some(PlainReason::Repository { address, reason });
    }
    reasons::connection(&chain).map(PlainReason::Connection)
}

/// What helps against an error of the system that is not about the file that was at hand, wherever it came up.
fn hint_by_number(message: &str) -> Option<&'static str> {
    let (_, number) = message.rsplit_once("(os error ")?;
    match number.strip_suffix(')')? {
        "23" | "24" => Some("raise the limit of open files (`ulimit -n`), then run the command again"),
        "5" => Some("the disk or its connection is failing: see the system's log, and save what is on it"),
        "27" => Some("raise the limit of a file's size (`ulimit -f`), then run the command again"),
        "28" | "122" => Some("free some space on that disk, then run the command again"),
        _ => None,
    }
}

/// Why something failed: a message, and its own cause. Texts only, so that no type of the libraries
/// underneath leaves this crate.
#[derive(Debug)]
pub struct Cause {
    message: String,
    source: Option<Box<Self>>,
}

impl Cause {
    /// A cause without a further one.
    pub(crate) fn new(message: impl AsRef<str>) -> Self {
        Self { message: reword(message.as_ref()), source: None }
    }

    /// The whole chain of an error, in virtpy's words and without repetitions.
    pub(crate) fn from_error(error: &(dyn StdError + 'static)) -> Self {
        Self::from_messages(messages(error)).unwrap_or_else(|| Self::new("the reason is not known"))
    }

    /// The chain of what caused an error, without its own message.
    pub(crate) fn behind(error: &(dyn StdError + 'static)) -> Option<Self> {
        Self::from_messages(messages(error).into_iter().skip(1).collect())
    }

    /// All that it says, in one text.
    fn whole(&self) -> String {
        let mut text = self.message.clone();
        let mut next = self.source.as_deref();
        while let Some(cause) = next {
            text.extend([": ", &cause.message]);
            next = cause.source.as_deref();
        }
        text
    }

    /// Whether it, or what caused it, says this.
    fn mentions(&self, text: &str) -> bool {
        self.message.contains(text) || self.source.as_ref().is_some_and(|source| source.mentions(text))
    }

    fn from_messages(messages: Vec<String>) -> Option<Self> {
        messages
            .into_iter()
            .rev()
            .fold(None, |source, message| Some(Self { message, source: source.map(Box::new) }))
    }
}

/// The messages of an error and of its causes; one that only repeats what is said already is left out.
fn messages(error: &(dyn StdError + 'static)) -> Vec<String> {
    let mut messages: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let message = reword(&error.to_string());
        if !message.is_empty() && !messages.iter().any(|said| said.contains(&message)) {
            messages.push(message);
        }
        next = error.source();
    }
    messages
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// What to do where the network was not to be used: what asked for that is named.
pub(crate) fn again_with_network() -> &'static str {
    let value = std::env::var("UV_OFFLINE").unwrap_or_default().to_lowercase();
    if matches!(value.as_str(), "y" | "yes" | "t" | "true" | "on" | "1") {
        "run it again with the variable `UV_OFFLINE` unset"
    } else {
        "run it again without `--offline`"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_lacks_decides_the_hint() {
        let of = |number| {
            let cause = Cause::from_error(&std::io::Error::from_raw_os_error(number));
            Error::Requirements {
                message: "cannot read".to_owned(),
                hint: Some("own".to_owned()),
                cause: Some(cause),
            }
            .hint()
            .unwrap_or_default()
        };
        assert!(of(24).contains("ulimit -n"));
        assert!(of(28).contains("free some space"));
        assert!(of(5).contains("the disk or its connection"));
        assert_eq!(of(2), "own");
    }
}
