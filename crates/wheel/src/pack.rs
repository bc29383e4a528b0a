//! Making wheels of files at hand: those that virtpy carries itself, and those that stand for projects used in place.

use std::io;

use super::record_row;
use crate::archive;

/// Adds the RECORD that lists them to the files of a wheel. `dist_info` is the name of the dist-info folder.
pub fn with_record(dist_info: &str, mut files: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    let mut record: String = files.iter().map(|(path, content)| record_row(path, Some(content))).collect();
    let path = format!("{dist_info}/RECORD");
    record.push_str(&record_row(&path, None));
    files.push((path, record.into_bytes()));
    files
}

/// Makes a wheel (PEP 427): these files, and the RECORD that lists them. `dist_info` is the name of the dist-info folder;
/// METADATA and WHEEL are among the files. Equal files give equal bytes.
///
/// # Errors
/// When a file is given twice.
pub fn pack(dist_info: &str, files: Vec<(String, Vec<u8>)>) -> io::Result<Vec<u8>> {
    archive::write(&with_record(dist_info, files))
}
