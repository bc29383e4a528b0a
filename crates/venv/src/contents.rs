//! What is really installed in a venv: virtpy's own distributions and those of other tools.
//!
//! `site-packages` is listed once, and each dist-info folder that virtpy made is recognised by where its METADATA
//! leads. A foreign installer that replaced or removed one is thereby found, whatever the state file says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use virtpy_files as fs;
use virtpy_pep::{NamedVersion, PackageName};
use virtpy_store::{DIST_INFO_ALIAS, EntryId, Store};
use virtpy_wheel as wheel;

use super::installed_metadata::{Described, InstalledMetadata};
use super::{Installed, State, Venv, VenvError, installed_metadata};

/// Who put a distribution there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// virtpy, from the store.
    Virtpy(Installed),
    /// Another installer, as its INSTALLER file says.
    Foreign(Described),
    /// Somebody, in the base interpreter, whose packages the venv sees.
    System {
        /// The folder of packages that it lies in.
        packages: PathBuf,
        /// What is written beside it.
        described: Described,
    },
}

/// An installed distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The package that it is of: its normalized name (PEP 503).
    pub package: PackageName,
    /// Its name as its METADATA spells it.
    pub name: String,
    /// Its version as its METADATA spells it.
    pub version: String,
    /// The name of its dist-info folder, or of the egg-info or egg-link of an older tool.
    pub dist_info: String,
    /// Who put it there.
    pub owner: Owner,
}

/// What virtpy installed, as it is installed.
impl From<Installed> for Distribution {
    fn from(installed: Installed) -> Self {
        let Installed { package, name, version, dist_info, .. } = installed.clone();
        Self { package, name, version, dist_info, owner: Owner::Virtpy(installed) }
    }
}

impl Distribution {
    /// Its name and version, as its METADATA spells them.
    pub fn label(&self) -> NamedVersion {
        NamedVersion::new(&self.name, &self.version)
    }

    /// virtpy's record of it, if virtpy installed it.
    pub fn installed(&self) -> Option<&Installed> {
        match &self.owner {
            Owner::Virtpy(installed) => Some(installed),
            _ => None,
        }
    }

    /// Its requirements, each a PEP 508 text.
    pub fn requires_dist(&self) -> &[String] {
        match &self.owner {
            Owner::Virtpy(installed) => &installed.requires_dist,
            Owner::Foreign(described) | Owner::System { described, .. } => &described.requires_dist,
        }
    }

    /// The extras that it has.
    pub fn provides_extra(&self) -> &[String] {
        match &self.owner {
            Owner::Virtpy(installed) => &installed.provides_extra,
            Owner::Foreign(described) | Owner::System { described, .. } => &described.provides_extra,
        }
    }

    /// The tool that installed it, or "unknown".
    pub fn installer(&self) -> &str {
        match &self.owner {
            Owner::Virtpy(_) => wheel::INSTALLER.trim(),
            Owner::Foreign(described) | Owner::System { described, .. } => &described.installer,
        }
    }

    /// The folder of packages that it lies in, given that of the venv.
    pub fn packages<'a>(&'a self, site_packages: &'a Path) -> &'a Path {
        match &self.owner {
            Owner::System { packages, .. } => packages,
            Owner::Virtpy(_) | Owner::Foreign(_) => site_packages,
        }
    }

    /// Its dist-info folder, given the venv's folder of packages.
    pub fn folder(&self, site_packages: &Path) -> PathBuf {
        self.packages(site_packages).join(&self.dist_info)
    }

    /// The file with its core metadata, given the venv's folder of packages.
    pub fn metadata_file(&self, site_packages: &Path) -> PathBuf {
        let packages = self.packages(site_packages);
        installed_metadata::metadata_file(packages, &self.dist_info)
            .unwrap_or_else(|| packages.join(&self.dist_info))
    }

    /// The text of its `direct_url.json` (PEP 610).
    pub fn direct_url(&self) -> Option<&str> {
        match &self.owner {
            Owner::Virtpy(installed) => installed.direct_url.as_deref(),
            Owner::Foreign(described) | Owner::System { described, .. } => described.direct_url.as_deref(),
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

    /// The lower store that it is linked from.
    pub fn layer(&self) -> Option<&Path> {
        match &self.owner {
            Owner::Virtpy(installed) => installed.layer.as_deref(),
            _ => None,
        }
    }

    /// Whether another tool put it into the venv.
    pub fn is_foreign(&self) -> bool {
        matches!(self.owner, Owner::Foreign(_))
    }

    /// Whether it is the base interpreter's, outside the venv.
    pub fn is_of_system(&self) -> bool {
        matches!(self.owner, Owner::System { .. })
    }

    /// Whether it was installed from a wheel, or by a tool that writes what is known of wheels.
    pub fn has_dist_info(&self) -> bool {
        self.dist_info.ends_with(".dist-info")
    }
}

/// What is installed in a venv, sorted by name.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// virtpy's record of its own distributions.
    pub state: State,
    /// What stands in `site-packages`.
    pub distributions: Vec<Distribution>,
    /// What is seen of the base interpreter's packages and is not in the venv itself, sorted by name. It is installed, but
    /// nothing of it is changed.
    pub system: Vec<Distribution>,
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
        Self::of(venv, State::read(venv)?, |_, installed| Sight {
            is_ours: is_ours(venv, store, installed),
            is_in_store: store.has_linked(installed.linked()),
        })
    }

