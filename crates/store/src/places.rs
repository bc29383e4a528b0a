//! `places`: where venvs were registered, a second time beside the roots. Whoever removes a part of the store by hand (`roots`, or
//! what is in it) must not lose what venvs use at the next collection, and nothing else tells where they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use virtpy_files as fs;

use super::{Root, Store, StoreError, VenvId};

impl Store {
    fn places_path(&self) -> PathBuf {
        self.home().join("places")
    }

    /// Notes where a venv is. Without the note it is known by its root alone.
    pub(super) fn note_in_places(&self, id: &VenvId, place: &Path) {
        // What cannot be written as a line is left to the root.
        if let Some(place) = place.to_str().filter(|place| !place.contains('\n')) {
            let _ = fs::append_own(&self.places_path(), format!("\n{id} {place}\n").as_bytes());
        }
    }

    /// The places of each venv, in the order in which they were noted.
    fn noted_places(&self) -> BTreeMap<VenvId, Vec<PathBuf>> {
        let content = fs::read_own_with_facts(&self.places_path(), 16 * 1024);
        let content = content.map(|(content, _)| content).unwrap_or_default();
        let mut places: BTreeMap<VenvId, Vec<PathBuf>> = BTreeMap::new();
        for line in String::from_utf8_lossy(&content).lines() {
            // A power cut may have cut one off.
            let known = line.split_once(' ').and_then(|(id, place)| Some((VenvId::parse(id).ok()?, place)));
            if let Some((id, place)) = known.filter(|(_, place)| place.starts_with('/')) {
                let known = places.entry(id).or_default();
                known.retain(|known| known != Path::new(place));
                known.push(place.into());
            }
        }
        places
    }

    /// Venvs whose roots are gone though nobody has forgotten them. They may be gone themselves.
    ///
    /// # Errors
    /// When the folder of the roots cannot be read.
    pub fn lost_roots(&self) -> Result<Vec<Root>, StoreError> {
        let mut places = self.noted_places();
        for id in self.root_ids()? {
            places.remove(&id);
        }
        let root = |(id, mut elsewhere): (VenvId, Vec<PathBuf>)| {
            let path = elsewhere.pop()?;
            Some(Root { id, path, elsewhere, only_seen: true, mount: None, uses: Vec::new() })
        };
        Ok(places.into_iter().filter_map(root).collect())
    }

    /// Forgets where a venv was.
    pub(super) fn forget_places(&self, id: &VenvId) {
        let places = self.noted_places();
        if places.contains_key(id) {
            self.write_places(places.into_iter().filter(|(known, _)| known != id));
        }
    }

    /// Writes the notes again, for the venvs that are known or may be there. The caller holds the store alone.
    pub(super) fn compact_places(&self) -> Result<(), StoreError> {
        let before = self.noted_places();
        let known: BTreeSet<VenvId> = self.root_ids()?.into_iter().collect();
        let is_there = |place: &PathBuf| !matches!(fs::kind(place), Ok(None));
        let mut after = before.clone();
        after.retain(|id, places| known.contains(id) || places.iter().any(is_there));
        for root in self.roots()? {
            // Earlier versions noted none.
            after.entry(root.id.clone()).or_insert_with(|| vec![root.path]);
        }
        if after != before {
            self.write_places(after.into_iter());
        }
        Ok(())
    }

    fn write_places(&self, places: impl Iterator<Item = (VenvId, Vec<PathBuf>)>) {
        let lines = places.flat_map(|(id, places)| {
            places.into_iter().map(move |place| format!("{id} {}\n", place.display())).collect::<Vec<_>>()
        });
        let _ = fs::write_atomic(&self.places_path(), lines.collect::<String>().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_loses_its_root_is_known_until_it_is_forgotten_or_gone() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        let (one, other) = (VenvId::random(), VenvId::random());
        let here = home.path().join("venv");
        fs::create_dir(&here).unwrap();
        store.register(&one, Path::new("/absent")).unwrap();
        store.register(&one, &here).unwrap();
        store.register(&other, Path::new("/absent")).unwrap();
        assert_eq!(store.lost_roots().unwrap(), []);
        fs::remove_tree(&home.path().join("roots")).unwrap();
        let lost = store.lost_roots().unwrap();
        assert_eq!(lost.iter().map(|root| &root.id).collect::<BTreeSet<_>>(), BTreeSet::from([&one, &other]));
        let root = lost.iter().find(|root| root.id == one).unwrap();
        assert_eq!((root.path.as_path(), root.elsewhere.len(), root.only_seen), (here.as_path(), 1, true));
        store.compact_places().unwrap();
        assert_eq!(store.lost_roots().unwrap().len(), 1);
        store.forget(&one).unwrap();
        assert_eq!(store.lost_roots().unwrap(), []);
    }
}
