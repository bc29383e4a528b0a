//! Calling git.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use virtpy_resolver::{GitSetting, add_git_settings};

use crate::{Error, Result};

/// Runs git in a folder and returns what it printed.
pub(super) fn git(folder: Option<&Path>, words: &[&OsStr]) -> Result<String> {
    git_with(&[], folder, words)
}

/// As [`git`], with settings that are nobody else's business.
pub(super) fn git_with(settings: &[GitSetting], folder: Option<&Path>, words: &[&OsStr]) -> Result<String> {
    let mut command = Command::new("git");
    command.args(words).stdin(Stdio::null());
    if !settings.is_empty() {
        add_git_settings(&mut command, settings);
    }
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    // They are set for git's own hooks, and name another repository.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    let output = command
        .output()
        .map_err(|error| Error::new(format!("`git` does not start: {error}")).hinted("install git"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    let word = words.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    Err(Error::new(joined(&told)).within(format!("`git {word}` failed")))
}

/// Several lines as one, without what is empty.
fn joined(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_is_told_in_one_line() {
        assert_eq!(joined("fatal: no\n\n  such thing\n"), "fatal: no; such thing");
    }
}
