//! The plugin for Poetry, whose sources this program carries: as a wheel, and put into a Poetry's own environment and
//! taken out again without needing anything but files.

use std::path::{Path, PathBuf};

use super::{Installation, PoetryError};
use virtpy_files::{self as fs, FileKind};
use virtpy_wheel as wheel;
use virtpy_wheel::archive;

/// The folder of the plugin's modules, and the distribution's name in file names.
const PACKAGE: &str = "poetry_plugin_virtpy";

/// Where the plugin finds the program that put it there.
const EXECUTABLE: &str = "executable.txt";

/// What INSTALLER says of a plugin that `virtpy poetry enable` put there.
const INSTALLER: &str = "virtpy";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The plugin's modules.
const MODULES: &[(&str, &str)] = &[
    ("__init__.py", include_str!("../../../../shims/poetry_plugin_virtpy/__init__.py")),
    ("batch.py", include_str!("../../../../shims/poetry_plugin_virtpy/batch.py")),
    ("builds.py", include_str!("../../../../shims/poetry_plugin_virtpy/builds.py")),
    ("executor.py", include_str!("../../../../shims/poetry_plugin_virtpy/executor.py")),
    ("plugin.py", include_str!("../../../../shims/poetry_plugin_virtpy/plugin.py")),
    ("program.py", include_str!("../../../../shims/poetry_plugin_virtpy/program.py")),
    ("venvs.py", include_str!("../../../../shims/poetry_plugin_virtpy/venvs.py")),
];

const ENTRY_POINTS: &str = "[poetry.application.plugin]\nvirtpy = poetry_plugin_virtpy.plugin:VirtpyPlugin\n";

/// Whether the plugin is in a Poetry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is not there.
    Absent,
    /// `virtpy poetry enable` put it there, and it is what this program carries.
    Enabled,
    /// `virtpy poetry enable` put it there, but of another version or for another program.
    Outdated(String),
    /// Another installer put it there.
    Foreign {
        /// Its version.
        version: String,
        /// What its INSTALLER file says.
        installer: String,
    },
}

/// The plugin as this program carries it.
#[derive(Debug, Clone)]
pub struct Plugin {
    executable: Option<PathBuf>,
}

impl Plugin {
    /// The plugin for the program at `executable`, which it looks for on PATH if that is gone.
    pub fn for_program(executable: PathBuf) -> Self {
        Self { executable: Some(executable) }
    }

    /// The plugin for any machine: it looks for the program on PATH.
    pub fn portable() -> Self {
        Self { executable: None }
    }

    fn dist_info() -> String {
        format!("{PACKAGE}-{VERSION}.dist-info")
    }

    /// Its modules: names in the package's folder, and contents.
    fn modules(&self) -> Vec<(&'static str, String)> {
        let mut modules: Vec<_> = MODULES.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        if let Some(executable) = &self.executable {
            modules.push((EXECUTABLE, format!("{}\n", executable.display())));
        }
        modules
    }

