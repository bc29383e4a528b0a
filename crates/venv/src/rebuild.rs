//! What a venv uses, found out from its links.
//!
//! A venv's own files do not wait for the disk. After a power cut the last ones that were written may be empty (or hold
//! nothing but zeros), `state.json` among them. But the links are still there, and each distribution's METADATA is one
//! into its entry, whose manifest knows the rest.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use virtpy_files::{self as fs, FileKind};
use virtpy_pep::{PackageName, WheelHash};
use virtpy_store::{DIST_INFO_ALIAS, was_built};

use super::config::STORE_KEY;
use super::{Installed, Venv, VenvError};

/// What has to be known of an entry (`entry.json`).
#[derive(Deserialize)]
struct Facts {
    sha256: WheelHash,
    origin: String,
    name: String,
    version: String,
    requires_dist: Vec<String>,
    provides_extra: Vec<String>,
}

/// Whether a file that was written whole was emptied by a power cut.
pub(super) fn is_emptied(content: &[u8]) -> bool {
    content.iter().all(|byte| *byte == 0)
}

/// A store that a venv has links into.
pub(super) struct LinkedStore {
    /// The folder of its entries.
    pub(super) entries: PathBuf,
    /// Its folder, for a lower one.
    layer: Option<PathBuf>,
}

/// The stores that a venv names: its own, and those below.
pub(super) fn stores(venv: &Venv) -> Vec<LinkedStore> {
    let Some(store) = venv.config.get(STORE_KEY) else { return Vec::new() };
    let own = LinkedStore { entries: PathBuf::from(store).join("w"), layer: None };
    let lower = venv.config.layers().into_iter();
    let lower = lower.map(|layer| LinkedStore { entries: layer.join("w"), layer: Some(layer) });
    std::iter::once(own).chain(lower).collect()
}

/// The SHA-256 of the wheel that the entry in a folder is of.
pub(super) fn sha256_of(entry: &Path) -> Option<WheelHash> {
    facts(entry).map(|facts| facts.sha256)
}

fn facts(entry: &Path) -> Option<Facts> {
    serde_json::from_slice(&fs::read(&entry.join("entry.json")).ok()?).ok()
}

/// The distributions of a venv as its links tell them. The order of installation is lost, and what was copied or hardlinked without
/// links is left out: it counts as another installer's from then on.
///
/// # Errors
/// When `site-packages` cannot be read.
pub(super) fn distributions(venv: &Venv) -> Result<Vec<Installed>, VenvError> {
    let mut distributions = Vec::new();
    let stores = stores(venv);
    let mut names = fs::read_dir_names(&venv.site_packages())?;
    names.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (name, kind) in names {
        let Ok(name) = name.into_string() else { continue };
        if kind == FileKind::Folder && name.ends_with(".dist-info") {
            distributions.extend(installed(venv, &stores, name));
        }
    }
    Ok(distributions)
}

/// The distribution of a dist-info folder, if its METADATA leads into an entry.
fn installed(venv: &Venv, stores: &[LinkedStore], dist_info: String) -> Option<Installed> {
    let folder = venv.site_packages().join(&dist_info);
    let target = fs::read_link(&folder.join("METADATA")).ok()?;
    let entry = target.parent().filter(|alias| alias.ends_with(DIST_INFO_ALIAS))?.parent()?;
    let store = stores.iter().find(|store| entry.parent() == Some(&store.entries))?;
    let Facts { sha256, origin, name, version, requires_dist, provides_extra } = facts(entry)?;
    Some(Installed {
        package: name.parse::<PackageName>().ok()?,
        name,
        version,
        sha256,
        requested: fs::kind(&folder.join("REQUESTED")).ok()?.is_some(),
        direct_url: fs::read_to_string(&folder.join("direct_url.json")).ok().filter(|text| !text.is_empty()),
        dist_info,
        requires_dist,
        provides_extra,
        copied: false,
        built: was_built(&origin),
        layer: store.layer.clone(),
    })
}
