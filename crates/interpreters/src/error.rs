//! Why there is no interpreter, and what to do about it.

use std::io;
use std::path::PathBuf;

use super::PythonRequest;
use super::version::OLDEST;

/// Why there is no interpreter.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The search ended without a match.
    #[error("{}", not_found_message(.request.as_deref(), .found, .broken))]
    NotFound {
        /// The request as text; `None` if none was made.
        request: Option<String>,
        /// What was found instead, best first: version and executable.
        found: Vec<(String, PathBuf)>,
        /// What is wrong with those that did not work.
        broken: Vec<String>,
    },
    /// The request names a version that virtpy does not support.
    #[error("Python {} is too old for virtpy", .request.trim_start_matches("python"))]
    RequestTooOld {
        /// The version as text.
        request: String,
    },
    /// Nothing stands at the path.
    #[error("there is no interpreter at `{}`", .path.display())]
    Missing {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The folder is neither a venv nor an installation.
    #[error("the folder `{}` has no `bin/python`", .folder.display())]
    NoInterpreterInFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The venv's base interpreter was removed.
    #[error("the interpreter of the venv `{}` is gone", .venv.display())]
    BrokenVenv {
        /// The venv's folder.
        venv: PathBuf,
    },
    /// The operating system could not start the executable.
    #[error("could not start `{}`", .executable.display())]
    Start {
        /// The executable.
        executable: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The executable did not answer in time and was ended.
    #[error("`{}` did not answer within {seconds} s", .executable.display())]
    TimedOut {
        /// The executable.
        executable: PathBuf,
        /// How long virtpy waited, in seconds.
        seconds: u64,
    },
    /// The executable ended with an error.
    #[error(
        "`{}` failed ({status}){}{output}",
        .executable.display(),
        if .output.is_empty() { "" } else { ": " }
    )]
    Failed {
        /// The executable.
        executable: PathBuf,
        /// How it ended.
        status: String,
        /// The end of what it wrote to standard error, on one line.
        output: String,
    },
    /// The executable printed something, but no facts.
    #[error("`{}` is not a Python interpreter: {reason}", .executable.display())]
    NotPython {
        /// The executable.
        executable: PathBuf,
        /// What is wrong with its answer.
        reason: String,
    },
    /// The interpreter works, but virtpy does not support its version.
    #[error("`{}` is Python {version}, which is too old for virtpy", .executable.display())]
    TooOld {
        /// The executable.
        executable: PathBuf,
        /// The version, or what is known about it.
        version: String,
    },
    /// Links, wrappers and venvs led from one to the next without end.
    #[error("`{}` leads to no interpreter", .executable.display())]
    Endless {
        /// Where it began.
        executable: PathBuf,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        let oldest = format!("{}.{}", OLDEST.0, OLDEST.1);
        let hint = match self {
            Self::NotFound { request: Some(request), .. } if is_version(request) => {
                let quote = if request.contains(['<', '>', '!', '~', '*']) { "'" } else { "" };
                format!(
                    "install it with `virtpy python install {quote}{request}{quote}`, or name an interpreter with \
                     `-p /path/to/python`"
                )
            }
            Self::NotFound { .. } => {
                "install one with `virtpy python install`, or name an interpreter with `-p /path/to/python`"
                    .to_owned()
            }
            Self::RequestTooOld { .. } | Self::TooOld { .. } => {
                format!("virtpy works with Python {oldest} and newer; choose another with `-p`")
            }
            Self::Missing { .. } | Self::NoInterpreterInFolder { .. } => {
                "`-p` takes a version, an executable, a venv or the folder of an installation".to_owned()
            }
            Self::BrokenVenv { .. } => "make the venv again with an interpreter that exists".to_owned(),
            Self::Start { .. }
            | Self::TimedOut { .. }
            | Self::Failed { .. }
            | Self::NotPython { .. }
            | Self::Endless { .. } => {
                "see whether `-I -S -c 'import sysconfig'` runs with it, or choose another with `-p`"
                    .to_owned()
            }
        };
        Some(hint)
    }
}

/// Whether a request is for a version, not for a command or a path.
fn is_version(request: &str) -> bool {
    request
        .parse()
        .is_ok_and(|request| matches!(request, PythonRequest::Version(_) | PythonRequest::Range(_)))
}

fn not_found_message(request: Option<&str>, found: &[(String, PathBuf)], broken: &[String]) -> String {
    let mut lines = vec![match request {
        Some(request) if is_version(request) => format!("no Python {request} found"),
        Some(request) => format!("no interpreter matches `{request}`"),
        None => "no Python interpreter found".to_owned(),
    }];
    if !found.is_empty() {
        lines.push("found:".to_owned());
        lines.extend(found.iter().map(|(version, path)| format!("  {version} at {}", path.display())));
    }
    if !broken.is_empty() {
        lines.push("not usable:".to_owned());
        lines.extend(broken.iter().map(|reason| format!("  {reason}")));
    }
    lines.join("\n")
}
