//! Names that differ, and are one to the file system: most file systems of macOS ignore case and the form of
//! accents. On those of Linux real distributions have both `readme` and `README`, so only the file system at hand
//! can tell.

use std::path::Path;

use virtpy_files as fs;

use super::Problem;

/// What else of the archive stands where `name` was to be made. All names are relative to `destination`.
pub(super) fn find<'a>(
    destination: &Path,
    name: &str,
    mut others: impl Iterator<Item = &'a str>,
) -> Option<Problem> {
    let path = destination.join(name);
    let is_same =
        |other: &str| other != name && fs::is_same_file(&destination.join(other), &path).unwrap_or(false);
    let other = others.find(|other| is_same(other))?;
    Some(Problem::Clash { name: name.to_owned(), other: other.to_owned() })
}
