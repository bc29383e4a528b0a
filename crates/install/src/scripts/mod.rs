//! Scripts: what a word after `virtpy run` means, what a script says about itself (PEP 723), and the environments in the
//! cache that scripts and commands run in.
//!
//! An environment is a venv in `$VIRTPY_HOME/cache/environments`, under a digest of the interpreter and the wheels in it, so
//! that requests with the same answer share one. A note in `cache/runs`, under a digest of the request, leads to it. Both may
//! be deleted at any time.

mod environments;
mod error;
mod metadata;
mod places;
mod program;

pub use crate::resolve::{Watched, watch};
pub use environments::{CachedEnvironment, Environments, Note, is_environment};
pub use error::ScriptError;
pub use metadata::{Block, Metadata, block};
pub use program::{LARGEST_SCRIPT, Program, lock_beside, lock_name, program, read_input};
