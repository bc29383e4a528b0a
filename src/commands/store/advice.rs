//! What can be done about what `verify` found: that depends on which store it is in, and on whether anything of it is left.

use std::path::Path;

use super::below::owner_of;
use crate::context::Context;
use crate::error::Failure;
use crate::store::Verdict;
use crate::venv::{self, Surveyed};

/// A clause for each way out, in the order of what is wrong.
pub(super) fn advice(context: &Context, damaged: &[Verdict]) -> Result<String, Failure> {
    let mut clauses = Vec::new();
    let (absent, present): (Vec<&Verdict>, Vec<&Verdict>) =
        damaged.iter().partition(|verdict| verdict.is_absent());
    if present.iter().any(|verdict| verdict.store.is_none()) {
        clauses.push("`virtpy store repair` restores what it can".to_owned());
    }
    if let Some(home) = present.iter().find_map(|verdict| verdict.store.as_deref()) {
        clauses.push(restored_below(home));
    }
    let users = users(context, &absent)?;
    if let Some(user) = users.first() {
        clauses.push(relinked(user, users.len()));
    } else if let Some(verdict) = absent.first() {
        let home = verdict.store.as_deref().unwrap_or(context.store.home());
        let home = home.display();
        clauses.push(format!(
            "no venv of yours uses what is missing; `VIRTPY_HOME={home} virtpy store fill` brings it back"
        ));
    }
    Ok(clauses.join("; "))
}

/// How a venv is made whole whose packages are not there.
pub(super) fn relinked(user: &Surveyed, count: usize) -> String {
    let others = if count > 1 { ", and in all others that use it," } else { "" };
    format!("`virtpy relink` in the venv at `{}`{others} fetches what is missing", user.label())
}

fn restored_below(home: &Path) -> String {
    let owner = owner_of(home);
    format!(
        "in the store `{}` only {owner} can restore it; `virtpy store repair --relink` takes what you use into your own store",
        home.display()
    )
}

/// The venvs that use some of these.
pub(super) fn users(context: &Context, verdicts: &[&Verdict]) -> Result<Vec<Surveyed>, Failure> {
    if verdicts.is_empty() {
        return Ok(Vec::new());
    }
    let uses = |venv: &Surveyed, verdict: &Verdict| match &verdict.store {
        None => venv.uses.iter().any(|id| id.as_str() == verdict.id),
        Some(store) => {
            venv.uses_lower.iter().any(|used| used.store == *store && used.id.as_str() == verdict.id)
        }
    };
    let mut venvs = venv::survey(&context.store)?;
    venvs.retain(|venv| venv.fate.keeps() && verdicts.iter().any(|verdict| uses(venv, verdict)));
    Ok(venvs)
}
