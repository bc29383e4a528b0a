//! The tools that plugins are for.

use super::carried::{Carried, POETRY_PLUGIN, VIRTUALENV_PLUGIN};

/// A tool that makes venvs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Poetry, which has a plugin of its own.
    Poetry,
    /// tox.
    Tox,
    /// nox.
    Nox,
    /// Hatch.
    Hatch,
    /// pre-commit.
    PreCommit,
    /// virtualenv itself, which all of the others make venvs with.
    Virtualenv,
}

impl Tool {
    /// All of them; virtualenv, which stands in the environments of the others, last.
    pub const ALL: [Self; 6] =
        [Self::Poetry, Self::Tox, Self::Nox, Self::Hatch, Self::PreCommit, Self::Virtualenv];

    /// The name of its command and of its distribution.
    pub fn name(self) -> &'static str {
        match self {
            Self::Poetry => "poetry",
            Self::Tox => "tox",
            Self::Nox => "nox",
            Self::Hatch => "hatch",
            Self::PreCommit => "pre-commit",
            Self::Virtualenv => "virtualenv",
        }
    }

    /// Its name in sentences.
    pub fn title(self) -> &'static str {
        match self {
            Self::Poetry => "Poetry",
            Self::Hatch => "Hatch",
            other => other.name(),
        }
    }

    /// The tool of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// The tool that a command or an environment is named after, as `pipx install --suffix` and people do: `tox`, `tox4`,
    /// `poetry@1.8`.
    pub fn named_after(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.is_namesake(name))
    }

    /// Whether a command or an environment is named after this tool.
    pub(super) fn is_namesake(self, name: &str) -> bool {
        name.strip_prefix(self.name())
            .is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_alphabetic()))
    }

    /// The plugin that makes it share.
    pub fn plugin(self) -> &'static Carried {
        if self == Self::Poetry { &POETRY_PLUGIN } else { &VIRTUALENV_PLUGIN }
    }

    /// The distribution that loads the plugin, in whose folder it goes.
    pub(super) fn host(self) -> &'static str {
        if self == Self::Poetry { self.name() } else { Self::Virtualenv.name() }
    }

    /// The versions of that distribution which the plugin was made for.
    pub fn needs(self) -> &'static str {
        if self == Self::Poetry { "Poetry 1.8 or 2" } else { "virtualenv 20.26 to 21" }
    }

    /// Whether the plugin was made for this version of that distribution.
    pub(super) fn is_supported(self, version: &str) -> bool {
        let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        match self {
            Self::Poetry => major == 2 || (major, minor) == (1, 8),
            _ => major == 21 || (major == 20 && minor >= 26),
        }
    }

    /// The names of all, for a sentence.
    pub fn names() -> String {
        let names: Vec<String> = Self::ALL.iter().map(|tool| format!("`{}`", tool.name())).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugins_fit_some_versions() {
        for (text, fits) in
            [("1.7.1", false), ("1.8.5", true), ("2.0.0", true), ("2.10.1", true), ("3.0", false)]
        {
            assert_eq!(Tool::Poetry.is_supported(text), fits, "{text}");
        }
        for (text, fits) in
            [("20.25.3", false), ("20.26.0", true), ("20.36.1", true), ("21.0", true), ("22.0", false)]
        {
            assert_eq!(Tool::Tox.is_supported(text), fits, "{text}");
        }
    }

    #[test]
    fn commands_and_environments_are_known_by_their_names() {
        for (name, tool) in [
            ("poetry", Some(Tool::Poetry)),
            ("poetry-2.1", Some(Tool::Poetry)),
            ("poetry@18", Some(Tool::Poetry)),
            ("poetry_1", Some(Tool::Poetry)),
            ("poetryish", None),
            ("tox4", Some(Tool::Tox)),
            ("toxic", None),
            ("pre-commit", Some(Tool::PreCommit)),
            ("pre", None),
        ] {
            assert_eq!(Tool::named_after(name), tool, "{name}");
        }
    }
}
