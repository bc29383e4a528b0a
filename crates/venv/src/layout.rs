//! Where things lie in a venv: the `venv` scheme of `sysconfig`, for Unix.

use std::path::{Path, PathBuf};

use virtpy_store::PROGRAM;
use virtpy_wheel as wheel;

use super::VenvError;
use super::activation::posix_word;
use super::config::{Config, LIBRARY_KEY, STORE_KEY};

/// The folder of a venv in which virtpy keeps its own files.
pub const PRIVATE_FOLDER: &str = ".virtpy";

/// What virtpy knows about its packages, as all paths here relative to the venv's root.
pub(crate) const STATE: &str = ".virtpy/state.json";

/// So many bytes of it are read at once: most have fewer.
pub(crate) const STATE_SIZE: usize = 64 * 1024;

/// The journal of a change that is under way.
pub(crate) const JOURNAL: &str = ".virtpy/journal.json";

/// The folder in which files wait that a change removes.
pub(crate) const TRASH: &str = ".virtpy/trash";

/// The file by way of which others of the venv are replaced.
pub(crate) const UNFINISHED: &str = ".virtpy/unfinished";

/// The file in `site-packages` that puts the store's entries at the end of `sys.path`, for tools which sort files by
/// their real paths: coverage would otherwise measure the store as the user's own code. Nothing can be imported there:
/// what looks for modules in that folder is told that there are none, whatever lies in it.
pub(crate) const MARK_FILE: &str = "_virtpy.pth";

/// The paths of a venv, `/`-separated and relative to its root, and the interpreter line of its scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Packages: `lib/python3.12/site-packages`.
    pub site_packages: String,
    /// Scripts: `bin`.
    pub scripts: String,
    /// Headers, a folder per distribution in it: `include/site/python3.12`.
    pub headers: String,
    /// The first lines of a script that runs in this venv, `#!` and line end included.
    pub shebang: String,
    /// The script that hands over to virtpy: `pip` in a venv with virtpy's own.
    pub handover: String,
    /// The lower stores that its links lead into, none of whose files gets another name here.
    pub lower_stores: Vec<PathBuf>,
}

impl Layout {
    /// The layout of the venv in `root`, from its configuration.
    ///
    /// # Errors
    /// When the configuration names no version, or the path fits into no interpreter line.
    pub fn of(root: &Path, config: &Config) -> Result<Self, VenvError> {
        require_system(root)?;
        let damaged =
            |reason: &str| VenvError::Damaged { path: root.join("pyvenv.cfg"), reason: reason.to_owned() };
        let folder = config.get(LIBRARY_KEY).ok_or_else(|| damaged("it has no `virtpy-library` line"))?;
        let is_plain =
            !folder.is_empty() && folder.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
        if !is_plain || folder.starts_with('.') {
            return Err(damaged("its `virtpy-library` line names no folder"));
        }
        let python = root.join("bin/python");
        let shebang = wheel::shebang(&python).map_err(|source| VenvError::Shebang(python.clone(), source))?;
        Ok(Self {
            site_packages: format!("lib/{folder}/site-packages"),
            scripts: "bin".to_owned(),
            headers: format!("include/site/{folder}"),
            shebang,
            handover: handover(root, config.get(STORE_KEY)),
            lower_stores: config.layers(),
        })
    }

    /// Whether a file is in a lower store, where nothing may be changed: not even how many names it has.
    pub(super) fn is_in_lower_store(&self, path: &Path) -> bool {
        self.lower_stores.iter().any(|store| path.starts_with(store))
    }

    /// The version in the name of the library folder: `3.12`.
    pub fn python_version(&self) -> &str {
        let folder = self.site_packages.split('/').nth(1).unwrap_or_default();
        folder.trim_start_matches(|letter: char| !letter.is_ascii_digit())
    }

    /// Whether a path of the venv is always a real folder, whoever owns what is in it. A linked `lib` makes
    /// foreign tools do nothing, or write into the store.
    pub fn is_always_real(&self, path: &str) -> bool {
        let is_ancestor_or_self =
            |of: &str| of.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_ancestor_or_self(&self.site_packages)
            || is_ancestor_or_self(&self.scripts)
            || is_ancestor_or_self(&self.headers)
            || self.is_dist_info(path)
            || path.strip_prefix(&self.site_packages) == Some("/__pycache__")
    }

