//! A change whose journal was emptied by a power cut: taking back what it had done without being told what that was.
//!
//! Nobody waits for the disk. File systems write names within seconds and contents later, so a journal may be empty while links
//! that were made after it are there. But links hold their targets: one into an entry that no distribution of the state uses
//! was made by the change that did not come to its end. What the state's distributions should have, their plan says.

mod remains;
mod trash;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, Directory, FileKind};
use virtpy_store::{EntryId, LinkedWheel, Store};
use virtpy_wheel as wheel;

pub(super) use self::remains::Known;
use self::remains::Remains;
pub(super) use self::trash::Trash;
use super::change::{DistributionDiff, PackageToInstall, ResolvedDistribution};
use super::config::STORE_KEY;
use super::journal::{self, Journal, Left};
use super::node::Node;
use super::nodes::make;
use super::plan::{Plan, folder_of};
use super::{Contents, Installed, Venv, VenvError, foreign, rebuild};

/// What [`Venv::recover`] found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Whether a killed command or a power cut had left something.
    pub happened: bool,
    /// Where files are kept that a change had taken away, when nobody knows any more where they were.
    pub kept: Option<PathBuf>,
}

impl Venv {
    /// Finishes or takes back what a killed command or a power cut left. To be called by whoever holds the venv's lock, before
    /// it looks at the contents.
    ///
    /// # Errors
    /// When the venv cannot be put back.
    pub fn recover(&self, store: &Store) -> Result<Recovery, VenvError> {
        match journal::recover(self)? {
            Left::Nothing => Ok(Recovery::default()),
            Left::Settled => Ok(Recovery { happened: true, kept: None }),
            Left::Emptied => self.take_back_unknown(store),
        }
    }

    /// Brings the venv back to what its state says.
    fn take_back_unknown(&self, store: &Store) -> Result<Recovery, VenvError> {
        let contents = Contents::read(self, store)?;
        let stores = rebuild::stores(self);
        let is_of_store = |path: PathBuf| {
            fs::read_link(&path).is_ok_and(|target| stores.iter().any(|one| target.starts_with(&one.entries)))
        };
        let foreign: Vec<_> = contents
            .distributions
            .iter()
            .filter(|one| one.is_foreign())
            .filter(|one| !is_of_store(self.site_packages().join(&one.dist_info).join("METADATA")))
            .collect();
        let mut claimed = BTreeSet::new();
        for distribution in &foreign {
            claimed.extend(foreign::files(self, distribution).unwrap_or_default());
        }
        let installed = &contents.state.distributions;
        let known = Known {
            claimed,
            own: installed.iter().map(|one| one.dist_info.clone()).collect(),
            used: installed.iter().map(|one| path_linked(store, self, one)).collect(),
            stores: stores.into_iter().map(|one| one.entries).collect(),
        };
        let directory = self.directory.for_many_changes();
        let mut trash = Trash::open(&directory)?;
        let taken: Vec<&Installed> =
            installed.iter().filter(|one| self.is_taken(one, &foreign, &known, &trash)).collect();
        // Of a store that is not this one nothing is believed but where links lead.
        let source = Source { venv: self, store, contents: &contents };
        let is_readable = self.other_store(store).is_none();
        let planned = if is_readable { source.plan(&taken) } else { Plan::default() };
        let arrivals =
            |entries: &BTreeSet<PathBuf>| if is_readable { source.arrivals(entries) } else { Vec::new() };
        let kept = take_back(self, planned, &known, &arrivals, &mut trash)?;
        Ok(Recovery { happened: true, kept })
    }

    /// Whether another tool, and not the interrupted change, took a distribution away.
    fn is_taken(
        &self,
        installed: &Installed,
        foreign: &[&super::Distribution],
        known: &Known,
        trash: &Trash<'_>,
    ) -> bool {
        let folder = self.site_packages().join(&installed.dist_info);
        if foreign.iter().any(|one| one.package == installed.package) {
            return true;
        }
        match fs::kind(&folder.join("METADATA")) {
            Ok(Some(FileKind::Link)) => {
                !fs::read_link(&folder.join("METADATA")).is_ok_and(|target| known.entry_of(&target).is_some())
            }
            Ok(Some(_)) => fs::read_own(&folder.join("INSTALLER"), 64)
                .is_ok_and(|text| !rebuild::is_emptied(&text) && text != wheel::INSTALLER.as_bytes()),
            // A change puts the files of a dist-info folder into the trash.
            _ => !fs::kind(&folder).is_ok_and(|kind| kind.is_some()) && trash.is_empty(),
        }
    }
}

/// Where the entry of a distribution stands, as the venv's links name it.
fn path_linked(store: &Store, venv: &Venv, installed: &Installed) -> PathBuf {
    let id = EntryId::of(&installed.sha256);
    match (&installed.layer, venv.config.get(STORE_KEY)) {
        (None, Some(home)) => Path::new(home).join("w").join(id.as_str()),
        (layer, _) => store.path_linked(&id, layer.as_deref()),
    }
}

