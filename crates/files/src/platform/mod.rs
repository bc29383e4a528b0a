//! What systems do differently. Both have the same functions; nothing else in this crate asks on which system it runs.
//!
//! `unix` works on open folders and follows no link. Windows has no call that works on a name in an open folder, but a folder that is
//! held open there without sharing its deletion cannot be renamed, so `windows` holds all that is on the way.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::*;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::*;
