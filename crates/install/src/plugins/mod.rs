//! Other tools that make venvs: their installations on this machine, and the plugins that virtpy puts into them.
//!
//! | file | owns |
//! |---|---|
//! | `tool` | which tools there are, and which plugin is for which |
//! | `installations` | finding the installations of this machine |
//! | `carried` | the plugins' sources, which `shims/` has |
//! | `plugin` | a plugin's files: as a wheel, into a tool, out of it again |

mod carried;
mod error;
mod installations;
mod plugin;
mod tool;

pub use carried::Carried;
pub use error::PluginError;
pub use installations::{Installation, Places, find, in_environment, named};
pub use plugin::{Plugin, State};
pub(crate) use plugin::{carry_over, is_plugin};
pub use tool::Tool;
