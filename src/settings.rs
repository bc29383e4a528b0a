//! The user's settings: `config.toml`, and the environment variables that override it.
//!
//! `VIRTPY_CONFIG_FILE` names the file; without it, it is `config.toml` in the platform's folder for `virtpy`
//! (`~/.config/virtpy` on Linux). `docs/settings.md` lists the keys.

use std::path::PathBuf;

use serde::Deserialize;
use virtpy_resolver::normalize_name;

use crate::error::Failure;
use crate::fs;
use crate::venv::LinkMode;

/// What the user has chosen once for all venvs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// How packages come into a new venv that does not say it.
    pub link_mode: LinkMode,
    /// The normalized names of distributions that every venv gets copies of.
    pub always_copy: Vec<String>,
    /// Whether bytecode is compiled when a distribution is added, as with `--compile-bytecode`.
    pub compile_bytecode: bool,
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ConfigFile {
    link_mode: Option<String>,
    #[serde(default)]
    always_copy: Vec<String>,
    #[serde(default)]
    compile_bytecode: bool,
}

impl Settings {
    /// Reads the file, if there is one, and the environment. `variable` looks a variable up.
    ///
    /// # Errors
    /// When the file cannot be read, or a value makes no sense.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let file = match path(variable) {
            Some(path) => match fs::read_to_string(&path) {
                Ok(text) => parse(&text).map_err(|reason| {
                    Failure::new(format!("the settings in `{}` make no sense: {reason}", path.display()))
                        .hinted("correct the file; docs/settings.md lists the keys")
                })?,
                Err(error) if error.is_not_found() && variable("VIRTPY_CONFIG_FILE").is_none() => {
                    ConfigFile::default()
                }
                Err(error) => return Err(error.into()),
            },
            None => ConfigFile::default(),
        };
        let wrong = |name: &str, reason: &str| Failure::new(format!("the setting `{name}`: {reason}"));
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
            .map(|name| normalize_name(name).map_err(|error| wrong("always-copy", &error.to_string())))
            .collect::<Result<_, _>>()?;
        let compile_bytecode = match variable("VIRTPY_COMPILE_BYTECODE").as_deref() {
            Some("1" | "true" | "yes" | "on") => true,
            Some("0" | "false" | "no" | "off") => false,
            Some(other) => return Err(wrong("compile-bytecode", &format!("`{other}` is neither 1 nor 0"))),
            None => file.compile_bytecode,
        };
        Ok(Self { link_mode, always_copy, compile_bytecode })
    }

    /// Whether a distribution is always copied.
    pub fn copies(&self, name: &str) -> bool {
        !self.always_copy.is_empty() && normalize_name(name).is_ok_and(|key| self.always_copy.contains(&key))
    }
}

fn path(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if let Some(path) = variable("VIRTPY_CONFIG_FILE") {
        return Some(PathBuf::from(path));
    }
    let folders = directories::ProjectDirs::from("", "", "virtpy")?;
    Some(folders.config_dir().join("config.toml"))
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
        let settings = Settings::read(&file).unwrap();
        assert_eq!(settings.link_mode, LinkMode::Copy);
        assert!(settings.compile_bytecode && settings.copies("certifi") && !settings.copies("six"));
        let both = |name: &str| match name {
            "VIRTPY_LINK_MODE" => Some("hardlink".to_owned()),
            "VIRTPY_ALWAYS_COPY" => Some("six, Zope.Interface".to_owned()),
            "VIRTPY_COMPILE_BYTECODE" => Some("0".to_owned()),
            other => file(other),
        };
        let settings = Settings::read(&both).unwrap();
        assert_eq!(settings.link_mode, LinkMode::Hardlink);
        assert_eq!(settings.always_copy, ["six", "zope-interface"]);
        assert!(!settings.compile_bytecode);
    }

    #[test]
    fn a_wrong_setting_is_named_with_its_line() {
        let error = parse("compile-bytecode = true\nlink-mod = \"copy\"\n").unwrap_err();
        assert!(error.starts_with("line 2: unknown field `link-mod`"), "{error}");
        let wrong = |name: &str| (name == "VIRTPY_LINK_MODE").then(|| "hard".to_owned());
        assert!(Settings::read(&wrong).unwrap_err().to_string().contains("`hard` is no link mode"));
    }
}
