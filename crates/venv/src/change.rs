//! Changing what is installed: the difference between two plans, applied under a journal.

use std::borrow::Cow;
use std::collections::BTreeSet;

use virtpy_files::FileKind;
use virtpy_pep::{InterpreterTags, NamedVersion, PackageName};
use virtpy_store::{Entry, EntryId, Store, VenvId, was_built};

use super::check::is_replaced;
use super::contents::{Contents, Owner};
use super::layout::UNFINISHED;
use super::node::{Clash, Node, PlannedDistribution};
use super::nodes::make;
use super::plan::{Plan, is_bytecode_folder};
use super::transaction::{Transaction, stands};
use super::{Distribution, Installed, State, Venv, VenvError, foreign};

/// A distribution to install.
#[derive(Debug, Clone)]
pub struct PackageToInstall {
    /// Its entry in the store.
    pub entry: Entry,
    /// Whether somebody asked for it by name.
    pub requested: bool,
    /// The text of its `direct_url.json` (PEP 610).
    pub direct_url: Option<String>,
    /// Whether this venv gets a copy of its own instead of links.
    pub copied: bool,
}

/// A set of distributions to come and to go. One that comes replaces one of the same name.
#[derive(Debug, Clone, Default)]
pub struct ChangeSet {
    /// What comes, in order: where two have the same file, the later one's is there.
    pub install: Vec<PackageToInstall>,
    /// The normalized names of what goes.
    pub remove: BTreeSet<PackageName>,
    /// Folders to be real because files of another installer are to come back into them.
    pub real_folders: BTreeSet<String>,
    /// Whether everything is laid out again where it is not exactly as planned: scripts for another path, links into another
    /// store. Otherwise what a change does not concern is not looked at.
    pub relayout: bool,
    /// Paths that were deleted and are to be there again, with all below them.
    pub put_back: BTreeSet<String>,
    /// Whether what somebody wrote into packages that are this venv's own copies may be lost.
    pub force: bool,
    /// Which wheels the venv's interpreter takes: what comes is held against it. Without it, what comes was in the venv before.
    pub tags: Option<InterpreterTags>,
    /// What the new set satisfies, for the next request to be compared with.
    pub satisfies: Option<String>,
}

/// What a change did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeSummary {
    /// What came: names as METADATA spells them, and versions.
    pub added: Vec<NamedVersion>,
    /// What went.
    pub removed: Vec<NamedVersion>,
    /// Files that more than one distribution has, where a new one is concerned.
    pub clashes: Vec<Clash>,
    /// Paths that were no longer as virtpy had made them, and were left alone.
    pub left_alone: Vec<String>,
}

impl ChangeSet {
    fn puts_back(&self, path: &str) -> bool {
        let is_below =
            |deleted: &String| path.strip_prefix(deleted.as_str()).is_some_and(|rest| rest.starts_with('/'));
        self.put_back.contains(path) || self.put_back.iter().any(is_below)
    }
}

