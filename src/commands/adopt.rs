//! `virtpy adopt`: move the packages of venvs that other tools made into the store, and link them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use super::aftermath;
use crate::cli::{AdoptArguments, IndexArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::output::{bytes, counted, seconds};
use crate::settings::Settings;
use crate::store::{self, Catalogue, Entry};
use crate::venv::{
    Adoptable, Arrival, Candidate, Change, Contents, Extent, Inventory, LeftAlone, Place, Venv,
};
use crate::wheel::InstalledWheel;

pub(super) fn run(context: &Context, arguments: &AdoptArguments) -> Result<u8, Failure> {
    let settings = context.settings()?;
    let mut reports = Vec::new();
    for path in &arguments.venvs {
        let started = Instant::now();
        let adoption = Adoption { context, settings, dry_run: arguments.dry_run };
        let report = match adoption.run(&context.working_directory.join(path)) {
            Ok(report) => report,
            Err(failure) => {
                let error = failure.chain().join(": ");
                context.output.failure(&failure.within(format!("`{}` was not adopted", path.display())));
                Report { error: Some(error), ..Report::new(path) }
            }
        };
        if !arguments.json && report.error.is_none() {
            report.show(context, path, started);
        }
        reports.push(report);
    }
    if arguments.json {
        context.output.json(&reports)?;
    }
    Ok(u8::from(reports.iter().any(|report| report.error.is_some())))
}

/// The adoption of one venv.
struct Adoption<'a> {
    context: &'a Context,
    settings: &'a Settings,
    dry_run: bool,
}

impl Adoption<'_> {
    fn run(&self, path: &Path) -> Result<Report, Failure> {
        let store = &self.context.store;
        let root = Candidate::open(store, path, self.settings.link_mode)?.venv.root;
        let _store_lock = store.lock_shared(&mut self.context.announce())?;
        // A venv of another tool has no id yet, so two adoptions of it would not know of each other.
        let place = format!("adoption of {}", root.display());
        let _place_lock = store.lock_entries(vec![place], &mut self.context.announce())?;
        let candidate = Candidate::open(store, &root, self.settings.link_mode)?;
        let venv = &candidate.venv;
        if !candidate.is_foreign() && !matches!(venv.place(store)?, Place::Own | Place::Moved(_)) {
            return Err(Failure::new("this venv is a copy of another one, or of another store")
                .hinted("make it whole with `virtpy relink`, then adopt it"));
        }
        let changes_nothing = self.dry_run && candidate.is_foreign();
        let _venv_lock = if changes_nothing {
            None
        } else {
            Some(store.lock_venv(&venv.id, &mut self.context.announce())?)
        };
        let contents = self.contents(&candidate)?;
        let inventory = venv.inventory(&contents)?;
        let catalogue = store.catalogue()?;
        let mut report = Report::new(&root);
        report.foreign_venv = candidate.is_foreign();
        report.left_alone = inventory.left_alone.iter().map(Left::of).collect();
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
        if let Err(failure) = self.link(venv, &contents, inventory, entries) {
            candidate.give_back(store)?;
            return Err(failure);
        }
        Ok(report)
    }

    /// What is installed, after what a killed command or another installer left was put right.
    fn contents(&self, candidate: &Candidate) -> Result<Contents, Failure> {
        let (store, venv) = (&self.context.store, &candidate.venv);
        if candidate.is_foreign() {
            return Ok(Contents::read(venv, store)?);
        }
        venv.recover()?;
        let contents = Contents::read(venv, store)?;
        if self.dry_run {
            return Ok(contents);
        }
        aftermath::restore(self.context, venv, contents, &IndexArguments::default())
    }

    /// Makes entries of what the store has not, in the order given.
    fn make(
        &self,
        venv: &Venv,
        catalogue: &Catalogue,
        missing: &[&InstalledWheel],
    ) -> Result<Vec<Entry>, Failure> {
        let store = &self.context.store;
        let keys: Vec<String> = missing.iter().map(|wheel| store::content_key(wheel)).collect();
        let _locks = store.lock_entries(keys.clone(), &mut self.context.announce())?;
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
        let damaged: Vec<String> =
            absent.iter().map(|wheel| store::content_key(wheel)).filter(|key| store.has(key)).collect();
        let made = store.adopt(&absent)?;
        for entry in made.iter().filter(|entry| damaged.contains(&entry.manifest.sha256)) {
            super::refresh_names(self.context, entry, Some(venv))?;
        }
        let found = |key: &String| made.iter().find(|entry| entry.manifest.sha256 == *key).cloned();
        let all = entries.into_iter().zip(&keys).map(|(entry, key)| entry.or_else(|| found(key)));
        all.collect::<Option<Vec<_>>>().ok_or_else(|| Failure::new("an entry of the store disappeared"))
    }

    fn link(
        &self,
        venv: &Venv,
        contents: &Contents,
        inventory: Inventory,
        entries: Vec<Entry>,
    ) -> Result<(), Failure> {
        let arrival = |(adoptable, entry): (&Adoptable, Entry)| Arrival {
            copied: self.settings.copies(&entry.manifest.name),
            entry,
            requested: adoptable.requested,
            direct_url: adoptable.direct_url(),
        };
        let install = inventory.adoptable.iter().zip(entries).map(arrival).collect();
        let change = Change {
            install,
            real_folders: inventory.real_folders,
            // The set stays the same.
            satisfies: contents.state.satisfied.clone(),
            ..Change::default()
        };
        let summary = venv.apply(&self.context.store, contents, &change)?;
        let interpreter = self.context.interpreter(venv)?;
        super::bytecode::after_change(self.context, &interpreter, venv, &change.install, false)?;
        super::report_left_alone(self.context.output, &summary);
        Ok(())
    }
}