    /// Whether a path is a dist-info folder.
    pub fn is_dist_info(&self, path: &str) -> bool {
        path.strip_prefix(&self.site_packages)
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|name| name.ends_with(".dist-info") && !name.contains('/'))
    }

    /// Whether a path is the RECORD of a dist-info folder.
    pub fn is_record(&self, path: &str) -> bool {
        path.strip_suffix("/RECORD").is_some_and(|folder| self.is_dist_info(folder))
    }

    /// Whether a path is a `direct_url.json`, which tools that drive an installer write again.
    pub fn is_provenance(&self, path: &str) -> bool {
        path.strip_suffix("/direct_url.json").is_some_and(|folder| self.is_dist_info(folder))
    }

    /// Whether a path is made with the venv and stays when it is empty of packages.
    pub fn is_skeleton(&self, path: &str) -> bool {
        path == "include"
            || path == self.scripts
            || self
                .site_packages
                .strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether a path belongs to the venv itself, so that no wheel may have it.
    pub fn is_reserved(&self, path: &str) -> bool {
        if let Some(name) = path.strip_prefix(&self.scripts).and_then(|rest| rest.strip_prefix('/')) {
            return wheel::is_reserved_script(name);
        }
        let in_site = path.strip_prefix(&self.site_packages).and_then(|rest| rest.strip_prefix('/'));
        if in_site.is_some_and(|name| name.eq_ignore_ascii_case(MARK_FILE)) {
            return true;
        }
        // File systems may ignore the case.
        let first = path.split('/').next().unwrap_or(path).to_ascii_lowercase();
        matches!(first.as_str(), "pyvenv.cfg" | ".gitignore" | "lib64" | super::PRIVATE_FOLDER)
    }

    /// A path of the venv as its RECORD files write it: relative to `site-packages`.
    pub fn in_record(&self, path: &str) -> String {
        if let Some(inside) = path.strip_prefix(&self.site_packages).and_then(|rest| rest.strip_prefix('/')) {
            return inside.to_owned();
        }
        let up = self.site_packages.split('/').count();
        format!("{}{path}", "../".repeat(up))
    }
}

/// Makes sure that the system is one for which venvs can be laid out. Windows has other folders, and commands there need launchers,
/// which do not exist yet.
pub(super) fn require_system(root: &Path) -> Result<(), VenvError> {
    if cfg!(windows) { Err(VenvError::NotOnWindows(root.to_path_buf())) } else { Ok(()) }
}

/// A script for `/bin/sh` that runs `virtpy pip` for the venv in `root`. It is neither Python nor on Python's path, so
/// nothing that lies about can be imported instead, and it starts in a millisecond.
fn handover(root: &Path, store: Option<&str>) -> String {
    let program = Path::new(store.unwrap_or_default()).join(PROGRAM);
    let (program, root) = (posix_word(&program.to_string_lossy()), posix_word(&root.to_string_lossy()));
    format!(
        r#"#!/bin/sh
# Written by virtpy: hands over to the program that made this venv.
link={program}
program=$link
[ -x "$program" ] || program=$(command -v virtpy) || {{
    if [ -L "$link" ]; then
        echo "ERROR: this environment's pip belongs to virtpy, and the program 'virtpy' is gone." >&2
        echo "Install it again and run any of its commands, such as 'virtpy list-all'." >&2
    else
        echo "ERROR: this environment's pip belongs to virtpy, and neither '$link' nor a 'virtpy' on PATH was found." >&2
        echo "Is the disk of the store mounted? Otherwise put 'virtpy' on PATH and run 'virtpy relink' for this environment." >&2
    fi
    exit 1
}}
exec "$program" pip --venv {root} "$@"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        let mut config = Config::default();
        config.push("virtpy-library", "python3.12");
        Layout::of(Path::new("/v"), &config).unwrap()
    }

    #[test]
    fn knows_its_own_folders() {
        let layout = layout();
        for path in ["lib", "lib/python3.12", "lib/python3.12/site-packages", "bin", "include/site"] {
            assert!(layout.is_always_real(path), "{path}");
        }
        for path in ["li", "share", "lib/python3.12/site-packages/numpy", "lib/python3.1"] {
            assert!(!layout.is_always_real(path), "{path}");
        }
        assert!(layout.is_always_real("lib/python3.12/site-packages/rich-1.dist-info"));
        assert!(!layout.is_always_real("lib/python3.12/site-packages/rich/x.dist-info"));
    }

    #[test]
    fn keeps_its_own_names() {
        let layout = layout();
        for path in [
            "pyvenv.cfg",
            "bin/python",
            "bin/python3.12",
            "bin/python3.13t",
            "bin/activate.fish",
            ".virtpy/x",
            "Pyvenv.CFG",
            ".gitignore",
            "lib64",
            "lib/python3.12/site-packages/_virtpy.pth",
            "lib/python3.12/site-packages/_VIRTPY.pth",
        ] {
            assert!(layout.is_reserved(path), "{path}");
        }
        for path in ["bin/pythonista", "bin/pip", "share/pyvenv.cfg", "bin/python-config"] {
            assert!(!layout.is_reserved(path), "{path}");
        }
    }

    #[test]
    fn writes_record_paths() {
        assert_eq!(layout().python_version(), "3.12");
        assert_eq!(layout().in_record("lib/python3.12/site-packages/six.py"), "six.py");
        assert_eq!(layout().in_record("bin/black"), "../../../bin/black");
    }

    #[test]
    fn a_hostile_configuration_is_refused() {
        let mut config = Config::default();
        config.push("virtpy-library", "../..");
        assert!(Layout::of(Path::new("/v"), &config).is_err());
    }
}
