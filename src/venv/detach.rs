//! Distributions of which a venv has a copy of its own, to be edited.

use super::{Installed, Venv, VenvError};
use crate::fs::{self, FileKind};
use crate::store::Entry;

impl Venv {
    /// The files in `site-packages` of a copied distribution that are no longer as the store has them, relative to
    /// `site-packages`.
    ///
    /// # Errors
    /// When a file cannot be read, or the manifest is damaged.
    pub fn edited_files(&self, entry: &Entry, installed: &Installed) -> Result<Vec<String>, VenvError> {
        let mut edited = Vec::new();
        let rows = entry.manifest.rows()?;
        let own = format!("{}/", installed.dist_info);
        for row in rows.iter().filter(|row| !row.path.starts_with(&own)) {
            let path = self.site_packages().join(&row.path);
            let is_same = fs::kind(&path)? == Some(FileKind::File)
                && row.size.is_none_or(|size| fs::metadata(&path).is_ok_and(|facts| facts.len() == size))
                && fs::read(&path)? == fs::read(&entry.path.join("site").join(&row.path))?;
            if !is_same {
                edited.push(row.path.clone());
            }
        }
        Ok(edited)
    }
}
