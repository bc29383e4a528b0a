//! `virtpy store stats`: how much the store holds and what it saves.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cli::StatsArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::output::{bytes, counted};
use crate::store::{EntryId, Facts};
use crate::venv::{self, Surveyed};

pub(super) fn run(context: &Context, arguments: &StatsArguments) -> Result<u8, Failure> {
    let _store_lock = context.store.lock_shared(&mut context.announce())?;
    let venvs = venv::survey(&context.store)?;
    let stats = Stats::of(&context.store.facts()?, &venvs);
    if arguments.json {
        context.output.json(&stats)?;
        return Ok(0);
    }
    context.output.data_block(&stats.text(context.output.is_verbose()));
    Ok(0)
}

#[derive(Serialize)]
struct Stats {
    entries: usize,
    packages: usize,
    bytes: u64,
    /// What of these is bytecode.
    bytecode_bytes: u64,
    unused_entries: usize,
    unused_bytes: u64,
    venvs: usize,
    /// What the venvs would take if each had its own copies.
    bytes_without_sharing: u64,
    saved_bytes: u64,
    by_package: Vec<Package>,
    by_venv: Vec<VenvRow>,
}

/// One entry.
#[derive(Serialize)]
struct Package {
    name: String,
    version: String,
    id: String,
    bytes: u64,
    venvs: usize,
}

#[derive(Serialize)]
struct VenvRow {
    path: String,
    packages: usize,
    bytes: u64,
}

impl Stats {
    fn of(entries: &[Facts], venvs: &[Surveyed]) -> Self {
        let sizes: BTreeMap<&EntryId, u64> = entries.iter().map(|entry| (&entry.id, entry.size)).collect();
        let living: Vec<&Surveyed> = venvs.iter().filter(|venv| venv.fate.keeps()).collect();
        let mut users: BTreeMap<&EntryId, usize> = BTreeMap::new();
        for id in living.iter().flat_map(|venv| &venv.uses) {
            *users.entry(id).or_default() += 1;
        }
        let weight = |venv: &Surveyed| venv.uses.iter().filter_map(|id| sizes.get(id)).sum::<u64>();
        let unused = || entries.iter().filter(|entry| !users.contains_key(&entry.id));
        let used_bytes: u64 = entries.iter().map(|entry| entry.size).sum::<u64>()
            - unused().map(|entry| entry.size).sum::<u64>();
        let without_sharing: u64 = living.iter().map(|venv| weight(venv)).sum();
        let row = |entry: &Facts| Package {
            name: entry.name.clone(),
            version: entry.version.clone(),
            id: entry.id.to_string(),
            bytes: entry.size,
            venvs: users.get(&entry.id).copied().unwrap_or_default(),
        };
        let mut by_package: Vec<Package> = entries.iter().map(row).collect();
        by_package.sort_by_key(|package| std::cmp::Reverse(package.bytes));
        let mut by_venv: Vec<VenvRow> = living
            .iter()
            .map(|venv| VenvRow {
                path: venv.path().map_or_else(|| venv.id.to_string(), |path| path.display().to_string()),
                packages: venv.uses.len(),
                bytes: weight(venv),
            })
            .collect();
        by_venv.sort_by_key(|venv| std::cmp::Reverse(venv.bytes));
        Self {
            entries: entries.len(),
            packages: entries.iter().map(|entry| &entry.name).collect::<BTreeSet<_>>().len(),
            bytes: entries.iter().map(|entry| entry.size).sum(),
            bytecode_bytes: entries.iter().map(|entry| entry.bytecode).sum(),
            unused_entries: unused().count(),
            unused_bytes: unused().map(|entry| entry.size).sum(),
            venvs: living.len(),
            bytes_without_sharing: without_sharing,
            saved_bytes: without_sharing.saturating_sub(used_bytes),
            by_package,
            by_venv,
        }
    }

    fn text(&self, detailed: bool) -> String {
        let mut lines = vec![
            format!(
                "{} of {}: {} (bytecode: {})",
                counted(self.entries, "wheel"),
                counted(self.packages, "package"),
                bytes(self.bytes),
                bytes(self.bytecode_bytes)
            ),
            format!("unused: {} ({})", counted(self.unused_entries, "wheel"), bytes(self.unused_bytes)),
            format!(
                "{} would take {} with copies of their own; sharing saves {}",
                counted(self.venvs, "venv"),
                bytes(self.bytes_without_sharing),
                bytes(self.saved_bytes)
            ),
        ];
        if detailed {
            lines.push("\npackages:".to_owned());
            lines.extend(self.by_package.iter().map(|package| {
                let (size, venvs) = (bytes(package.bytes), counted(package.venvs, "venv"));
                format!("  {} {} ({}): {size}, {venvs}", package.name, package.version, package.id)
            }));
            lines.push("\nvenvs:".to_owned());
            lines.extend(self.by_venv.iter().map(|venv| {
                format!("  {}: {}, {}", venv.path, counted(venv.packages, "package"), bytes(venv.bytes))
            }));
        }
        lines.join("\n") + "\n"
    }
}
