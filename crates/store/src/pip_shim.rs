//! The distribution `pip` of virtpy's own, which hands every command over to the program. The program carries its
//! files and makes an ordinary wheel of them, so that it is an entry like any other: one in each store, linked into the
//! venvs, verified and repaired.

use std::path::{Path, PathBuf};

use virtpy_files as fs;
use virtpy_files::digest::sha256;
use virtpy_pep::WheelHash;
use virtpy_wheel as wheel;

use super::{Entry, EntryId, Store, StoreError, WheelFile};

/// Its version: that of the pip whose answers it gives, marked as virtpy's (PEP 440, local version).
pub const PIP_SHIM_VERSION: &str = "26.3+virtpy";

/// Where its entry says that it comes from.
pub const PIP_SHIM_ORIGIN: &str = "virtpy";

/// The link in the store's folder that leads to the program.
pub const PROGRAM: &str = "program";

const PACKAGE: [(&str, &str); 3] = [
    ("pip/__init__.py", include_str!("../../../shims/pip/__init__.py")),
    ("pip/__main__.py", include_str!("../../../shims/pip/__main__.py")),
    ("pip/_handover.py", include_str!("../../../shims/pip/_handover.py")),
];
const METADATA: &str = include_str!("../../../shims/pip/METADATA");
const WHEEL: &str = "Wheel-Version: 1.0\nGenerator: virtpy\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
const ENTRY_POINTS: &str = "[console_scripts]\npip = pip.__main__:main\npip3 = pip.__main__:main\n";

/// Whether a distribution with this normalized name and this version is virtpy's own pip.
pub fn is_pip_shim(key: &str, version: &str) -> bool {
    key == "pip" && version.ends_with("+virtpy")
}

fn wheel() -> Result<Vec<u8>, StoreError> {
    let dist_info = format!("pip-{PIP_SHIM_VERSION}.dist-info");
    let mut files: Vec<(String, Vec<u8>)> =
        PACKAGE.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    for (name, text) in [("METADATA", METADATA), ("WHEEL", WHEEL), ("entry_points.txt", ENTRY_POINTS)] {
        files.push((format!("{dist_info}/{name}"), text.as_bytes().to_vec()));
    }
    wheel::pack(&dist_info, files)
        .map_err(|error| StoreError::Damaged { id: "pip".to_owned(), reason: error.to_string() })
}

impl Store {
    /// The entry of virtpy's own pip, made if there is none yet.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn pip_shim(&self, announce: &mut dyn FnMut(&str)) -> Result<Entry, StoreError> {
        let wheel = wheel()?;
        let sha256 = WheelHash::from(sha256(&wheel));
        let found = || Ok::<_, StoreError>(self.usable(&[Some(sha256)])?.pop().flatten());
        if let Some(entry) = found()? {
            return Ok(entry);
        }
        let _locks = self.lock_entries(vec![EntryId::of(&sha256)], announce)?;
        if let Some(entry) = found()? {
            return Ok(entry);
        }
        let folder = self.temporary_folder()?;
        let staged = self.stage(&write_wheel(folder.path(), &wheel, sha256)?)?;
        let mut entries = self.publish(vec![staged])?;
        entries.pop().ok_or_else(|| StoreError::Damaged {
            id: "pip".to_owned(),
            reason: "it was not published".to_owned(),
        })
    }

    /// Writes the wheel of virtpy's own pip into a folder, if it is the one with this SHA-256: another virtpy's is not.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_pip_shim(&self, hash: &WheelHash, folder: &Path) -> Result<Option<WheelFile>, StoreError> {
        let wheel = wheel()?;
        let own = WheelHash::from(sha256(&wheel));
        if own == *hash { write_wheel(folder, &wheel, own).map(Some) } else { Ok(None) }
    }

    /// The link that leads to the program, for the `pip` of the venvs.
    pub fn program(&self) -> PathBuf {
        self.home().join(PROGRAM)
    }

    /// Leads the link to this program, which may have been moved or replaced since.
    ///
    /// # Errors
    /// When the store's folder cannot be written.
    pub fn note_program(&self, program: &Path) -> Result<(), StoreError> {
        let link = self.program();
        if fs::read_link(&link).is_ok_and(|known| known == program) {
            return Ok(());
        }
        fs::create_dir_all(&self.temporary())?;
        let temporary = fs::temporary_folder(&self.temporary())?;
        Ok(fs::link_by_way_of(&temporary.path().join(PROGRAM), program, &link)?)
    }
}

fn write_wheel(folder: &Path, wheel: &[u8], sha256: WheelHash) -> Result<WheelFile, StoreError> {
    let filename = format!("pip-{PIP_SHIM_VERSION}-py3-none-any.whl");
    let path = folder.join(&filename);
    fs::write_new(&path, wheel, 0o644)?;
    Ok(WheelFile { path, filename, sha256, origin: PIP_SHIM_ORIGIN.to_owned(), indexes: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_files_agree_on_the_version() {
        assert!(PACKAGE[0].1.contains(&format!("__version__ = \"{PIP_SHIM_VERSION}\"\n")));
        assert!(METADATA.contains(&format!("Version: {PIP_SHIM_VERSION}\n")));
        assert!(is_pip_shim("pip", PIP_SHIM_VERSION) && !is_pip_shim("pip", "26.3"));
    }

    #[test]
    fn it_is_made_once() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        let first = store.pip_shim(&mut |_| {}).unwrap();
        assert_eq!(store.pip_shim(&mut |_| {}).unwrap().path, first.path);
        assert_eq!(store.ids().unwrap().len(), 1);
        assert_eq!(first.manifest.version, PIP_SHIM_VERSION);
        fs::remove_tree(home.path()).unwrap();
    }

    #[test]
    fn the_link_follows_the_program() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        for program in ["/usr/bin/virtpy", "/opt/virtpy"] {
            store.note_program(Path::new(program)).unwrap();
            assert_eq!(fs::read_link(&store.program()).unwrap(), Path::new(program));
        }
    }
}
