//! `virtpy store why`: which venvs use a package, and why.

use serde::Serialize;
use virtpy_pep::Requirement;

use crate::cli::WhyArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::output::bytes;
use crate::store::{EntryId, Facts};
use crate::venv::{self, Fate, Installed, State, Surveyed, Venv};

pub(super) fn run(context: &Context, arguments: &WhyArguments) -> Result<u8, Failure> {
    let _store_lock = context.store.lock_shared(&mut context.announce())?;
    let chosen = super::chosen(context, std::slice::from_ref(&arguments.name))?;
    let venvs = venv::survey(&context.store)?;
    let facts = context.store.facts()?;
    let entries = facts.iter().filter(|entry| chosen.contains(&entry.id));
    let answers: Vec<Answer> = entries.map(|entry| Answer::of(entry, &venvs)).collect();
    if arguments.json {
        context.output.json(&answers)?;
        return Ok(0);
    }
    for answer in &answers {
        context.output.data(format_args!(
            "{} {} ({}): {}",
            answer.name,
            answer.version,
            answer.id,
            bytes(answer.bytes)
        ));
        for user in &answer.venvs {
            context.output.data(format_args!("  {}: {}", user.path, user.reason()));
        }
        if answer.venvs.is_empty() {
            context.output.data("  no venv uses it");
        }
    }
    Ok(0)
}

#[derive(Serialize)]
struct Answer {
    name: String,
    version: String,
    id: String,
    bytes: u64,
    venvs: Vec<User>,
}

/// A venv that uses an entry.
#[derive(Serialize)]
struct User {
    path: String,
    requested: bool,
    required_by: Vec<String>,
    /// Whether the venv could be looked into.
    readable: bool,
}

impl Answer {
    fn of(entry: &Facts, venvs: &[Surveyed]) -> Self {
        let users = venvs.iter().filter(|venv| venv.fate.keeps() && venv.uses.contains(&entry.id));
        Self {
            name: entry.name.clone(),
            version: entry.version.clone(),
            id: entry.id.to_string(),
            bytes: entry.size,
            venvs: users.map(|venv| User::of(&entry.id, venv)).collect(),
        }
    }
}

impl User {
    fn of(id: &EntryId, venv: &Surveyed) -> Self {
        let path = venv.path().map_or_else(|| venv.id.to_string(), |path| path.display().to_string());
        let is_there = matches!(venv.fate, Fate::Present | Fate::Moved(_));
        let state = venv.path().filter(|_| is_there).and_then(|path| {
            let venv = Venv::open(path).ok()?;
            State::read(&venv).ok()
        });
        let Some(state) = state else {
            return Self { path, requested: false, required_by: Vec::new(), readable: false };
        };
        let is_meant = |installed: &&Installed| EntryId::of(&installed.sha256).is_ok_and(|own| own == *id);
        let installed = state.distributions.iter().find(is_meant);
        let key = installed.map(|installed| installed.key.as_str()).unwrap_or_default();
        let requires = |other: &&Installed| other.requires_dist.iter().any(|text| names(text, key));
        Self {
            path,
            requested: installed.is_some_and(|installed| installed.requested),
            required_by: state
                .distributions
                .iter()
                .filter(requires)
                .map(|other| format!("{} {}", other.name, other.version))
                .collect(),
            readable: true,
        }
    }

    fn reason(&self) -> String {
        let required = || format!("required by {}", self.required_by.join(", "));
        match (self.readable, self.requested, self.required_by.is_empty()) {
            (false, ..) => "it cannot be looked into now".to_owned(),
            (_, true, true) => "asked for".to_owned(),
            (_, true, false) => format!("asked for, and {}", required()),
            (_, false, false) => required(),
            (_, false, true) => "nothing requires it any more".to_owned(),
        }
    }
}

/// Whether a requirement is of the package with this normalized name, whatever its markers say.
fn names(requirement: &str, key: &str) -> bool {
    let requirement = requirement.parse::<Requirement>();
    requirement.is_ok_and(|requirement| *requirement.name() == *key)
}
