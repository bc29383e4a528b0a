//! pip's commands and their options.

/// An option of pip's.
#[derive(Debug, Clone, Copy)]
pub(super) struct PipOption {
    /// Its letter; none where it has only names.
    pub(super) letter: Option<char>,
    /// Its names without the hyphens, the first of which stands for all.
    pub(super) names: &'static [&'static str],
    /// What it takes.
    pub(super) kind: Kind,
}

/// What an option takes, and how pip reads it where a variable or a file gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing; elsewhere true or false.
    Switch,
    /// Nothing. It turns off what is on otherwise, and elsewhere the text is that of what is on: pip takes
    /// `PIP_NO_BUILD_ISOLATION=false` for the option.
    Inverted,
    /// Nothing, but it counts how often it is given; elsewhere a number, or true or false.
    Count,
    /// A value, the last of which counts.
    Value,
    /// It has a value, which is one of these.
    Choice(&'static [&'static str]),
    /// It has a value, an integer.
    Integer,
    /// It has a value, a number.
    Number,
    /// A value, all of which count; elsewhere several with white space between them.
    List,
    /// A value, all of which count, wherever they are given; elsewhere the whole text is one.
    Each,
}

impl PipOption {
    /// Whether a value follows.
    pub(super) fn takes_value(&self) -> bool {
        !matches!(self.kind, Kind::Switch | Kind::Inverted | Kind::Count)
    }

    /// Why a value makes no sense, in pip's words.
    pub(super) fn complaint(&self, value: &str) -> Option<String> {
        match self.kind {
            Kind::Choice(choices) if !choices.contains(&value) => {
                let known: Vec<String> = choices.iter().map(|choice| format!("'{choice}'")).collect();
                Some(format!("invalid choice: '{value}' (choose from {})", known.join(", ")))
            }
            Kind::Integer if value.trim().parse::<i64>().is_err() => {
                Some(format!("invalid integer value: '{value}'"))
            }
            Kind::Number if value.trim().parse::<f64>().is_err() => {
                Some(format!("invalid floating-point value: '{value}'"))
            }
            _ => None,
        }
    }
}

/// A command of pip's.
#[derive(Debug)]
pub struct PipCommand {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What follows the options, a line for each form.
    pub forms: &'static [&'static str],
    /// Its options; the general ones are in every command.
    pub(super) options: &'static [&'static [PipOption]],
}

const fn option(names: &'static [&'static str], kind: Kind) -> PipOption {
    PipOption { letter: None, names, kind }
}

const fn flag(names: &'static [&'static str]) -> PipOption {
    option(names, Kind::Switch)
}

const fn short(letter: char, names: &'static [&'static str]) -> PipOption {
    flag(names).lettered(letter)
}

const fn value(names: &'static [&'static str]) -> PipOption {
    option(names, Kind::Value)
}

const fn list(names: &'static [&'static str]) -> PipOption {
    option(names, Kind::List)
}

impl PipOption {
    const fn lettered(self, letter: char) -> Self {
        Self { letter: Some(letter), ..self }
    }
}

/// What every command takes.
pub(super) const GENERAL: &[PipOption] = &[
    short('h', &["help"]),
    flag(&["debug"]),
    flag(&["isolated"]),
    flag(&["require-virtualenv", "require-venv"]),
    value(&["python"]),
    option(&["verbose"], Kind::Count).lettered('v'),
    short('V', &["version"]),
    option(&["quiet"], Kind::Count).lettered('q'),
    value(&["log", "log-file", "local-log"]),
    flag(&["no-input"]),
    option(&["keyring-provider"], Kind::Choice(&["auto", "disabled", "import", "subprocess"])),
    value(&["proxy"]),
    flag(&["no-proxy-env"]),
    option(&["retries"], Kind::Integer),
    option(&["timeout", "default-timeout"], Kind::Number),
    list(&["exists-action"]),
    list(&["trusted-host"]),
    value(&["cert"]),
    value(&["client-cert"]),
    value(&["cache-dir"]),
    flag(&["no-cache-dir"]),
    flag(&["disable-pip-version-check"]),
    flag(&["no-color"]),
    flag(&["no-python-version-warning"]),
    list(&["use-feature"]),
    list(&["use-deprecated"]),
    option(&["resume-retries"], Kind::Integer),
];

const INDEX: &[PipOption] = &[
    value(&["index-url", "pypi-url"]).lettered('i'),
    list(&["extra-index-url"]),
    flag(&["no-index"]),
    list(&["find-links"]).lettered('f'),
];

/// Which files and versions are taken.
const FILES: &[PipOption] = &[
    flag(&["pre"]),
    option(&["all-releases"], Kind::Each),
    option(&["only-final"], Kind::Each),
    option(&["no-binary"], Kind::Each),
    option(&["only-binary"], Kind::Each),
    flag(&["prefer-binary"]),
    option(&["refresh-package"], Kind::Each),
];

