//! The user's settings: `config.toml`, and the environment variables that override it.
//!
//! `VIRTPY_CONFIG_FILE` names the file; without it, it is `config.toml` in the platform's folder for `virtpy`
//! (`~/.config/virtpy` on Linux). `docs/settings.md` lists the keys.

mod lower_stores;
mod paths;
mod remote;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;
use virtpy_pep::PackageName;

use crate::cli::quantity;
use crate::fs;
use crate::install::{Bytecode, Error, IndexLimits, Preferences, Result};
use crate::store::Policy;
use crate::venv::LinkMode;

pub use remote::key_file_of_user;

/// What the user has chosen once for all venvs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What concerns what is installed.
    pub preferences: Preferences,
    /// Directories whose venvs are used although they belong to another user; `*` stands for all.
    pub safe_directories: Vec<PathBuf>,
    /// The directory of the applications' commands, if it is not the store's own.
    pub tool_bin: Option<PathBuf>,
    /// Whether `add` and `remove` record in the project's file what they are asked for.
    pub save: bool,
    /// The stores below the user's own, in order.
    pub stores: Vec<PathBuf>,
    /// The users who may own one of them, beside root and the user.
    pub store_owners: Vec<u32>,
    /// What is removed from the store after a venv was changed, once a day; nothing where it is not set.
    pub store: Policy,
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ConfigFile {
    link_mode: Option<String>,
    #[serde(default)]
    always_copy: Vec<String>,
    bytecode: Option<String>,
    #[serde(default)]
    compile_bytecode: bool,
    #[serde(default)]
    immutable: bool,
    pip_shim: Option<bool>,
    #[serde(default)]
    safe_directories: Vec<PathBuf>,
    #[serde(default)]
    stores: Vec<String>,
    #[serde(default)]
    store_owners: Vec<lower_stores::Owner>,
    #[serde(default)]
    store: StoreSection,
    #[serde(default)]
    index: IndexSection,
    #[serde(default)]
    tool: ToolSection,
    #[serde(default)]
    project: ProjectSection,
    #[serde(default)]
    remote: remote::RemoteSection,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ToolSection {
    bin_dir: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ProjectSection {
    #[serde(default)]
    save: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct IndexSection {
    max_page_size: Option<String>,
    max_file_size: Option<String>,
    min_speed: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct StoreSection {
    max_age: Option<String>,
    max_size: Option<String>,
    keep_last: Option<usize>,
}

impl Settings {
    /// Reads the file, if there is one, and the environment. `variable` looks a variable up.
    ///
    /// # Errors
    /// When the file cannot be read, or a value makes no sense.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let file = match path(variable) {
            Some(path) => match fs::read_to_string(&path) {
                Ok(text) => parse(&text).map_err(|reason| {
                    Error::new(format!("the settings in `{}` make no sense: {reason}", path.display()))
                        .hinted("correct the file; docs/settings.md lists the keys")
                })?,
                Err(error) if error.is_not_found() && variable("VIRTPY_CONFIG_FILE").is_none() => {
                    ConfigFile::default()
                }
                Err(error) => {
                    return Err(Error::from(error)
                        .hinted("HOME says whose settings are read, VIRTPY_CONFIG_FILE names another file"));
                }
            },
            None => ConfigFile::default(),
        };
        let wrong = |name: &str, reason: &str| Error::new(format!("the setting `{name}`: {reason}"));
        let link_mode = match variable("VIRTPY_LINK_MODE").or(file.link_mode) {
            Some(text) => text.parse().map_err(|reason: String| wrong("link-mode", &reason))?,
            None => LinkMode::default(),
        };
        let names = match variable("VIRTPY_ALWAYS_COPY") {
            Some(text) => text.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            None => file.always_copy,
        };
        let always_copy = names
            .iter()
            .map(|name| name.parse::<PackageName>().map_err(|error| wrong("always-copy", &error.to_string())))
            .collect::<Result<_>>()?;
        let switch = |setting: &str, name: &str, otherwise: bool| match variable(name).as_deref() {
            Some("1" | "true" | "yes" | "on") => Ok(true),
            Some("0" | "false" | "no" | "off") => Ok(false),
            Some(other) => Err(wrong(setting, &format!("`{other}` is neither 1 nor 0"))),
            None => Ok(otherwise),
        };
        let compile_bytecode = switch("compile-bytecode", "VIRTPY_COMPILE_BYTECODE", file.compile_bytecode)?;
        let bytecode = match variable("VIRTPY_BYTECODE").or(file.bytecode) {
            Some(text) => text.parse().map_err(|reason: String| wrong("bytecode", &reason))?,
            None if compile_bytecode => Bytecode::Eager,
            None => Bytecode::default(),
        };
        let immutable = switch("immutable", "VIRTPY_IMMUTABLE", file.immutable)?;
        let pip_shim = switch("pip-shim", "VIRTPY_PIP_SHIM", file.pip_shim.unwrap_or(true))?;
        let safe_directories = match variable("VIRTPY_SAFE_DIRECTORIES") {
            Some(text) => std::env::split_paths(&text).collect(),
            None => file.safe_directories,
        };
        let tool_bin = variable("VIRTPY_TOOL_BIN_DIR").or(file.tool.bin_dir);
        let tool_bin = tool_bin.map(|text| paths::absolute("tool.bin-dir", &text)).transpose()?;
        let save = switch("project.save", "VIRTPY_PROJECT_SAVE", file.project.save)?;
        let stores = lower_stores::stores(variable("VIRTPY_STORES"), file.stores)?;
        let store_owners = lower_stores::owners(variable("VIRTPY_STORE_OWNERS"), file.store_owners)?;
        let store = store_settings(variable, file.store)?;
        let index = index_limits(variable, file.index)?;
        let remote = remote::read(variable, &switch, file.remote)?;
        let preferences =
            Preferences { link_mode, always_copy, bytecode, immutable, pip_shim, index, remote };
        Ok(Self { preferences, safe_directories, tool_bin, save, stores, store_owners, store })
    }

    /// Those of this process's environment, read once.
    ///
    /// # Errors
    /// When they make no sense.
    pub fn current() -> Result<&'static Self> {
        static SETTINGS: OnceLock<Settings> = OnceLock::new();
        if let Some(settings) = SETTINGS.get() {
            return Ok(settings);
        }
        let settings = Self::read(&|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
        Ok(SETTINGS.get_or_init(|| settings))
    }
}

fn store_settings(variable: &dyn Fn(&str) -> Option<String>, file: StoreSection) -> Result<Policy> {
    let wrong = |name: &str, reason: &str| Error::new(format!("the setting `store.{name}`: {reason}"));
    let max_age = variable("VIRTPY_STORE_MAX_AGE").or(file.max_age);
    let max_size = variable("VIRTPY_STORE_MAX_SIZE").or(file.max_size);
    let keep_last = match variable("VIRTPY_STORE_KEEP_LAST") {
        Some(text) => {
            Some(text.parse().map_err(|_| wrong("keep-last", &format!("`{text}` is not a number")))?)
        }
        None => file.keep_last,
    };
    Ok(Policy {
        max_age: max_age
            .map(|text| quantity::duration(&text).map_err(|reason| wrong("max-age", &reason)))
            .transpose()?,
        max_size: max_size
            .map(|text| quantity::size(&text).map_err(|reason| wrong("max-size", &reason)))
            .transpose()?,
        keep_last: keep_last.unwrap_or_default(),
        ..Policy::default()
    })
}

fn index_limits(variable: &dyn Fn(&str) -> Option<String>, file: IndexSection) -> Result<IndexLimits> {
    let size = |name: &str, value: Option<String>| {
        let size = value.map(|text| quantity::size(&text)).transpose();
        size.map_err(|reason| Error::new(format!("the setting `index.{name}`: {reason}")))
    };
    Ok(IndexLimits {
        max_page_size: size("max-page-size", variable("VIRTPY_MAX_PAGE_SIZE").or(file.max_page_size))?,
        max_file_size: size("max-file-size", variable("VIRTPY_MAX_FILE_SIZE").or(file.max_file_size))?,
        min_speed: size("min-speed", variable("VIRTPY_MIN_SPEED").or(file.min_speed))?,
    })
}

fn path(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if let Some(path) = variable("VIRTPY_CONFIG_FILE") {
        return Some(PathBuf::from(path));
    }
    let folders = directories::ProjectDirs::from("", "", "virtpy")?;
    Some(folders.config_dir().join("config.toml"))
}

/// The file in which the stores are listed that this user has worked with, one a line.
fn stores_file() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "virtpy")?;
    Some(folders.config_dir().join("stores"))
}

