//! Poetry: its projects and lock files.
//!
//! | file | owns |
//! |---|---|
//! | `project`, `lock`, `constraint`, `content_hash` | reading `pyproject.toml` and `poetry.lock` |
//! | `required` | what a project requires, in the words of other tools |
//! | `selection` | which packages of a lock file an environment needs |
//! | `wanted`, `supply` | from locked packages to entries of the store |
//! | `root` | the project itself, used in place |

mod constraint;
mod content_hash;
mod error;
mod lock;
mod project;
mod required;
mod root;
mod selection;
mod supply;
mod wanted;

pub use error::PoetryError;
pub use lock::{LockFile, LockedPackage, Source};
pub use project::{Group, GroupChoice, MAIN, Project, group_name};
pub use root::{RootWheel, root_wheel};
pub use selection::{Selection, select};
pub use supply::{request, with_indexes};
pub use wanted::{Ask, Wanted, file_url, identity_of_folder};
