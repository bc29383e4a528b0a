//! The same work for many things, several at a time.

use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many processors this process may use. It is found out once: asking takes some ten calls where there are control groups.
pub fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

/// Does the same with each item, on so many threads, and returns the results in the items' order. A thread takes the next item
/// when it is done with one, so it makes no difference which of them take long. A panic in one is passed on.
pub fn map_ordered<T: Sync, R: Send>(items: &[T], at_once: usize, act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = at_once.min(items.len());
    if threads < 2 {
        return items.iter().map(act).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, act(item)));
        }
    };
    let mut results: Vec<(usize, R)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        for at_once in [0, 1, 2, 7, 5000] {
            assert_eq!(
                map_ordered(&items, at_once, |item| item * 2),
                (0..2000).step_by(2).collect::<Vec<_>>()
            );
        }
        assert!(map_ordered(&[] as &[usize], 4, |item| *item).is_empty());
    }

    #[test]
    fn so_many_are_under_way_at_once() {
        let all = Barrier::new(3);
        // It would wait for ever with fewer threads.
        assert_eq!(map_ordered(&[1, 2, 3], 3, |item| (all.wait(), *item).1), [1, 2, 3]);
    }

    #[test]
    #[should_panic(expected = "the second")]
    fn a_panic_is_passed_on() {
        map_ordered(&[1, 2, 3, 4], 2, |item| assert_ne!(*item, 2, "the second"));
    }
}
