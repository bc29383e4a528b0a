//! What an environment may be brought to: requirements, a lock file or a project's own file, a project of Poetry's, wheels of this
//! machine. Each is a [`Source`](crate::Source), which finds out what has to come and go.

mod closure;
mod directories;
mod lock;
mod lock_source;
mod poetry;
mod requirements;
mod wheels;

pub use lock_source::{LockChoice, LockSource};
pub use poetry::{PoetryChoice, PoetryProject};
pub use requirements::{BuildOptions, Requirements};
pub use wheels::{LocalWheel, WheelSource};
