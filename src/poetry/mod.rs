//! Poetry: its projects and lock files, its installations on this machine, and the plugin that virtpy puts into them.
//!
//! | file | owns |
//! |---|---|
//! | `installations` | finding the Poetries of this machine |
//! | `plugin` | the plugin's files: as a wheel, into a Poetry, out of it again |

mod error;
mod installations;
mod plugin;

pub use error::PoetryError;
pub use installations::{Installation, Places, examine, find};
pub use plugin::{Plugin, State};
