//! Making whole what an environment uses of the store: what the store lost (it was wiped, or only the venv was kept) is fetched
//! again, and what another installer, run by root, wrote into the store through the venv's links is put right.

use std::cell::LazyCell;

use virtpy_resolver::{IndexSettings, Input, Options, Request, RequirementsFiles};

use crate::resolve::{self, Repaired, ResolveError};
use crate::resolved::{ResolveRequest, Resolved};
use crate::{Error, Host, Indexes, Result};
use virtpy_files as fs;
use virtpy_interpreters::Interpreter;
use virtpy_pep::WheelHash;
use virtpy_store::Entry;
use virtpy_venv::{
    self as venv, ChangeSet, ChangedVenv, Contents, Distribution, Installed, Lookout, PackageToInstall, Venv,
};

/// Fetches what the store no longer has of a venv, and returns what is in it then. The caller holds both.
///
/// # Errors
/// When something cannot be had; the venv is as before then.
pub(super) fn lost(host: &Host, venv: &Venv, contents: Contents, indexes: &Indexes) -> Result<Contents> {
    if contents.dangling.is_empty() {
        return Ok(contents);
    }
    demand_stores(host, &contents.dangling)?;
    let (store, what) = (store_of(&contents.dangling), described(&contents.dangling));
    host.message(format_args!("{store} no longer has {what}, which this venv uses: fetching"));
    fetch_again(
        host,
        venv,
        &contents,
        Missing { distributions: &contents.dangling, reason: "the store lost" },
        indexes,
    )
}

/// Fetches again what a power cut has damaged of what a venv uses, and returns what is in the venv then. The caller holds both.
///
/// # Errors
/// When something cannot be had; the venv is as before then.
pub fn torn(host: &Host, venv: &Venv, contents: Contents, indexes: &Indexes) -> Result<Contents> {
    let missing = venv.torn(&host.store)?;
    if missing.is_empty() {
        return Ok(contents);
    }
    let what = described(&missing);
    host.message(format_args!("a power cut has damaged {what} in the store: fetching"));
    fetch_again(
        host,
        venv,
        &contents,
        Missing { distributions: &missing, reason: "a power cut has damaged" },
        indexes,
    )
}

/// What is missing of what is installed.
#[derive(Clone, Copy)]
struct Missing<'a> {
    distributions: &'a [Installed],
    /// What happened to it, as the beginning of a sentence.
    reason: &'a str,
}

/// Fetches what is missing of what is installed.
fn fetch_again(
    host: &Host,
    venv: &Venv,
    contents: &Contents,
    Missing { distributions: missing, reason }: Missing<'_>,
    indexes: &Indexes,
) -> Result<Contents> {
    let what = described(missing);
    let interpreter = host.interpreter(venv)?;
    let below = LowerStores(host);
    let fetched = fetch(host, &interpreter, &below.absent(missing, |_| true)?, indexes).map_err(|error| {
        error.within(format!("{reason} {what}, and it could not be fetched again")).hinted(
            "say with `--index-url` or `--find-links` where it came from, or make the venv again with \
                 `virtpy new --clear`",
        )
    })?;
    let install = packages(host, missing, &fetched)?;
    let is_other = |(old, new): (&Installed, &PackageToInstall)| {
        old.sha256 != new.entry.manifest.sha256 || old.layer != new.entry.layer
    };
    // The links of the others lead somewhere again.
    if missing.iter().zip(&install).any(is_other) {
        let satisfies = contents.state.satisfied.clone();
        let tags = Some(interpreter.tags());
        let change = ChangeSet { install, tags, satisfies, relayout: true, ..ChangeSet::default() };
        venv.apply(&host.store, contents, &change)?;
    }
    crate::contents(host, venv)
}

/// Refuses to replace what a venv has in a lower store that is somewhere else now, or is none any more: it may only not be
/// mounted.
///
/// # Errors
/// When some of these are of such a store.
pub fn demand_stores(host: &Host, missing: &[Installed]) -> Result<()> {
    let store = &host.store;
    let lower = store.lower()?;
    let is_lost = |one: &&Installed| one.layer.as_deref().is_some_and(|home| store.layer(home).is_none());
    let lost: Vec<Installed> = missing.iter().filter(is_lost).cloned().collect();
    let Some(home) = lost.first().and_then(|one| one.layer.as_deref()) else { return Ok(()) };
    let what = described(&lost);
    let (why, todo) = if fs::kind(home)?.is_none() {
        ("which is not there", "mount it there")
    } else if lower.iter().any(|layer| layer.home() == home) {
        ("which has no packages", "mount it there")
    } else {
        ("which is not in the setting `stores`", "add it there")
    };
    Err(Error::new(format!("this venv has {what} from the store `{}`, {why}", home.display()))
        .hinted(format!("{todo}; or let `virtpy relink` link it from another store, or fetch it again")))
}

/// What to take from lower stores, where there are any.
pub(super) struct LowerStores<'a>(pub(super) &'a Host);

