//! pip's commands and their options.

/// An option of pip's.
#[derive(Debug, Clone, Copy)]
pub(super) struct PipOption {
    /// Its letter; none where it has only names.
    pub(super) letter: Option<char>,
    /// Its names without the hyphens, the first of which stands for all.
    pub(super) names: &'static [&'static str],
    /// Whether a value follows.
    pub(super) takes_value: bool,
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

const fn flag(names: &'static [&'static str]) -> PipOption {
    PipOption { letter: None, names, takes_value: false }
}

const fn short(letter: char, names: &'static [&'static str]) -> PipOption {
    PipOption { letter: Some(letter), names, takes_value: false }
}

const fn value(names: &'static [&'static str]) -> PipOption {
    PipOption { letter: None, names, takes_value: true }
}

const fn short_value(letter: char, names: &'static [&'static str]) -> PipOption {
    PipOption { letter: Some(letter), names, takes_value: true }
}

/// What every command takes.
pub(super) const GENERAL: &[PipOption] = &[
    short('h', &["help"]),
    flag(&["debug"]),
    flag(&["isolated"]),
    flag(&["require-virtualenv", "require-venv"]),
    value(&["python"]),
    short('v', &["verbose"]),
    short('V', &["version"]),
    short('q', &["quiet"]),
    value(&["log", "log-file", "local-log"]),
    flag(&["no-input"]),
    value(&["keyring-provider"]),
    value(&["proxy"]),
    value(&["retries"]),
    value(&["timeout", "default-timeout"]),
    value(&["exists-action"]),
    value(&["trusted-host"]),
    value(&["cert"]),
    value(&["client-cert"]),
    value(&["cache-dir"]),
    flag(&["no-cache-dir"]),
    flag(&["disable-pip-version-check"]),
    flag(&["no-color"]),
    flag(&["no-python-version-warning"]),
    value(&["use-feature"]),
    value(&["use-deprecated"]),
    value(&["resume-retries"]),
];

const INDEX: &[PipOption] = &[
    short_value('i', &["index-url", "pypi-url"]),
    value(&["extra-index-url"]),
    flag(&["no-index"]),
    short_value('f', &["find-links"]),
];

const INSTALL: &[PipOption] = &[
    short_value('r', &["requirement"]),
    short_value('c', &["constraint"]),
    value(&["build-constraint"]),
    flag(&["no-deps", "no-dependencies"]),
    flag(&["pre"]),
    short_value('e', &["editable"]),
    flag(&["dry-run"]),
    short_value('t', &["target"]),
    value(&["platform"]),
    value(&["python-version"]),
    value(&["implementation"]),
    value(&["abi"]),
    flag(&["user"]),
    flag(&["no-user"]),
    value(&["root"]),
    value(&["prefix"]),
    value(&["src", "source", "source-dir", "source-directory"]),
    short('U', &["upgrade"]),
    value(&["upgrade-strategy"]),
    flag(&["force-reinstall"]),
    short('I', &["ignore-installed"]),
    flag(&["ignore-requires-python"]),
    flag(&["no-build-isolation"]),
    flag(&["use-pep517"]),
    flag(&["no-use-pep517"]),
    flag(&["check-build-dependencies"]),
    flag(&["break-system-packages"]),
    short_value('C', &["config-settings", "config-setting"]),
    value(&["global-option"]),
    flag(&["compile"]),
    flag(&["no-compile"]),
    flag(&["no-warn-script-location"]),
    flag(&["no-warn-conflicts"]),
    value(&["no-binary"]),
    value(&["only-binary"]),
    flag(&["prefer-binary"]),
    flag(&["require-hashes"]),
    value(&["progress-bar"]),
    value(&["root-user-action"]),
    value(&["report"]),
    flag(&["no-clean"]),
    value(&["group"]),
    value(&["uploaded-prior-to"]),
];

const UNINSTALL: &[PipOption] = &[
    short_value('r', &["requirement"]),
    short('y', &["yes"]),
    value(&["root-user-action"]),
    flag(&["break-system-packages"]),
];

const SELECTION: &[PipOption] = &[
    short('l', &["local"]),
    flag(&["user"]),
    value(&["path"]),
    flag(&["exclude-editable"]),
    value(&["exclude"]),
];

const LIST: &[PipOption] = &[
    short('o', &["outdated"]),
    short('u', &["uptodate"]),
    short('e', &["editable"]),
    flag(&["pre"]),
    value(&["format"]),
    flag(&["not-required"]),
    flag(&["include-editable"]),
    value(&["uploaded-prior-to"]),
];

const FREEZE: &[PipOption] = &[short_value('r', &["requirement"]), flag(&["all"])];

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
        options: &[INSTALL, INDEX],
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
        options: &[LIST, SELECTION, INDEX],
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
