//! The places where interpreters are looked for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use virtpy_files as fs;

/// The places to search. The environment is read once, by [`Sources::from_environment`].
#[derive(Debug, Clone)]
pub struct Sources<'a> {
    /// The folder of the interpreters that virtpy installed.
    pub pythons: &'a Path,
    /// The folder of the cache.
    pub cache: &'a Path,
    /// The value of `PATH`.
    pub path: Option<OsString>,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// The value of `PYENV_ROOT`; `.pyenv` in the home folder without it.
    pub pyenv_root: Option<PathBuf>,
    /// The value of `PYENV_VERSION`: versions between colons.
    pub pyenv_version: Option<OsString>,
    /// Folders of executables that are searched whether or not `PATH` has them.
    pub system_folders: Vec<PathBuf>,
    /// Folders in which other tools keep whole installations, one folder each, and the tools' names.
    pub installation_folders: Vec<(PathBuf, &'static str)>,
    /// Where relative paths begin, and where a search for `.python-version` begins.
    pub working_directory: &'a Path,
}

impl<'a> Sources<'a> {
    /// Only the interpreters that virtpy installed: the other places are empty.
    pub fn new(pythons: &'a Path, cache: &'a Path, working_directory: &'a Path) -> Self {
        Self {
            pythons,
            cache,
            path: None,
            home: None,
            pyenv_root: None,
            pyenv_version: None,
            system_folders: Vec::new(),
            installation_folders: Vec::new(),
            working_directory,
        }
    }

    /// All places that the environment names, and the usual ones of the platform.
    pub fn from_environment(pythons: &'a Path, cache: &'a Path, working_directory: &'a Path) -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let folder = |name: &str| variable(name).map(PathBuf::from);
        let home = folder("HOME");
        let data = folder("XDG_DATA_HOME").or_else(|| Some(home.as_ref()?.join(".local/share")));
        let poetry_data = folder("POETRY_DATA_DIR").or_else(|| match &home {
            Some(home) if cfg!(target_os = "macos") => {
                Some(home.join("Library/Application Support/pypoetry"))
            }
            _ => Some(data.as_ref()?.join("pypoetry")),
        });
        let uv = folder("UV_PYTHON_INSTALL_DIR").or_else(|| Some(data.as_ref()?.join("uv/python")));
        let poetry =
            folder("POETRY_PYTHON_INSTALLATION_DIR").or_else(|| Some(poetry_data.as_ref()?.join("python")));
        let frameworks = PathBuf::from("/Library/Frameworks/Python.framework/Versions");
        Self {
            path: variable("PATH"),
            pyenv_root: folder("PYENV_ROOT"),
            pyenv_version: variable("PYENV_VERSION"),
            system_folders: ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from).to_vec(),
            installation_folders: [(Some(frameworks), "python.org"), (uv, "uv"), (poetry, "poetry")]
                .into_iter()
                .filter_map(|(folder, tool)| Some((folder?, tool)))
                .collect(),
            home,
            ..Self::new(pythons, cache, working_directory)
        }
    }

    /// Whose an interpreter is: `virtpy`, `pyenv`, another tool that keeps installations, or `system`.
    pub fn origin(&self, executable: &Path) -> &'static str {
        let is_in =
            |folder: &Path| fs::canonicalize(folder).is_ok_and(|folder| executable.starts_with(folder));
        if is_in(self.pythons) {
            return "virtpy";
        }
        if self.pyenv_root().is_some_and(|root| is_in(&root.join("versions"))) {
            return "pyenv";
        }
        let tool = self.installation_folders.iter().find(|(folder, _)| is_in(folder));
        tool.map_or("system", |(_, tool)| *tool)
    }

    pub(super) fn pyenv_root(&self) -> Option<PathBuf> {
        self.pyenv_root.clone().or_else(|| Some(self.home.as_ref()?.join(".pyenv")))
    }
}
