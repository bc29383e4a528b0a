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
pub(super) fn root_of(context: &Context, place: &Path) -> PathBuf {
    let place = context.working_directory.join(place);
    let is_venv = |path: &Path| matches!(fs::kind(&path.join("pyvenv.cfg")), Ok(Some(_)));
    match place.parent().and_then(Path::parent) {
        Some(above) if !is_venv(&place) && is_venv(above) => above.to_path_buf(),
        _ => place,
    }
}

/// The venv of virtpy's that a place means; without one, the one that all commands mean.
pub(super) fn venv_of(context: &Context, place: Option<&Path>) -> Result<Venv, Failure> {
    context.venv_even_if_moved(&VenvArgument { path: place.map(|place| root_of(context, place)) })
}

/// The folder of the environment that is meant, whoever made it.
pub(super) fn prefix(context: &Context, place: Option<&Path>) -> Option<PathBuf> {
    match place {
        Some(place) => Some(root_of(context, place)),
        None => venv_of(context, None).ok().map(|venv| venv.root),
    }
}

/// Opens the venv that is meant, with its own store: who calls its pip knows nothing of stores.
pub(super) fn open(context: &Context, place: Option<&Path>) -> Result<(Store, Venv), Failure> {
    let venv = venv_of(context, place)?;
    let store = context.host.believed_store(&venv).filter(|store| fs::metadata(store.home()).is_ok());
    Ok((store.unwrap_or_else(|| context.store.clone()), venv))
}

/// Whether a place is an environment of others, or the interpreter of one.
pub(super) fn is_others(context: &Context, place: &Path) -> bool {
    !Venv::is_at(&root_of(context, place))
}
