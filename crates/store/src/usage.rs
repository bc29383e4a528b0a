//! When entries were linked last: a file per day under `cache/linked`, to which each change of a venv appends the
//! handles of what it links. It costs one write per change and may be deleted at any time; an entry that is in none of
//! them counts as used when it was unpacked.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use virtpy_files as fs;

use super::{Entry, Store};

/// Seconds of a day: the files are no finer than that.
const DAY: u64 = 24 * 60 * 60;

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

/// Days since 1970.
pub(super) fn today() -> u64 {
    now() / DAY
}

impl Store {
    fn linked(&self) -> std::path::PathBuf {
        self.cache().join("linked")
    }

    /// Notes that these entries are linked now, as far as they are this store's own. A note that cannot be written only makes them look older than they are.
    pub fn note_linked(&self, entries: &[&Entry]) {
        let mut text = String::with_capacity(entries.len() * 17);
        for entry in entries.iter().filter(|entry| entry.layer.is_none()) {
            text.push_str(entry.id.as_str());
            text.push('\n');
        }
        if text.is_empty() {
            return;
        }
        let path = self.linked().join(today().to_string());
        let _ = fs::append_own_with_folder(&path, text.as_bytes());
    }

    /// When each entry was linked last, in seconds since 1970, as far as that is known.
    pub(super) fn last_linked(&self) -> HashMap<String, u64> {
        let mut times = HashMap::new();
        for name in fs::names(&self.linked()).unwrap_or_default() {
            let Some(day) = name.to_str().and_then(|name| name.parse::<u64>().ok()) else { continue };
            let content = fs::read(&self.linked().join(&name)).unwrap_or_default();
            // At the end of that day, at the latest; a clock that was ahead must not make an entry immortal.
            let time = ((day + 1) * DAY).min(now());
            for id in String::from_utf8_lossy(&content).lines() {
                let known = times.entry(id.to_owned()).or_insert(time);
                *known = time.max(*known);
            }
        }
        times
    }

    /// Writes the notes again, each entry once, for those that are still there.
    pub(super) fn compact_links(&self, keep: impl Fn(&str) -> bool) {
        let times = self.last_linked();
        let mut days: HashMap<u64, String> = HashMap::new();
        for (id, time) in times.iter().filter(|(id, _)| keep(id)) {
            let text = days.entry((time - 1) / DAY).or_default();
            text.push_str(id);
            text.push('\n');
        }
        for name in fs::own_names(&self.linked()) {
            let day = name.to_str().and_then(|name| name.parse().ok());
            if day.is_some_and(|day| !days.contains_key(&day)) {
                let _ = fs::remove_file(&self.linked().join(name));
            }
        }
        for (day, text) in days {
            let _ = fs::write_atomic(&self.linked().join(day.to_string()), text.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_compacted_and_a_future_day_counts_as_today() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        fs::create_dir_all(&store.linked()).unwrap();
        let today = today();
        let write = |day: u64, text: &str| {
            fs::write_new(&store.linked().join(day.to_string()), text.as_bytes(), 0o644).unwrap();
        };
        write(today - 5, "old\nboth\ngone\n");
        write(today - 2, "both\nboth\n");
        write(today + 900, "future\n");
        let check = |with_gone: bool| {
            let times = store.last_linked();
            assert_eq!(times["old"], (today - 4) * DAY);
            assert_eq!(times["both"], (today - 1) * DAY);
            assert!(times["future"] <= now());
            assert_eq!(times.contains_key("gone"), with_gone);
        };
        check(true);
        store.compact_links(|id| id != "gone");
        check(false);
        assert_eq!(fs::names(&store.linked()).unwrap().len(), 3);
    }
}