impl LowerStores<'_> {
    /// Which of these no store has: not where it was linked from, and not anywhere else. Where there are no lower stores, `is_absent`
    /// decides.
    pub(super) fn absent<'a>(
        &self,
        wanted: &'a [Installed],
        is_absent: impl Fn(&Installed) -> bool,
    ) -> Result<Vec<&'a Installed>> {
        let store = &self.0.store;
        if store.lower()?.is_empty() {
            return Ok(wanted.iter().filter(|one| is_absent(one)).collect());
        }
        let digests: Vec<Option<WheelHash>> = wanted.iter().map(|one| Some(one.sha256)).collect();
        let found = wanted.iter().zip(store.usable(&digests)?);
        Ok(found.filter(|(_, entry)| entry.is_none()).map(|(one, _)| one).collect())
    }

    /// The entry to link a wheel from.
    pub(super) fn entry(&self, sha256: &WheelHash) -> Result<Option<Entry>> {
        let store = &self.0.store;
        if store.lower()?.is_empty() {
            return Ok(store.entry(sha256)?);
        }
        Ok(store.usable(&[Some(*sha256)])?.pop().flatten())
    }
}

/// The store that lost some distributions, as far as the first of them tells.
pub fn store_of(some: &[Installed]) -> String {
    let layer = some.first().and_then(|one| one.layer.as_ref());
    layer.map_or_else(|| "the store".to_owned(), |layer| format!("the store `{}`", layer.display()))
}

/// The first of some distributions, and how many more there are.
pub fn described(some: &[Installed]) -> String {
    let Some(first) = some.first() else { return "nothing".to_owned() };
    let others = if some.len() > 1 { format!(" and {} more", some.len() - 1) } else { String::new() };
    format!("{}{others}", first.label())
}

/// Brings what the store no longer has into it again: the same versions, from where each came from.
pub(super) fn fetch(
    host: &Host,
    interpreter: &Interpreter,
    missing: &[&Installed],
    indexes: &Indexes,
) -> Result<Vec<Entry>> {
    let (own_pip, others): (Vec<&Installed>, Vec<&Installed>) =
        missing.iter().partition(|one| one.is_pip_shim());
    let mut fetched = Vec::new();
    if !others.is_empty() {
        let settings = indexes.settings(host)?.clone();
        // Anybody may have a package of the same name and version on another index: it has to be the same file.
        let mut files = RequirementsFiles::default();
        for one in others.iter().filter(|one| is_one_file(one)) {
            files.demand_files(&one.package, &one.version, &[one.sha256.to_string()], "this venv");
        }
        let request = Request {
            files,
            requirements: others.iter().map(|one| input(&Distribution::from((*one).clone()))).collect(),
            options: Options { no_deps: true, ..as_it_was(host, &settings) },
            ..Request::default()
        };
        let resolved =
            Resolved::of(host, interpreter, settings, &ResolveRequest::Request(Box::new(request)))?;
        fetched.extend(resolved.fetch_all()?.into_iter().map(|one| one.entry));
    }
    if !own_pip.is_empty() {
        fetched.push(host.store.pip_shim(&mut host.announce())?);
    }
    Ok(fetched)
}

/// Whether it can only be the file with the hash that is known: not where it was built here, or comes from a place that the
/// user named.
fn is_one_file(installed: &Installed) -> bool {
    installed.direct_url.is_none() && !installed.built
}

/// An installed distribution as something to ask the resolver for.
pub(super) fn input(installed: &Distribution) -> Input {
    let editable = installed.direct_url().and_then(venv::editable_location);
    if let Some(location) = editable {
        return Input::Editable(location);
    }
    Input::Requirement(venv::frozen(installed))
}

/// What is linked, in the old order; for what had to be fetched the entry that came.
pub(super) fn packages(
    host: &Host,
    wanted: &[Installed],
    fetched: &[Entry],
) -> Result<Vec<PackageToInstall>> {
    let mut packages = Vec::with_capacity(wanted.len());
    for installed in wanted {
        let label = installed.label();
        let entry = match fetched.iter().find(|entry| entry.package == installed.package) {
            Some(entry) => Some(entry.clone()),
            None => LowerStores(host).entry(&installed.sha256)?,
        };
        let entry = entry.ok_or_else(|| Error::new(format!("{label} could not be fetched again")))?;
        if entry.manifest.sha256 != installed.sha256 {
            if is_one_file(installed) {
                return Err(Error::new(format!("the {label} that can be had is another file")));
            }
            host.warning(format_args!("{label} is another file than before"));
        }
        packages.push(PackageToInstall {
            entry,
            requested: installed.requested,
            direct_url: installed.direct_url.clone(),
            copied: installed.copied,
        });
    }
    Ok(packages)
}