/// What became of one venv.
#[derive(Debug, Serialize)]
struct Report {
    venv: PathBuf,
    dry_run: bool,
    /// Whether it was another tool's until now.
    foreign_venv: bool,
    adopted: Vec<Adopted>,
    left_alone: Vec<Left>,
    /// What the venv holds less.
    #[serde(rename = "venv_saves")]
    saved: Size,
    /// What the store holds more.
    #[serde(rename = "store_grows")]
    grown: Size,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
struct Size {
    files: u64,
    bytes: u64,
}

impl Size {
    fn add(&mut self, extent: Extent) {
        self.files += extent.files;
        self.bytes += extent.bytes;
    }
}

#[derive(Debug, Serialize)]
struct Adopted {
    name: String,
    version: String,
    /// Whether the store had it.
    in_store: bool,
    files: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Left {
    name: String,
    version: String,
    reason: String,
}

impl Left {
    fn of(left: &LeftAlone) -> Self {
        let LeftAlone { name, version, reason } = left.clone();
        Self { name, version, reason }
    }
}

impl Report {
    fn new(venv: &Path) -> Self {
        Self {
            venv: venv.to_path_buf(),
            dry_run: false,
            foreign_venv: false,
            adopted: Vec::new(),
            left_alone: Vec::new(),
            saved: Size::default(),
            grown: Size::default(),
            error: None,
        }
    }

    fn push(&mut self, adoptable: &Adoptable, in_store: bool) {
        self.saved.add(adoptable.extent);
        if !in_store {
            self.grown.add(adoptable.wheel_extent());
        }
        self.adopted.push(Adopted {
            name: adoptable.distribution.name.clone(),
            version: adoptable.distribution.version.clone(),
            in_store,
            files: adoptable.extent.files,
            bytes: adoptable.extent.bytes,
        });
    }

    fn show(&self, context: &Context, path: &Path, started: Instant) {
        let output = context.output;
        let labels: Vec<_> =
            self.adopted.iter().map(|adopted| (adopted.name.clone(), adopted.version.clone())).collect();
        output.changes(&[], &labels);
        for Left { name, version, reason } in &self.left_alone {
            let blank = if version.is_empty() { "" } else { " " };
            output.warning(format_args!("{name}{blank}{version} was left alone: {reason}"));
        }
        let shared = self.adopted.iter().filter(|adopted| adopted.in_store).count();
        let count = counted(self.adopted.len(), "package");
        let path = path.display();
        let ways = format!("{shared} in the store already, {} moved there", self.adopted.len() - shared);
        if self.dry_run {
            output.message(format_args!("Would adopt {count} of `{path}` ({ways}; nothing was changed)"));
        } else {
            let elapsed = seconds(started.elapsed());
            output.message(format_args!("Adopted {count} of `{path}` in {elapsed} ({ways})"));
        }
        if self.adopted.is_empty() {
            return;
        }
        let Size { files, bytes: size } = self.saved;
        output.message(format_args!(
            "The venv {} {files} files and {} less, the store {} more",
            if self.dry_run { "would have" } else { "has" },
            bytes(size),
            bytes(self.grown.bytes)
        ));
    }
}
