//! The interpreters that virtpy installed, in `$VIRTPY_HOME/pythons`.
//!
//! Each has a folder of its own, named by its version (`3.12.11`, `3.13.2t`, `custom-pypy3.10`), with a `record` of what it
//! is and where it came from. `install` makes one beside its place and renames it: it is complete or absent. `links` keeps
//! what leads to it: `pythons/3.12`, through which venvs are made, and commands. `remove` knows who lives on it.

mod error;
mod install;
mod links;
mod record;
mod remove;
mod unpack;

pub use error::ManagedError;
pub use install::{Installer, Outcome};
pub use links::{as_named, name_in, through_minor};
pub use record::{Installed, Record, installed};
pub use remove::{named, remove, repair_links, venvs_on};