/// Takes back what an interrupted change has made and makes what it has taken away, given the plan of what was there before and
/// how plans are made of the entries that came. Returns where files are kept of which it is not known where they were.
pub(super) fn take_back(
    venv: &Venv,
    mut planned: Plan,
    known: &Known,
    arrivals: &dyn Fn(&BTreeSet<PathBuf>) -> Vec<Plan>,
    trash: &mut Trash<'_>,
) -> Result<Option<PathBuf>, VenvError> {
    let directory = venv.directory.for_many_changes();
    planned.nodes.retain(|path, _| !known.claimed.contains(path));
    let mut remains = Remains::look(venv, &planned, known, trash.digests())?;
    remains.arrivals = arrivals(&remains.entries());
    let made = remains.made();
    let arrived = std::mem::take(&mut remains.arrivals);
    Journal { created: made.iter().cloned().collect(), ..Journal::default() }.clear_created(venv)?;
    trash.give_back(venv, &known.own)?;
    put_back(venv, &directory, &planned, &made, trash)?;
    let plans = std::iter::once(&planned).chain(&arrived);
    let kept = trash.keep_strangers(venv, plans.flat_map(|plan| plan.nodes.values()), &known.own)?;
    Journal::discard(&directory, true)?;
    Ok(kept)
}

/// Makes what a plan has and the venv has not.
fn put_back(
    venv: &Venv,
    directory: &Directory,
    planned: &Plan,
    replaced: &BTreeSet<String>,
    trash: &mut Trash<'_>,
) -> Result<(), VenvError> {
    let mut new_folders = BTreeSet::new();
    for (path, node) in &planned.nodes {
        let parent = folder_of(path);
        if directory.kind(path)?.is_some() || !parent.is_empty() && !directory.has_folder(parent)? {
            continue;
        }
        if let Node::Copy(source) = node {
            // It is the venv's own: what was taken away is what comes back, and what its user removed does not.
            if let Some(kept) = fs::read(source).ok().and_then(|content| trash.take(&content)) {
                directory.rename(&kept, path)?;
                continue;
            }
            if !replaced.contains(path) && !new_folders.contains(parent) {
                continue;
            }
        }
        make(directory, &venv.layout, path, node)?;
        if *node == Node::Folder {
            new_folders.insert(path.as_str());
        }
    }
    if let Some(folder) = &planned.bytecode_folder
        && directory.kind(folder)?.is_none()
    {
        directory.create_dir(folder)?;
    }
    Ok(())
}

/// Where plans come from.
struct Source<'a> {
    venv: &'a Venv,
    store: &'a Store,
    contents: &'a Contents,
}

impl Source<'_> {
    /// The plan of what the state names, without what is only of those that were taken. Nothing where the store has lost something: nobody
    /// knows then how the others are laid out.
    fn plan(&self, taken: &[&Installed]) -> Plan {
        let state = &self.contents.state;
        let Ok(loaded) = DistributionDiff::load(self.store, &state.distributions) else {
            return Plan::default();
        };
        let all: Vec<_> = loaded.iter().collect();
        let Ok(mut plan) = self.venv.plan(&all, &state.shared_folders) else { return Plan::default() };
        for one in loaded.iter().filter(|one| taken.iter().any(|gone| gone.package == one.installed.package))
        {
            let alone = self.venv.plan(&[one], &state.shared_folders).unwrap_or_default();
            let folder = format!("{}/{}", self.venv.layout.site_packages, one.installed.dist_info);
            let entry = path_linked(self.store, self.venv, &one.installed);
            plan.nodes.retain(|path, node| {
                let is_only_its = *node != Node::Folder && alone.nodes.get(path) == Some(node);
                let is_of_entry = node.source().is_some_and(|source| source.starts_with(&entry));
                !is_only_its && !is_of_entry && !path.starts_with(&folder)
            });
        }
        if !taken.is_empty() {
            let full: BTreeSet<String> = plan
                .nodes
                .iter()
                .filter(|(_, node)| **node != Node::Folder)
                .flat_map(|(path, _)| folders_above(path))
                .collect();
            plan.nodes.retain(|path, node| *node != Node::Folder || full.contains(path));
        }
        plan
    }

    /// What a change may have made when these entries came, of which no distribution of the state is: what they have together with
    /// those that stay, and what each has alone, in case that its neighbours went.
    fn arrivals(&self, entries: &BTreeSet<PathBuf>) -> Vec<Plan> {
        let coming: Vec<PackageToInstall> = entries.iter().filter_map(|path| self.arrival(path)).collect();
        let coming: Vec<_> = coming.iter().map(ResolvedDistribution::of).collect();
        let state = &self.contents.state;
        let present = DistributionDiff::load(self.store, &state.distributions).unwrap_or_default();
        let alone = present.iter().chain(&coming).map(|one| vec![one]);
        let stays = |one: &&ResolvedDistribution<'_>| {
            coming.iter().all(|new| new.installed.package != one.installed.package)
        };
        let together: Vec<_> = present.iter().filter(stays).chain(&coming).collect();
        let sets = alone.chain(std::iter::once(together));
        sets.filter_map(|set| self.venv.plan(&set, &state.shared_folders).ok()).collect()
    }

    fn arrival(&self, path: &Path) -> Option<PackageToInstall> {
        let sha256 = rebuild::sha256_of(path)?;
        let home = path.parent()?.parent()?;
        let is_own = self.venv.config.get(STORE_KEY).is_some_and(|own| Path::new(own) == home);
        let wheel = LinkedWheel { sha256: &sha256, layer: (!is_own).then_some(home) };
        let entry = self.store.linked_entry(wheel).ok()??;
        Some(PackageToInstall { entry, requested: true, direct_url: None, copied: false })
    }
}

fn folders_above(path: &str) -> Vec<String> {
    let mut folders = Vec::new();
    let mut inner = path;
    while let Some((parent, _)) = inner.rsplit_once('/') {
        folders.push(parent.to_owned());
        inner = parent;
    }
    folders
}
