//! When an unpacked wheel may be published.
//!
//! Packages are chosen by what an index says of a wheel before anybody has it (PEP 658), and whether that is true shows when the
//! wheel is there. So a package that is wanted only because another one requires it waits until the other's own metadata were
//! read: a command that fails because an index lied leaves nothing in the store that the lie has brought. All else is published
//! at once, and whoever comes after a killed command begins with it.

use std::collections::BTreeMap;

use virtpy_resolver::Package;

/// Holds back what nothing that was read requires.
pub(super) struct PublicationOrder<T> {
    /// By package: which packages it requires.
    requires: Vec<Vec<usize>>,
    /// By package: whether the user asks for it, or a package that is wanted and was read.
    is_wanted: Vec<bool>,
    /// By package: whether its own metadata were read.
    is_read: Vec<bool>,
    waiting: BTreeMap<usize, T>,
}

impl<T> PublicationOrder<T> {
    /// For packages of which those at the indices `absent` have to come; of all others the store has read the metadata.
    pub(super) fn new(packages: &[Package], absent: &[usize]) -> Self {
        let indices: BTreeMap<_, _> = packages.iter().map(|package| &package.name).zip(0..).collect();
        let requires = |package: &Package| {
            package.dependencies.iter().filter_map(|name| indices.get(name).copied()).collect()
        };
        let asked_for = packages.iter().map(|package| package.requested).collect();
        Self::of(packages.iter().map(requires).collect(), asked_for, absent)
    }

    fn of(requires: Vec<Vec<usize>>, asked_for: Vec<bool>, absent: &[usize]) -> Self {
        let mut is_wanted = asked_for;
        // What no package requires was not chosen by what an index says: a lock file names it, or something installed needs it.
        let mut is_required = vec![false; requires.len()];
        for index in requires.iter().flatten() {
            is_required[*index] = true;
        }
        for (is_wanted, is_required) in is_wanted.iter_mut().zip(is_required) {
            *is_wanted |= !is_required;
        }
        let mut is_read = vec![true; requires.len()];
        for index in absent {
            is_read[*index] = false;
        }
        let mut order = Self { requires, is_wanted, is_read, waiting: BTreeMap::new() };
        for index in 0..order.requires.len() {
            if order.is_wanted[index] && order.is_read[index] {
                order.follow(index);
            }
        }
        order
    }

    /// Notes that the metadata of the package at an index were read and are what it was chosen by. Returns what may be published
    /// now: `unpacked`, unless it has to wait, and what has waited for it.
    pub(super) fn read(&mut self, index: usize, unpacked: T) -> Vec<T> {
        self.is_read[index] = true;
        if !self.is_wanted[index] {
            self.waiting.insert(index, unpacked);
            return Vec::new();
        }
        let mut ready = vec![unpacked];
        ready.extend(self.follow(index));
        ready
    }

    /// What still waits once everything was read: packages that require each other.
    pub(super) fn rest(&mut self) -> Vec<T> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    /// Wants what a package requires that is wanted and was read, and so on. Returns what has waited for that.
    fn follow(&mut self, index: usize) -> Vec<T> {
        let mut ready = Vec::new();
        let mut open = vec![index];
        while let Some(index) = open.pop() {
            for required in self.requires[index].clone() {
                if std::mem::replace(&mut self.is_wanted[required], true) {
                    continue;
                }
                ready.extend(self.waiting.remove(&required));
                if self.is_read[required] {
                    open.push(required);
                }
            }
        }
        ready
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An order of packages that are all absent; the first is asked for.
    fn order(requires: &[&[usize]]) -> PublicationOrder<usize> {
        let asked_for = (0..requires.len()).map(|index| index == 0).collect();
        let absent: Vec<usize> = (0..requires.len()).collect();
        PublicationOrder::of(requires.iter().map(|some| some.to_vec()).collect(), asked_for, &absent)
    }

    #[test]
    fn what_only_a_dependency_brought_waits_for_whoever_requires_it() {
        let mut order = order(&[&[1], &[2], &[], &[]]);
        assert!(order.read(2, 2).is_empty());
        assert!(order.read(1, 1).is_empty());
        assert_eq!(order.read(3, 3), [3], "nobody requires it, so no index brought it");
        assert_eq!(order.read(0, 0), [0, 1, 2]);
        assert!(order.rest().is_empty());
    }

    #[test]
    fn what_the_store_had_was_read() {
        let requires = vec![vec![1], vec![2], vec![]];
        let mut order = PublicationOrder::of(requires, vec![true, false, false], &[0, 2]);
        assert!(order.read(2, 2).is_empty());
        assert_eq!(order.read(0, 0), [0, 2]);
    }

    #[test]
    fn packages_that_require_each_other_are_the_rest() {
        let mut order = order(&[&[], &[2], &[1]]);
        assert!(order.read(1, 1).is_empty());
        assert!(order.read(2, 2).is_empty());
        assert_eq!(order.rest(), [1, 2]);
    }

    proptest! {
        #[test]
        fn everything_comes_once_and_not_before_a_chain_of_read_packages_leads_to_it(
            requires in proptest::collection::vec(proptest::collection::vec(0_usize..8, 0..4), 8),
            asked_for in proptest::collection::vec(any::<bool>(), 8),
            sequence in Just((0_usize..8).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let absent: Vec<usize> = (0..8).collect();
            let mut order = PublicationOrder::of(requires.clone(), asked_for.clone(), &absent);
            let is_root = |index: usize| asked_for[index] || !requires.iter().flatten().any(|other| *other == index);
            let (mut read, mut published) = (Vec::new(), Vec::new());
            for index in sequence {
                read.push(index);
                published.extend(order.read(index, index));
                let mut reached: Vec<usize> = read.iter().copied().filter(|index| is_root(*index)).collect();
                let mut next = 0;
                while let Some(index) = reached.get(next).copied() {
                    next += 1;
                    for required in &requires[index] {
                        if read.contains(required) && !reached.contains(required) {
                            reached.push(*required);
                        }
                    }
                }
                reached.sort_unstable();
                let mut sorted = published.clone();
                sorted.sort_unstable();
                prop_assert_eq!(sorted, reached);
            }
            published.extend(order.rest());
            published.sort_unstable();
            prop_assert_eq!(published, absent);
        }
    }
}
