//! Where a lock goes, and in which form.

use std::path::{Path, PathBuf};

use virtpy_resolver::LockForm;

use super::inputs::Inputs;
use super::spec::Locking;
use crate::lockfile::LockKind;
use crate::{Error, Result, scripts};

/// Where a lock goes, and in which form.
pub(super) struct Target {
    /// The file; none for the standard output.
    pub(super) path: Option<PathBuf>,
    /// The directory that the lock's relative paths start from.
    pub(super) folder: PathBuf,
    pub(super) form: LockForm,
}

impl Target {
    /// Where the inputs' lock goes, for somebody in the directory `here`.
    pub(super) fn of(here: &Path, locking: &Locking, inputs: &Inputs) -> Result<Self> {
        let path = match &locking.output {
            None => default(here, inputs),
            Some(path) if path.as_os_str() == "-" => {
                return Ok(Self { path: None, folder: here.to_path_buf(), form: LockForm::Pylock });
            }
            Some(path) => here.join(path),
        };
        let form = if path.extension().is_some_and(|extension| extension == "txt") {
            LockForm::Requirements { hashes: locking.hashes }
        } else if LockKind::of(&path) == LockKind::Pylock {
            LockForm::Pylock
        } else {
            return Err(Error::usage(format!("`{}` is not a lock file name", path.display()))
                .hinted("`pylock.toml`, `pylock.NAME.toml` (PEP 751), or a name that ends in `.txt`"));
        };
        let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        Ok(Self { path: Some(path), folder, form })
    }
}

/// The lock file beside the script or the project.
fn default(here: &Path, inputs: &Inputs) -> PathBuf {
    let of_script = inputs.script.as_ref().and_then(|script| scripts::lock_name(&script.path));
    let beside = inputs.project.as_deref().and_then(Path::parent).unwrap_or(here);
    of_script.unwrap_or_else(|| beside.join("pylock.toml"))
}
