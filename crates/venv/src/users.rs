//! Which venvs use an entry of the store, and why.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_pep::Requirement;
use virtpy_store::EntryId;

use super::{Fate, Installed, State, Surveyed, Venv};

/// That a venv uses an entry.
#[derive(Debug, JsonSchema, Serialize)]
pub struct EntryUse {
    /// Where the venv is.
    pub path: String,
    /// Whether it was asked for there.
    pub requested: bool,
    /// The distributions that require it there, with their versions.
    pub required_by: Vec<String>,
    /// Whether the venv could be looked into.
    pub readable: bool,
}

impl EntryUse {
    /// How a venv uses an entry of its store, or of a lower one in this folder; `None` if it does not, as far as anybody knows.
    pub fn of(id: &EntryId, store: Option<&Path>, venv: &Surveyed) -> Option<Self> {
        let uses = match store {
            None => venv.uses.contains(id),
            Some(store) => venv.uses_lower.iter().any(|used| used.id == *id && used.store == store),
        };
        if !venv.fate.keeps() || !uses {
            return None;
        }
        let path = venv.label();
        let is_there = matches!(venv.fate, Fate::Present | Fate::Moved(_));
        let place = venv.path().filter(|_| is_there);
        let Some(state) = place.and_then(|path| State::read(&Venv::open(path).ok()?).ok()) else {
            return Some(Self { path, requested: false, required_by: Vec::new(), readable: false });
        };
        let is_meant = |installed: &&Installed| EntryId::of(&installed.sha256) == *id;
        let installed = state.distributions.iter().find(is_meant);
        let key = installed.map(|installed| &installed.package);
        let is_it =
            |text: &String| text.parse::<Requirement>().is_ok_and(|wanted| Some(wanted.name()) == key);
        let requires = |other: &&Installed| other.requires_dist.iter().any(is_it);
        Some(Self {
            path,
            requested: installed.is_some_and(|installed| installed.requested),
            required_by: state
                .distributions
                .iter()
                .filter(requires)
                .map(|other| other.label().to_string())
                .collect(),
            readable: true,
        })
    }
}
