//! Moving the packages of venvs that other tools made into the store, and linking them.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_pep::{NamedVersion, WheelHash};

use crate::installed::recover;
use crate::{Error, Host, Indexes, Result, bytecode, restore};
use virtpy_store::{self as store, Catalogue, Entry, EntryId};
use virtpy_venv::{
    Adoptable, Candidate, ChangeSet, ChangeSummary, Contents, Extent, Inventory, LeftAlone, PackageToInstall,
    Place, Venv,
};
use virtpy_wheel::InstalledWheel;

/// Adopts what is in the venv at a path.
///
/// # Errors
/// When it is none, or cannot be adopted; it is as before then.
pub fn adopt(host: &Host, path: &Path, dry_run: bool) -> Result<Adoption> {
    Job { host, dry_run }.run(path)
}

/// The adoption of one venv.
struct Job<'a> {
    host: &'a Host,
    dry_run: bool,
}

impl Job<'_> {
    fn run(&self, path: &Path) -> Result<Adoption> {
        let store = &self.host.store;
        let link_mode = self.host.preferences()?.link_mode;
        let root = Candidate::open(store, path, link_mode)?.venv.root;
        let _store_lock = store.lock_shared(&mut self.host.announce())?;
        // A venv of another tool has no id yet, so two adoptions of it would not know of each other.
        let _place_lock = store.lock_place(&root, &mut self.host.announce())?;
        let candidate = Candidate::open(store, &root, link_mode)?;
        let venv = &candidate.venv;
        if !candidate.is_foreign() && !matches!(venv.place(store)?, Place::Own | Place::Moved(_)) {
            return Err(Error::new("this venv is a copy of another one, or of another store")
                .hinted("make it whole with `virtpy relink`, then adopt it"));
        }
        let changes_nothing = self.dry_run && candidate.is_foreign();
        let _venv_lock =
            if changes_nothing { None } else { Some(venv.lock(store, &mut self.host.announce())?) };
        let contents = self.contents(&candidate)?;
        let inventory = venv.inventory(&contents)?;
        let catalogue = store.catalogue()?;
        let mut report = Adoption {
            foreign_venv: candidate.is_foreign(),
            left_alone: inventory.left_alone.clone(),
            ..Adoption::of(&root)
        };
        let mut missing = Vec::new();
        let mut entries = Vec::with_capacity(inventory.adoptable.len());
        for adoptable in &inventory.adoptable {
            let entry = store.equal_entry(&catalogue, &adoptable.wheel)?;
            report.push(adoptable, entry.is_some());
            if entry.is_none() {
                missing.push(&adoptable.wheel);
            }
            entries.push(entry);
        }
        if self.dry_run {
            report.dry_run = true;
            return Ok(report);
        }
        let made = self.make(venv, &catalogue, &missing)?;
        let mut made = made.into_iter();
        let entries: Vec<Entry> =
            entries.into_iter().filter_map(|entry| entry.or_else(|| made.next())).collect();
        candidate.take_over(store)?;
        match self.link(venv, &contents, inventory, entries) {
            Ok(summary) => report.summary = summary,
            Err(error) => {
                candidate.give_back(store)?;
                return Err(error);
            }
        }
        Ok(report)
    }

    /// What is installed, after what a killed command or another installer left was put right.
    fn contents(&self, candidate: &Candidate) -> Result<Contents> {
        let (store, venv) = (&self.host.store, &candidate.venv);
        if candidate.is_foreign() {
            return Ok(Contents::read(venv, store)?);
        }
        recover(self.host, venv)?;
        let contents = Contents::read(venv, store)?;
        if self.dry_run {
            return Ok(contents);
        }
        restore::damaged(self.host, venv, contents, &Indexes::default())
    }

    /// Makes entries of what the store has not, in the order given.
    fn make(&self, venv: &Venv, catalogue: &Catalogue, missing: &[&InstalledWheel]) -> Result<Vec<Entry>> {
        let store = &self.host.store;
        let keys: Vec<WheelHash> = missing.iter().map(|wheel| store::content_key(wheel)).collect();
        let ids = keys.iter().map(EntryId::of).collect();
        let _locks = store.lock_entries(ids, &mut self.host.announce())?;
        let mut entries = Vec::with_capacity(missing.len());
        let mut absent = Vec::new();
        for wheel in missing {
            // Another process may have made it meanwhile.
            let entry = store.equal_entry(catalogue, wheel)?;
            if entry.is_none() {
                absent.push(*wheel);
            }
            entries.push(entry);
        }
        // One that is there and was not found is damaged.
        let damaged: Vec<WheelHash> =
            absent.iter().map(|wheel| store::content_key(wheel)).filter(|key| store.has(key)).collect();
        let made = store.adopt(&absent)?;
        for entry in made.iter().filter(|entry| damaged.contains(&entry.manifest.sha256)) {
            restore::refresh_names(self.host, entry, Some(venv))?;
        }
        let found = |key: &WheelHash| made.iter().find(|entry| entry.manifest.sha256 == *key).cloned();
        let all = entries.into_iter().zip(&keys).map(|(entry, key)| entry.or_else(|| found(key)));
        all.collect::<Option<Vec<_>>>().ok_or_else(|| Error::new("an entry of the store disappeared"))
    }

    fn link(
        &self,
        venv: &Venv,
        contents: &Contents,
        inventory: Inventory,
        entries: Vec<Entry>,
    ) -> Result<ChangeSummary> {
        let preferences = self.host.preferences()?;
        let arrival = |(adoptable, entry): (&Adoptable, Entry)| PackageToInstall {
            copied: preferences.copies(&entry.package),
            entry,
            requested: adoptable.requested,
            direct_url: adoptable.direct_url(),
        };
        let install = inventory.adoptable.iter().zip(entries).map(arrival).collect();
        let change = ChangeSet {
            install,
            real_folders: inventory.real_folders,
            // The set stays the same.
            satisfies: contents.state.satisfied.clone(),
            ..ChangeSet::default()
        };
        let summary = venv.apply(&self.host.store, contents, &change)?;
        let interpreter = self.host.interpreter(venv)?;
        bytecode::after_change(self.host, &interpreter, venv, &change.install, false)?;
        Ok(summary)
    }
}

