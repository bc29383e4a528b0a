//! Collecting what no venv uses: who is still there, what may go therefore, and taking it out of the store.

use std::collections::BTreeSet;
use std::path::Path;

use crate::words::counted;
use crate::{Error, Host, Result, cache};
use virtpy_files::Lock;
use virtpy_store::{Collecting, Collection, Discarded, Facts, Policy, UsedByOthers, VenvId};
use virtpy_venv::{self as venv, Fate, Surveyed};

/// What may go, or went.
pub struct Collected {
    /// The entries.
    pub entries: Collection,
    /// The venvs whose records go: they are gone, or given up.
    pub venvs: Vec<VenvId>,
    /// What was taken out of the store and is still to be deleted, for which nobody has to wait any more.
    pub discarded: Option<Discarded>,
}

/// Says what no venv uses, or takes it out of the store. `given_up` are ids and paths of venvs that count as gone.
///
/// # Errors
/// When the store cannot be read or written, a venv that is given up is there, or something is to be removed and not every
/// venv can be read; nothing is removed then.
pub fn collect(host: &Host, policy: &Policy, given_up: &[String], remove: bool) -> Result<Collected> {
    if remove {
        host.store.require_unsealed()?;
        // What the cache gives up is used by nobody any more.
        cache::sweep(host);
    }
    // What takes its time is done before anybody has to wait.
    let before = venv::survey(&host.store)?;
    let lock = if remove {
        host.store.lock_exclusive(&mut host.announce())?
    } else {
        host.store.lock_reading(&mut host.announce())?
    };
    let findings = Findings::of(host, &before, given_up)?;
    findings.tell(host);
    if remove {
        findings.refuse_doubt()?;
    }
    findings.carry_out(host, policy, &lock, remove)
}

/// Takes out of the store what may go by a policy, at most once a day and only if nobody else works with the store just now.
/// `None` where nothing was done.
///
/// # Errors
/// When the store cannot be read or written.
pub fn collect_if_due(host: &Host, policy: &Policy) -> Result<Option<Collected>> {
    if !policy.limits() || !host.store.is_due(Collecting::ByPolicy) {
        return Ok(None);
    }
    let before = venv::survey(&host.store)?;
    let Some(lock) = host.store.try_lock_exclusive()? else { return Ok(None) };
    let findings = Findings::of(host, &before, &[])?;
    host.store.note_collection(Collecting::ByPolicy);
    if findings.refuse_doubt().is_err() {
        host.detail("the store was not collected: not every venv could be read");
        return Ok(None);
    }
    findings.carry_out(host, policy, &lock, true).map(Some)
}

/// How many builds of a project stay although no venv uses them: a venv that was moved may still need the last ones.
const BUILDS_KEPT: usize = 3;

/// Takes out of the store what was built of projects on this machine and no venv uses any more: tools build a project anew for each
/// run of its tests. At most once an hour, and only if nobody else works with the store just now. The records of venvs that are
/// gone stay.
///
/// # Errors
/// When the store cannot be read or written.
pub fn collect_builds(host: &Host) -> Result<()> {
    let store = &host.store;
    if !store.is_due(Collecting::Builds) {
        return Ok(());
    }
    let policy = Policy { keep_last: BUILDS_KEPT, ..Policy::default() };
    let before = venv::survey(store)?;
    let unused = |findings: &Findings| -> Result<Vec<Facts>> {
        Ok(findings.plan(store.facts()?, &policy).entries.remove)
    };
    // Where they came from is looked at while nobody has to wait.
    let mut made_here = unused(&Findings::of(host, &before, &[])?)?;
    made_here.retain(|entry| store.was_made_here(&entry.id));
    store.note_collection(Collecting::Builds);
    if made_here.is_empty() {
        return Ok(());
    }
    let Some(lock) = store.try_lock_exclusive()? else { return Ok(()) };
    let findings = Findings::of(host, &before, &[])?;
    if findings.refuse_doubt().is_err() {
        return Ok(());
    }
    let mut builds = unused(&findings)?;
    builds.retain(|entry| made_here.iter().any(|one| one.id == entry.id));
    let discarded = store.collect(&lock, &builds, &[])?;
    drop(lock);
    Ok(discarded.delete(&|| {})?)
}

/// What became of the venvs.
#[derive(Debug)]
struct Findings {
    venvs: Vec<Surveyed>,
    /// What venvs of other users say that they use, where they may.
    others: UsedByOthers,
    given_up: BTreeSet<VenvId>,
}