    /// Looks into a venv to say what is installed, with a few system calls however much that is: what the state names is
    /// believed where nobody has put anything into `site-packages` or taken anything out since it was written. Who works on the
    /// venv looks closer ([`Self::read`]).
    ///
    /// # Errors
    /// When the venv cannot be read.
    pub fn glance(venv: &Venv, store: &Store) -> Result<Self, VenvError> {
        let is_changed = !matches!(State::outdated_by(&venv.site_packages(), &venv.private()), Ok(None));
        if is_changed || venv.other_store(store).is_some() {
            return Self::read(venv, store);
        }
        let state = State::read(venv)?;
        let missing: BTreeSet<usize> = state.missing(venv, store).into_iter().collect();
        Self::of(venv, state, |index, _| Sight { is_ours: true, is_in_store: !missing.contains(&index) })
    }

    fn of(venv: &Venv, state: State, look: impl Fn(usize, &Installed) -> Sight) -> Result<Self, VenvError> {
        let site_packages = venv.site_packages();
        let mut found: BTreeSet<String> = fs::read_dir_names(&site_packages)?
            .into_iter()
            .filter_map(|(name, kind)| Some((name.into_string().ok()?, kind)))
            .filter(|(name, kind)| installed_metadata::is_metadata(name, *kind))
            .map(|(name, _)| name)
            .collect();
        let mut distributions = Vec::with_capacity(found.len());
        let (mut lost, mut dangling) = (Vec::new(), Vec::new());
        for (index, installed) in state.distributions.iter().enumerate() {
            let sight = found.contains(&installed.dist_info).then(|| look(index, installed));
            if let Some(Sight { is_ours: true, is_in_store }) = sight {
                found.remove(&installed.dist_info);
                if !is_in_store {
                    dangling.push(installed.clone());
                }
                distributions.push(as_it_stands(&site_packages, installed).into());
            } else {
                lost.push(installed.clone());
            }
        }
        distributions.extend(found.into_iter().filter_map(|name| read(&site_packages, name, Owner::Foreign)));
        distributions.sort_by(|a, b| a.package.cmp(&b.package));
        Ok(Self { state, distributions, system: Vec::new(), lost, dangling })
    }

    /// Adds what is seen of the base interpreter's packages: of those that the venv has itself, nothing.
    pub fn see(&mut self, mut system: Vec<Distribution>) {
        system.retain(|one| self.distributions.iter().all(|own| own.package != one.package));
        self.system = system;
    }

    /// All that can be imported, sorted by name: the venv's own, and what it sees of the base interpreter's.
    pub fn visible(&self) -> Vec<&Distribution> {
        let mut all: Vec<&Distribution> = self.distributions.iter().chain(&self.system).collect();
        all.sort_by(|one, other| one.package.cmp(&other.package));
        all
    }

    /// All that can be imported, by normalized name.
    pub fn visible_by_package(&self) -> BTreeMap<&PackageName, &Distribution> {
        let all = self.system.iter().chain(&self.distributions);
        all.map(|distribution| (&distribution.package, distribution)).collect()
    }

    /// The distribution that a text names, in any spelling, in the venv or seen there.
    pub fn find_spelled(&self, text: &str) -> Option<&Distribution> {
        self.find_visible(&text.parse().ok()?)
    }

    /// The distribution with a name, in the venv or seen there.
    pub fn find_visible(&self, name: &PackageName) -> Option<&Distribution> {
        self.find(name).or_else(|| self.system.iter().find(|distribution| distribution.package == *name))
    }

    /// The venv's own distribution with a name.
    pub fn find(&self, name: &PackageName) -> Option<&Distribution> {
        self.distributions.iter().find(|distribution| distribution.package == *name)
    }

    /// Whether nobody but virtpy has installed or removed anything here.
    pub fn is_own(&self) -> bool {
        self.lost.is_empty() && !self.distributions.iter().any(Distribution::is_foreign)
    }

    /// Whether virtpy's own pip is there.
    pub fn has_pip_shim(&self) -> bool {
        self.distributions.iter().any(Distribution::is_pip_shim)
    }
}

/// What is seen of a distribution whose dist-info folder is there.
struct Sight {
    /// Whether that is still the one that virtpy made.
    is_ours: bool,
    is_in_store: bool,
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
    let entry = store.path_linked(&EntryId::of(&installed.sha256), installed.layer.as_deref());
    let expected = entry.join(DIST_INFO_ALIAS).join("METADATA");
    fs::read_link(&folder.join("METADATA")).is_ok_and(|target| target == expected)
}

/// Reads what another tool says of the distribution that something in a folder of packages describes, and makes an owner of it;
/// without readable METADATA it is none.
pub(super) fn read(
    packages: &Path,
    dist_info: String,
    owner: impl FnOnce(Described) -> Owner,
) -> Option<Distribution> {
    let InstalledMetadata { package, name, version, described } =
        installed_metadata::read(packages, &dist_info)?;
    Some(Distribution { package, name, version, dist_info, owner: owner(described) })
}
