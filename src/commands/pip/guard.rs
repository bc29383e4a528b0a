//! Which places no pip may write to: the packages in the store, and venvs of virtpy's, whose files are links there.

use std::path::PathBuf;

use crate::cli::pip::PipRequest;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::store::{Layer, Store};
use crate::venv::Venv;

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
    let lower = store.lower()?.iter().map(Layer::entries);
    let real = |entries: PathBuf| fs::canonicalize(&entries).unwrap_or(entries);
    let entries: Vec<PathBuf> = std::iter::once(store.entries()).chain(lower).map(real).collect();
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
        let place = standing(context, value);
        if entries.iter().any(|entries| place.starts_with(entries)) {
            return Err(Failure::new(format!("`{value}` is among the packages in the store"))
                .hinted("choose another directory: only virtpy writes there"));
        }
    }
    Ok(())
}

/// Refuses a request by which a real pip would write into a venv of virtpy's, where it would get through the links.
pub(super) fn refuse_venvs(context: &Context, request: &PipRequest) -> Result<(), Failure> {
    for option in ["target", "prefix", "root"] {
        let Some(value) = request.value(option) else { continue };
        if standing(context, value).ancestors().any(Venv::is_at) {
            return Err(Failure::new(format!(
                "`{value}` is in a venv of virtpy's, where files are links into the store"
            ))
            .hinted("use that venv's own pip without this option, or choose another directory"));
        }
    }
    Ok(())
}

/// The real path of as much of a path as there is.
fn standing(context: &Context, value: &str) -> PathBuf {
    let path = context.working_directory.join(value);
    path.ancestors().find_map(|path| fs::canonicalize(path).ok()).unwrap_or(path)
}
