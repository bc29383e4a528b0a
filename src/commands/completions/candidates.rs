//! What may stand in a place of a command line: packages, venvs, applications and interpreters as they are at this moment.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};

use crate::cli::{ColorWhen, GlobalArguments, VenvArgument};
use crate::context::Context;
use crate::interpreters::managed;
use crate::output::Output;
use crate::tools::Toolbox;
use crate::venv::Contents;

/// What there is of these names that begins as what was typed.
fn matching(names: impl IntoIterator<Item = String>, typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let mut names: Vec<String> = names.into_iter().filter(|name| name.starts_with(&*typed)).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Nobody hears what is said while a command line is completed.
fn context() -> Option<Context> {
    Context::new(Output::new(&GlobalArguments { quiet: true, verbose: false, color: ColorWhen::Never })).ok()
}

pub(super) fn packages(typed: &OsStr) -> Vec<CompletionCandidate> {
    let names = || {
        let context = context()?;
        let venv = context.venv_even_if_moved(&VenvArgument { path: typed_venv() }).ok()?;
        let contents = Contents::glance(&venv, &context.store).ok()?;
        Some(contents.distributions.into_iter().map(|one| one.name).collect::<Vec<_>>())
    };
    matching(names().unwrap_or_default(), typed)
}

/// The venv that the command line names so far.
fn typed_venv() -> Option<PathBuf> {
    let words: Vec<_> = std::env::args_os().collect();
    let place = words.iter().position(|word| word == "--venv")?;
    words.get(place + 1).map(PathBuf::from).filter(|path| !path.as_os_str().is_empty())
}

pub(super) fn venvs(typed: &OsStr) -> Vec<CompletionCandidate> {
    let known = || {
        let context = context()?;
        let roots = context.store.roots().ok()?;
        let own = [context.store.cache(), context.store.tools()];
        let is_own = |path: &PathBuf| own.iter().any(|folder| path.starts_with(folder));
        let places = roots.into_iter().map(|root| root.path).filter(|path| !is_own(path) && path.is_dir());
        Some(places.map(|path| path.display().to_string()).collect::<Vec<_>>())
    };
    let mut found = matching(known().unwrap_or_default(), typed);
    found.extend(PathCompleter::dir().complete(typed));
    found
}

pub(super) fn applications(typed: &OsStr) -> Vec<CompletionCandidate> {
    let names = context().and_then(|context| Toolbox::new(&context.store).names().ok());
    matching(names.unwrap_or_default(), typed)
}

pub(super) fn stored(typed: &OsStr) -> Vec<CompletionCandidate> {
    let names = || {
        let store = context()?.store;
        let name = |id| Some(store.provenance(id)?.name);
        Some(store.ids().ok()?.iter().filter_map(name).collect::<Vec<_>>())
    };
    matching(names().unwrap_or_default(), typed)
}

/// Interpreters that virtpy installed, and the versions on PATH, none of which is started.
pub(super) fn interpreters(typed: &OsStr) -> Vec<CompletionCandidate> {
    let mut names = Vec::new();
    if let Some(context) = context() {
        for installed in managed::installed(&context.store.pythons()) {
            let name = installed.record.name;
            if let Some((minor, _)) = name.rsplit_once('.').filter(|(minor, _)| minor.contains('.')) {
                names.push(minor.to_owned());
            }
            names.push(name);
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    for folder in std::env::split_paths(&path) {
        let of_folder = crate::fs::names(&folder).unwrap_or_default();
        let version = |name: &std::ffi::OsString| {
            let version = name.to_str()?.strip_prefix("python")?;
            let is_version =
                version.contains('.') && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            is_version.then(|| version.to_owned())
        };
        names.extend(of_folder.iter().filter_map(version));
    }
    let mut found = matching(names, typed);
    if typed.to_string_lossy().contains('/') {
        found.extend(PathCompleter::file().complete(typed));
    }
    found
}
