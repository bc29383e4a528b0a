//! Python interpreters: what a user may ask for (`request`, `range`, `version`), where they are found
//! (`discover`, `pyenv`, with `hint` to start few of them), and what is known about them (`query` with
//! `target` and `process`, remembered by `cache`), and what can be installed (`available`).
//!
//! An [`Interpreter`] is always a base interpreter: shims of version managers, links and the `python` of a
//! venv are followed to the executable behind them, so that a venv made from it depends on nothing else.

pub mod available;
mod cache;
mod discover;
mod error;
mod hint;
mod interpreter;
pub mod managed;
pub mod patch;
mod platform;
mod process;
mod pyenv;
mod query;
mod range;
mod request;
mod sources;
mod tags;
mod target;
#[cfg(test)]
mod testing;
mod version;

pub use discover::{find, find_all, find_all_reporting, find_reporting};
pub use error::Error;
pub use interpreter::{Interpreter, Libc};
pub use query::{probe_version, query};
pub use range::{RangeError, VersionRange};
pub use request::{NotAVersion, PythonRequest, VersionRequest};
pub use sources::Sources;
pub use target::real_program;
pub use version::{PythonVersion, VersionError};
