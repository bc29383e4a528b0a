//! Where files are: addresses on indexes, paths, and the names that files have there.

use std::path::PathBuf;

use uv_distribution_types::{BuiltDist, RegistryBuiltWheel, RemoteSource as _};
use uv_redacted::DisplaySafeUrl;

use crate::error::{Cause, Error};

/// The URL of a wheel on an index.
///
/// # Errors
///
/// [`Error::Distribution`] if the index gives something that is none.
pub(crate) fn file_url(wheel: &RegistryBuiltWheel, label: &str) -> Result<DisplaySafeUrl, Error> {
    wheel.file.url.to_url().map_err(|error| bad_url(label, &error))
}

pub(crate) fn bad_url(label: &str, error: &(dyn std::error::Error + 'static)) -> Error {
    Error::Distribution { what: format!("the file of `{label}`"), cause: Cause::from_error(error) }
}

/// The path of a `file:` URL.
pub(crate) fn local_path(url: &DisplaySafeUrl) -> Option<PathBuf> {
    if url.scheme() == "file" { url.to_file_path().ok() } else { None }
}

/// The file name under which a wheel was published; the libraries' own rendering would lose its spelling.
///
/// # Errors
///
/// [`Error::Distribution`] when it is more than one name: it becomes part of a path.
pub(crate) fn published_name(built: &BuiltDist, label: &str) -> Result<String, Error> {
    let (given, parsed) = match built {
        BuiltDist::Registry(registry) => {
            let wheel = registry.best_wheel();
            (Some(wheel.file.filename.to_string()), wheel.filename.to_string())
        }
        BuiltDist::DirectUrl(direct) => {
            (direct.url.filename().ok().map(Into::into), direct.filename.to_string())
        }
        BuiltDist::Path(path) => (
            path.install_path.file_name().map(|name| name.to_string_lossy().into()),
            path.filename.to_string(),
        ),
        BuiltDist::GitPath(git) => {
            (git.install_path.file_name().map(|name| name.to_string_lossy().into()), git.filename.to_string())
        }
    };
    let name = given.unwrap_or(parsed);
    if name.contains(['/', '\\']) || name.chars().any(char::is_control) {
        let cause = Cause::new(format!("`{name}` is not a file name"));
        return Err(Error::Distribution { what: format!("the file of `{label}`"), cause });
    }
    Ok(name)
}
