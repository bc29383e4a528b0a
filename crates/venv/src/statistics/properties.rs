//! What holds of every store's statistics: the parts are as much as the whole.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use virtpy_store::VenvId;

use super::*;
use crate::Fate;

fn id(number: usize) -> EntryId {
    EntryId::of_text(&number.to_string())
}

fn entries() -> impl Strategy<Value = Vec<Facts>> {
    let facts = |(number, (package, size, bytecode)): (usize, (usize, u64, u64))| Facts {
        name: ["a", "b", "c"][package].to_owned(),
        version: number.to_string(),
        id: id(number),
        size: size + bytecode,
        bytecode,
        unpacked_at: 0,
        linked_at: 0,
    };
    vec((0..3_usize, 0..1000_u64, 0..1000_u64), 0..8)
        .prop_map(move |all| all.into_iter().enumerate().map(facts).collect())
}

/// Venvs that use some of so many entries.
fn venvs(entries: usize) -> impl Strategy<Value = Vec<Surveyed>> {
    let fate = prop_oneof![Just(Fate::Present), Just(Fate::Gone), Just(Fate::Unreadable("x".to_owned()))];
    let venv = |(fate, uses): (Fate, BTreeSet<usize>)| {
        Surveyed::new(VenvId::random(), None, fate, uses.into_iter().map(id).collect())
    };
    vec((fate, btree_set(0..entries.max(1), 0..=entries)).prop_map(venv), 0..6)
}

fn stores() -> impl Strategy<Value = (Vec<Facts>, Vec<Surveyed>)> {
    entries().prop_flat_map(|entries| (Just(entries.clone()), venvs(entries.len())))
}

proptest! {
    /// Entries are used or not, and what sharing saves is what copies would take beside what is used.
    #[test]
    fn the_parts_are_the_whole((entries, venvs) in stores()) {
        let found = Statistics::of(&entries, &venvs);
        let living: Vec<&Surveyed> = venvs.iter().filter(|venv| venv.fate.keeps()).collect();
        let is_used = |entry: &&Facts| living.iter().any(|venv| venv.uses.contains(&entry.id));
        let used: Vec<&Facts> = entries.iter().filter(is_used).collect();
        prop_assert_eq!(found.entries, entries.len());
        prop_assert_eq!(found.unused_entries + used.len(), entries.len());
        let bytes_used: u64 = used.iter().map(|entry| entry.size).sum();
        prop_assert_eq!(found.bytes, found.unused_bytes + bytes_used);
        prop_assert!(found.bytecode_bytes <= found.bytes);
        prop_assert_eq!(found.saved_bytes + bytes_used, found.bytes_without_sharing);
        prop_assert!(found.packages <= found.entries.min(3));
    }

    /// Each wheel and each venv that is there has its line, the largest first, and both tables count the same uses.
    #[test]
    fn both_tables_agree((entries, venvs) in stores()) {
        let found = Statistics::of(&entries, &venvs);
        prop_assert_eq!(found.by_package.len(), entries.len());
        prop_assert_eq!(found.by_venv.len(), found.venvs);
        prop_assert_eq!(found.venvs, venvs.iter().filter(|venv| venv.fate != Fate::Gone).count());
        prop_assert!(found.by_package.is_sorted_by_key(|entry| Reverse(entry.facts.size)));
        prop_assert!(found.by_venv.is_sorted_by_key(|venv| Reverse(venv.bytes)));
        let uses: usize = found.by_package.iter().map(|entry| entry.venvs).sum();
        prop_assert_eq!(uses, found.by_venv.iter().map(|venv| venv.packages).sum::<usize>());
        let bytes: u64 = found.by_package.iter().map(|entry| entry.facts.size * entry.venvs as u64).sum();
        prop_assert_eq!(bytes, found.bytes_without_sharing);
    }
}
