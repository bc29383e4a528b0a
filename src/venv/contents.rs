//! What is really installed in a venv: virtpy's own distributions and those of other tools.
//!
//! `site-packages` is listed once, and each dist-info folder that virtpy made is recognised by where its METADATA
//! leads. A foreign installer that replaced or removed one is thereby found, whatever the state file says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use virtpy_resolver::normalize_name;

use super::{Installed, State, Venv, VenvError};
use crate::fs::{self, FileKind};
use crate::store::{DIST_INFO_ALIAS, EntryId, Store};
use crate::wheel;

/// Who put a distribution there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// virtpy, from the store.
    Virtpy(Installed),
    /// Another installer, as its INSTALLER file says.
    Foreign {
        /// The tool's name, or "unknown".
        installer: String,
        /// The requirements of its METADATA.
        requires_dist: Vec<String>,
        /// The text of its `direct_url.json`.
        direct_url: Option<String>,
    },
}

/// An installed distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Its normalized name (PEP 503).
    pub key: String,
    /// Its name as its METADATA spells it.
    pub name: String,
    /// Its version as its METADATA spells it.
    pub version: String,
    /// The name of its dist-info folder.
    pub dist_info: String,
    /// Who put it there.
    pub owner: Owner,
}

impl Distribution {
    /// Its requirements, each a PEP 508 text.
    pub fn requires_dist(&self) -> &[String] {
        match &self.owner {
            Owner::Virtpy(installed) => &installed.requires_dist,
            Owner::Foreign { requires_dist, .. } => requires_dist,
        }
    }

    /// The text of its `direct_url.json` (PEP 610).
    pub fn direct_url(&self) -> Option<&str> {
        match &self.owner {
            Owner::Virtpy(installed) => installed.direct_url.as_deref(),
            Owner::Foreign { direct_url, .. } => direct_url.as_deref(),
        }
    }

    /// Whether virtpy put it there as a copy of this venv's own.
    pub fn is_copied(&self) -> bool {
        matches!(&self.owner, Owner::Virtpy(installed) if installed.copied)
    }

    /// Whether it is virtpy's own pip.
    pub fn is_pip_shim(&self) -> bool {
        matches!(&self.owner, Owner::Virtpy(installed) if installed.is_pip_shim())
    }

    /// Whether another tool put it there.
    pub fn is_foreign(&self) -> bool {
        matches!(self.owner, Owner::Foreign { .. })
    }
}

/// What is installed in a venv, sorted by name.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// virtpy's record of its own distributions.
    pub state: State,
    /// What stands in `site-packages`.
    pub distributions: Vec<Distribution>,
    /// What virtpy installed and another tool has removed or replaced since.
    pub lost: Vec<Installed>,
    /// What the store no longer has, so that its links lead nowhere.
    pub dangling: Vec<Installed>,
}

impl Contents {
    /// Looks into a venv.
    ///
    /// # Errors
    /// When the venv cannot be read.
    pub fn read(venv: &Venv, store: &Store) -> Result<Self, VenvError> {
        let state = State::read(venv)?;
        let site_packages = venv.site_packages();
        let mut found: BTreeSet<String> = fs::read_dir_names(&site_packages)?
            .into_iter()
            .filter(|(_, kind)| *kind == FileKind::Folder)
            .filter_map(|(name, _)| name.into_string().ok())
            .filter(|name| name.ends_with(".dist-info"))
            .collect();
        let mut distributions = Vec::with_capacity(found.len());
        let (mut lost, mut dangling) = (Vec::new(), Vec::new());
        for installed in &state.distributions {
            if found.contains(&installed.dist_info) && is_ours(venv, store, installed) {
                found.remove(&installed.dist_info);
                if !store.has(&installed.sha256) {
                    dangling.push(installed.clone());
                }
                distributions.push(Distribution {
                    key: installed.key.clone(),
                    name: installed.name.clone(),
                    version: installed.version.clone(),
                    dist_info: installed.dist_info.clone(),
                    owner: Owner::Virtpy(as_it_stands(&site_packages, installed)),
                });
            } else {
                lost.push(installed.clone());
            }
        }
        distributions.extend(found.into_iter().filter_map(|name| foreign(&site_packages, name)));
        distributions.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Self { state, distributions, lost, dangling })
    }

    /// The distribution with a name, in any spelling.
    pub fn find(&self, name: &str) -> Option<&Distribution> {
        let key = normalize_name(name).ok()?;
        self.distributions.iter().find(|distribution| distribution.key == key)
    }

    /// Whether nobody but virtpy has installed or removed anything here.
    pub fn is_own(&self) -> bool {
        self.lost.is_empty() && !self.distributions.iter().any(Distribution::is_foreign)
    }

    /// Whether virtpy's own pip is there.
    pub fn has_pip_shim(&self) -> bool {
        self.distributions.iter().any(Distribution::is_pip_shim)
    }

    /// By normalized name.
    pub fn by_key(&self) -> BTreeMap<&str, &Distribution> {
        self.distributions.iter().map(|distribution| (distribution.key.as_str(), distribution)).collect()
    }
}

/// What was installed, with the `direct_url.json` that is there now: tools that drive an installer write the address
/// that their user gave in place of the file's that they passed on, or remove it.
fn as_it_stands(site_packages: &Path, installed: &Installed) -> Installed {
    let mut installed = installed.clone();
    if installed.direct_url.is_some() {
        let path = site_packages.join(&installed.dist_info).join("direct_url.json");
        installed.direct_url = fs::read_to_string(&path).ok();
    }
    installed
}

/// Whether a dist-info folder is still the one that virtpy made.
fn is_ours(venv: &Venv, store: &Store, installed: &Installed) -> bool {
    let folder = venv.site_packages().join(&installed.dist_info);
    if installed.copied || !venv.config.link_mode().folds() {
        return fs::read_own(&folder.join("INSTALLER"), 64)
            .is_ok_and(|content| content == wheel::INSTALLER.as_bytes());
    }
    let Ok(id) = EntryId::of(&installed.sha256) else {
        return false;
    };
    let expected = store.entry_path(&id).join(DIST_INFO_ALIAS).join("METADATA");
    fs::read_link(&folder.join("METADATA")).is_ok_and(|target| target == expected)
}

/// Reads a dist-info folder of another tool; one without readable METADATA is no distribution.
fn foreign(site_packages: &Path, dist_info: String) -> Option<Distribution> {
    let folder = site_packages.join(&dist_info);
    let metadata = fs::read(&folder.join("METADATA")).ok()?;
    let metadata = wheel::Metadata::parse(&metadata).ok()?;
    let installer = fs::read_to_string(&folder.join("INSTALLER"))
        .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned());
    Some(Distribution {
        key: normalize_name(&metadata.name).ok()?,
        name: metadata.name,
        version: metadata.version,
        owner: Owner::Foreign {
            installer,
            requires_dist: metadata.requires_dist,
            direct_url: fs::read_to_string(&folder.join("direct_url.json")).ok(),
        },
        dist_info,
    })
}
