//! What came of an operation, as a value: one report tells it.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_resolver::Package;

use crate::resolve::Origin;
use virtpy_store::Entry;
use virtpy_venv::ChangeSummary;

/// What came of a plan, or would come of it.
#[derive(Debug, Default)]
pub struct Changelog {
    /// What came and what went, and the files that more than one distribution has.
    pub summary: ChangeSummary,
    /// How many packages were there already.
    pub unchanged: usize,
    /// How the others came.
    pub origins: Origins,
    /// Whether another pip was asked for than the venv's own, which stays.
    pub pip_stays: bool,
    /// Whether something was put back that had been deleted.
    pub has_put_back: bool,
    /// Requirements that what is installed no longer meets, as sentences.
    pub unmet: Vec<String>,
    /// The packages that came or would come, where the resolver was asked.
    pub arriving: Vec<Package>,
    /// The wheel of each package that came, or would come, where that was asked for.
    pub wheels: Vec<ArrivingWheel>,
    /// The names of those that were built.
    pub built: Vec<String>,
    /// Wheels that were not installed.
    pub refused: Vec<Refusal>,
    /// How long linking took.
    pub linked_in: Duration,
}

impl Changelog {
    /// Nothing had to be done for so many packages.
    pub(super) fn of_unchanged(unchanged: usize) -> Self {
        Self { unchanged, ..Self::default() }
    }

    /// Tells what came of a further step after this one.
    pub(super) fn append(&mut self, mut later: Self) {
        self.summary.added.append(&mut later.summary.added);
        self.summary.removed.append(&mut later.summary.removed);
        self.summary.clashes.append(&mut later.summary.clashes);
        self.summary.left_alone.append(&mut later.summary.left_alone);
        self.unchanged = later.unchanged;
        self.origins.from_store += later.origins.from_store;
        self.origins.downloaded += later.origins.downloaded;
        self.origins.built += later.origins.built;
        self.unmet = later.unmet;
        self.arriving.append(&mut later.arriving);
        self.wheels.append(&mut later.wheels);
        self.built.append(&mut later.built);
        self.refused.append(&mut later.refused);
        self.linked_in += later.linked_in;
    }

    /// Whether nothing came and nothing went.
    pub fn is_empty(&self) -> bool {
        self.summary.added.is_empty() && self.summary.removed.is_empty() && !self.has_put_back
    }
}

/// A package that came or would come, as the store has it.
#[derive(Debug)]
pub struct ArrivingWheel {
    /// What was resolved.
    pub package: Package,
    /// Its entry.
    pub entry: Entry,
}

/// A wheel that was not installed.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Refusal {
    /// Where it lies.
    pub wheel: PathBuf,
    /// Why.
    pub reason: String,
}

/// How many packages came from where.
#[derive(Debug, Default, Clone, Copy, JsonSchema, Serialize)]
pub struct Origins {
    /// The store had them.
    pub from_store: usize,
    /// Their wheels were fetched.
    pub downloaded: usize,
    /// Their wheels were built.
    pub built: usize,
}

impl Origins {
    pub(super) fn of(all: impl Iterator<Item = Origin>) -> Self {
        let mut origins = Self::default();
        for origin in all {
            match origin {
                Origin::Store => origins.from_store += 1,
                Origin::Downloaded => origins.downloaded += 1,
                Origin::Built => origins.built += 1,
            }
        }
        origins
    }
}

impl std::fmt::Display for Origins {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} from the store, {} downloaded", self.from_store, self.downloaded)?;
        if self.built > 0 { write!(formatter, ", {} built", self.built) } else { Ok(()) }
    }
}
