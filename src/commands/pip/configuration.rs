//! What is configured for pip: its files (`pip.conf`), and above them the variables `PIP_*`.

use std::path::Path;

use virtpy_resolver::PipConfiguration;

use crate::cli::pip::{PipRequest, PipUsage};

/// What is configured for a command.
pub(super) struct Configuration {
    files: PipConfiguration,
    command: &'static str,
    /// Whether variables and the user's own files are left aside.
    isolated: bool,
}

impl Configuration {
    /// Reads the files, that of the virtual environment at `prefix` among them.
    ///
    /// # Errors
    /// When one of them makes no sense.
    pub(super) fn read(request: &PipRequest, prefix: Option<&Path>) -> Result<Self, PipUsage> {
        let isolated = request.has("isolated");
        let environment = |name: &str| {
            let is_users_own = matches!(name, "HOME" | "XDG_CONFIG_HOME");
            if isolated && is_users_own { None } else { std::env::var(name).ok() }
        };
        let files = PipConfiguration::discover(&environment, prefix)
            .map_err(|error| PipUsage { message: format!("ERROR: {error}"), code: 2 })?;
        Ok(Self { files, command: request.command.name, isolated })
    }

    /// What an option is set to under one of these names, the weakest first.
    pub(super) fn texts(&self, names: &[&str]) -> Vec<String> {
        let in_section =
            |section| names.iter().find_map(|name| self.files.get(section, name)).map(str::to_owned);
        let in_variable = || {
            let set = |name: &&str| std::env::var(variable(name)).ok().filter(|text| !text.trim().is_empty());
            names.iter().find_map(set)
        };
        let variable = if self.isolated { None } else { in_variable() };
        [in_section("global"), in_section(self.command), variable].into_iter().flatten().collect()
    }
}

/// The variable that gives an option.
pub(super) fn variable(option: &str) -> String {
    format!("PIP_{}", option.to_uppercase().replace('-', "_"))
}
