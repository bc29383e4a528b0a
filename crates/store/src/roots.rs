//! Roots: the venvs that the store knows, one small file each. A root is alive while one of its places holds a venv
//! that carries the same id; link counts and access times play no part.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use virtpy_files as fs;

use super::{EntryId, Store, StoreError, VenvId};

/// A venv that the store knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The venv's id.
    pub id: VenvId,
    /// Where it stood when it was last worked on, absolute.
    pub path: PathBuf,
    /// Other places where a venv with this id was seen: it was moved, copied, or is seen from inside a container.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<PathBuf>,
    /// Whether it was only seen and never made or changed here. What it uses is kept, but nothing says that it is this user's
    /// own: it may have come with a repository.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_seen: bool,
    /// The file system that it is on, where that is another than the store's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount: Option<Mount>,
    /// The entries that it uses, noted for a venv on another file system only: while that is not mounted, nothing else
    /// tells. The state in a venv at hand decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<EntryId>,
}

/// A file system that may be mounted at one time and not at another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where it is mounted.
    pub point: PathBuf,
    /// What tells it from another one that is mounted there (`f_fsid` of statvfs(3)).
    pub file_system: u64,
}

impl Mount {
    /// Whether this very file system is mounted now.
    pub fn is_there(&self) -> bool {
        matches!(fs::mount_of(&self.point), Ok((point, file_system))
            if point == self.point && file_system == self.file_system)
    }
}

/// So many places of a venv are simply noted. Of more than that, those at which nothing stands any more are dropped.
const MANY_PLACES: usize = 1_000;

impl Root {
    /// Every place where the venv may be, the likeliest first.
    pub fn places(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.path).chain(&self.elsewhere)
    }
}

/// The places to be remembered of these: all, unless they are very many. A place that cannot be looked at counts as there.
fn worth_keeping(mut places: Vec<PathBuf>) -> Vec<PathBuf> {
    if places.len() > MANY_PLACES {
        places.retain(|place| !matches!(fs::kind(place), Ok(None)));
    }
    places
}

impl Store {
    fn root_path(&self, id: &VenvId) -> PathBuf {
        self.home().join("roots").join(id.as_str())
    }