const INSTALL: &[PipOption] = &[
    list(&["requirement"]).lettered('r'),
    list(&["constraint"]).lettered('c'),
    list(&["build-constraint"]),
    flag(&["no-deps", "no-dependencies"]),
    flag(&["only-deps"]),
    list(&["editable"]).lettered('e'),
    flag(&["dry-run"]),
    value(&["target"]).lettered('t'),
    list(&["platform"]),
    value(&["python-version"]),
    value(&["implementation"]),
    list(&["abi"]),
    flag(&["user"]),
    option(&["no-user"], Kind::Inverted),
    value(&["root"]),
    value(&["prefix"]),
    value(&["src", "source", "source-dir", "source-directory"]),
    short('U', &["upgrade"]),
    option(&["upgrade-strategy"], Kind::Choice(&["only-if-needed", "eager"])),
    flag(&["force-reinstall"]),
    short('I', &["ignore-installed"]),
    flag(&["ignore-requires-python"]),
    option(&["no-build-isolation"], Kind::Inverted),
    flag(&["use-pep517"]),
    flag(&["no-use-pep517"]),
    flag(&["check-build-dependencies"]),
    flag(&["break-system-packages"]),
    option(&["config-settings", "config-setting"], Kind::Each).lettered('C'),
    list(&["global-option"]),
    flag(&["compile"]),
    option(&["no-compile"], Kind::Inverted),
    option(&["no-warn-script-location"], Kind::Inverted),
    option(&["no-warn-conflicts"], Kind::Inverted),
    flag(&["require-hashes"]),
    option(&["no-require-hashes"], Kind::Inverted),
    option(&["progress-bar"], Kind::Choice(&["auto", "on", "off", "raw"])),
    option(&["root-user-action"], Kind::Choice(&["warn", "ignore"])),
    value(&["report"]),
    flag(&["no-clean"]),
    option(&["group"], Kind::Each),
    value(&["requirements-from-script"]),
    value(&["uploaded-prior-to"]),
];

const UNINSTALL: &[PipOption] = &[
    list(&["requirement"]).lettered('r'),
    short('y', &["yes"]),
    option(&["root-user-action"], Kind::Choice(&["warn", "ignore"])),
    flag(&["break-system-packages"]),
];

const SELECTION: &[PipOption] =
    &[short('l', &["local"]), flag(&["user"]), list(&["path"]), list(&["exclude"])];

const LIST: &[PipOption] = &[
    short('o', &["outdated"]),
    short('u', &["uptodate"]),
    short('e', &["editable"]),
    option(&["format"], Kind::Choice(&["columns", "freeze", "json"])),
    flag(&["not-required"]),
    option(&["exclude-editable"], Kind::Inverted),
    flag(&["include-editable"]),
    value(&["uploaded-prior-to"]),
];

const FREEZE: &[PipOption] =
    &[list(&["requirement"]).lettered('r'), flag(&["all"]), flag(&["exclude-editable"])];

/// The commands that virtpy does itself.
pub(super) const COMMANDS: &[PipCommand] = &[
    PipCommand {
        name: "install",
        summary: "Install packages.",
        forms: &[
            "[options] <requirement specifier> [package-index-options] ...",
            "[options] -r <requirements file> [package-index-options] ...",
            "[options] [-e] <vcs project url> ...",
            "[options] [-e] <local project path> ...",
            "[options] <archive url/path> ...",
        ],
        options: &[INSTALL, FILES, INDEX],
    },
    PipCommand {
        name: "uninstall",
        summary: "Uninstall packages.",
        forms: &["[options] <package> ...", "[options] -r <requirements file> ..."],
        options: &[UNINSTALL],
    },
    PipCommand {
        name: "list",
        summary: "List installed packages.",
        forms: &["[options]"],
        options: &[LIST, FILES, SELECTION, INDEX],
    },
    PipCommand {
        name: "freeze",
        summary: "Output installed packages in requirements format.",
        forms: &["[options]"],
        options: &[FREEZE, SELECTION],
    },
    PipCommand {
        name: "show",
        summary: "Show information about installed packages.",
        forms: &["[options] <package> ..."],
        options: &[&[short('f', &["files"])]],
    },
    PipCommand {
        name: "check",
        summary: "Verify installed packages have compatible dependencies.",
        forms: &["[options]"],
        options: &[],
    },
    PipCommand {
        name: "inspect",
        summary: "Inspect the python environment.",
        forms: &["[options]"],
        options: &[SELECTION],
    },
];

/// The commands that a real pip does.
pub(super) const HANDED_ON: &[(&str, &str)] = &[
    ("download", "Download packages."),
    ("lock", "Generate a lock file."),
    ("wheel", "Build wheels from your requirements."),
    ("config", "Manage local and global configuration."),
    ("cache", "Inspect and manage pip's wheel cache."),
    ("index", "Inspect information available from package indexes."),
    ("search", "Search for packages."),
    ("hash", "Compute hashes of package archives."),
    ("completion", "A helper command used for command completion."),
    ("debug", "Show information useful for debugging."),
];
