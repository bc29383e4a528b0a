//! Reading pip's configuration files: the ini dialect of Python's `configparser`, as far as pip uses it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The options of one or more files, later files over earlier ones, `[install]` over `[global]`.
#[derive(Debug, Default)]
pub(crate) struct PipConfiguration {
    global: BTreeMap<String, String>,
    install: BTreeMap<String, String>,
}

impl PipConfiguration {
    /// Reads the files that pip would read, in its order. A file that is missing or unreadable is passed over,
    /// as pip does.
    pub(crate) fn read(environment: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut configuration = Self::default();
        for path in files(environment) {
            #[expect(clippy::disallowed_methods, reason = "the facade reads its own settings")]
            let text = std::fs::read_to_string(&path);
            if let Ok(text) = text {
                configuration.add(&text);
            }
        }
        configuration
    }

    /// The value of an option, by its name with hyphens.
    pub(crate) fn get(&self, option: &str) -> Option<&str> {
        self.install.get(option).or_else(|| self.global.get(option)).map(String::as_str)
    }

    fn add(&mut self, text: &str) {
        let mut section = "";
        let mut option: Option<String> = None;
        for line in text.lines() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            // An indented line goes on with the value above it.
            if line.starts_with([' ', '\t'])
                && let Some(option) = &option
            {
                if let Some(value) = self.section(section).and_then(|options| options.get_mut(option)) {
                    value.push('\n');
                    value.push_str(trimmed);
                }
                continue;
            }
            if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name;
                option = None;
            } else if let Some((name, value)) = trimmed.split_once(['=', ':']) {
                let name = name.trim().to_lowercase().replace('_', "-");
                if let Some(options) = self.section(section) {
                    options.insert(name.clone(), value.trim().to_owned());
                }
                option = Some(name);
            }
        }
    }

    fn section(&mut self, name: &str) -> Option<&mut BTreeMap<String, String>> {
        match name {
            "global" => Some(&mut self.global),
            "install" => Some(&mut self.install),
            _ => None,
        }
    }
}

/// The files that pip reads on Unix: the system's, the user's, and the one that `PIP_CONFIG_FILE` names.
fn files(environment: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let named = environment("PIP_CONFIG_FILE").filter(|path| !path.is_empty());
    if named.as_deref() == Some("/dev/null") {
        return Vec::new();
    }
    let mut files = Vec::new();
    let system = environment("XDG_CONFIG_DIRS")
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "/etc/xdg".to_owned());
    files.extend(system.split(':').map(|folder| Path::new(folder).join("pip/pip.conf")));
    files.push(PathBuf::from("/etc/pip.conf"));
    let home = environment("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    if let Some(home) = &home {
        files.push(home.join(".pip/pip.conf"));
    }
    let user = environment("XDG_CONFIG_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| home.map(|home| home.join(".config")));
    files.extend(user.map(|folder| folder.join("pip/pip.conf")));
    files.extend(named.map(PathBuf::from));
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sections_and_values_of_several_lines() {
        let mut configuration = PipConfiguration::default();
        configuration.add(
            "[global]\nindex-url = http://one/\nextra_index_url =\n    http://two/\n    http://three/\n; note\n\
             [install]\nindex-url: http://four/\n[other]\nno-index = true\n",
        );
        assert_eq!(configuration.get("index-url"), Some("http://four/"));
        assert_eq!(configuration.get("extra-index-url"), Some("\nhttp://two/\nhttp://three/"));
        assert_eq!(configuration.get("no-index"), None);
    }
}