impl Findings {
    fn of(host: &Host, before: &[Surveyed], given_up: &[String]) -> Result<Self> {
        let venvs = venv::survey_again(&host.store, before)?;
        let given_up = given_up
            .iter()
            .map(|text| to_give_up(&host.working_directory, &venvs, text))
            .collect::<Result<_>>()?;
        Ok(Self { venvs, others: host.store.used_by_others()?, given_up })
    }

    /// The venvs whose fate counts.
    fn counting(&self) -> impl Iterator<Item = &Surveyed> {
        self.venvs.iter().filter(|venv| !self.given_up.contains(&venv.id))
    }

    /// Says what became of venvs that are not simply there.
    fn tell(&self, host: &Host) {
        if self.others.venvs > 0 {
            let (venvs, packages) =
                (counted(self.others.venvs, "venv"), counted(self.others.uses.len(), "package"));
            host.message(format_args!("{venvs} of other users say that they use {packages}, which stay"));
        }
        for venv in self.counting() {
            match &venv.fate {
                Fate::Present => {}
                Fate::Gone => host.detail(format_args!("{} is gone", named(venv))),
                Fate::Moved(path) => {
                    host.message(format_args!("{} is at `{}` now", named(venv), path.display()));
                }
                Fate::Unmounted(point) => host.message(format_args!(
                    "{} is kept: nothing is mounted at `{}` now, or another disk",
                    named(venv),
                    point.display()
                )),
                Fate::Unreadable(reason) => {
                    host.warning(format_args!("{} cannot be read: {reason}", named(venv)));
                }
            }
        }
    }

    /// Nothing is removed while it is not known what all venvs use.
    fn refuse_doubt(&self) -> Result<()> {
        let Some(venv) = self.counting().find(|venv| matches!(venv.fate, Fate::Unreadable(_))) else {
            return Ok(());
        };
        Err(Error::new(format!(
            "{} cannot be read, so nobody knows what it uses; nothing was removed",
            named(venv)
        ))
        .hinted(format!(
            "repair it with `virtpy relink` there, or give it up with `virtpy store gc --forget {}`",
            venv.id
        )))
    }

    /// Decides what may go of these entries, and which records of venvs.
    fn plan(&self, entries: Vec<Facts>, policy: &Policy) -> Collected {
        let keeping: BTreeSet<&VenvId> =
            self.counting().filter(|venv| venv.fate.keeps()).map(|venv| &venv.id).collect();
        let (kept, gone): (Vec<&Surveyed>, Vec<&Surveyed>) =
            self.venvs.iter().partition(|venv| keeping.contains(&venv.id));
        let own = kept.iter().flat_map(|venv| venv.uses.iter().cloned());
        let used = own.chain(self.others.uses.iter().cloned()).collect();
        let venvs = gone.into_iter().map(|venv| venv.id.clone()).collect();
        Collected { entries: Collection::plan(entries, &used, policy), venvs, discarded: None }
    }

    /// Finds out what may go, and takes it out of the store, which is held alone then.
    fn carry_out(self, host: &Host, policy: &Policy, lock: &Lock, remove: bool) -> Result<Collected> {
        let store = &host.store;
        let planned = self.plan(store.facts()?, policy);
        if !remove {
            return Ok(planned);
        }
        for venv in &self.venvs {
            if let Fate::Moved(path) = &venv.fate {
                store.register(&venv.id, path)?;
            }
        }
        let discarded = store.collect(lock, &planned.entries.remove, &planned.venvs)?;
        Ok(Collected { discarded: Some(discarded), ..planned })
    }
}

/// The id of a venv that the user gives up. One that is there is not one of them.
fn to_give_up(here: &Path, venvs: &[Surveyed], text: &str) -> Result<VenvId> {
    let path = here.join(text);
    let is_meant = |venv: &&Surveyed| venv.id.as_str() == text || venv.path() == Some(path.as_path());
    let venv = venvs.iter().find(is_meant).ok_or_else(|| {
        Error::new(format!("the store knows no venv `{text}`"))
            .hinted("`virtpy list-all` shows those that it knows")
    })?;
    if matches!(venv.fate, Fate::Present | Fate::Moved(_)) {
        return Err(Error::new(format!("{} is there and uses its packages", named(venv)))
            .hinted("delete its directory first; then nothing has to be forgotten"));
    }
    Ok(venv.id.clone())
}

fn named(venv: &Surveyed) -> String {
    match venv.root.as_ref() {
        Some(root) => format!("the venv at `{}`", root.path.display()),
        None => format!("the venv {}", venv.id),
    }
}

#[cfg(test)]
mod properties;
