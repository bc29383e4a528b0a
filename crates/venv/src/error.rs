//! What can go wrong with a venv.

use std::path::PathBuf;

use virtpy_files::PathError;
use virtpy_store::StoreError;
use virtpy_wheel as wheel;

/// Why a venv could not be made, read or changed.
#[derive(Debug, thiserror::Error)]
pub enum VenvError {
    /// A path could not be read or written.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The store could not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A wheel for another interpreter or system.
    #[error(transparent)]
    Incompatible(#[from] virtpy_pep::IncompatibleWheel),
    /// Nothing stands there.
    #[error("there is no venv at `{}`", .0.display())]
    Missing(PathBuf),
    /// A folder without `pyvenv.cfg`.
    #[error("`{}` is not a venv: it has no `pyvenv.cfg`", .0.display())]
    NotAVenv(PathBuf),
    /// A venv that another tool made.
    #[error("the venv at `{}` was made by another tool", .0.display())]
    NotOurs(PathBuf),
    /// `new` where something stands already.
    #[error("`{}` exists already{}", path.display(), if *is_venv { "" } else { " and is not a venv" })]
    Exists {
        /// The folder.
        path: PathBuf,
        /// Whether it is a venv, so that `--clear` may replace it.
        is_venv: bool,
    },
    /// A venv that has gone while another process was waited for.
    #[error("the venv at `{}` was replaced or removed meanwhile", .0.display())]
    Replaced(PathBuf),
    /// `new --clear` where the path is a link.
    #[error("`{}` is a link, and nothing is removed through one", .0.display())]
    LinkedPlace(PathBuf),
    /// `new` in the store, or above it.
    #[error("`{}` {what} the store `{}`", path.display(), store.display())]
    StorePlace {
        /// Where the venv was to be.
        path: PathBuf,
        /// The store.
        store: PathBuf,
        /// Whether it is in it or holds it.
        what: &'static str,
    },
    /// `new --clear` where more than a venv is.
    #[error("`{}` is not removed: {reason}", path.display())]
    NotProven {
        /// The folder.
        path: PathBuf,
        /// Why it is not taken for a venv alone.
        reason: String,
    },
    /// A folder of the venv's own that is a link or a file.
    #[error("`{}` is not a real directory, so this venv may lead anywhere; nothing was changed", .0.display())]
    NotAFolder(PathBuf),
    /// `export` where something stands already.
    #[error("`{}` exists already{}", path.display(), if *is_export { ": it is an earlier export" } else { "" })]
    ExportExists {
        /// The folder.
        path: PathBuf,
        /// Whether an export wrote it.
        is_export: bool,
    },
    /// `export` into the venv that is exported.
    #[error("`{}` is in the venv that is exported", .0.display())]
    ExportInside(PathBuf),
    /// A link at a place, or on the way to it, behind which there is nothing.
    #[error("`{}` is a link, and what it names is not there", .0.display())]
    LinkToNothing(PathBuf),
    /// A venv on a system for which there are none yet.
    #[error("there can be no venv at `{}`: venvs are not to be had on Windows yet", .0.display())]
    NotOnWindows(PathBuf),
    /// A path that no venv can have.
    #[error("a venv cannot be at `{}`: {reason}", path.display())]
    UnusablePath {
        /// The path.
        path: PathBuf,
        /// Which character is in the way, and why.
        reason: &'static str,
    },
    /// The prompt or the path cannot be written into an activation script.
    #[error(transparent)]
    Activation(#[from] super::activation::Error),
    /// The interpreter line cannot be written.
    #[error("no script can be made to run `{}`", .0.display())]
    Shebang(PathBuf, #[source] wheel::Error),
    /// `pyvenv.cfg` or `state.json` makes no sense.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A wheel wants a name that belongs to the venv itself.
    #[error("`{distribution}` would overwrite `{path}`, which belongs to the venv itself")]
    Reserved {
        /// The distribution's name.
        distribution: String,
        /// The path in the venv.
        path: String,
    },
    /// One wheel's file where another has a folder.
    #[error(
        "`{first}` and `{second}` cannot be together: `{path}` is a file in one and a folder in the other"
    )]
    FileAgainstFolder {
        /// The path in the venv.
        path: String,
        /// One distribution.
        first: String,
        /// The other.
        second: String,
    },
    /// Something that nobody owns is in the way.
    #[error("`{}` is in the way, and no distribution owns it", .0.display())]
    InTheWay(PathBuf),
    /// A distribution of the venv whose entry is gone from the store.
    #[error("the store no longer has `{0}`, which this venv uses")]
    MissingEntry(String),
    /// What somebody wrote into a package of the venv's own would be lost.
    #[error("{distribution} is this venv's own copy and was edited: {}; nothing was changed", some(files))]
    Edited {
        /// Name and version.
        distribution: String,
        /// What was changed, added or removed in it, relative to `site-packages`.
        files: Vec<String>,
    },
    /// The change failed, and going back failed too.
    #[error("the venv at `{}` could not be put back as it was", venv.display())]
    Rollback {
        /// The venv.
        venv: PathBuf,
        /// What stopped it.
        source: PathError,
    },
    /// A distribution of an older tool, which did not write down what belongs to it.
    #[error("`{distribution}` at `{}` does not say which files it has, so it is neither removed nor replaced", path.display())]
    NoFileList {
        /// Its name and version.
        distribution: String,
        /// What describes it.
        path: PathBuf,
    },
    /// A distribution that is not there.
    #[error("`{0}` is not installed")]
    NotInstalled(String),
}

/// The first of some paths, for a message.
fn some(paths: &[String]) -> String {
    let shown = paths.iter().take(5).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
    if paths.len() > 5 { format!("{shown} and {} more", paths.len() - 5) } else { shown }
}

impl VenvError {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Path(error) => return error.hint(),
            Self::Store(error) => return error.hint(),
            Self::Incompatible(error) => error.hint(),
            Self::Missing(path) => format!("make one with `virtpy new {}`", path.display()),
            Self::NotAVenv(_) => "give the folder that holds `pyvenv.cfg` with `--venv`".to_owned(),
            Self::NotOurs(path) => {
                format!("move its packages into the store with `virtpy adopt {}`", path.display())
            }
            Self::NotOnWindows(_) => "use virtpy in the Windows Subsystem for Linux (WSL)".to_owned(),
            Self::Exists { is_venv: true, .. } => "`--clear` removes it and makes a new one".to_owned(),
            Self::Exists { is_venv: false, .. } => {
                "choose another path, or remove that folder yourself if nothing in it is needed".to_owned()
            }
            Self::LinkedPlace(path) => format!(
                "name the folder itself, or remove the link with `rm {}` and make a venv there",
                path.display()
            ),
            Self::StorePlace { .. } => "choose another path".to_owned(),
            Self::NotProven { path, .. } => format!(
                "look what is in it; if nothing of it is needed, remove it yourself: `rm -r {}`",
                path.display()
            ),
            Self::NotAFolder(_) => {
                "if the venv is yours, make it again with `virtpy new --clear`; otherwise do not use it"
                    .to_owned()
            }
            Self::ExportExists { .. } => {
                "remove it first, or choose another path: an export overwrites nothing".to_owned()
            }
            Self::UnusablePath { .. } | Self::ExportInside(_) => "choose another folder".to_owned(),
            Self::Activation(_) => "choose another folder or another `--prompt`".to_owned(),
            Self::Damaged { .. } => "make the venv again with `virtpy new --clear`".to_owned(),
            Self::LinkToNothing(_) => "make the directory that it names, or remove the link".to_owned(),
            Self::Replaced(_) => "run the command again".to_owned(),
            Self::InTheWay(_) => "move it away, then run the command again".to_owned(),
            Self::Edited { distribution, .. } => {
                let name = distribution.split(' ').next().unwrap_or_default();
                format!(
                    "keep what you need of it, then discard it with `--force` or `virtpy detach --undo --force {name}`"
                )
            }
            Self::MissingEntry(_) => "`virtpy relink` fetches it again".to_owned(),
            Self::NoFileList { .. } => {
                "remove it with the tool that installed it, or make the venv again with `virtpy new --clear`"
                    .to_owned()
            }
            Self::Rollback { .. } => "the next command in that venv tries again".to_owned(),
            Self::Reserved { .. }
            | Self::FileAgainstFolder { .. }
            | Self::Shebang(..)
            | Self::NotInstalled(_) => return None,
        })
    }
}
