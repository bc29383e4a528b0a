//! Reads pip's configuration files: where they are, and their INI-like format.
//!
//! Each section is for a command of pip's, and `[global]` for all of them; the command's own wins whatever file it is in.
//! Options that take several values have them on lines of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The value that, as `PIP_CONFIG_FILE`, switches all configuration files off.
const NO_FILES: &str = "/dev/null";

/// The merged options of pip's configuration files: for each section, from names (lower case, with hyphens) to values.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct PipConfiguration {
    sections: BTreeMap<String, BTreeMap<String, String>>,
}

impl PipConfiguration {
    /// Reads the files of this machine and this user, of the virtual environment at `prefix` if one is given, and the
    /// one that `PIP_CONFIG_FILE` names. `environment` gives the value of an environment variable; without `HOME` and
    /// `XDG_CONFIG_HOME` the user has no files.
    ///
    /// # Errors
    ///
    /// [`Error::Settings`] for a file that cannot be read or has a line that is no option.
    pub fn discover(
        environment: &dyn Fn(&str) -> Option<String>,
        prefix: Option<&Path>,
    ) -> Result<Self, Error> {
        Self::read(&locations(environment, prefix))
    }

    /// Reads the files in the given order; a later one overrides an earlier one. Files that are not
    /// there count as empty.
    fn read(files: &[PathBuf]) -> Result<Self, Error> {
        let mut options = Self::default();
        for file in files {
            // Reading only: the ban is on writing past the one module that does.
            #[expect(clippy::disallowed_methods)]
            match std::fs::read_to_string(file) {
                Ok(text) => options.add(&text, file)?,
                Err(error) if absent(&error) => {}
                Err(error) => {
                    return Err(Error::Settings { setting: display(file), reason: error.to_string() });
                }
            }
        }
        Ok(options)
    }

    /// The value of an option in a section (`global`, or the name of a command), unless it is empty.
    pub fn get(&self, section: &str, option: &str) -> Option<&str> {
        let value = self.sections.get(section)?.get(option)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    fn add(&mut self, text: &str, file: &Path) -> Result<(), Error> {
        let mut section = String::new();
        let mut current: Option<String> = None;
        for (number, line) in text.lines().enumerate() {
            let content = line.trim();
            if content.is_empty() || content.starts_with(['#', ';']) {
                continue;
            }
            if line.starts_with(char::is_whitespace)
                && let Some(name) = &current
            {
                self.append(&section, name, content);
            } else if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                name.trim().clone_into(&mut section);
                current = None;
            } else if let Some((name, value)) = content.split_once(['=', ':']) {
                let name = name.trim().to_lowercase().replace('_', "-");
                let name = name.trim_start_matches("--").to_owned();
                let options = self.sections.entry(section.clone()).or_default();
                options.insert(name.clone(), value.trim().to_owned());
                current = Some(name);
            } else {
                let reason = format!("line {} is not an option: `{content}`", number + 1);
                return Err(Error::Settings { setting: display(file), reason });
            }
        }
        Ok(())
    }

    fn append(&mut self, section: &str, name: &str, line: &str) {
        if let Some(value) = self.sections.get_mut(section).and_then(|options| options.get_mut(name)) {
            if !value.is_empty() {
                value.push('\n');
            }
            value.push_str(line);
        }
    }
}

/// The places of pip's configuration files, the weakest first: the machine's, the user's, a virtual environment's, and the
/// one that `PIP_CONFIG_FILE` names, which takes the place of the user's.
fn locations(environment: &dyn Fn(&str) -> Option<String>, prefix: Option<&Path>) -> Vec<PathBuf> {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty());
    let named = set("PIP_CONFIG_FILE");
    if named.as_deref() == Some(NO_FILES) {
        return Vec::new();
    }
    let mut files = Vec::new();
    if cfg!(target_os = "macos") {
        files.push(PathBuf::from("/Library/Application Support/pip/pip.conf"));
    }
    let shared = set("XDG_CONFIG_DIRS").unwrap_or_else(|| "/etc/xdg".to_owned());
    // The first folder of the list is the strongest one.
    files.extend(
        std::env::split_paths(&shared)
            .collect::<Vec<_>>()
            .iter()
            .rev()
            .map(|folder| folder.join("pip").join("pip.conf")),
    );
    files.push(PathBuf::from("/etc/pip.conf"));
    let is_named = named.as_deref().is_some_and(|file| Path::new(file).exists());
    if let Some(home) = set("HOME").map(PathBuf::from).filter(|_| !is_named) {
        files.push(home.join(".pip").join("pip.conf"));
        let application_support = home.join("Library/Application Support/pip");
        if cfg!(target_os = "macos") && application_support.is_dir() {
            files.push(application_support.join("pip.conf"));
        } else {
            let configuration = set("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
            files.push(configuration.join("pip").join("pip.conf"));
        }
    }
    files.extend(prefix.map(|prefix| prefix.join("pip.conf")));
    files.extend(named.map(PathBuf::from));
    files
}

