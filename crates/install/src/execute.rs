//! Carrying out a plan: fetch, remember, change the venv, compile.

use std::time::Instant;

use crate::bytecode;
use crate::changelog::Changelog;
use crate::environment::Environment;
use crate::error::Result;
use crate::installed::{is_unchanged, unmet};
use crate::plan::{ConflictCheck, Goal, InstallPlan};
use crate::restore;
use crate::{Host, Indexes};
use virtpy_interpreters::Interpreter;
use virtpy_venv::{ChangeSet, ChangeSummary, PackageToInstall, State, Venv, VenvError};

/// Brings a venv to a goal, and does not even take hold of it where there is nothing to do.
///
/// # Errors
/// When what is wanted cannot be had; the venv is as before then.
pub fn install(host: &Host, venv: Venv, indexes: &Indexes, goal: &Goal<'_>) -> Result<Changelog> {
    let interpreter = host.interpreter(&venv)?;
    match reached(host, &venv, &interpreter, indexes, goal)? {
        Some(unchanged) => Ok(Changelog::of_unchanged(unchanged)),
        None => bring(&mut Environment::open(host, venv, indexes)?.with_interpreter(interpreter), goal),
    }
}

/// How many distributions a venv has, if it is known to be as a goal wants it, and nobody has changed it since. Nothing is locked for
/// that.
///
/// # Errors
/// When the venv or the settings cannot be read.
pub(crate) fn reached(
    host: &Host,
    venv: &Venv,
    interpreter: &Interpreter,
    indexes: &Indexes,
    goal: &Goal<'_>,
) -> Result<Option<usize>> {
    // What the base interpreter has may have changed.
    if goal.options.with_wheels || venv.sees_system_site() {
        return Ok(None);
    }
    let Some((satisfied, unchanged)) = State::still_satisfied(venv, &host.store)? else { return Ok(None) };
    let settings = indexes.settings(host)?;
    let is_reached = goal.source.is_satisfied_by(&satisfied, goal.extent, interpreter, settings)
        && venv.torn(&host.store)?.is_empty();
    Ok(is_reached.then_some(unchanged))
}

/// Brings an environment to a goal, or shows what would come of it.
///
/// # Errors
/// When what is wanted cannot be had; the environment is as before then.
pub fn bring(environment: &mut Environment<'_>, goal: &Goal<'_>) -> Result<Changelog> {
    let plan = goal.source.plan(environment, goal)?;
    if !goal.options.dry_run {
        return execute(environment, plan);
    }
    let mut log = plan.preview(environment);
    if goal.options.with_wheels {
        plan.supply.fetch(environment, goal.options, &mut log)?;
    }
    Ok(log)
}

/// Carries out a plan, wholly or not at all.
///
/// # Errors
/// When something cannot be fetched, or does not fit together; the environment is as before then.
pub fn execute(environment: &mut Environment<'_>, plan: InstallPlan) -> Result<Changelog> {
    let mut log = Changelog { unchanged: plan.unchanged, pip_stays: plan.pip_stays, ..Changelog::default() };
    if !plan.supply.is_empty() {
        restore::damaged_elsewhere(environment.host, environment.venv(), environment.indexes)?;
    }
    let packages = plan.supply.fetch(environment, plan.options, &mut log)?;
    let contents = &environment.contents;
    let is_new = |one: &PackageToInstall| !plan.keeps_same || !is_unchanged(contents, one);
    let all = packages.len();
    let install: Vec<PackageToInstall> = packages.into_iter().filter(is_new).collect();
    log.unchanged += all - install.len();
    let fetched = log.origins.downloaded + log.origins.built;
    log.origins.from_store = install.len().saturating_sub(fetched);
    let (linking, has_put_back) = (Instant::now(), !plan.put_back.is_empty());
    let change = ChangeSet {
        tags: if install.is_empty() { None } else { Some(environment.interpreter()?.tags()) },
        install,
        remove: plan.remove,
        force: plan.options.force,
        satisfies: plan.satisfies,
        put_back: plan.put_back,
        ..ChangeSet::default()
    };
    log.summary = environment.apply(&change, plan.options.compile_bytecode)?;
    log.linked_in = linking.elapsed();
    log.has_put_back = has_put_back;
    let checks = match plan.check {
        ConflictCheck::Never => false,
        ConflictCheck::OnReplacement => !log.summary.removed.is_empty(),
        ConflictCheck::Always => true,
    };
    if checks && !plan.options.no_conflict_check {
        log.unmet = unmet(environment.host, environment.venv(), environment.interpreter()?)?;
    }
    Ok(log)
}

impl Environment<'_> {
    /// Changes the venv, if there is anything to change, and sees to the bytecode of what came.
    ///
    /// # Errors
    /// When the new set does not fit together, or the venv cannot be written; it is then as before.
    pub fn apply(&self, change: &ChangeSet, compile_now: bool) -> Result<ChangeSummary> {
        let known = &self.contents.state.satisfied;
        let is_idle = change.install.is_empty()
            && change.remove.is_empty()
            && change.put_back.is_empty()
            && (change.satisfies.is_none() || *known == change.satisfies);
        if is_idle {
            return Ok(ChangeSummary::default());
        }
        let venv = self.venv();
        let is_note = change.install.is_empty() && change.remove.is_empty() && change.put_back.is_empty();
        let summary = match venv.apply(&self.host.store, &self.contents, change) {
            // That the venv is right already saves time the next time, if there is room to write it down.
            Err(VenvError::Path(_)) if is_note => ChangeSummary::default(),
            applied => applied?,
        };
        if !change.install.is_empty() {
            bytecode::after_change(self.host, self.interpreter()?, venv, &change.install, compile_now)?;
        }
        Ok(summary)
    }
}
