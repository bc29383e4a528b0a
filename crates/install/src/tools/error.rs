//! Why an application could not be looked after.

use std::path::PathBuf;

use virtpy_store::StoreError;

/// Why an application could not be looked after.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// A file, a folder or the store could not be used, or another process holds it.
    #[error(transparent)]
    Store(StoreError),
    /// The text cannot be an application's name.
    #[error("`{0}` cannot be the name of an application")]
    Name(String),
    /// The text cannot be appended to names.
    #[error("`{0}` cannot be a suffix")]
    Suffix(String),
    /// What is known of an application makes no sense.
    #[error("`{}` cannot be understood: {reason}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Another application has a command of that name.
    #[error("the command `{command}` belongs to the application `{owner}`")]
    OtherTool {
        /// The command, or the page's file name.
        command: String,
        /// The application.
        owner: String,
    },
    /// Something that virtpy did not put there has the name.
    #[error("`{}` is not virtpy's, and was left alone", .0.display())]
    Foreign(PathBuf),
}

impl<E: Into<StoreError>> From<E> for ToolError {
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl ToolError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Name(_) | Self::Suffix(_) => {
                Some("it may have letters, digits, and `.`, `-`, `_`, `@`, `+`".to_owned())
            }
            Self::Manifest { .. } => Some("install the application again with `--force`".to_owned()),
            Self::OtherTool { owner, .. } => Some(format!(
                "give this one other names with `--suffix`, or first `virtpy uninstall {owner}`"
            )),
            Self::Foreign(_) => {
                Some("remove it if it is not needed, or choose other names with `--suffix`".to_owned())
            }
        }
    }
}
