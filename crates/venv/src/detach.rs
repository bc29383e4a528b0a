//! Distributions of which a venv has a copy of its own, to be edited.

use std::collections::BTreeSet;
use std::path::Path;

use virtpy_files::{self as fs, FileKind};
use virtpy_store::Entry;

use super::plan::{Plan, is_bytecode_folder};
use super::{Installed, Node, Venv, VenvError};

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

    /// The files of a copied distribution outside `site-packages` (settings in `etc`, pages in `share`) that are no longer as the store has
    /// them, relative to the venv.
    pub(super) fn edited_beside(&self, entry: &Entry, plan: &Plan) -> Result<Vec<String>, VenvError> {
        let site_packages = format!("{}/", self.layout.site_packages);
        let mut edited = Vec::new();
        for (path, node) in plan.nodes.iter().filter(|(path, _)| !path.starts_with(&site_packages)) {
            let is_copy = matches!(node, Node::Copy(source) if source.starts_with(&entry.path));
            if is_copy
                && self.directory.kind(path)? == Some(FileKind::File)
                && !self.is_as_planned(path, node)?
            {
                edited.push(path.clone());
            }
        }
        Ok(edited)
    }

    /// What somebody added to the directories of a copied distribution: files and directories that the plan of the venv does
    /// not have, relative to `site-packages`. Bytecode does not count.
    ///
    /// # Errors
    /// When a directory cannot be read, or the manifest is damaged.
    pub(super) fn added_files(
        &self,
        entry: &Entry,
        installed: &Installed,
        plan: &Plan,
    ) -> Result<Vec<String>, VenvError> {
        let rows = entry.manifest.rows()?;
        let parents = |path: &str| -> Vec<String> {
            let above = Path::new(path).ancestors().skip(1);
            above.map(|path| path.display().to_string()).filter(|path| !path.is_empty()).collect()
        };
        let all: BTreeSet<String> = rows.iter().flat_map(|row| parents(&row.path)).collect();
        let mut added = Vec::new();
        for folder in all.iter().filter(|folder| **folder != installed.dist_info) {
            let absolute = self.site_packages().join(folder);
            if fs::kind(&absolute)? != Some(FileKind::Folder) {
                continue;
            }
            for (name, kind) in fs::read_dir_names(&absolute)? {
                let path = format!("{folder}/{}", name.to_string_lossy());
                let is_planned = plan.nodes.contains_key(&format!("{}/{path}", self.layout.site_packages));
                let is_compiled = Path::new(&path).extension().is_some_and(|extension| extension == "pyc");
                if !is_planned && !is_compiled && !is_bytecode_folder(&path) && !all.contains(&path) {
                    added.push(if kind == FileKind::Folder { path + "/" } else { path });
                }
            }
        }
        Ok(added)
    }
}
