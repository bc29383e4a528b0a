//! Paths in settings.

use std::path::PathBuf;

use crate::install::{Error, Result};

/// A directory that does not depend on where a command is called; `~` is the user's own.
pub(super) fn absolute(setting: &str, text: &str) -> Result<PathBuf> {
    let path = match text.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        None => PathBuf::from(text),
    };
    if path.is_absolute() {
        return Ok(path);
    }
    Err(Error::new(format!("the setting `{setting}`: `{text}` is not an absolute path"))
        .hinted("begin it with `/` or `~/`"))
}