impl Venv {
    /// Applies a change, wholly or not at all. The caller holds the venv's lock and the store's.
    ///
    /// # Errors
    /// When something that comes is not for the venv's interpreter, the new set does not fit together, or the venv cannot be
    /// written; it is then as before.
    pub fn apply(
        &self,
        store: &Store,
        contents: &Contents,
        change: &ChangeSet,
    ) -> Result<ChangeSummary, VenvError> {
        if let Some(tags) = &change.tags {
            change.install.iter().try_for_each(|arrival| tags.check(&arrival.entry.manifest.filename))?;
        }
        let root = store.register(&self.id, &self.root)?;
        let change = &change.sparing_own_pip(contents);
        let sets = DistributionDiff::of(store, contents, change);
        let present = DistributionDiff::load(store, &sets.present)?;
        let mut old = self.plan(&present.iter().collect::<Vec<_>>(), &contents.state.shared_folders)?;
        self.see_earlier_markers(&mut old)?;
        if !contents.is_own() {
            self.see_all_earlier_links(&mut old)?;
            self.keep_what_stands(&mut old, contents)?;
        }
        let arriving = change.install.iter().map(ResolvedDistribution::of).collect::<Vec<_>>();
        if !change.force {
            self.refuse_lost_edits(&sets.leaving(&present, &arriving), &old)?;
        }
        let mut shared = foreign::shared_folders(self, &sets.foreign_staying);
        shared.extend(change.real_folders.iter().cloned());
        shared.extend(self.folders_with_others(
            &contents.state.shared_folders,
            &old,
            &sets.foreign_leaving,
        )?);
        let mut shared: Vec<String> = shared.into_iter().collect();
        let set = sets.arrange(&present, &arriving);
        let own = present.iter().chain(&arriving).filter(|loaded| loaded.entry.layer.is_none());
        let uses: BTreeSet<EntryId> = own.map(|loaded| loaded.entry.id.clone()).collect();
        store.note_uses(root, uses.into_iter().collect())?;
        let entries: Vec<&Entry> = set.iter().map(|loaded| loaded.entry.as_ref()).collect();
        self.register_below(store, &entries, &contents.state.distributions);
        store.note_linked(&entries);
        let mut new = self.plan(&set, &shared)?;
        let kept = self.folders_with_others(&folding(&old, &new), &old, &sets.foreign_leaving)?;
        if !kept.is_empty() {
            shared.extend(kept);
            shared.sort();
            shared.dedup();
            new = self.plan(&set, &shared)?;
        }
        // What another installer overwrote and still claims is its own.
        let mut claimed = BTreeSet::new();
        for distribution in &sets.foreign_staying {
            claimed.extend(foreign::files(self, distribution).unwrap_or_default());
        }
        for path in &claimed {
            new.nodes.remove(path);
        }

        self.see_earlier_links(&mut old, &new)?;
        if change.relayout {
            self.see_what_stands(&mut old, &new, &sets.foreign_leaving)?;
        }
        old.nodes.retain(|path, _| !change.puts_back(path));
        let mut state = State::default();
        state.change = VenvId::random().to_string();
        state.distributions = set.iter().map(|loaded| loaded.installed.clone()).collect();
        state.shared_folders = shared;
        state.satisfied.clone_from(&change.satisfies);

        let named = self.name_stores(store, set.iter().map(|loaded| loaded.entry.as_ref()))?;
        let venv = named.as_ref().unwrap_or(self);
        let transaction = Transaction::prepare(venv, &old, &new, &sets.foreign_leaving, &claimed)?;
        let left_alone = transaction.run(&mut state)?;
        Ok(ChangeSummary {
            added: arriving.iter().map(|loaded| loaded.installed.label()).collect(),
            removed: sets.leaving_labels,
            clashes: new_clashes(&old, new.clashes),
            left_alone,
        })
    }

    /// Gives the real files that this venv has of an entry the content of the entry as it is now. Returns whether there were
    /// any that differed. The caller holds the venv's lock.
    ///
    /// # Errors
    /// When the venv or the store cannot be read or written.
    pub fn refresh_names(&self, store: &Store, entry: &Entry) -> Result<bool, VenvError> {
        let state = State::read(self)?;
        if !state.distributions.iter().any(|installed| installed.sha256 == entry.manifest.sha256) {
            return Ok(false);
        }
        let present = DistributionDiff::load(store, &state.distributions)?;
        let plan = self.plan(&present.iter().collect::<Vec<_>>(), &state.shared_folders)?;
        let directory = &self.directory.for_many_changes();
        let mut changed = false;
        for (path, node) in plan.nodes {
            let (Node::HardlinkOrCopy(source) | Node::Hardlink(source)) = &node else { continue };
            let found = directory.facts(&path)?.filter(|facts| facts.kind == FileKind::File);
            let Some(found) = found else { continue };
            let is_hardlink = matches!(node, Node::Hardlink(_));
            if !source.starts_with(&entry.path)
                || found.is_file_at(source)?
                || !is_hardlink && self.is_as_planned(&path, &node)?
            {
                continue;
            }
            // Whoever is killed here leaves the old file or the new one.
            directory.remove_tree(UNFINISHED)?;
            make(directory, &self.layout, UNFINISHED, &node)?;
            directory.rename(UNFINISHED, &path)?;
            changed = true;
        }
        Ok(changed)
    }

