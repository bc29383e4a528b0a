//! What a user is told when a command fails: what failed, why, and what to do.

pub use crate::install::Error as Failure;
