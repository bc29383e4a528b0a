//! Arguments of the commands for applications on PATH.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::IndexArguments;

/// Look after the applications on PATH
#[derive(Debug, Args)]
pub struct ToolArguments {
    /// What to do
    #[command(subcommand)]
    pub command: ToolCommand,
}

/// What to do with applications
#[derive(Debug, Subcommand)]
pub enum ToolCommand {
    /// What is called without `tool` as well
    #[command(flatten)]
    Application(ApplicationCommand),
    /// List applications and their commands
    List(ToolListArguments),
    /// Run an application without installing it
    Run(ToolRunArguments),
    /// Mend applications whose interpreter or packages are gone
    Repair(RepairToolsArguments),
    /// Write all applications with their exact versions into a file
    Export(ToolExportArguments),
    /// Install the applications of such a file, in its versions
    Sync(ToolSyncArguments),
    /// Install what pipx has installed
    ImportPipx(ImportPipxArguments),
    /// Put the directory of the commands on PATH
    EnsurePath(EnsurePathArguments),
    /// Print the directory of the applications
    Dir(ToolDirArguments),
}

/// The commands for applications that are called with and without `tool`
#[derive(Debug, Subcommand)]
pub enum ApplicationCommand {
    /// Install applications, each in a venv of its own
    Install(Box<ToolInstallArguments>),
    /// Remove applications and their commands
    Uninstall(ToolUninstallArguments),
    /// Bring applications to the newest version that was asked for
    Upgrade(UpgradeArguments),
    /// Install applications again as they were asked for
    Reinstall(ReinstallArguments),
    /// Add packages to an application's venv
    Inject(InjectArguments),
    /// Remove packages from an application's venv
    Uninject(UninjectArguments),
    /// Leave applications out of upgrades
    Pin(ToolPinArguments),
    /// Let upgrades touch applications again
    Unpin(ToolPinArguments),
}

/// Which applications
#[derive(Debug, Args)]
pub struct ToolNames {
    /// Their names
    #[arg(required_unless_present = "all", value_name = "NAME")]
    pub names: Vec<String>,
    /// All of them; upgrades leave out those that are pinned
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
}

/// What belongs to an application beside its package
#[derive(Debug, Clone, Default, Args)]
pub struct ExtraPackages {
    /// Install another package beside it (can be repeated)
    #[arg(long, value_name = "SPEC")]
    pub with: Vec<String>,
    /// Expose the commands of the packages of `--with` as well
    #[arg(long)]
    pub with_apps: bool,
    /// Expose the commands of everything that it requires
    #[arg(long)]
    pub include_deps: bool,
}

/// Install applications, each in a venv of its own
///
/// Their commands are linked into the directory that `virtpy path bin` names, manual pages and completions beside it. All of
/// them share the store. If anything fails, what was installed before stays as it was.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own on the command line
pub struct ToolInstallArguments {
    /// What to install: a requirement (`black[d]>=24`), `black@24.1`, `black@latest`, a wheel, a directory, a URL,
    /// `git+https://…`
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<String>,
    /// The interpreter: a version (`3`, `3.12`, `>=3.9`), a name or a path
    #[arg(long, short, value_name = "PYTHON")]
    pub python: Option<String>,
    /// Install no interpreter, if none will do
    #[arg(long)]
    pub no_python_downloads: bool,
    /// What belongs to it
    #[command(flatten)]
    pub company: ExtraPackages,
    /// Append this to the application's name and to its commands, to have another version beside
    #[arg(long, default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    pub suffix: String,
    /// Install a directory so that its source is used in place
    #[arg(long, short)]
    pub editable: bool,
    /// Install exactly what this lock file has, such as a `pylock.toml`; upgrades go beyond it
    #[arg(long, value_name = "FILE", conflicts_with = "editable")]
    pub lock: Option<PathBuf>,
    /// Install again, whatever is there
    #[arg(long)]
    pub force: bool,
    /// Accept pre-releases
    #[arg(long)]
    pub pre: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}

/// Remove applications and their commands
#[derive(Debug, Args)]
pub struct ToolUninstallArguments {
    /// Which ones
    #[command(flatten)]
    pub tools: ToolNames,
}

