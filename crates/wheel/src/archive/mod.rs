//! Reading archives that strangers made.
//!
//! A wheel is a zip archive, and everything in it is hostile input: names that leave the folder, two readings of
//! the same bytes (what the central directory says against what the local headers say), data that grows a
//! thousandfold. This module has ONE policy for all of that. [`Archive::open`] checks what the central directory
//! tells, every read compares a member with its local header, and [`Archive::unpack`] writes members below a
//! folder, in parallel, hashing them on the way. What a member means is not known here: see the module `wheel`.

mod case_collision;
mod error;
mod limits;
mod name;
mod reader;
pub mod tar;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod unpack;
mod whole;
mod write;
mod zip_archive;
mod zip_structure;

pub use error::{Error, Problem};
pub use limits::Limits;
pub use name::{NameProblem, check as check_name};
pub use unpack::{Target, Written, folders_of};
pub use write::write;
pub use zip_archive::{Archive, Member};
