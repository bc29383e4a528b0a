//! Which environment a pip command is about.

use std::path::{Path, PathBuf};

use crate::cli::VenvArgument;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::store::Store;
use crate::venv::Venv;

/// Takes away the words before pip's own that name the venv, or the interpreter of one.
pub(super) fn place(words: &mut Vec<String>) -> Option<PathBuf> {
    let named =
        words.first().is_some_and(|first| first == "--venv" || first == "--python") && words.len() > 1;
    named.then(|| words.drain(..2).nth(1).map(PathBuf::from)).flatten()
}

/// The folder of the venv that a place means: the folder itself, or an interpreter in it.
pub(super) fn root_of(place: &Path) -> PathBuf {
    let is_venv = |path: &Path| matches!(fs::kind(&path.join("pyvenv.cfg")), Ok(Some(_)));
    let above = place.parent().and_then(Path::parent);
    match above {
        Some(above) if !is_venv(place) && is_venv(above) => above.to_path_buf(),
        _ => place.to_path_buf(),
    }
}

/// The folder of the environment that is meant, whoever made it.
pub(super) fn prefix(context: &Context, place: Option<&Path>) -> Option<PathBuf> {
    match place {
        Some(place) => Some(root_of(&context.working_directory.join(place))),
        None => context.venv_even_if_moved(&VenvArgument { path: None }).ok().map(|venv| venv.root),
    }
}

/// Opens the venv that is meant, with its own store: who calls its pip knows nothing of stores.
pub(super) fn open(context: &Context, place: Option<PathBuf>) -> Result<(Store, Venv), Failure> {
    let path = place.map(|place| root_of(&context.working_directory.join(place)));
    let venv = context.venv_even_if_moved(&VenvArgument { path })?;
    let store = context.host.believed_store(&venv).filter(|store| fs::metadata(store.home()).is_ok());
    Ok((store.unwrap_or_else(|| context.store.clone()), venv))
}

/// Whether a folder is a venv of virtpy's.
pub(super) fn is_ours(root: &Path) -> bool {
    Venv::is_at(root)
}