/// The stores beside the usual one that this user has worked with.
pub fn stores_used() -> Vec<PathBuf> {
    let text = stores_file().and_then(|path| fs::read_to_string(&path).ok()).unwrap_or_default();
    text.lines().map(PathBuf::from).filter(|path| path.is_absolute()).collect()
}

/// Adds a store to these. It is a convenience, so what cannot be written is left.
pub fn note_store_used(home: &Path) {
    let (Some(file), Some(text)) = (stores_file(), home.to_str()) else { return };
    let mut stores = stores_used();
    if !home.is_absolute() || text.contains(['\n', '\r']) || stores.iter().any(|known| known == home) {
        return;
    }
    let Some(folder) = file.parent() else { return };
    // Under `sudo` the folder may be another user's.
    let present = folder.ancestors().find_map(|above| fs::metadata(above).ok());
    if present.is_none_or(|found| found.uid() != fs::effective_user()) {
        return;
    }
    stores.push(home.to_path_buf());
    let lines: Vec<&str> = stores.iter().filter_map(|store| store.to_str()).collect();
    let _ = fs::create_dir_all(folder);
    let _ = fs::write_atomic(&file, (lines.join("\n") + "\n").as_bytes());
}

fn parse(text: &str) -> Result<ConfigFile, String> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
        match line {
            Some(line) => format!("line {line}: {}", error.message()),
            None => error.message().to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use virtpy_resolver::IndexSettings;

    use super::*;

    #[test]
    fn the_environment_overrides_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write_new(
            &path,
            b"link-mode = \"copy\"\nalways-copy = [\"Certifi\"]\ncompile-bytecode = true\n",
            0o644,
        )
        .unwrap();
        let file = |name: &str| (name == "VIRTPY_CONFIG_FILE").then(|| path.display().to_string());
        let settings = Settings::read(&file).unwrap().preferences;
        assert_eq!(settings.link_mode, LinkMode::Copy);
        assert_eq!((settings.bytecode, settings.immutable), (Bytecode::Eager, false));
        assert!(settings.copies(&"certifi".parse().unwrap()) && !settings.copies(&"six".parse().unwrap()));
        let both = |name: &str| match name {
            "VIRTPY_LINK_MODE" => Some("hardlink".to_owned()),
            "VIRTPY_ALWAYS_COPY" => Some("six, Zope.Interface".to_owned()),
            "VIRTPY_COMPILE_BYTECODE" => Some("0".to_owned()),
            "VIRTPY_IMMUTABLE" => Some("1".to_owned()),
            other => file(other),
        };
        let settings = Settings::read(&both).unwrap().preferences;
        assert_eq!(settings.link_mode, LinkMode::Hardlink);
        assert_eq!(settings.always_copy, ["six", "zope-interface"]);
        assert_eq!((settings.bytecode, settings.immutable), (Bytecode::Background, true));
        let off = |name: &str| if name == "VIRTPY_BYTECODE" { Some("off".to_owned()) } else { file(name) };
        assert_eq!(Settings::read(&off).unwrap().preferences.bytecode, Bytecode::Off);
    }

    #[test]
    fn the_conditions_of_a_collection_are_read() {
        let file = parse("[store]\nmax-age = \"30d\"\nmax-size = \"20 GB\"\nkeep-last = 2\n").unwrap();
        let settings = store_settings(&|_| None, file.store).unwrap();
        assert_eq!((settings.max_size, settings.keep_last), (Some(20_000_000_000), 2));
        assert!(settings.limits() && !Policy::default().limits());
        let wrong = |name: &str| (name == "VIRTPY_STORE_MAX_SIZE").then(|| "much".to_owned());
        let error = store_settings(&wrong, StoreSection::default()).unwrap_err().to_string();
        assert!(error.starts_with("the setting `store.max-size`: `much` is not a size"), "{error}");
    }

    #[test]
    fn limits_of_indexes_are_read() {
        let file = parse("[index]\nmax-file-size = \"2GB\"\nmin-speed = \"1kB\"\n").unwrap();
        let limits =
            index_limits(&|name| (name == "VIRTPY_MAX_PAGE_SIZE").then(|| "5 MB".to_owned()), file.index)
                .unwrap();
        let mut settings = IndexSettings::default();
        limits.apply(&mut settings);
        let read = (settings.max_page_size, settings.max_file_size, settings.min_speed);
        assert_eq!(read, (5_000_000, 2_000_000_000, 1000));
        let wrong = |name: &str| (name == "VIRTPY_MIN_SPEED").then(|| "fast".to_owned());
        let error = index_limits(&wrong, IndexSection::default()).unwrap_err().to_string();
        assert!(error.starts_with("the setting `index.min-speed`: `fast`"), "{error}");
    }

    #[test]
    fn a_wrong_setting_is_named_with_its_line() {
        let error = parse("compile-bytecode = true\nlink-mod = \"copy\"\n").unwrap_err();
        assert!(error.starts_with("line 2: unknown field `link-mod`"), "{error}");
        let wrong = |name: &str| (name == "VIRTPY_LINK_MODE").then(|| "hard".to_owned());
        assert!(Settings::read(&wrong).unwrap_err().to_string().contains("`hard` is not a link mode"));
    }
}
