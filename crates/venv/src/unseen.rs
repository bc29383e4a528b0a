//! Distributions that Python and pip see in a venv and virtpy knows nothing of.

use std::ffi::OsStr;
use std::path::Path;

use virtpy_files as fs;

use super::Venv;

impl Venv {
    /// Whether there are any: those that `setup.py install` or `develop` put there, in forms from before wheels, and those in the
    /// folders of a PYTHONPATH.
    pub fn has_unseen_distributions(&self, python_path: &OsStr) -> bool {
        let has = |folder: &Path, endings: &[&str]| {
            let names = fs::names(folder).unwrap_or_default();
            names.iter().any(|name| {
                let ending = Path::new(name).extension().and_then(OsStr::to_str);
                ending.is_some_and(|ending| endings.contains(&ending))
            })
        };
        has(&self.site_packages(), &["egg-info", "egg-link", "egg"])
            || std::env::split_paths(python_path)
                .filter(|path| path.is_absolute())
                .any(|path| has(&path, &["egg-info", "dist-info"]))
    }
}