fn absent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | NotADirectory | PermissionDenied)
}

fn display(file: &Path) -> String {
    format!("`{}`", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<PipConfiguration, Error> {
        let mut options = PipConfiguration::default();
        for text in texts {
            options.add(text, Path::new("pip.conf"))?;
        }
        Ok(options)
    }

    #[test]
    fn values_may_go_over_several_lines() {
        let options = parse(&["[global]\nextra_index_url =\n    https://a.example/simple\n\n    # no\n    https://b.example/simple\ntimeout: 5\n"]).unwrap();
        assert_eq!(
            options.get("global", "extra-index-url"),
            Some("https://a.example/simple\nhttps://b.example/simple")
        );
        assert_eq!(options.get("global", "timeout"), Some("5"));
    }

    #[test]
    fn a_later_file_overrides_the_same_section_only() {
        let options = parse(&[
            "[install]\nindex-url = https://install.example\n[list]\nformat = json\n[global]\npre = true",
            "[global]\nindex-url = https://global.example\npre =\n",
        ])
        .unwrap();
        assert_eq!(options.get("install", "index-url"), Some("https://install.example"));
        assert_eq!(options.get("global", "index-url"), Some("https://global.example"));
        assert_eq!(options.get("list", "format"), Some("json"));
        assert_eq!((options.get("global", "pre"), options.get("freeze", "all")), (None, None));
    }

    #[test]
    fn a_line_that_is_no_option_is_an_error() {
        let error = parse(&["[global]\nnonsense\n"]).unwrap_err();
        assert_eq!(error.to_string(), "cannot use `pip.conf`: line 2 is not an option: `nonsense`");
    }

    #[test]
    fn files_are_looked_for_where_pip_does() {
        let environment = |name: &str| match name {
            "HOME" => Some("/home/me".to_owned()),
            "XDG_CONFIG_DIRS" => Some("/strong:/weak".to_owned()),
            "PIP_CONFIG_FILE" => Some("/named.conf".to_owned()),
            _ => None,
        };
        let files = locations(&environment, Some(Path::new("/venv")));
        let position = |path: &str| files.iter().position(|file| file == Path::new(path)).unwrap();
        assert!(position("/weak/pip/pip.conf") < position("/strong/pip/pip.conf"));
        assert!(position("/etc/pip.conf") < position("/home/me/.pip/pip.conf"));
        assert!(position("/home/me/.pip/pip.conf") < position("/home/me/.config/pip/pip.conf"));
        assert!(position("/home/me/.config/pip/pip.conf") < position("/venv/pip.conf"));
        assert_eq!(files.last().unwrap(), Path::new("/named.conf"));
    }

    #[test]
    fn a_named_file_that_is_there_takes_the_place_of_the_users() {
        let named = std::env::current_exe().unwrap();
        let environment = |name: &str| match name {
            "HOME" => Some("/home/me".to_owned()),
            "PIP_CONFIG_FILE" => Some(named.display().to_string()),
            _ => None,
        };
        let files = locations(&environment, None);
        assert!(!files.iter().any(|file| file.starts_with("/home/me")));
        assert!(files.contains(&PathBuf::from("/etc/pip.conf")) && files.contains(&named));
    }

    #[test]
    fn the_null_device_switches_all_files_off() {
        let environment = |name: &str| (name == "PIP_CONFIG_FILE").then(|| NO_FILES.to_owned());
        assert!(locations(&environment, Some(Path::new("/venv"))).is_empty());
    }
}
