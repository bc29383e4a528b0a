//! Folders that `pip install` is given: each has to be one that can be built. It is told before anything is asked or fetched.

use std::path::{Path, PathBuf};

use virtpy_pep::Requirement;

use super::call::Call;
use crate::error::Failure;
use crate::fs;
use crate::install::Requirements;

/// # Errors
/// For a folder that nothing can be built from, and for what cannot be installed in place.
pub(super) fn check(call: &Call<'_>, wanted: &Requirements) -> Result<(), Failure> {
    for text in &wanted.specs {
        if let Some(folder) = folder_of(call, text)
            && !is_project(&folder)
        {
            return Err(Failure::new(format!(
                "Directory '{text}' is not installable. Neither 'setup.py' nor 'pyproject.toml' found."
            )));
        }
    }
    for text in &wanted.editables {
        let folder = folder_of(call, text);
        if folder.as_ref().is_some_and(|folder| !is_project(folder)) {
            return Err(Failure::new(format!(
                "{text} does not appear to be a Python project: neither 'setup.py' nor 'pyproject.toml' found."
            )));
        }
        if folder.is_none() && !text.contains('@') && text.parse::<Requirement>().is_ok() {
            return Err(Failure::new(format!("{text} is not a valid editable requirement"))
                .hinted("`-e` takes a directory, or `git+URL#egg=NAME`"));
        }
    }
    Ok(())
}

/// The folder that is named by its path, with or without extras. What has no separator names a package first.
fn folder_of(call: &Call<'_>, text: &str) -> Option<PathBuf> {
    let text = text.trim();
    let path = text.strip_suffix(']').and_then(|text| text.split_once('[')).map_or(text, |(path, _)| path);
    if !path.contains('/') && !path.starts_with('.') || path.contains("://") {
        return None;
    }
    let in_work = |path| call.context.working_directory.join(path);
    [text, path]
        .map(in_work)
        .into_iter()
        .find(|folder| fs::metadata(folder).is_ok_and(|facts| facts.is_dir()))
}

fn is_project(folder: &Path) -> bool {
    ["pyproject.toml", "setup.py"].iter().any(|name| fs::metadata(&folder.join(name)).is_ok())
}
