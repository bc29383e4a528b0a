//! A plugin as a distribution: as a wheel, and put into another tool's own environment and taken out again without needing
//! anything but files.

use std::path::{Path, PathBuf};

use super::carried::{CARRIED, Carried};
use super::{Installation, PluginError};
use virtpy_files::{self as fs, FileKind};
use virtpy_wheel as wheel;
use virtpy_wheel::archive;

/// Where a plugin finds the program that put it there. Only one that `virtpy enable` put there has it.
const EXECUTABLE: &str = "executable.txt";

/// What says that the tool makes virtpy's venvs without being told to, as long as its own settings say nothing else.
const CREATES: &str = "creates.txt";

/// What INSTALLER says of a plugin that `virtpy enable` put there.
const INSTALLER: &str = "virtpy";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Whether a plugin is in a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is not there.
    Absent,
    /// `virtpy enable` put it there, and it is what this program carries.
    Enabled,
    /// `virtpy enable` put it there, but of another version or for another program.
    Outdated(String),
    /// Another installer put it there.
    Foreign {
        /// Its version.
        version: String,
        /// What its INSTALLER file says.
        installer: String,
    },
}

/// A plugin as this program carries it.
#[derive(Debug, Clone)]
pub struct Plugin {
    carried: &'static Carried,
    executable: Option<PathBuf>,
    creates: Option<bool>,
}

impl Plugin {
    /// The plugin for the program at `executable`, which it looks for on PATH if that is gone.
    pub fn for_program(carried: &'static Carried, executable: PathBuf) -> Self {
        Self { carried, executable: Some(executable), creates: None }
    }

    /// The plugin for any machine: it looks for the program on PATH.
    pub fn portable(carried: &'static Carried) -> Self {
        Self { carried, executable: None, creates: None }
    }

    /// Says whether the tool makes virtpy's venvs by itself. Where nobody says so, it stays as it was.
    #[must_use]
    pub fn creating(self, creates: Option<bool>) -> Self {
        Self { creates, ..self }
    }

    fn dist_info(&self) -> String {
        format!("{}-{VERSION}.dist-info", self.carried.package)
    }

    /// Whether a plugin in this folder of packages has, or gets, the file that says so.
    fn creates_in(&self, site_packages: &Path) -> bool {
        let is_there =
            || matches!(fs::kind(&site_packages.join(self.carried.package).join(CREATES)), Ok(Some(_)));
        self.creates.unwrap_or_else(is_there)
    }

    /// All files with paths from site-packages on, RECORD last.
    fn files(&self, creates: bool, installer: Option<&str>) -> Vec<(String, Vec<u8>)> {
        let Carried { package, modules, .. } = self.carried;
        let mut texts: Vec<(String, String)> =
            modules.iter().map(|(name, text)| (format!("{package}/{name}"), (*text).to_owned())).collect();
        if let Some(executable) = &self.executable {
            texts.push((format!("{package}/{EXECUTABLE}"), format!("{}\n", executable.display())));
        }
        if creates {
            texts.push((format!("{package}/{CREATES}"), "true\n".to_owned()));
        }
        let dist_info = self.dist_info();
        let about = self.carried.metadata(VERSION);
        texts.extend(about.into_iter().map(|(name, text)| (format!("{dist_info}/{name}"), text)));
        texts.extend(installer.map(|name| (format!("{dist_info}/INSTALLER"), name.to_owned())));
        wheel::with_record(
            &dist_info,
            texts.into_iter().map(|(path, text)| (path, text.into_bytes())).collect(),
        )
    }

    /// The files that stand in a tool's folder of packages.
    fn installed_files(&self, site_packages: &Path) -> Vec<(String, Vec<u8>)> {
        self.files(self.creates_in(site_packages), Some(INSTALLER))
    }

    /// The file name of its wheel.
    pub fn wheel_name(&self) -> String {
        format!("{}-{VERSION}-py3-none-any.whl", self.carried.package)
    }

    /// Its wheel. The same program makes the same bytes.
    ///
    /// # Errors
    /// When the archive cannot be put together.
    pub fn wheel(&self) -> Result<Vec<u8>, PluginError> {
        archive::write(&self.files(false, None)).map_err(|error| PluginError::Wheel(error.to_string()))
    }

    /// Whether it is in a tool.
    ///
    /// # Errors
    /// When the tool's packages cannot be listed.
    pub fn state(&self, tool: &Installation) -> Result<State, PluginError> {
        let Some((name, version)) = self.present(&tool.site_packages)?.into_iter().next() else {
            return Ok(State::Absent);
        };
        let folder = tool.site_packages.join(name);
        let installer = fs::read_to_string(&folder.join("INSTALLER")).unwrap_or_default();
        if installer.trim() != INSTALLER {
            return Ok(State::Foreign { version, installer: known_as(installer.trim()) });
        }
        let files = self.installed_files(&tool.site_packages);
        let is_current = files.iter().all(|(path, text)| {
            fs::read(&tool.site_packages.join(path)).is_ok_and(|content| content == *text)
        });
        // One that says what this one does not.
        let says_more = self.creates == Some(false)
            && fs::kind(&tool.site_packages.join(self.carried.package).join(CREATES))?.is_some();
        Ok(if is_current && !says_more { State::Enabled } else { State::Outdated(version) })
    }