    /// Puts into the old plan what really stands at the paths of the new one, so that all that differs is made again. Copies
    /// are this venv's own, and what was written into them stays.
    fn see_what_stands(
        &self,
        old: &mut Plan,
        new: &Plan,
        foreign_leaving: &[Distribution],
    ) -> Result<(), VenvError> {
        // What is behind a link does not stand here.
        for (path, node) in &new.nodes {
            let seen = match self.directory.kind(path)? {
                None | Some(FileKind::Other) => None,
                Some(FileKind::Folder) => Some(Node::Folder),
                Some(FileKind::Link) => Some(Node::Link(self.directory.read_link(path)?)),
                // Somebody's own, as a directory would be: it is in the way.
                Some(FileKind::File) if is_replaced(&self.directory, path, node)? => None,
                Some(FileKind::File) => {
                    let script = matches!(node, Node::Script(_));
                    let stays = matches!(node, Node::Copy(_)) || !script && self.is_as_planned(path, node)?;
                    // Any other file: that it is one is all that has to be known to take it away.
                    Some(if stays {
                        node.clone()
                    } else {
                        Node::Text { content: Vec::new(), executable: script }
                    })
                }
            };
            match seen {
                Some(seen) => drop(old.nodes.insert(path.clone(), seen)),
                None => drop(old.nodes.remove(path)),
            }
        }
        // These go by their own RECORD.
        for distribution in foreign_leaving {
            for path in foreign::files(self, distribution)? {
                old.nodes.remove(&path);
            }
        }
        Ok(())
    }

    /// Which of the folders that were real for others' sake have to stay so: something lies in them that no distribution
    /// owns. With them those above.
    fn folders_with_others(
        &self,
        folders: &[String],
        old: &Plan,
        leaving: &[Distribution],
    ) -> Result<BTreeSet<String>, VenvError> {
        let mut theirs = BTreeSet::new();
        for distribution in leaving.iter().filter(|_| !folders.is_empty()) {
            theirs.extend(foreign::files(self, distribution).unwrap_or_default());
        }
        let mut kept = BTreeSet::new();
        for folder in folders.iter().filter(|folder| !is_bytecode_folder(folder)) {
            if !self.directory.has_folder(folder)? {
                continue;
            }
            let is_unowned = |(name, kind): &(std::ffi::OsString, FileKind)| {
                let path = format!("{folder}/{}", name.to_string_lossy());
                // Something else in an owned file's place is nobody's.
                let is_owned = old.nodes.get(&path).is_some_and(|node| node.kind() == *kind);
                let is_above_theirs = || {
                    theirs
                        .range(format!("{path}/")..)
                        .next()
                        .is_some_and(|file| file.starts_with(&format!("{path}/")))
                };
                !is_owned && !theirs.contains(&path) && !is_bytecode_folder(&path) && !is_above_theirs()
            };
            if self.directory.read_dir_names(folder)?.iter().any(is_unowned) {
                foreign::insert_with_parents(&self.layout, folder, &mut kept);
            }
        }
        Ok(kept)
    }

    /// Refuses to throw away what somebody wrote into packages that are this venv's own copies.
    ///
    /// # Errors
    /// When somebody did, or the venv cannot be read.
    pub fn demand_unedited(&self, store: &Store, contents: &Contents) -> Result<(), VenvError> {
        let copies = contents.state.distributions.iter().filter(|one| one.copied && store.has(&one.sha256));
        let copies = DistributionDiff::load(store, &copies.cloned().collect::<Vec<_>>())?;
        let copies: Vec<&ResolvedDistribution<'_>> = copies.iter().collect();
        self.refuse_lost_edits(&copies, &self.plan(&copies, &contents.state.shared_folders)?)
    }

