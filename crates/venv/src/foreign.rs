//! Distributions that another installer put into the venv, as far as virtpy has to touch them: to remove them, or
//! to share a folder with them. Their RECORD is input: nothing outside the venv, and nothing behind a link, is
//! ever taken for theirs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, FileKind};
use virtpy_wheel as wheel;

use super::{Distribution, Layout, Venv, VenvError};

/// What an installer writes into a dist-info folder about itself, beside what the wheel has there.
pub(super) const INSTALLER_FILES: [&str; 4] = ["INSTALLER", wheel::RECORD, "REQUESTED", "direct_url.json"];

/// The files of a foreign distribution that exist, relative to the venv's root.
///
/// # Errors
/// When its RECORD cannot be read: what belongs to it is then unknown.
pub(super) fn files(venv: &Venv, distribution: &Distribution) -> Result<BTreeSet<String>, VenvError> {
    let path = venv.site_packages().join(&distribution.dist_info).join("RECORD");
    if !distribution.has_dist_info() {
        return Err(VenvError::NoFileList {
            distribution: distribution.label().to_string(),
            path: venv.site_packages().join(&distribution.dist_info),
        });
    }
    let text = fs::read_to_string(&path)?;
    let rows = wheel::parse_record(&text)
        .map_err(|error| VenvError::Damaged { path: path.clone(), reason: error.to_string() })?;
    let mut files = BTreeSet::new();
    for row in rows {
        let Some(relative) = in_venv(venv, &row.path) else {
            continue;
        };
        if is_own_path(venv, &relative)? {
            files.insert(relative);
        }
    }
    // What an installer writes about itself is its own, also where it forgot to list it.
    for name in INSTALLER_FILES {
        let relative = format!("{}/{}/{name}", venv.layout.site_packages, distribution.dist_info);
        if is_own_path(venv, &relative)? {
            files.insert(relative);
        }
    }
    Ok(files)
}

/// The files that a foreign distribution has behind a link into the store, because its installer knows nothing of links:
/// each path relative to the venv's root, and where it really lies.
pub(super) fn behind_links(
    venv: &Venv,
    entries: &Path,
    distribution: &Distribution,
) -> Vec<(String, PathBuf)> {
    let record = venv.site_packages().join(&distribution.dist_info).join("RECORD");
    let rows = fs::read_to_string(&record).ok().and_then(|text| wheel::parse_record(&text).ok());
    let mut found = Vec::new();
    for row in rows.unwrap_or_default() {
        let Some(relative) = in_venv(venv, &row.path) else { continue };
        // Every venv may write bytecode into the store.
        if relative.split('/').any(|part| part == wheel::BYTECODE_FOLDER) {
            continue;
        }
        let path = venv.root.join(&relative);
        if fs::kind(&path).is_ok_and(|kind| kind == Some(FileKind::File))
            && is_own_path(venv, &relative).is_ok_and(|is_own| !is_own)
            && let Ok(real) = fs::canonicalize(&path)
            && real.starts_with(entries)
        {
            found.push((relative, real));
        }
    }
    found
}

/// The folders that foreign distributions have files in, which therefore have to stay real.
pub(super) fn shared_folders(venv: &Venv, distributions: &[Distribution]) -> BTreeSet<String> {
    let mut folders = BTreeSet::new();
    for distribution in distributions.iter().filter(|distribution| distribution.is_foreign()) {
        for file in files(venv, distribution).unwrap_or_default() {
            let mut path = file.as_str();
            while let Some((parent, _)) = path.rsplit_once('/') {
                if venv.layout.is_skeleton(parent) || !folders.insert(parent.to_owned()) {
                    break;
                }
                path = parent;
            }
        }
    }
    folders
}

/// Notes a folder and those above it, up to the ones that every venv has.
pub(super) fn insert_with_parents(layout: &Layout, folder: &str, folders: &mut BTreeSet<String>) {
    let mut folder = folder;
    while !layout.is_skeleton(folder) && folders.insert(folder.to_owned()) {
        let Some((parent, _)) = folder.rsplit_once('/') else { break };
        folder = parent;
    }
}

/// A RECORD path, relative to the venv's root; `None` where it leads outside.
pub(super) fn in_venv(venv: &Venv, path: &str) -> Option<String> {
    let root = venv.root.to_str().filter(|_| path.starts_with('/'));
    let (path, mut parts) = match root.map(|root| path.strip_prefix(root)) {
        Some(inside) => (inside?.strip_prefix('/')?, Vec::new()),
        None if path.starts_with('/') => return None,
        None => (path, venv.layout.site_packages.split('/').collect()),
    };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Whether a path exists and no folder on the way to it is a link.
pub(super) fn is_own_path(venv: &Venv, relative: &str) -> Result<bool, VenvError> {
    if venv.layout.is_reserved(relative) || venv.layout.is_skeleton(relative) {
        return Ok(false);
    }
    let mut path = venv.root.clone();
    let mut parts = relative.split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        match fs::kind(&path)? {
            None => return Ok(false),
            Some(FileKind::Folder) => {}
            Some(_) => return Ok(parts.peek().is_none()),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use virtpy_store::VenvId;

    #[test]
    fn a_record_leads_nowhere_outside() {
        let mut config = Config::default();
        config.push("virtpy-library", "python3.12");
        let layout = Layout::of(Path::new("/v"), &config).unwrap();
        let directory = fs::Directory::open(Path::new("/")).unwrap();
        let id = VenvId::random();
        let venv = Venv { root: "/v".into(), directory, config, id, layout, lost_keys: false };
        assert_eq!(in_venv(&venv, "six.py").as_deref(), Some("lib/python3.12/site-packages/six.py"));
        assert_eq!(in_venv(&venv, "../../../bin/x").as_deref(), Some("bin/x"));
        assert_eq!(in_venv(&venv, "/v/bin/x").as_deref(), Some("bin/x"));
        for outside in [
            "../../../../etc/passwd",
            "/etc/passwd",
            "a/../../../../..",
            "/v",
            "/vv/x",
            "/v/../etc/passwd",
            "/v/bin/../../x",
        ] {
            assert_eq!(in_venv(&venv, outside), None, "{outside}");
        }
    }
}