    /// Whether a tool that has it makes virtpy's venvs by itself.
    pub fn creates(&self, tool: &Installation) -> bool {
        Self { creates: None, ..self.clone() }.creates_in(&tool.site_packages)
    }

    /// Puts it into a tool, in place of one that is there. Returns whether anything had to be done.
    ///
    /// # Errors
    /// When the tool is of a version that it does not fit, another installer put it there, or the tool's environment
    /// cannot be written; that is then as before.
    pub fn enable(&self, tool: &Installation) -> Result<bool, PluginError> {
        tool.demand_support()?;
        match self.state(tool)? {
            State::Enabled => return Ok(false),
            State::Foreign { installer, .. } => return Err(self.not_ours(tool, installer)),
            State::Outdated(_) | State::Absent => {}
        }
        let site_packages = &tool.site_packages;
        let files = self.installed_files(site_packages);
        let staging = fs::temporary_folder(site_packages)?;
        let folders = [self.carried.package.to_owned(), self.dist_info()];
        for folder in &folders {
            fs::create_dir(&staging.path().join(folder))?;
        }
        for (path, text) in files {
            fs::write_new(&staging.path().join(path), &text, 0o644)?;
        }
        // With it what a killed command left without metadata.
        self.take_out(site_packages)?;
        // The tool sees the plugin by its metadata, so that comes last.
        for folder in &folders {
            fs::rename(&staging.path().join(folder), &site_packages.join(folder))?;
        }
        Ok(true)
    }

    /// Takes it out of a tool. Returns whether it was there.
    ///
    /// # Errors
    /// When another installer put it there, or the tool's environment cannot be written.
    pub fn disable(&self, tool: &Installation) -> Result<bool, PluginError> {
        match self.state(tool)? {
            State::Absent => Ok(false),
            State::Foreign { installer, .. } => Err(self.not_ours(tool, installer)),
            State::Enabled | State::Outdated(_) => self.take_out(&tool.site_packages).map(|()| true),
        }
    }

    fn not_ours(&self, tool: &Installation, installer: String) -> PluginError {
        PluginError::NotOurs {
            tool: tool.tool.title(),
            path: tool.prefix.clone(),
            installer,
            project: self.carried.project,
        }
    }

    /// The dist-info folders of the plugin in a folder of packages, with their versions.
    fn present(&self, site_packages: &Path) -> Result<Vec<(String, String)>, PluginError> {
        let prefix = format!("{}-", self.carried.package);
        let names = fs::read_dir_names(site_packages)?;
        let folders = names.into_iter().filter(|(_, kind)| *kind == FileKind::Folder);
        Ok(folders
            .filter_map(|(name, _)| {
                let name = name.into_string().ok()?;
                let version = name.strip_prefix(&prefix)?.strip_suffix(".dist-info")?.to_owned();
                Some((name, version))
            })
            .collect())
    }

    /// Removes the plugin's folders with the bytecode that came into them, the metadata first: it is what the tool goes by.
    fn take_out(&self, site_packages: &Path) -> Result<(), PluginError> {
        for (name, _) in self.present(site_packages)? {
            fs::remove_tree(&site_packages.join(name))?;
        }
        Ok(fs::remove_tree(&site_packages.join(self.carried.package))?)
    }
}

/// Whether a distribution is one of the plugins.
pub(crate) fn is_plugin(key: &str) -> bool {
    CARRIED.iter().any(|carried| carried.project == key)
}

/// Copies the plugins that `virtpy enable` put into one folder of packages into another, where they are not.
pub(crate) fn carry_over(from: &Path, to: &Path) -> Result<(), PluginError> {
    for carried in CARRIED {
        let plugin = Plugin::portable(carried);
        let Some((dist_info, _)) = plugin.present(from)?.into_iter().next() else { continue };
        let installer = fs::read_to_string(&from.join(&dist_info).join("INSTALLER")).unwrap_or_default();
        if installer.trim() != INSTALLER || !plugin.present(to)?.is_empty() {
            continue;
        }
        for folder in [carried.package, &dist_info] {
            fs::create_dir(&to.join(folder))?;
            let names = fs::read_dir_names(&from.join(folder))?;
            for (name, _) in names.into_iter().filter(|(_, kind)| *kind == FileKind::File) {
                let path = Path::new(folder).join(name);
                fs::write_new(&to.join(&path), &fs::read(&from.join(&path))?, 0o644)?;
            }
        }
    }
    Ok(())
}

fn known_as(installer: &str) -> String {
    if installer.is_empty() { "another installer".to_owned() } else { format!("`{installer}`") }
}
