//! How much a store holds, which venvs use how much of it, and what sharing saves.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_store::{EntryId, Facts};

use super::Surveyed;

/// What a store holds and saves; sizes are in bytes.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Statistics {
    /// How many wheels there are.
    pub entries: usize,
    /// Of how many packages they are.
    pub packages: usize,
    /// What they take.
    pub bytes: u64,
    /// How much of this is bytecode.
    pub bytecode_bytes: u64,
    /// How many wheels no venv uses.
    pub unused_entries: usize,
    /// What those take.
    pub unused_bytes: u64,
    /// How many venvs there are.
    pub venvs: usize,
    /// What the venvs would take if each had its own copies.
    pub bytes_without_sharing: u64,
    /// How much less they take.
    pub saved_bytes: u64,
    /// What killed commands left; unknown while other commands are at work.
    pub abandoned_bytes: Option<u64>,
    /// The lower stores that venvs have links into.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lower_stores: Vec<LowerStoreUse>,
    /// Each wheel, the largest first.
    pub by_package: Vec<EntryUsage>,
    /// Each venv, the largest first.
    pub by_venv: Vec<VenvSize>,
}

/// An entry, and how many venvs use it.
#[derive(Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct EntryUsage {
    /// What is known of it.
    #[serde(flatten)]
    pub facts: Facts,
    /// How many venvs use it.
    pub venvs: usize,
}

/// How much a venv uses.
#[derive(Debug, JsonSchema, Serialize)]
pub struct VenvSize {
    /// Where it is.
    pub path: String,
    /// How many entries it uses.
    pub packages: usize,
    /// What these take.
    pub bytes: u64,
}

impl Statistics {
    /// Counts and adds up.
    pub fn of(entries: &[Facts], venvs: &[Surveyed]) -> Self {
        let sizes: BTreeMap<&EntryId, u64> = entries.iter().map(|entry| (&entry.id, entry.size)).collect();
        let living: Vec<&Surveyed> = venvs.iter().filter(|venv| venv.fate.keeps()).collect();
        let mut users: BTreeMap<&EntryId, usize> = BTreeMap::new();
        for id in living.iter().flat_map(|venv| &venv.uses) {
            *users.entry(id).or_default() += 1;
        }
        let entry = |facts: &Facts| EntryUsage {
            facts: facts.clone(),
            venvs: users.get(&facts.id).copied().unwrap_or_default(),
        };
        let mut by_package: Vec<EntryUsage> = entries.iter().map(entry).collect();
        by_package.sort_by_key(|entry| Reverse(entry.facts.size));
        let venv = |venv: &&Surveyed| VenvSize {
            path: venv.label(),
            packages: venv.uses.len() + venv.uses_lower.len(),
            bytes: venv.uses.iter().filter_map(|id| sizes.get(id)).sum(),
        };
        let mut by_venv: Vec<VenvSize> = living.iter().map(venv).collect();
        by_venv.sort_by_key(|venv| Reverse(venv.bytes));
        let unused: Vec<&EntryUsage> = by_package.iter().filter(|entry| entry.venvs == 0).collect();
        let bytes: u64 = entries.iter().map(|entry| entry.size).sum();
        let unused_bytes: u64 = unused.iter().map(|entry| entry.facts.size).sum();
        let bytes_without_sharing: u64 = by_venv.iter().map(|venv| venv.bytes).sum();
        Self {
            entries: entries.len(),
            packages: entries.iter().map(|entry| &entry.name).collect::<BTreeSet<_>>().len(),
            bytes,
            bytecode_bytes: entries.iter().map(|entry| entry.bytecode).sum(),
            unused_entries: unused.len(),
            unused_bytes,
            venvs: living.len(),
            bytes_without_sharing,
            saved_bytes: bytes_without_sharing.saturating_sub(bytes - unused_bytes),
            abandoned_bytes: None,
            lower_stores: lower_stores(&living),
            by_package,
            by_venv,
        }
    }
}

/// What venvs have of a lower store.
#[derive(Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct LowerStoreUse {
    /// Where it is.
    pub path: PathBuf,
    /// How many of its wheels venvs use.
    pub wheels: usize,
    /// How many venvs those are.
    pub venvs: usize,
    /// Each of these wheels, the largest first, as far as the store is there.
    pub by_package: Vec<EntryUsage>,
}

fn lower_stores(venvs: &[&Surveyed]) -> Vec<LowerStoreUse> {
    let all: BTreeSet<_> = venvs.iter().flat_map(|venv| &venv.uses_lower).collect();
    let paths: BTreeSet<&PathBuf> = all.iter().map(|used| &used.store).collect();
    let of = |path: &&PathBuf| LowerStoreUse {
        path: (*path).clone(),
        wheels: all.iter().filter(|used| used.store == **path).count(),
        venvs: venvs.iter().filter(|venv| venv.uses_lower.iter().any(|used| used.store == **path)).count(),
        by_package: Vec::new(),
    };
    paths.iter().map(of).collect()
}

#[cfg(test)]
mod properties;
