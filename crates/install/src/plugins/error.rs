//! What can go wrong with other tools' installations and the plugins in them.

use std::path::PathBuf;

use virtpy_files::PathError;

use super::Tool;

/// What can go wrong with other tools' installations and the plugins in them.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// A path could not be read or written.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A path was named at which the tool is not.
    #[error("`{}` is not {tool}: {reason}", .path.display())]
    NotTool {
        /// What was looked for.
        tool: &'static str,
        /// The path as it was given.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A name that is neither a command nor a path.
    #[error("no command `{0}` on PATH, and no directory of that name")]
    NoCommand(String),
    /// A tool that the plugin was not made for.
    #[error("the plugin does not fit {tool} {version} at `{}`", .path.display())]
    Unsupported {
        /// Which tool.
        tool: &'static str,
        /// Where it is.
        path: PathBuf,
        /// Its version.
        version: String,
        /// Which it fits.
        needs: &'static str,
    },
    /// The plugin came into this tool by another way than `virtpy enable`.
    #[error("the plugin in the {tool} at `{}` was put there by {installer}", .path.display())]
    NotOurs {
        /// Which tool.
        tool: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What its INSTALLER file says.
        installer: String,
        /// The plugin's name.
        project: &'static str,
    },
    /// The plugin's wheel could not be put together.
    #[error("the plugin's wheel could not be made: {0}")]
    Wheel(String),
}

impl PluginError {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Path(error) => error.hint(),
            Self::NotTool { tool: "Poetry", .. } => {
                Some("name the command `poetry`, or the directory of the environment it is in".to_owned())
            }
            Self::NotTool { .. } => {
                Some("name the tool's command, or the directory of the environment it is in".to_owned())
            }
            Self::NoCommand(_) => Some(format!(
                "name a tool ({}), its command, or the directory of the environment it is in",
                Tool::names()
            )),
            Self::Unsupported { tool: "Poetry", needs, .. } => Some(format!(
                "it needs {needs}; every Poetry works in virtpy's venvs without it, and `virtpy adopt` shares what it \
                 installed"
            )),
            Self::Unsupported { needs, .. } => Some(format!(
                "it needs {needs}; upgrade that in the tool's environment, or share what was installed with `virtpy adopt`"
            )),
            Self::NotOurs { project, tool: "Poetry", .. } => Some(format!(
                "remove it the same way: `poetry self remove {project}`, `pipx uninject`, or pip"
            )),
            Self::NotOurs { project, .. } => {
                Some(format!("remove it the same way: `pip uninstall {project}`, or `pipx uninject`"))
            }
            Self::Wheel(_) => None,
        }
    }
}
