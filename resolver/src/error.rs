//! What can go wrong between a requirement and a wheel, in words of virtpy.

use uv_errors::Hint as _;

use crate::reword::reword;

/// Why the request could not be met.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The requirements cannot be read.
    #[error("{0}")]
    Requirements(String),
    /// No set of versions fits.
    #[error("no set of versions fits these requirements")]
    NoSolution {
        /// The story of the conflict.
        source: Story,
        /// What to do, as far as the resolver can tell.
        hint: Option<String>,
    },
    /// An index or a download did not answer as it should.
    #[error("{message}")]
    Network {
        /// What failed.
        message: String,
        /// Why.
        source: Story,
    },
    /// Nothing on this machine has what is needed, and no connection may be made.
    #[error("{message}")]
    Offline {
        /// What is missing.
        message: String,
    },
    /// The bytes are not the ones that were promised.
    #[error("the file of `{package}` does not have the expected hash")]
    Hash {
        /// Name and version.
        package: String,
        /// What was promised and what came.
        source: Story,
    },
    /// A source could not be built.
    #[error("could not build `{package}`")]
    Build {
        /// Name and version.
        package: String,
        /// The build backend's last words.
        source: Story,
    },
    /// The interpreter does not tell its facts.
    #[error("the interpreter `{interpreter}` cannot be used")]
    Interpreter {
        /// Its path.
        interpreter: String,
        /// Why.
        source: Story,
    },
    /// The configuration makes no sense.
    #[error("{0}")]
    Settings(String),
    /// Who was given a wheel could not use it.
    #[error("`{package}` could not be taken over")]
    Receiver {
        /// Name and version.
        package: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file could not be read or written.
    #[error("{0}")]
    File(String),
}

/// A cause told in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Story(pub(crate) String);

impl Story {
    /// The whole chain of an error, a line each, each cause once.
    pub(crate) fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut lines: Vec<String> = vec![reword(&error.to_string())];
        let mut source = error.source();
        while let Some(cause) = source {
            let text = reword(&cause.to_string());
            if !lines.iter().any(|line| line.contains(&text)) {
                lines.push(text);
            }
            source = cause.source();
        }
        Self(lines.join("\n"))
    }

    /// The chain of an `anyhow` error.
    pub(crate) fn of_any(error: &anyhow::Error) -> Self {
        Self::of(error.as_ref())
    }
}

impl Error {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoSolution { hint, .. } => return hint.clone(),
            Self::Requirements(_) => {
                "a requirement looks like `name`, `name[extra]>=1.2`, a path, or a URL".to_owned()
            }
            Self::Network { .. } => {
                "check the connection and the index; `--index-url` names another one, `--offline` asks none".to_owned()
            }
            Self::Offline { .. } => "run the command once without `--offline`".to_owned(),
            Self::Hash { .. } => {
                "do not use the file: the index, the mirror or the connection changed it, or the expected hash is \
                 of another file"
                    .to_owned()
            }
            Self::Build { .. } => {
                "its build backend refused; `--only-binary` keeps to wheels, and another version may have one for \
                 this Python"
                    .to_owned()
            }
            Self::Interpreter { .. } => "make the venv anew with another interpreter: `virtpy new --clear -p …`".to_owned(),
            Self::Settings(_) | Self::Receiver { .. } | Self::File(_) => return None,
        };
        Some(hint)
    }

    /// From the resolver's own error.
    pub(crate) fn of_resolve(error: uv_resolver::ResolveError, offline: bool) -> Self {
        match error {
            uv_resolver::ResolveError::NoSolution(no_solution) => {
                let hints: Vec<String> =
                    no_solution.hints().into_iter().map(|hint| reword(&strip_styles(&hint))).collect();
                let story = Story(reword(&strip_styles(&no_solution.to_string())));
                let hint = (!hints.is_empty()).then(|| hints.join("\n"));
                Self::NoSolution { source: story, hint: hint.or_else(|| usual_hint(offline)) }
            }
            other => {
                let source = Story::of(&other);
                if source.0.contains("offline") || source.0.contains("network was disabled") {
                    let message = source.0.lines().next().unwrap_or_default().to_owned();
                    return Self::Offline { message };
                }
                let is_build =
                    matches!(&other, uv_resolver::ResolveError::Dist(..)) && source.0.contains("build");
                if is_build {
                    return Self::Build { package: first_name(&source.0), source };
                }
                Self::Network { message: "the resolution stopped".to_owned(), source }
            }
        }
    }
}

fn usual_hint(offline: bool) -> Option<String> {
    let text = if offline {
        "without `--offline` the index may have more"
    } else {
        "loosen one of the requirements, or accept pre-releases with `--pre`"
    };
    Some(text.to_owned())
}

/// What stands between the first pair of backticks.
fn first_name(text: &str) -> String {
    text.split('`').nth(1).unwrap_or("a package").to_owned()
}

/// Takes terminal colours out: what is shown is coloured by those who show it.
fn strip_styles(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        if letter == '\u{1b}' {
            for skipped in rest.by_ref() {
                if skipped.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            plain.push(letter);
        }
    }
    plain
}