/// Bring applications to the newest version that was asked for
///
/// What was asked for is kept: version limits, extras, injected packages, the interpreter and the index.
#[derive(Debug, Args)]
pub struct UpgradeArguments {
    /// Which ones
    #[command(flatten)]
    pub tools: ToolNames,
    /// Change to this interpreter
    #[arg(long, short, value_name = "PYTHON")]
    pub python: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Where packages come from, instead of where they came from before
    #[command(flatten)]
    pub index: IndexArguments,
}

/// Install applications again as they were asked for
#[derive(Debug, Args)]
pub struct ReinstallArguments {
    /// Which ones
    #[command(flatten)]
    pub tools: ToolNames,
    /// Change to this interpreter
    #[arg(long, short, value_name = "PYTHON")]
    pub python: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Add packages to an application's venv
#[derive(Debug, Args)]
pub struct InjectArguments {
    /// The application
    pub name: String,
    /// The packages
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Expose their commands
    #[arg(long, alias = "include-apps")]
    pub with_apps: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}

/// Remove packages from an application's venv
#[derive(Debug, Args)]
pub struct UninjectArguments {
    /// The application
    pub name: String,
    /// The packages' names
    #[arg(required = true, value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Leave applications out of upgrades, or no longer
#[derive(Debug, Args)]
pub struct ToolPinArguments {
    /// Their names
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
}

/// List applications and their commands
#[derive(Debug, Args)]
pub struct ToolListArguments {
    /// Only those that the index has a newer version of
    #[arg(long)]
    pub outdated: bool,
    /// Names and versions only
    #[arg(long, conflicts_with_all = ["json"])]
    pub short: bool,
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}

/// Run an application without installing it
///
/// Its venv is kept in the cache, so that the next time only Python has to start.
#[derive(Debug, Args)]
pub struct ToolRunArguments {
    /// The application's command, `PACKAGE@VERSION` or `PACKAGE@latest`; then what it is told
    #[arg(required = true, trailing_var_arg = true, value_name = "APP")]
    pub words: Vec<String>,
    /// The package that has the command, if it has another name
    #[arg(long, value_name = "SPEC")]
    pub from: Option<String>,
    /// Have another package beside it (can be repeated)
    #[arg(long, value_name = "SPEC")]
    pub with: Vec<String>,
    /// The interpreter
    #[arg(long, short, value_name = "PYTHON")]
    pub python: Option<String>,
    /// Look for newer versions, whatever the cache has
    #[arg(long)]
    pub refresh: bool,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}

impl ToolRunArguments {
    /// The application's command, and what it is told.
    pub fn call(&self) -> (&str, &[String]) {
        self.words.split_first().map_or(("", &[]), |(app, rest)| (app.as_str(), rest))
    }
}

/// Mend applications whose interpreter or packages are gone
///
/// Their versions stay as they are.
#[derive(Debug, Args)]
pub struct RepairToolsArguments {
    /// Their names; without any, all that are broken
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// The interpreter to use instead
    #[arg(long, short, value_name = "PYTHON")]
    pub python: Option<String>,
}

/// Write all applications with their exact versions into a file
#[derive(Debug, Args)]
pub struct ToolExportArguments {
    /// The file (TOML) [default: standard output]
    pub file: Option<PathBuf>,
}

/// Install the applications of such a file, in its versions
#[derive(Debug, Args)]
pub struct ToolSyncArguments {
    /// The file that `virtpy tool export` wrote
    pub file: PathBuf,
    /// Uninstall what the file does not name
    #[arg(long)]
    pub exact: bool,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}

/// Install what pipx has installed
///
/// pipx's own are left alone; where both have a command, the order on PATH decides.
#[derive(Debug, Args)]
pub struct ImportPipxArguments {
    /// Only these [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Only say what would be installed
    #[arg(long)]
    pub dry_run: bool,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}

/// Print the directory of the applications
#[derive(Debug, Args)]
pub struct ToolDirArguments {
    /// Print that of their commands instead
    #[arg(long)]
    pub bin: bool,
}

/// Put the directory of the commands on PATH
///
/// Adds three lines to the files that a shell reads when it starts, and shows them first.
#[derive(Debug, Args)]
pub struct EnsurePathArguments {
    /// The shell: bash, zsh, fish or nu [default: the one of `SHELL`]
    #[arg(long, value_name = "SHELL")]
    pub shell: Vec<String>,
    /// Only show what would be added
    #[arg(long)]
    pub dry_run: bool,
}