/// What became of one venv.
#[derive(Debug, Default, JsonSchema, Serialize)]
pub struct Adoption {
    /// Its path.
    pub venv: PathBuf,
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Whether it was another tool's until now.
    pub foreign_venv: bool,
    /// What the store has now.
    pub adopted: Vec<Adopted>,
    /// What stays as it is.
    pub left_alone: Vec<LeftAlone>,
    /// What the venv holds less.
    #[serde(rename = "venv_saves")]
    pub saved: Extent,
    /// What the store holds more.
    #[serde(rename = "store_grows")]
    pub grown: Extent,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What changed in the venv.
    #[serde(skip)]
    pub summary: ChangeSummary,
}

/// A distribution that was adopted.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Adopted {
    /// Which.
    #[serde(flatten)]
    pub label: NamedVersion,
    /// Whether the store had it.
    pub in_store: bool,
    /// What it took in the venv.
    #[serde(flatten)]
    pub extent: Extent,
}

impl Adoption {
    /// Of the venv at a path, nothing yet.
    pub fn of(venv: &Path) -> Self {
        Self { venv: venv.to_path_buf(), ..Self::default() }
    }

    fn push(&mut self, adoptable: &Adoptable, in_store: bool) {
        let Adoptable { distribution, extent, .. } = adoptable;
        self.saved += *extent;
        if !in_store {
            self.grown += adoptable.wheel_extent();
        }
        self.adopted.push(Adopted { label: distribution.label(), in_store, extent: *extent });
    }
}