    /// Registers a venv, before anything is linked into it. One that is known at another place was moved there; the old
    /// place is kept, since it may be a copy that was moved, or another view of the same disk. Returns what is known now.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn register(&self, id: &VenvId, path: &Path) -> Result<Root, StoreError> {
        let known = self.root(id)?;
        if let Some(known) = known.as_ref().filter(|known| known.path == path && !known.only_seen) {
            return Ok(known.clone());
        }
        let (elsewhere, uses) = match known {
            Some(known) => {
                let places = known.places().filter(|place| *place != path);
                (worth_keeping(places.cloned().collect()), known.uses)
            }
            None => (Vec::new(), Vec::new()),
        };
        let root = Root {
            id: id.clone(),
            path: path.to_path_buf(),
            elsewhere,
            only_seen: false,
            mount: self.foreign_mount(path),
            uses,
        };
        self.write_root(&root)?;
        self.note_in_places(id, path);
        Ok(root)
    }

    /// Notes a place where a venv was seen, so that what it uses is kept. The store vouches for it no more than before.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note_place(&self, id: &VenvId, place: &Path) -> Result<(), StoreError> {
        let Some(mut root) = self.root(id)? else {
            let root = Root {
                id: id.clone(),
                path: place.to_path_buf(),
                elsewhere: Vec::new(),
                only_seen: true,
                mount: self.foreign_mount(place),
                uses: Vec::new(),
            };
            self.write_root(&root)?;
            self.note_in_places(id, place);
            return Ok(());
        };
        if root.places().any(|known| known == place) {
            return Ok(());
        }
        root.elsewhere.insert(0, place.to_path_buf());
        root.elsewhere = worth_keeping(root.elsewhere);
        self.write_root(&root)?;
        self.note_in_places(id, place);
        Ok(())
    }

    /// Whether a venv with this id was made or changed at this very place, and not only seen there.
    pub fn vouches_for(&self, id: &VenvId, place: &Path) -> bool {
        let Ok(Some(root)) = self.root(id) else { return false };
        let is_place = || fs::canonicalize(&root.path).is_ok_and(|path| path == place);
        !root.only_seen && (root.path == place || is_place())
    }

    /// Notes which entries a venv is about to use, if it is on a file system that may be gone one day.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note_uses(&self, root: Root, uses: Vec<EntryId>) -> Result<(), StoreError> {
        if root.mount.is_none() || root.uses == uses {
            return Ok(());
        }
        self.write_root(&Root { uses, ..root })
    }

    fn write_root(&self, root: &Root) -> Result<(), StoreError> {
        let path = self.root_path(&root.id);
        let text = serde_json::to_vec(root)
            .map_err(|error| StoreError::Damaged { id: root.id.to_string(), reason: error.to_string() })?;
        if let Err(error) = fs::write_atomic(&path, &text) {
            if !error.is_not_found() {
                return Err(error.into());
            }
            self.create_folders()?;
            fs::write_atomic(&path, &text)?;
        }
        Ok(())
    }

    /// The file system of a path, unless the store is on it as well.
    fn foreign_mount(&self, path: &Path) -> Option<Mount> {
        if fs::is_on_mount_of(path, self.home()) {
            return None;
        }
        let (point, file_system) = fs::mount_of(path).ok()?;
        let own = fs::mount_of(self.home()).ok()?;
        (own.0 != point).then_some(Mount { point, file_system })
    }

    /// Forgets a venv; one that is not known is fine.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn forget(&self, id: &VenvId) -> Result<(), StoreError> {
        self.forget_below(id);
        self.forget_places(id);
        match fs::remove_file(&self.root_path(id)) {
            Err(error) if !error.is_not_found() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Returns what is registered under an id.
    ///
    /// # Errors
    /// When the file is there and cannot be read. One that makes no sense counts as absent: it is written again. So does what
    /// another user has put there, where they may.
    pub fn root(&self, id: &VenvId) -> Result<Option<Root>, StoreError> {
        let path = self.root_path(id);
        match fs::read_own_with_facts(&path, 512) {
            Ok((_, facts)) if self.is_of_others(&path, &facts) => Ok(None),
            Ok((content, _)) => Ok(serde_json::from_slice(&content).ok()),
            Err(error) if error.is_not_found() || self.has_open_roots() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The ids of all venvs that the store knows, also of those whose file cannot be read.
    ///
    /// # Errors
    /// When the folder of the roots cannot be read.
    pub fn root_ids(&self) -> Result<Vec<VenvId>, StoreError> {
        let names = match fs::names(&self.home().join("roots")) {
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            other => other?,
        };
        Ok(names.iter().filter_map(|name| VenvId::parse(name.to_str()?).ok()).collect())
    }

    /// Every venv that the store knows, sorted by path.
    ///
    /// # Errors
    /// When the folder of the roots cannot be read.
    pub fn roots(&self) -> Result<Vec<Root>, StoreError> {
        let mut roots = Vec::new();
        for id in self.root_ids()? {
            roots.extend(self.root(&id)?);
        }
        roots.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(roots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_registered_moved_and_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        let id = VenvId::random();
        assert_eq!(store.roots().unwrap(), []);
        store.register(&id, Path::new("/a/.venv")).unwrap();
        let moved = store.register(&id, Path::new("/b/.venv")).unwrap();
        assert_eq!(moved.places().collect::<Vec<_>>(), [Path::new("/b/.venv"), Path::new("/a/.venv")]);
        store.note_place(&id, Path::new("/c/.venv")).unwrap();
        assert!(
            store.vouches_for(&id, Path::new("/b/.venv")) && !store.vouches_for(&id, Path::new("/c/.venv"))
        );
        let [root] = store.roots().unwrap().try_into().unwrap();
        assert_eq!((root.path.as_path(), root.elsewhere.len()), (Path::new("/b/.venv"), 2));
        store.register(&id, Path::new("/a/.venv")).unwrap();
        let back = store.root(&id).unwrap().unwrap();
        assert_eq!(back.elsewhere, [Path::new("/b/.venv"), Path::new("/c/.venv")]);
        for number in 0..50 {
            store.note_place(&id, Path::new(&format!("/copies/{number}"))).unwrap();
        }
        assert_eq!(store.root(&id).unwrap().unwrap().places().count(), 53);
        store.forget(&id).unwrap();
        store.forget(&id).unwrap();
        assert_eq!(store.root(&id).unwrap(), None);
        store.note_place(&id, Path::new("/seen")).unwrap();
        assert!(!store.vouches_for(&id, Path::new("/seen")));
        store.register(&id, Path::new("/seen")).unwrap();
        assert!(store.vouches_for(&id, Path::new("/seen")));
    }

    #[test]
    fn an_id_never_leaves_its_folder() {
        assert!(VenvId::parse("../../0123456789").is_err());
        assert_ne!(VenvId::random(), VenvId::random());
    }
}
