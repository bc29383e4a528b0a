//! Poetry: its projects and lock files, its installations on this machine, and the plugin that virtpy puts into them.
//!
//! | file | owns |
//! |---|---|
//! | `installations` | finding the Poetries of this machine |
//! | `project`, `lock`, `constraint`, `content_hash` | reading `pyproject.toml` and `poetry.lock` |
//! | `selection` | which packages of a lock file an environment needs |
//! | `wanted`, `supply` | from locked packages to entries of the store |
//! | `root` | the project itself, used in place |
//! | `plugin` | the plugin's files: as a wheel, into a Poetry, out of it again |

mod constraint;
mod content_hash;
mod error;
mod installations;
mod lock;
mod plugin;
mod project;
mod root;
mod selection;
mod supply;
mod wanted;

pub use error::PoetryError;
pub use installations::{Installation, Places, find, named};
pub use lock::{LockFile, LockedPackage, Source};
pub use plugin::{Plugin, State};
pub use project::{Group, GroupChoice, MAIN, Project, group_name};
pub use root::{RootWheel, root_wheel};
pub use selection::{Selection, select};
pub use supply::{request, with_indexes};
pub use wanted::{Ask, Wanted, file_url, identity_of_folder};
