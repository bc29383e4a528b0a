//! What holds of every collection: what a venv may use stays, and while it is not known what one uses, nothing goes.

use std::time::Duration;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use virtpy_store::EntryId;

use super::*;

fn entry(number: usize) -> EntryId {
    EntryId::of_text(&number.to_string())
}

/// Entries that came long ago.
fn entries(count: usize) -> Vec<Facts> {
    let facts = |number: usize| Facts {
        name: "a".to_owned(),
        version: number.to_string(),
        id: entry(number),
        size: 1,
        bytecode: 0,
        unpacked_at: 0,
        linked_at: 0,
    };
    (0..count).map(facts).collect()
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::Present),
        Just(Fate::Moved("/elsewhere".into())),
        Just(Fate::Unmounted("/mnt".into())),
        Just(Fate::Unreadable("it is broken".to_owned())),
        Just(Fate::Gone),
    ]
}

/// Venvs that use some of the first entries, and some of them that are given up.
fn findings() -> impl Strategy<Value = Findings> {
    let venv = (fates(), btree_set(0..8_usize, 0..4), any::<bool>());
    vec(venv, 0..6).prop_map(|all| {
        let mut findings =
            Findings { venvs: Vec::new(), others: UsedByOthers::default(), given_up: BTreeSet::new() };
        for (fate, uses, is_given_up) in all {
            let venv = Surveyed::new(VenvId::random(), None, fate, uses.into_iter().map(entry).collect());
            if is_given_up {
                findings.given_up.insert(venv.id.clone());
            }
            findings.venvs.push(venv);
        }
        findings
    })
}

/// By which all goes that nobody uses.
fn policy() -> Policy {
    Policy { grace: Duration::ZERO, max_age: None, max_size: None, keep_last: 0 }
}

proptest! {
    /// An entry goes if no venv that counts uses it, and the record of a venv if it is gone or given up.
    #[test]
    fn what_is_used_stays(findings in findings(), count in 0..8_usize) {
        let planned = findings.plan(entries(count), &policy());
        let counts = |venv: &&Surveyed| venv.fate != Fate::Gone && !findings.given_up.contains(&venv.id);
        let used: BTreeSet<&EntryId> = findings.venvs.iter().filter(counts).flat_map(|venv| &venv.uses).collect();
        let gone: BTreeSet<EntryId> = planned.entries.remove.iter().map(|facts| facts.id.clone()).collect();
        let unused: BTreeSet<EntryId> = (0..count).map(entry).filter(|id| !used.contains(id)).collect();
        prop_assert_eq!(gone, unused);
        let forgotten: BTreeSet<&VenvId> = planned.venvs.iter().collect();
        let lost: BTreeSet<&VenvId> = findings.venvs.iter().filter(|venv| !counts(venv)).map(|venv| &venv.id).collect();
        prop_assert_eq!(forgotten, lost);
    }

    /// One venv that cannot be read keeps everything, unless it is given up.
    #[test]
    fn a_doubt_keeps_everything(findings in findings()) {
        let is_doubtful = |venv: &Surveyed| matches!(venv.fate, Fate::Unreadable(_)) && !findings.given_up.contains(&venv.id);
        prop_assert_eq!(findings.refuse_doubt().is_err(), findings.venvs.iter().any(is_doubtful));
    }

    /// A venv is given up by its id; one that is there is not.
    #[test]
    fn what_is_there_is_not_given_up(findings in findings()) {
        for venv in &findings.venvs {
            let given_up = to_give_up(Path::new("/"), &findings.venvs, venv.id.as_str());
            let is_there = matches!(venv.fate, Fate::Present | Fate::Moved(_));
            prop_assert_eq!(given_up.ok(), (!is_there).then(|| venv.id.clone()));
        }
        prop_assert!(to_give_up(Path::new("/"), &findings.venvs, "nothing").is_err());
    }
}
