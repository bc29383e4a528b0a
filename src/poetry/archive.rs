//! Writing small wheels: the plugin's, and those that stand for projects used in place.

use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::PoetryError;
use crate::wheel;

/// A file of a wheel: its path in the archive and its content.
pub(super) type File = (String, Vec<u8>);

/// The RECORD of some files, for the dist-info folder of this name.
pub(super) fn record(files: &[File], dist_info: &str) -> String {
    let rows = files.iter().map(|(path, content)| wheel::record_row(path, Some(content)));
    rows.chain([wheel::record_row(&format!("{dist_info}/RECORD"), None)]).collect()
}

/// The archive of some files. The same files make the same bytes.
pub(super) fn archive(files: &[File]) -> Result<Vec<u8>, PoetryError> {
    let failed = |error: &dyn std::fmt::Display| PoetryError::Wheel(error.to_string());
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        SimpleFileOptions::default().unix_permissions(0o644).last_modified_time(zip::DateTime::default());
    for (path, content) in files {
        archive.start_file(path.as_str(), options).map_err(|error| failed(&error))?;
        archive.write_all(content).map_err(|error| failed(&error))?;
    }
    Ok(archive.finish().map_err(|error| failed(&error))?.into_inner())
}