    /// The files of its dist-info folder but RECORD.
    fn metadata() -> Vec<(&'static str, String)> {
        let metadata = format!(
            "Metadata-Version: 2.1\nName: poetry-plugin-virtpy\nVersion: {VERSION}\nSummary: Poetry installs into venvs of \
             virtpy from virtpy's store\nLicense: {}\nRequires-Python: >=3.8\n",
            env!("CARGO_PKG_LICENSE")
        );
        let wheel = "Wheel-Version: 1.0\nGenerator: virtpy\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        vec![
            ("METADATA", metadata),
            ("WHEEL", wheel.to_owned()),
            ("entry_points.txt", ENTRY_POINTS.to_owned()),
        ]
    }

    /// All files with paths from site-packages on, RECORD last.
    fn files(&self, extra: &[(&'static str, String)]) -> Vec<(String, Vec<u8>)> {
        let in_package = self.modules().into_iter().map(|(name, text)| (format!("{PACKAGE}/{name}"), text));
        let about = Self::metadata().into_iter().chain(extra.iter().cloned());
        let about = about.map(|(name, text)| (format!("{}/{name}", Self::dist_info()), text));
        let texts = in_package.chain(about);
        wheel::with_record(&Self::dist_info(), texts.map(|(path, text)| (path, text.into_bytes())).collect())
    }

    /// The file name of its wheel.
    pub fn wheel_name() -> String {
        format!("{PACKAGE}-{VERSION}-py3-none-any.whl")
    }

    /// Its wheel. The same program makes the same bytes.
    ///
    /// # Errors
    /// When the archive cannot be put together.
    pub fn wheel(&self) -> Result<Vec<u8>, PoetryError> {
        archive::write(&self.files(&[])).map_err(|error| PoetryError::Wheel(error.to_string()))
    }

    /// Whether it is in a Poetry.
    ///
    /// # Errors
    /// When the Poetry's packages cannot be listed.
    pub fn state(&self, poetry: &Installation) -> Result<State, PoetryError> {
        let Some((name, version)) = present(&poetry.site_packages)?.into_iter().next() else {
            return Ok(State::Absent);
        };
        let folder = poetry.site_packages.join(name);
        let installer = fs::read_to_string(&folder.join("INSTALLER")).unwrap_or_default();
        if installer.trim() != INSTALLER {
            return Ok(State::Foreign { version, installer: known_as(installer.trim()) });
        }
        let files = self.files(&[("INSTALLER", INSTALLER.to_owned())]);
        let is_current = files.iter().all(|(path, text)| {
            fs::read(&poetry.site_packages.join(path)).is_ok_and(|content| content == *text)
        });
        Ok(if is_current { State::Enabled } else { State::Outdated(version) })
    }

    /// Puts it into a Poetry, in place of one that is there. Returns whether anything had to be done.
    ///
    /// # Errors
    /// When the Poetry is of a version that it does not fit, another installer put it there, or the Poetry's
    /// environment cannot be written; that is then as before.
    pub fn enable(&self, poetry: &Installation) -> Result<bool, PoetryError> {
        if !poetry.is_supported() {
            let (path, version) = (poetry.prefix.clone(), poetry.version.clone());
            return Err(PoetryError::Unsupported { path, version });
        }
        match self.state(poetry)? {
            State::Enabled => return Ok(false),
            State::Foreign { installer, .. } => return Err(not_ours(poetry, installer)),
            State::Outdated(_) => take_out(&poetry.site_packages)?,
            State::Absent => {}
        }
        let site_packages = &poetry.site_packages;
        let staging = fs::temporary_folder(site_packages)?;
        for folder in [PACKAGE.to_owned(), Self::dist_info()] {
            fs::create_dir(&staging.path().join(folder))?;
        }
        for (path, text) in self.files(&[("INSTALLER", INSTALLER.to_owned())]) {
            fs::write_new(&staging.path().join(path), &text, 0o644)?;
        }
        // What a killed command left without metadata.
        fs::remove_tree(&site_packages.join(PACKAGE))?;
        // Poetry sees the plugin by its metadata, so that comes last.
        for folder in [PACKAGE.to_owned(), Self::dist_info()] {
            fs::rename(&staging.path().join(&folder), &site_packages.join(&folder))?;
        }
        Ok(true)
    }

    /// Takes it out of a Poetry. Returns whether it was there.
    ///
    /// # Errors
    /// When another installer put it there, or the Poetry's environment cannot be written.
    pub fn disable(&self, poetry: &Installation) -> Result<bool, PoetryError> {
        match self.state(poetry)? {
            State::Absent => Ok(false),
            State::Foreign { installer, .. } => Err(not_ours(poetry, installer)),
            State::Enabled | State::Outdated(_) => take_out(&poetry.site_packages).map(|()| true),
        }
    }
}

fn not_ours(poetry: &Installation, installer: String) -> PoetryError {
    PoetryError::NotOurs { path: poetry.prefix.clone(), installer }
}

fn known_as(installer: &str) -> String {
    if installer.is_empty() { "another installer".to_owned() } else { format!("`{installer}`") }
}

/// The dist-info folders of the plugin in a folder of packages, with their versions.
fn present(site_packages: &Path) -> Result<Vec<(String, String)>, PoetryError> {
    let names = fs::read_dir_names(site_packages)?;
    let folders = names.into_iter().filter(|(_, kind)| *kind == FileKind::Folder);
    Ok(folders
        .filter_map(|(name, _)| {
            let name = name.into_string().ok()?;
            let version = name.strip_prefix(&format!("{PACKAGE}-"))?.strip_suffix(".dist-info")?.to_owned();
            Some((name, version))
        })
        .collect())
}

/// Removes the plugin's folders with the bytecode that came into them, the metadata first: it is what Poetry goes by.
fn take_out(site_packages: &Path) -> Result<(), PoetryError> {
    for (name, _) in present(site_packages)? {
        fs::remove_tree(&site_packages.join(name))?;
    }
    Ok(fs::remove_tree(&site_packages.join(PACKAGE))?)
}
