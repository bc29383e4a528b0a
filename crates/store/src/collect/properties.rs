//! What holds of every collection's plan: nothing that is used goes, and the policy is kept to.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;

const HOUR: u64 = 60 * 60;

/// Entries of a few packages. Their times lie in the middle of an hour, so that the clock decides nothing while a test runs.
fn entries() -> impl Strategy<Value = Vec<Facts>> {
    let one = (0..3_usize, 0..100_u64, 0..100_u64, 0..50_u64, proptest::bool::weighted(0.1));
    vec(one, 0..12).prop_map(|all| {
        let now = now();
        let facts = |(number, (package, unpacked, linked, size, unreadable)): (
            usize,
            (usize, u64, u64, u64, bool),
        )| {
            let ago = |hours: u64| now - hours * HOUR - HOUR / 2;
            let unpacked_at = if unreadable { 0 } else { ago(unpacked) };
            let id = EntryId::of_text(&number.to_string());
            Facts {
                // Nobody knows the name of one whose manifest cannot be read.
                name: if unreadable { id.to_string() } else { ["a", "b", "c"][package].to_owned() },
                id,
                version: number.to_string(),
                size,
                bytecode: 0,
                unpacked_at,
                // No two alike: then the order in which entries are listed decides nothing either.
                linked_at: if unreadable { 0 } else { unpacked_at.max(ago(linked)) + number as u64 },
            }
        };
        all.into_iter().enumerate().map(facts).collect()
    })
}

/// Entries, and which of them are used, by their number.
fn stores() -> impl Strategy<Value = (Vec<Facts>, BTreeSet<EntryId>)> {
    (entries(), btree_set(0..12_usize, 0..6)).prop_map(|(entries, used)| {
        let used = used.iter().map(|number| EntryId::of_text(&number.to_string())).collect();
        (entries, used)
    })
}

fn policies() -> impl Strategy<Value = Policy> {
    (0..50_u64, option::of(0..80_u64), option::of(0..300_u64), 0..3_usize).prop_map(
        |(grace, max_age, max_size, keep_last)| Policy {
            grace: Duration::from_secs(grace * HOUR),
            max_age: max_age.map(|hours| Duration::from_secs(hours * HOUR)),
            max_size,
            keep_last,
        },
    )
}

fn ids(entries: &[Facts]) -> BTreeSet<EntryId> {
    entries.iter().map(|entry| entry.id.clone()).collect()
}

fn removed(entries: &[Facts], used: &BTreeSet<EntryId>, policy: &Policy) -> BTreeSet<EntryId> {
    ids(&Collection::plan(entries.to_vec(), used, policy).remove)
}

fn age(entry: &Facts) -> u64 {
    now() - entry.linked_at
}

proptest! {
    /// Each entry is used, or kept, or removed; what is used, young or among the last of its package is not removed.
    #[test]
    fn nothing_goes_that_is_to_stay((entries, used) in stores(), policy in policies()) {
        let plan = Collection::plan(entries.clone(), &used, &policy);
        let (remove, keep) = (ids(&plan.remove), ids(&plan.keep));
        prop_assert!(remove.is_disjoint(&used) && keep.is_disjoint(&used) && remove.is_disjoint(&keep));
        prop_assert_eq!(entries.len(), plan.remove.len() + plan.keep.len() + entries.iter().filter(|entry| used.contains(&entry.id)).count());
        for entry in &plan.remove {
            prop_assert!(now() - entry.unpacked_at >= policy.grace.as_secs(), "{entry:?} is young");
            let newer = entries.iter().filter(|other| other.name == entry.name && other.linked_at > entry.linked_at);
            prop_assert!(newer.count() >= policy.keep_last, "{entry:?} is among the last");
        }
        prop_assert_eq!(plan.total, entries.iter().map(|entry| entry.size).sum::<u64>());
        prop_assert!(plan.freed() <= plan.total);
    }

    /// What the policy lets go does go: all of it without a condition, else what is too old, and so much that the store is small
    /// enough, the longest unused first.
    #[test]
    fn what_the_policy_lets_go_goes((entries, used) in stores(), policy in policies()) {
        let plan = Collection::plan(entries.clone(), &used, &policy);
        let free = removed(&entries, &used, &Policy { max_age: None, max_size: None, ..policy.clone() });
        let is_old = |entry: &Facts| policy.max_age.is_some_and(|most| age(entry) > most.as_secs());
        prop_assert!(ids(&plan.remove).is_subset(&free));
        let kept: Vec<&Facts> = plan.keep.iter().filter(|entry| free.contains(&entry.id)).collect();
        if policy.max_age.is_none() && policy.max_size.is_none() {
            prop_assert!(kept.is_empty());
        }
        prop_assert!(!kept.iter().any(|entry| is_old(entry)), "one is too old and stays");
        let left = plan.total - plan.freed();
        if let Some(most) = policy.max_size {
            prop_assert!(left <= most || kept.is_empty(), "{left} bytes stay of {most}");
            let for_size: Vec<&Facts> = plan.remove.iter().filter(|entry| !is_old(entry)).collect();
            if let Some(last) = for_size.last() {
                prop_assert!(left + last.size > most, "{last:?} goes for nothing");
            }
            for gone in for_size {
                prop_assert!(kept.iter().all(|entry| entry.linked_at >= gone.linked_at), "{gone:?} is not the longest unused");
            }
        }
    }

    /// Whoever uses more, or asks for more to be kept, never loses by it; the order of the entries decides nothing.
    #[test]
    fn asking_to_keep_more_keeps_more((entries, used) in stores(), more in 0..12_usize, policy in policies()) {
        // With a limit of the size, what one no longer has to give another one gives.
        let policy = Policy { max_size: None, ..policy };
        let before = removed(&entries, &used, &policy);
        let mut also = used.clone();
        also.insert(EntryId::of_text(&more.to_string()));
        prop_assert!(removed(&entries, &also, &policy).is_subset(&before));
        for kinder in [
            Policy { grace: policy.grace * 2, ..policy.clone() },
            Policy { keep_last: policy.keep_last + 1, ..policy.clone() },
            Policy { max_age: policy.max_age.or(Some(Duration::from_secs(40 * HOUR))), ..policy.clone() },
            Policy { max_age: policy.max_age.map(|age| age * 2), ..policy.clone() },
        ] {
            prop_assert!(removed(&entries, &used, &kinder).is_subset(&before), "{kinder:?}");
        }
        let turned: Vec<Facts> = entries.iter().rev().cloned().collect();
        prop_assert_eq!(removed(&turned, &used, &policy), before);
    }

    /// A store that was collected has nothing more to give by the same policy.
    #[test]
    fn a_second_collection_finds_nothing((entries, used) in stores(), policy in policies()) {
        let gone = removed(&entries, &used, &policy);
        let left: Vec<Facts> = entries.into_iter().filter(|entry| !gone.contains(&entry.id)).collect();
        prop_assert_eq!(removed(&left, &used, &policy), BTreeSet::new());
    }
}