    /// What somebody wrote into a package of this venv's own is not thrown away unasked.
    fn refuse_lost_edits(&self, leaving: &[&ResolvedDistribution<'_>], old: &Plan) -> Result<(), VenvError> {
        for loaded in leaving.iter().filter(|loaded| loaded.installed.copied) {
            let mut files = self.edited_files(&loaded.entry, &loaded.installed)?;
            files.extend(self.added_files(&loaded.entry, &loaded.installed, old)?);
            files.extend(self.edited_beside(&loaded.entry, old)?);
            if !files.is_empty() {
                return Err(VenvError::Edited { distribution: loaded.installed.label().to_string(), files });
            }
        }
        Ok(())
    }

    /// Takes out of a plan what another tool has taken away or put something of its own in place of.
    fn keep_what_stands(&self, plan: &mut Plan, contents: &Contents) -> Result<(), VenvError> {
        let mut theirs = BTreeSet::new();
        for distribution in contents.distributions.iter().filter(|distribution| distribution.is_foreign()) {
            theirs.extend(foreign::files(self, distribution).unwrap_or_default());
        }
        let directory = self.directory.for_many_changes();
        let mut gone = Vec::new();
        for (path, node) in &plan.nodes {
            if theirs.contains(path) || !stands(&directory, path, node)? {
                gone.push(path.clone());
            }
        }
        for path in gone {
            plan.nodes.remove(&path);
        }
        Ok(())
    }

    pub(super) fn plan(
        &self,
        loaded: &[&ResolvedDistribution<'_>],
        shared_folders: &[String],
    ) -> Result<Plan, VenvError> {
        let members: Vec<PlannedDistribution<'_>> = loaded.iter().map(|loaded| loaded.member()).collect();
        Plan::of(&self.layout, self.config.link_mode(), shared_folders, &members)
    }
}

/// The folders that are real in the old plan and, themselves or by one above them, links in the new one.
fn folding(old: &Plan, new: &Plan) -> Vec<String> {
    let is_folder = |node: &Node| *node == Node::Folder;
    let mut found = Vec::new();
    for (path, node) in &new.nodes {
        if matches!(node, Node::Link(_)) && old.nodes.get(path).is_some_and(is_folder) {
            let inside = format!("{path}/");
            let below = old.nodes.range(inside.clone()..).take_while(|(path, _)| path.starts_with(&inside));
            found.push(path.clone());
            found.extend(below.filter(|(_, node)| is_folder(node)).map(|(path, _)| path.clone()));
        }
    }
    found
}

/// A distribution with its entry.
pub(super) struct ResolvedDistribution<'a> {
    entry: Cow<'a, Entry>,
    pub(super) installed: Installed,
}

impl<'a> ResolvedDistribution<'a> {
    pub(super) fn of(arrival: &'a PackageToInstall) -> Self {
        let manifest = &arrival.entry.manifest;
        let installed = Installed {
            package: arrival.entry.package.clone(),
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            sha256: manifest.sha256,
            dist_info: manifest.dist_info.clone(),
            requested: arrival.requested,
            direct_url: arrival.direct_url.clone(),
            requires_dist: manifest.requires_dist.clone(),
            provides_extra: manifest.provides_extra.clone(),
            copied: arrival.copied,
            built: was_built(&manifest.origin),
            layer: arrival.entry.layer.clone(),
        };
        Self { entry: Cow::Borrowed(&arrival.entry), installed }
    }

    fn member(&self) -> PlannedDistribution<'_> {
        PlannedDistribution {
            manifest: &self.entry.manifest,
            entry: &self.entry.path,
            requested: self.installed.requested,
            direct_url: self.installed.direct_url.as_deref(),
            copied: self.installed.copied,
        }
    }
}

/// Who is there, who stays, who goes.
pub(super) struct DistributionDiff {
    present: Vec<Installed>,
    /// Indices into `present`.
    staying: Vec<usize>,
    foreign_staying: Vec<Distribution>,
    foreign_leaving: Vec<Distribution>,
    leaving_labels: Vec<NamedVersion>,
}

