//! What can be wrong in a venv, and how it is told.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// A requirement that nothing installed meets.
    Unmet {
        /// Who requires it.
        distribution: String,
        /// What.
        requirement: String,
    },
    /// A requirement that the installed version does not meet.
    Conflicting {
        /// Who requires it.
        distribution: String,
        /// What.
        requirement: String,
        /// The version that is there.
        installed: String,
    },
    /// A link into the store that leads nowhere.
    Dangling {
        /// The path, relative to the venv.
        path: String,
    },
    /// A distribution whose entry is gone from the store.
    NoEntry {
        /// Which.
        distribution: String,
        /// Where the entry was.
        path: String,
        /// The lower store that it was in; absent for the user's own.
        #[serde(skip_serializing_if = "Option::is_none")]
        store: Option<String>,
    },
    /// A distribution whose files in the store are not as they were unpacked, for all venvs.
    Damaged {
        /// Which.
        distribution: String,
        /// What is wrong with which file.
        reason: String,
        /// The lower store that they are in; absent for the user's own.
        #[serde(skip_serializing_if = "Option::is_none")]
        store: Option<String>,
    },
    /// A distribution of another installer.
    Foreign {
        /// Which.
        distribution: String,
        /// The installer's name.
        installer: String,
    },
    /// A distribution of which this venv has a copy of its own.
    Detached {
        /// Which.
        distribution: String,
        /// The files that were changed, relative to `site-packages`.
        edited: Vec<String>,
    },
    /// A path that is not as virtpy made it.
    Modified {
        /// The path, relative to the venv.
        path: String,
    },
    /// A file or directory of somebody's own in the place of a link.
    Replaced {
        /// The path, relative to the venv.
        path: String,
    },
    /// A distribution that another tool took away or replaced.
    Lost {
        /// Which.
        distribution: String,
    },
    /// A distribution whose wheel is for another interpreter or system.
    Incompatible {
        /// Which.
        distribution: String,
        /// Its wheel's file name.
        wheel: String,
        /// What its tags say, in words.
        made_for: String,
        /// The venv's interpreter, in the same words.
        interpreter: String,
    },
    /// Something lies among the packages in the store and is none.
    Stranger {
        /// Its name in `w/`.
        name: String,
    },
    /// The interpreter that the venv was made from is gone.
    NoInterpreter {
        /// Where it was.
        path: String,
    },
}

impl Problem {
    /// Whether it keeps the venv from working. Packages of other tools are only worth a note.
    pub fn is_error(&self) -> bool {
        !matches!(
            self,
            Self::Foreign { .. } | Self::Lost { .. } | Self::Detached { .. } | Self::Stranger { .. }
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmet { distribution, requirement } => {
                write!(formatter, "{distribution} requires {requirement}, which is not installed")
            }
            Self::Conflicting { distribution, requirement, installed } => {
                write!(formatter, "{distribution} requires {requirement}, but {installed} is installed")
            }
            Self::Dangling { path } => {
                write!(formatter, "`{path}` leads nowhere: the store no longer has its target")
            }
            Self::NoEntry { distribution, path, store: None } => {
                write!(formatter, "{distribution} is gone from the store: `{path}` is missing")
            }
            Self::NoEntry { distribution, path, store: Some(store) } => write!(
                formatter,
                "{distribution} is gone from the store `{store}`: `{path}` is missing; `virtpy relink` takes it from elsewhere"
            ),
            Self::Damaged { distribution, reason, store: Some(store) } => write!(
                formatter,
                "{distribution} was changed in the store `{store}`: {reason}; `virtpy store repair --relink` takes it from elsewhere"
            ),
            Self::Damaged { distribution, reason, store: None } => write!(
                formatter,
                "{distribution} was changed in the store, for all venvs: {reason}; `virtpy store repair` restores it"
            ),
            Self::Foreign { distribution, installer } => {
                write!(formatter, "{distribution} was installed by {installer}")
            }
            Self::Detached { distribution, edited } => {
                write!(formatter, "{distribution} is a copy of this venv's own")?;
                let files = edited.iter().map(|file| format!("`{file}`")).collect::<Vec<_>>().join(", ");
                if files.is_empty() { Ok(()) } else { write!(formatter, ", with changes in {files}") }
            }
            Self::Modified { path } => write!(
                formatter,
                "`{path}` is not as virtpy made it; `virtpy relink` makes it again, in place of what is there"
            ),
            Self::Replaced { path } => write!(
                formatter,
                "`{path}` stands in the place of a link; move it away, then `virtpy relink` makes the link again"
            ),
            Self::Lost { distribution } => {
                write!(formatter, "{distribution} was removed or replaced by another installer")
            }
            Self::Incompatible { distribution, wheel, made_for, interpreter } => write!(
                formatter,
                "{distribution} came as `{wheel}`, which is for {made_for}; this is {interpreter}"
            ),
            Self::Stranger { name } => write!(
                formatter,
                "`w/{name}` in the store belongs to no package; `virtpy store repair` moves it aside"
            ),
            Self::NoInterpreter { path } => write!(formatter, "`{path}` leads to no interpreter"),
        }
    }
}
