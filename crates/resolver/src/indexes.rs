//! The indexes of one request: those of the settings, and those that its requirements files name.

use std::path::Path;
use std::str::FromStr;

use uv_distribution_types::{Index, IndexLocations, IndexName, IndexUrl};
use uv_requirements::RequirementsSpecification;

use crate::error::Error;
use crate::failure::whole_message;
use crate::settings::IndexSettings;

/// Puts the indexes in the order in which they are asked: the extra ones, then the one that `--index-url`
/// names. A file's `--index-url` replaces that of the settings, as it does with pip. A `--find-links`
/// folder that is not there is left out with a warning.
///
/// # Errors
///
/// [`Error::Settings`] for what is neither a URL nor a path.
pub(crate) fn locations(
    settings: &IndexSettings,
    inputs: &RequirementsSpecification,
    folder: &Path,
    warnings: &mut Vec<String>,
) -> Result<IndexLocations, Error> {
    let mut indexes = Vec::new();
    for extra in &settings.extra_index_urls {
        indexes.push(parse(extra, folder, "--extra-index-url")?);
    }
    indexes.extend(inputs.extra_index_urls.iter().cloned().map(Index::from_extra_index_url));
    for explicit in &settings.explicit_index_urls {
        indexes.push(Index { explicit: true, ..parse(explicit, folder, "the index")? });
    }
    let default = match (&inputs.index_url, &settings.index_url) {
        (Some(index), _) => Some(Index::from_index_url(index.clone())),
        (None, Some(index)) => Some(parse(index, folder, "--index-url")?),
        (None, None) => None,
    };
    indexes.extend(default.map(|index| Index { default: true, ..index }));
    let mut find_links = Vec::new();
    for place in &settings.find_links {
        find_links.push(url(place, folder, "--find-links")?);
    }
    find_links.extend(inputs.find_links.iter().cloned());
    find_links.retain(|place| match place.to_file_path() {
        Ok(path) if place.scheme() == "file" && !path.exists() => {
            warnings.push(format!("there is no `{}`, which --find-links names", path.display()));
            false
        }
        _ => true,
    });
    let find_links = find_links.into_iter().map(Index::from_find_links).collect();
    Ok(IndexLocations::new(indexes, find_links, settings.no_index || inputs.no_index))
}

/// An index with or without a name (`NAME=URL`), under which credentials may be found.
fn parse(text: &str, folder: &Path, setting: &str) -> Result<Index, Error> {
    if let Some((name, rest)) = text.split_once('=')
        && let Ok(name) = IndexName::from_str(name)
    {
        return Ok(Index { name: Some(name), ..Index::from_extra_index_url(url(rest, folder, setting)?) });
    }
    Ok(Index::from_extra_index_url(url(text, folder, setting)?))
}

/// The URL of an index, given as a URL or as a path.
///
/// # Errors
///
/// [`Error::Settings`] for what is neither; `setting` is what the user knows it by.
pub(crate) fn url(text: &str, folder: &Path, setting: &str) -> Result<IndexUrl, Error> {
    let wrong = |reason: String| Error::Settings { setting: format!("{setting} {text}"), reason };
    // The library takes what has another scheme for a path.
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if let Some(other) = scheme.filter(|scheme| !matches!(scheme.as_str(), "http" | "https" | "file")) {
        return Err(wrong(format!("indexes are reached by https, http and file, not by {other}")));
    }
    IndexUrl::parse(text, Some(folder)).map_err(|error| wrong(whole_message(&error)))
}
