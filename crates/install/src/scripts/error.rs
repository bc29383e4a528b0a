//! Why a script cannot be run.

use std::path::PathBuf;

use virtpy_store::StoreError;

/// Why a script cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// A file, a folder or the store could not be used, or another process holds it.
    #[error(transparent)]
    Store(StoreError),
    /// What a pipe or the terminal gives cannot be read.
    #[error("the standard input cannot be read: {0}")]
    Input(std::io::Error),
    /// A script is far too large.
    #[error("the script has more than {0} bytes")]
    TooLarge(u64),
    /// There is no file of that name.
    #[error("there is no script `{}`", .0.display())]
    Missing(PathBuf),
    /// A folder that Python cannot run.
    #[error("the directory `{}` has no `__main__.py`", .0.display())]
    NoMain(PathBuf),
    /// The metadata begin and do not end.
    #[error("the script's metadata begin in line {begin} and do not end")]
    Unclosed {
        /// The line of `# /// script`.
        begin: usize,
        /// The first line after it that is no part of the block.
        stop: usize,
    },
    /// There are two blocks of metadata.
    #[error("the script has metadata in line {first} and again in line {second}")]
    Twice {
        /// The line in which the first begins.
        first: usize,
        /// The line in which the second begins.
        second: usize,
    },
    /// The metadata are not text.
    #[error("line {line} of the script's metadata is not UTF-8")]
    NotUtf8 {
        /// The line of the script.
        line: usize,
    },
    /// The metadata make no sense.
    #[error("the script's metadata make no sense: line {line}: {reason}")]
    Invalid {
        /// The line of the script.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The metadata ask for what virtpy cannot do, and without it other packages would be installed.
    #[error("the script's metadata ask for `{what}`, which virtpy cannot do")]
    Unsupported {
        /// The key.
        what: String,
        /// What would do.
        instead: &'static str,
    },
}

impl<E: Into<StoreError>> From<E> for ScriptError {
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl ScriptError {
    /// That a key below `tool.uv` asks for what virtpy cannot do.
    pub(super) fn unsupported(key: &str, instead: &'static str) -> Self {
        Self::Unsupported { what: format!("tool.uv.{key}"), instead }
    }

    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::NotUtf8 { .. } | Self::Invalid { .. } | Self::Input(_) | Self::TooLarge(_) => None,
            Self::Missing(_) => Some("a relative path starts in the current directory".to_owned()),
            Self::NoMain(_) => Some("name the file that is to be run".to_owned()),
            Self::Unclosed { stop, .. } => Some(format!(
                "the block ends with a line `# ///`, and each line before it is `#` or begins with `# `; line {stop} is \
                 neither"
            )),
            Self::Twice { .. } => Some("a script has one block `# /// script`".to_owned()),
            Self::Unsupported { instead, .. } => Some((*instead).to_owned()),
        }
    }
}
