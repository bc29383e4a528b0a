//! Where a user's shells and man look for what programs offer them, and writing there without replacing what is somebody else's.

use std::path::{Path, PathBuf};

use crate::error::Failure;
use crate::fs;

/// The user's directory for data that programs share.
///
/// # Errors
/// When there is no home directory.
pub(super) fn data_home() -> Result<PathBuf, Failure> {
    of_user("XDG_DATA_HOME", ".local/share")
}

/// The user's directory for programs' settings.
///
/// # Errors
/// When there is no home directory.
pub(super) fn config_home() -> Result<PathBuf, Failure> {
    of_user("XDG_CONFIG_HOME", ".config")
}

fn of_user(variable: &str, otherwise: &str) -> Result<PathBuf, Failure> {
    let set = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(otherwise));
    set.or_else(home).ok_or_else(|| {
        Failure::new("there is no home directory").hinted(format!("set `HOME` or `{variable}`"))
    })
}

/// Writes a file, unless there is one without a mark, which somebody else wrote.
///
/// # Errors
/// When there is one, or nothing can be written.
pub(super) fn write_own(path: &Path, text: &str, mark: &str) -> Result<(), Failure> {
    if fs::kind(path)?.is_some() && !fs::read_to_string(path).is_ok_and(|there| there.contains(mark)) {
        return Err(Failure::new(format!(
            "`{}` exists already, and virtpy did not write it",
            path.display()
        ))
        .hinted("move it away, or write to another place"));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write_atomic(path, text.as_bytes())?)
}
