//! Python interpreters: what a user may ask for (`request`, `range`, `version`), where they are found
//! (`discover`, `pyenv`, with `hint` to start few of them), and what is known about them (`query` with
//! `target` and `process`, remembered by `cache`), and what can be installed (`available`).
//!
//! An [`Interpreter`] is always a base interpreter: shims of version managers, links and the `python` of a
//! venv are followed to the executable behind them, so that a venv made from it depends on nothing else.

pub mod available;
mod cache;
mod discover;
mod hint;
pub mod managed;
pub mod patch;
mod process;
mod pyenv;
mod query;
mod range;
mod request;
mod tags;
mod target;
#[cfg(test)]
mod testing;
mod version;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use virtpy_files as fs;

pub use discover::{Sources, find, find_all, find_all_telling, find_telling};
pub use query::{introduce, query};
pub use range::{RangeError, VersionRange};
pub use request::{NotAVersion, PythonRequest, VersionRequest};
pub use version::{PythonVersion, VersionError};

/// The facts about one base interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    /// The real executable; its folder is the `home` of a venv (PEP 405).
    pub executable: PathBuf,
    /// Its version.
    pub version: PythonVersion,
    /// `sys.implementation.name`: `cpython`, `pypy`, `graalpy`.
    pub implementation: String,
    /// `sys.base_prefix`: the folder of the installation.
    pub prefix: PathBuf,
    /// The folder of the standard library.
    pub stdlib: PathBuf,
    /// Where a venv of this interpreter keeps pure packages, relative to the venv:
    /// `lib/python3.12/site-packages`.
    pub purelib: PathBuf,
    /// The same for packages with compiled parts; differs from `purelib` where [`Self::platlibdir`] is
    /// `lib64`.
    pub platlib: PathBuf,
    /// The folders of packages of the installation itself, which a venv may see.
    #[serde(default)]
    pub packages: Vec<PathBuf>,
    /// `sys.platlibdir`: `lib`, or `lib64` on Fedora and its relatives.
    pub platlibdir: String,
    /// Whether it was built without the global interpreter lock (PEP 703).
    pub free_threaded: bool,
    /// `sys.abiflags`: `t` for free-threaded, `d` for debug builds.
    pub abi_flags: String,
    /// `sys.implementation.cache_tag`: the part of bytecode's names that tells whose it is, such as `cpython-312`.
    pub cache_tag: Option<String>,
    /// The number that its bytecode begins with, in hexadecimal digits.
    pub magic: String,
    /// The ABI part of extension modules' names, such as `cpython-312-x86_64-linux-gnu`.
    pub soabi: Option<String>,
    /// How extension modules end, such as `.cpython-312-x86_64-linux-gnu.so`.
    pub extension_suffix: Option<String>,
    /// `sysconfig.get_platform()`, such as `linux-x86_64` or `macosx-11.0-arm64`.
    pub platform: String,
    /// 64 or 32 bits. A 32-bit interpreter may run on a 64-bit machine.
    pub pointer_width: u32,
    /// The C library on Linux, where it is one that wheels are built for.
    pub libc: Option<Libc>,
    /// Major and minor version of macOS.
    pub macos: Option<(u32, u32)>,
    /// The environment markers of PEP 508 and their values.
    pub markers: BTreeMap<String, String>,
}

/// The C library that an interpreter runs on, which decides about manylinux and musllinux wheels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Libc {
    /// `glibc` or `musl`.
    pub family: String,
    /// The 2 of 2.36.
    pub major: u32,
    /// The 36 of 2.36.
    pub minor: u32,
}

impl Interpreter {
    /// Version and build as folders name them: `3.12`, or `3.13t` for a free-threaded build.
    pub fn tag(&self) -> String {
        let threading = if self.free_threaded { "t" } else { "" };
        format!("{}.{}{threading}", self.version.major, self.version.minor)
    }

    /// The names that a venv gives this interpreter in its `bin`, `python` first.
    pub fn executable_names(&self) -> Vec<String> {
        let (major, minor) = (self.version.major, self.version.minor);
        let mut names = vec!["python".to_owned(), format!("python{major}"), format!("python{major}.{minor}")];
        if self.free_threaded {
            names.push(format!("python{major}.{minor}t"));
        }
        if self.implementation != "cpython" {
            let name = &self.implementation;
            names.extend([name.clone(), format!("{name}{major}"), format!("{name}{major}.{minor}")]);
        }
        names
    }
}

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
        let oldest = format!("{}.{}", request::OLDEST.0, request::OLDEST.1);
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
            Self::BrokenVenv { .. } => "make the venv anew with an interpreter that exists".to_owned(),
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

/// The program that would be run for an executable: in a venv whose `python` is a copy it is the base interpreter's. `None`
/// where it leads to none.
pub fn real_program(executable: &Path, working_directory: &Path) -> Option<PathBuf> {
    fs::canonicalize(&target::target(executable, working_directory).ok()?.path).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::testing::facts;
    use super::*;

    #[test]
    fn names_and_tags_follow_implementation_and_build() {
        let cpython = facts(Path::new("/opt/python"), "3.13.1");
        assert_eq!(cpython.tag(), "3.13");
        assert_eq!(cpython.executable_names(), ["python", "python3", "python3.13"]);
        let threaded = Interpreter { free_threaded: true, ..cpython.clone() };
        assert_eq!(threaded.tag(), "3.13t");
        assert_eq!(threaded.executable_names(), ["python", "python3", "python3.13", "python3.13t"]);
        let pypy =
            Interpreter { implementation: "pypy".to_owned(), ..facts(Path::new("/opt/pypy"), "3.10.14") };
        assert_eq!(pypy.executable_names(), ["python", "python3", "python3.10", "pypy", "pypy3", "pypy3.10"]);
    }

    #[test]
    fn facts_survive_a_round_trip() {
        let libc = Libc { family: "musl".to_owned(), major: 1, minor: 2 };
        let facts = Interpreter {
            libc: Some(libc),
            macos: Some((14, 2)),
            ..facts(Path::new("/opt/python"), "3.13.1")
        };
        let json = serde_json::to_string(&facts).unwrap();
        assert_eq!(serde_json::from_str::<Interpreter>(&json).unwrap(), facts);
    }
}