/// Looks at the entries of a venv in which another installer was, restores the damaged ones, and returns the venv's
/// contents as they are then. The caller holds the store's lock and the venv's.
///
/// # Errors
/// When an entry cannot be restored although it could be had, or the venv cannot be written.
pub fn damaged(host: &Host, venv: &Venv, mut contents: Contents, indexes: &Indexes) -> Result<Contents> {
    let damage = venv.store_damage(&host.store, &contents)?;
    let Some(trace) = damage.trace else { return Ok(contents) };
    let is_restored = damage.damaged.is_empty() || restore(host, &damage.damaged, venv, indexes)?;
    if !damage.strays.is_empty() {
        venv.bring_back(&host.store, &contents, &damage.strays)?;
        contents = Contents { system: contents.system, ..Contents::read(venv, &host.store)? };
    }
    if is_restored {
        host.store.note(&trace);
    }
    Ok(contents)
}

/// Restores what other installers damaged through other venvs than `present` that changed since virtpy last worked on them, as far
/// as it is their turn to be looked at. Only root can do harm to an entry, so for others there is nothing to look for.
pub(super) fn damaged_elsewhere(host: &Host, present: &Venv, indexes: &Indexes) -> Result<()> {
    if !fs::is_root() {
        return Ok(());
    }
    let lookout = Lookout::some(&host.store, present)?;
    // Read only if there is a change to look up.
    let noted = LazyCell::new(|| host.store.checked());
    for ChangedVenv { root, trace, .. } in lookout.changed.iter().filter(|one| !noted.is_noted(&one.trace)) {
        let Ok(venv) = Venv::open(root) else { continue };
        // Who holds it looks there for itself.
        let Some(_venv_lock) = host.store.try_lock_venv(&venv.id)? else { continue };
        if let Ok(contents) = Contents::read(&venv, &host.store) {
            let is_own = contents.is_own();
            damaged(host, &venv, contents, indexes)?;
            // Python keeps bytecode there as well. What another installer left is looked at by its own traces.
            if is_own {
                host.store.note(trace);
            }
        }
    }
    lookout.note(&host.store);
    Ok(())
}

/// Restores entries. Returns whether all of them are sound again: of what cannot be had again, people are told each time,
/// and may go on, for instance to remove it.
fn restore(host: &Host, damaged: &[Entry], venv: &Venv, indexes: &Indexes) -> Result<bool> {
    let mut all = true;
    let interpreter = host.interpreter(venv)?;
    let session = host.session(&interpreter, indexes.settings(host)?.clone());
    for entry in damaged {
        let label = entry.manifest.label().to_string();
        let verdicts = host.store.verify(std::slice::from_ref(&entry.id), &|| {});
        for verdict in verdicts.iter().filter(|verdict| !verdict.findings.is_empty()) {
            host.warning(format_args!(
                "another installer changed {label} in the store, through the venv at `{}`",
                venv.root.display()
            ));
            let repaired =
                resolve::repair(&host.store, &session, host.remote()?, verdict, &mut host.announce());
            if let Err(error @ ResolveError::CannotRepair { .. }) = &repaired {
                let hint = error.hint().unwrap_or_default();
                host.warning(format_args!("{label} stays damaged: {error}; {hint}"));
                all = false;
                continue;
            }
            let repaired = repaired.map_err(|error| {
                Error::from(error)
                    .within(format!("{label} is damaged in the store and could not be restored"))
            })?;
            if let Repaired::Fetched(entry) = repaired {
                refresh_names(host, &entry, Some(venv))?;
            }
        }
    }
    Ok(all)
}

/// Gives the venvs in which files of an entry have names of their own (hardlinks) the files of the new entry. Returns how
/// many venvs that were; those that are gone or damaged are passed over. The
/// lock of `held` is the caller's already.
///
/// # Errors
/// When the store's records of its venvs cannot be read.
pub fn refresh_names(host: &Host, entry: &Entry, held: Option<&Venv>) -> Result<usize> {
    let (mut refreshed, mut missed) = (0, false);
    for root in host.store.roots()? {
        let Ok(venv) = Venv::open(&root.path) else { continue };
        let is_held = held.is_some_and(|held| held.id == venv.id);
        // Never waiting: who holds that venv may be about to do the same here.
        let lock = if is_held { None } else { host.store.try_lock_venv(&venv.id)? };
        let changed = if is_held || lock.is_some() {
            venv.refresh_names(&host.store, entry).map_err(|error| error.to_string())
        } else {
            Err("another process works on it".to_owned())
        };
        match changed {
            Ok(changed) => refreshed += usize::from(changed),
            Err(reason) => {
                missed = true;
                host.warning(format_args!(
                    "the venv at `{}` was not refreshed: {reason}",
                    root.path.display()
                ));
            }
        }
    }
    if !missed {
        host.store.forget_renewed(&entry.id);
    }
    Ok(refreshed)
}

/// How the versions that a venv had are asked for: pre-releases too, and as files of the kinds that the user takes.
pub(crate) fn as_it_was(host: &Host, settings: &IndexSettings) -> Options {
    Options {
        prerelease: true,
        no_binary: settings.no_binary.clone(),
        only_binary: settings.only_binary.clone(),
        working_directory: host.working_directory.clone(),
        ..Options::default()
    }
}
