//! The look at the whole store, once a day: what changed in it that nobody could prevent.

use std::collections::HashSet;

use super::pass::news;
use crate::Host;
use crate::compiler::{self, PackageStray};
use crate::words::counted;
use virtpy_files as fs;
use virtpy_store::{EntryId, Look, Store, StoreError};
use virtpy_venv::{ChangedVenv, Contents, Lookout, Venv};

/// What a look has shown.
#[derive(Default)]
struct Findings {
    damaged: Vec<DamagedPackage>,
    /// What lies among the entries and is none.
    strangers: Vec<String>,
    /// What was removed from `__pycache__` folders.
    strays: Vec<PackageStray>,
}

/// A package of the store that is damaged.
struct DamagedPackage {
    name: String,
    reason: String,
}

/// Looks at every entry that nobody has looked at today, and at what lies among the entries. Returns what to tell of it, a line
/// for each kind.
///
/// # Errors
/// When the store cannot be read or written.
pub(super) fn at_everything(host: &Host) -> Result<Vec<String>, StoreError> {
    let store = &host.store;
    let looked = store.looked_today();
    let (mut notes, mut findings) = (Vec::new(), Findings::default());
    at_changed_venvs(store, &looked, &mut notes, &mut findings)?;
    for id in store.ids()?.iter().filter(|id| !looked.contains(id.as_str())) {
        // Compiling is more urgent; whoever does it goes on here.
        if store.has_bytecode_requests() {
            break;
        }
        if look_at(store, id, &mut findings)? {
            notes.push(id.to_string());
        }
    }
    for stranger in store.strangers()? {
        let name = stranger.name.to_string_lossy().into_owned();
        let note = Store::digest_of(&format!("w/{name}"));
        if !looked.contains(&note) {
            findings.strangers.push(name);
            notes.push(note);
        }
    }
    store.note_looked(&notes);
    Ok(findings.sentences())
}

/// Looks at the entries of all venvs in which root let another installer work: a change looks at some venvs only.
fn at_changed_venvs(
    store: &Store,
    looked: &HashSet<String>,
    notes: &mut Vec<String>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    if !fs::is_root() {
        return Ok(());
    }
    let lookout = Lookout::all(store)?;
    for ChangedVenv { root, trace, .. } in &lookout.changed {
        let note = Store::digest_of(trace);
        if looked.contains(&note) {
            continue;
        }
        // It is let go of at once: it can be unmounted while its packages are looked at.
        let contents = Venv::open(root).ok().and_then(|venv| Contents::read(&venv, store).ok());
        let Some(contents) = contents else { continue };
        let mut is_whole = true;
        for installed in &contents.state.distributions {
            let id = EntryId::of(&installed.sha256);
            is_whole &= look_at(store, &id, findings)?;
        }
        if is_whole {
            notes.push(note);
        }
    }
    lookout.note(store);
    Ok(())
}

/// Looks at one entry. Returns whether that was possible.
fn look_at(store: &Store, id: &EntryId, findings: &mut Findings) -> Result<bool, StoreError> {
    let look = store.look_in_passing(id)?;
    let entry = store.entry_by_id(id).ok().flatten();
    let label = match &entry {
        Some(entry) => entry.manifest.label().to_string(),
        None => store.provenance(id).map_or_else(|| id.to_string(), |known| known.name),
    };
    match look {
        Look::Busy => return Ok(false),
        Look::Damaged(reason) => findings.damaged.push(DamagedPackage { name: label.clone(), reason }),
        Look::Sound => {}
    }
    // What is somebody else's to mend, `check` tells.
    let strays = entry.map(|entry| compiler::clean(store, &entry).unwrap_or_default());
    findings.strays.extend(PackageStray::of(&label, strays.unwrap_or_default()));
    Ok(true)
}

impl Findings {
    fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if let Some((DamagedPackage { name, reason }, others)) = self.damaged.split_first() {
            let (others, them) = match others.len() {
                0 => (String::new(), "it"),
                1 => ("; so is another package".to_owned(), "them"),
                count => (format!("; so are {count} other packages"), "them"),
            };
            sentences.push(format!(
                "{name} is damaged in the store, for all venvs: {reason}{others}; `virtpy store repair` restores {them}"
            ));
        }
        if let Some((name, others)) = self.strangers.split_first() {
            let others = match others.len() {
                0 => String::new(),
                count => format!(" (and {} like it)", counted(count, "other")),
            };
            sentences.push(format!(
                "`w/{name}` in the store belongs to no package{others}; `virtpy store repair` moves it aside"
            ));
        }
        sentences.extend(news(&self.strays));
        sentences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_is_told_in_a_line_for_each_kind() {
        let damaged = |count: usize| {
            let one = |number| DamagedPackage {
                name: format!("demo {number}"),
                reason: "`x` is writable".to_owned(),
            };
            Findings { damaged: (0..count).map(one).collect(), ..Findings::default() }.sentences()
        };
        assert!(damaged(0).is_empty());
        assert_eq!(
            damaged(1),
            [
                "demo 0 is damaged in the store, for all venvs: `x` is writable; `virtpy store repair` restores it"
            ]
        );
        assert!(damaged(2)[0].contains("; so is another package; `virtpy store repair` restores them"));
        assert!(damaged(4)[0].contains("; so are 3 other packages; "));
        let strangers = ["a", "b", "c"].map(str::to_owned).to_vec();
        let told = Findings { strangers, ..Findings::default() }.sentences();
        assert_eq!(
            told,
            [
                "`w/a` in the store belongs to no package (and 2 others like it); `virtpy store repair` moves it aside"
            ]
        );
    }
}
