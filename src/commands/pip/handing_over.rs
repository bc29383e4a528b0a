//! Which requests are for a real pip, and which of them are refused.

use std::path::{Path, PathBuf};

use super::place::{is_ours, root_of};
use crate::cli::VenvArgument;
use crate::cli::pip::PipRequest;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::store::Store;
use crate::venv::Venv;

/// Whether a request is for a real pip: it is about another environment, or a part of pip that virtpy has not.
pub(super) fn has_to(context: &Context, place: Option<&Path>, request: &PipRequest) -> bool {
    if let Some(place) = place
        && !is_ours(&root_of(&context.working_directory.join(place)))
    {
        return true;
    }
    let is_elsewhere = || {
        let foreign = ["platform", "python-version", "implementation", "abi"];
        ["target", "root", "path"].iter().any(|option| request.has(option))
            || request.has("dry-run") && foreign.iter().any(|option| request.has(option))
    };
    let venv = || {
        let path = place.map(|place| root_of(&context.working_directory.join(place)));
        context.venv_even_if_moved(&VenvArgument { path })
    };
    let has_other_prefix = || {
        request.value("prefix").is_some_and(|prefix| {
            let same = |venv: &Path| {
                let prefix = fs::canonicalize(&context.working_directory.join(prefix));
                prefix.is_ok_and(|prefix| fs::canonicalize(venv).is_ok_and(|venv| venv == prefix))
            };
            venv().is_ok_and(|venv| !same(&venv.root))
        })
    };
    // The user's packages are visible where the system's are, and pip installs there then.
    let is_for_user = || {
        request.is_on("user", "no-user")
            && venv().is_ok_and(|venv| venv.config.get("include-system-site-packages") == Some("true"))
    };
    let is_beyond = || READING.contains(&request.command.name) && venv().is_ok_and(|venv| has_more(&venv));
    is_elsewhere() || has_other_prefix() || is_for_user() || is_beyond()
}

/// The commands that only read.
const READING: [&str; 5] = ["list", "freeze", "show", "check", "inspect"];

/// Whether pip would see distributions that virtpy knows nothing of: those that `setup.py install` or `develop` put there, in
/// forms from before wheels, and those in the folders of PYTHONPATH.
fn has_more(venv: &Venv) -> bool {
    let has = |folder: &Path, endings: &[&str]| {
        let names = fs::names(folder).unwrap_or_default();
        names.iter().any(|name| {
            let name = Path::new(name).extension().and_then(|ending| ending.to_str());
            name.is_some_and(|ending| endings.contains(&ending))
        })
    };
    let paths = std::env::var_os("PYTHONPATH").unwrap_or_default();
    has(&venv.site_packages(), &["egg-info", "egg-link", "egg"])
        || std::env::split_paths(&paths)
            .filter(|path| path.is_absolute())
            .any(|path| has(&path, &["egg-info", "dist-info"]))
}

/// The words for a real pip. What goes to another place must not make it uninstall what stands in the venv.
pub(super) fn words(request: &PipRequest) -> Vec<String> {
    let mut words = request.all.clone();
    let goes_elsewhere = ["root", "prefix"].iter().any(|option| request.has(option));
    if request.command.name == "install" && goes_elsewhere {
        let place = words.iter().position(|word| word == "install").map_or(words.len(), |place| place + 1);
        words.insert(place, "--ignore-installed".to_owned());
    }
    words
}

/// The options whose value is a place that is written to, in all spellings.
const PLACES: [&str; 19] = [
    "-t",
    "--target",
    "--prefix",
    "--root",
    "--src",
    "--source",
    "--source-dir",
    "--source-directory",
    "--report",
    "--log",
    "--log-file",
    "--local-log",
    "-d",
    "--dest",
    "--destination-dir",
    "--destination-directory",
    "-w",
    "--wheel-dir",
    "--cache-dir",
];

/// Refuses words by which something would be written among the packages in the store, also by way of a link in a venv: as root
/// nothing else is against it.
pub(super) fn refuse_store(context: &Context, store: &Store, words: &[String]) -> Result<(), Failure> {
    let entries = fs::canonicalize(&store.entries()).unwrap_or_else(|_| store.entries());
    for (place, word) in words.iter().enumerate() {
        let named = PLACES.iter().find_map(|option| {
            let rest = word.strip_prefix(option)?;
            match rest.strip_prefix('=') {
                Some(value) => Some(value),
                None if rest.is_empty() => words.get(place + 1).map(String::as_str),
                None => (!option.starts_with("--")).then_some(rest),
            }
        });
        let Some(value) = named.filter(|value| !value.is_empty()) else { continue };
        if standing(context, value).starts_with(&entries) {
            return Err(Failure::new(format!("`{value}` is among the packages in the store"))
                .hinted("choose another directory: only virtpy writes there"));
        }
    }
    Ok(())
}

/// The real path of as much of a path as there is.
fn standing(context: &Context, value: &str) -> PathBuf {
    let path = context.working_directory.join(value);
    path.ancestors().find_map(|path| fs::canonicalize(path).ok()).unwrap_or(path)
}

/// Refuses a request by which a real pip would write into a venv of virtpy's, where it would get through the links.
pub(super) fn guard(context: &Context, request: &PipRequest) -> Result<(), Failure> {
    for option in ["target", "prefix", "root"] {
        let Some(value) = request.value(option) else { continue };
        if standing(context, value).ancestors().any(is_ours) {
            return Err(Failure::new(format!(
                "`{value}` is in a venv of virtpy's, where files are links into the store"
            ))
            .hinted("use that venv's own pip without this option, or choose another directory"));
        }
    }
    Ok(())
}
