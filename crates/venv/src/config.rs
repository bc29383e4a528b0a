//! `pyvenv.cfg` (PEP 405): `key = value` lines, as `CPython` writes them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The key of `pyvenv.cfg` for the place that the venv's scripts were made for.
pub(crate) const PATH_KEY: &str = "virtpy-path";

/// The key for a venv's id.
pub(crate) const ID_KEY: &str = "virtpy-id";

/// The key for the name of its library folder: `python3.12`.
pub(crate) const LIBRARY_KEY: &str = "virtpy-library";

/// The key for the store that its links lead to.
pub(crate) const STORE_KEY: &str = "virtpy-store";

/// The key for the lower stores that its links lead into as well, separated by colons.
pub(crate) const LAYERS_KEY: &str = "virtpy-stores";

/// How packages come into a venv; remembered in its `pyvenv.cfg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkMode {
    /// Folders are linked where that is right.
    #[default]
    Auto,
    /// Links only.
    Symlink,
    /// Every file is a second name of the store's.
    Hardlink,
    /// Every file is a copy: the venv survives without the store.
    Copy,
}

impl LinkMode {
    /// Whether folders of the store are linked as a whole.
    pub fn folds(self) -> bool {
        matches!(self, Self::Auto | Self::Symlink)
    }

    /// Its name in `pyvenv.cfg` and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Symlink => "symlink",
            Self::Hardlink => "hardlink",
            Self::Copy => "copy",
        }
    }
}

impl FromStr for LinkMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Auto, Self::Symlink, Self::Hardlink, Self::Copy]
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a link mode (auto, symlink, hardlink or copy)"))
    }
}

/// The lines of a `pyvenv.cfg`, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    lines: Vec<(String, String)>,
}

impl Config {
    /// Reads the text of a `pyvenv.cfg`. Lines without `=` are passed over, as `CPython` does; keys are compared
    /// in lower case.
    pub fn parse(text: &str) -> Self {
        let lines = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| (key.trim().to_lowercase(), value.trim().to_owned()))
            .collect();
        Self { lines }
    }

    /// Adds a line.
    pub fn push(&mut self, key: &str, value: impl Into<String>) {
        self.lines.push((key.to_owned(), value.into()));
    }

    /// Gives a key another value where it stands, or adds it at the end.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        match self.lines.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value.into(),
            None => self.push(key, value),
        }
    }

    /// The value of a key, where there is one.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.lines.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// The lower stores that the venv's links lead into.
    pub fn layers(&self) -> Vec<PathBuf> {
        let listed = self.get(LAYERS_KEY).into_iter().flat_map(|text| text.split(':'));
        listed.map(PathBuf::from).filter(|layer| layer.is_absolute()).collect()
    }

    /// Names these lower stores, each once, and no others.
    pub(crate) fn set_layers<'a>(&mut self, layers: impl Iterator<Item = &'a Path>) {
        let mut names: Vec<String> = Vec::new();
        for name in layers.map(|layer| layer.display().to_string()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() {
            self.lines.retain(|(key, _)| key != LAYERS_KEY);
        } else {
            self.set(LAYERS_KEY, names.join(":"));
        }
    }

    /// The keys of virtpy's own with their values.
    pub fn own_keys(&self) -> BTreeMap<String, String> {
        self.lines.iter().filter(|(key, _)| is_own_key(key)).cloned().collect()
    }

    /// The configuration without the keys of virtpy's own: what any other tool would have written.
    #[must_use]
    pub fn without_own_keys(&self) -> Self {
        Self { lines: self.lines.iter().filter(|(key, _)| !is_own_key(key)).cloned().collect() }
    }

    /// Whether the venv sees the packages of the base interpreter, as `site` reads it.
    pub fn sees_system_site(&self) -> bool {
        self.get("include-system-site-packages").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// How packages come into this venv.
    pub fn link_mode(&self) -> LinkMode {
        self.get("virtpy-link-mode").and_then(|text| text.parse().ok()).unwrap_or_default()
    }
}

fn is_own_key(key: &str) -> bool {
    key.starts_with("virtpy-")
}

impl fmt::Display for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|(key, value)| writeln!(formatter, "{key} = {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_and_cpython_write() {
        let text = "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.12.1\nno value\n";
        let config = Config::parse(text);
        assert_eq!(config.get("home"), Some("/usr/bin"));
        assert_eq!(config.get("no value"), None);
        assert_eq!(Config::parse(&config.to_string()), config);
        assert_eq!(Config::parse("VIRTPY-link-mode=copy").link_mode(), LinkMode::Copy);
        assert_eq!(config.link_mode(), LinkMode::Auto);
    }

    proptest::proptest! {
        #[test]
        fn a_key_has_the_value_it_was_given_last(
            lines in proptest::collection::vec(("[a-c]", "[ -~]{0,6}"), 0..6),
            key in "[a-c]",
            value in "[!-~]{1,6}",
        ) {
            let lines: Vec<String> = lines.iter().map(|(key, value)| format!("{key} = {value}")).collect();
            let mut config = Config::parse(&lines.join("\n"));
            let others = |config: &Config| -> Vec<(String, String)> {
                config.lines.iter().filter(|(other, _)| *other != key).cloned().collect()
            };
            let before = others(&config);
            config.set(&key, value.as_str());
            proptest::prop_assert_eq!(config.get(&key), Some(value.as_str()));
            proptest::prop_assert_eq!(others(&config), before);
            let again = Config::parse(&config.to_string());
            proptest::prop_assert_eq!(again, config);
        }
    }
}