impl DistributionDiff {
    fn of(store: &Store, contents: &Contents, change: &ChangeSet) -> Self {
        let mut leaving: BTreeSet<PackageName> = change.remove.clone();
        leaving.extend(change.install.iter().map(|arrival| arrival.entry.package.clone()));
        // Another installer may have put a distribution of the same name beside it.
        let ours: BTreeSet<&str> = contents
            .distributions
            .iter()
            .filter_map(|found| match &found.owner {
                Owner::Virtpy(installed) => Some(installed.dist_info.as_str()),
                Owner::Foreign(_) | Owner::System { .. } => None,
            })
            .collect();
        let is_ours = |installed: &&Installed| ours.contains(installed.dist_info.as_str());
        // In the order of the state file, which is the order of installation. What another tool took away counts as
        // present still: its neighbours were laid out with it, and stand so.
        let present: Vec<Installed> = contents
            .state
            .distributions
            .iter()
            .filter(|installed| {
                let replaced = || leaving.contains(&installed.package);
                store.has(&installed.sha256) || is_ours(installed) && !replaced()
            })
            .cloned()
            .collect();
        let stays = |installed: &Installed| is_ours(&installed) && !leaving.contains(&installed.package);
        let staying = (0..present.len()).filter(|index| stays(&present[*index])).collect();
        let (foreign_leaving, foreign_staying): (Vec<_>, Vec<_>) = contents
            .distributions
            .iter()
            .filter(|distribution| distribution.is_foreign())
            .cloned()
            .partition(|distribution| leaving.contains(&distribution.package));
        let leaving_labels = contents
            .distributions
            .iter()
            .filter(|distribution| leaving.contains(&distribution.package))
            .map(Distribution::label)
            .collect();
        Self { present, staying, foreign_staying, foreign_leaving, leaving_labels }
    }

    /// The new set in its order: what stays or is only laid out again keeps its place, the others come last.
    fn arrange<'l, 'a>(
        &self,
        present: &'l [ResolvedDistribution<'a>],
        arriving: &'l [ResolvedDistribution<'a>],
    ) -> Vec<&'l ResolvedDistribution<'a>> {
        let same = |one: &ResolvedDistribution<'_>, other: &ResolvedDistribution<'_>| {
            one.installed.package == other.installed.package && one.installed.sha256 == other.installed.sha256
        };
        let kept = (0..present.len()).filter_map(|index| {
            let old = &present[index];
            let again = || arriving.iter().find(|new| same(new, old));
            if self.staying.contains(&index) { Some(old) } else { again() }
        });
        let others = arriving.iter().filter(|new| !present.iter().any(|old| same(new, old)));
        kept.chain(others).collect()
    }

    /// Which of those that are present do not stay as they are.
    fn leaving<'l, 'a>(
        &self,
        present: &'l [ResolvedDistribution<'a>],
        arriving: &[ResolvedDistribution<'_>],
    ) -> Vec<&'l ResolvedDistribution<'a>> {
        let comes_again = |old: &ResolvedDistribution<'_>| {
            arriving.iter().any(|new| {
                let (new, old) = (&new.installed, &old.installed);
                new.package == old.package && new.sha256 == old.sha256 && new.copied == old.copied
            })
        };
        let all = present.iter().enumerate();
        all.filter(|(index, old)| !self.staying.contains(index) && !comes_again(old))
            .map(|(_, old)| old)
            .collect()
    }

    pub(super) fn load<'a>(
        store: &Store,
        present: &[Installed],
    ) -> Result<Vec<ResolvedDistribution<'a>>, VenvError> {
        let mut loaded = Vec::with_capacity(present.len());
        for installed in present {
            let entry = store
                .entry_as_linked(installed.linked())?
                .ok_or_else(|| VenvError::MissingEntry(installed.label().to_string()))?;
            loaded.push(ResolvedDistribution { entry: Cow::Owned(entry), installed: installed.clone() });
        }
        Ok(loaded)
    }
}

/// Clashes that were not there before.
fn new_clashes(old: &Plan, clashes: Vec<Clash>) -> Vec<Clash> {
    clashes.into_iter().filter(|clash| !old.clashes.contains(clash)).collect()
}
