//! The interpreters that can be installed, and where their archives are.
//!
//! There are three sources: what the user describes with environment variables (`custom`), an index that the
//! user names (`index`, with the copy that `remembered` keeps), and the index that is part of the program (`builtin`). A [`Catalogue`] asks them in
//! this order. `triple` says which builds fit this machine, `asset` what an
//! archive's name tells, `releases` makes an index, `location` gets what is at a URL or a path.

mod asset;
mod builtin;
mod catalogue;
mod custom;
mod environment;
mod error;
mod index;
pub mod location;
pub mod releases;
mod remembered;
#[cfg(test)]
mod testing;
mod triple;

pub use builtin::document as built_in_document;
pub use catalogue::Catalogue;
pub use environment::Environment;
pub use error::{AvailableError, FetchError, FetchProblem};
pub use location::{Fetch, Transferred};
pub use triple::of_this_machine as this_triple;

use virtpy_pep::Sha256Digest;

/// One archive that an interpreter can be installed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// What it is asked for and installed by: `3.12.11`, the free-threaded build of 3.13.2 is `3.13.2t`; a
    /// custom distribution's own name (`pypy3.10`, `myco-3.12`).
    pub name: String,
    /// `CPython`'s version, or the `VERSION` of a custom distribution (PEP 440).
    pub version: String,
    /// The date of the build of a standalone distribution, such as `20261021`.
    pub build: Option<String>,
    /// Whether it is built without the global interpreter lock (PEP 703).
    pub free_threaded: bool,
    /// The target triple; none for custom distributions.
    pub triple: Option<String>,
    /// Where the archive is: an `http(s)` or `file` URL, or a path.
    pub location: String,
    /// Its SHA-256; without one it is not verified.
    pub sha256: Option<Sha256Digest>,
    /// The interpreter inside the archive, with `/`; without one, `python/bin/python3`, or what a full archive
    /// has, `python/install/bin/python3`, in that order.
    pub executable: Option<String>,
    /// How virtpy learned of it.
    pub source: BuildSource,
}

/// How virtpy learned of a build. The order is that in which the sources are asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BuildSource {
    /// From the environment variables that describe a custom distribution.
    Custom,
    /// From the index at this address.
    Index(String),
    /// From the index that is part of the program.
    BuiltIn,
}
