//! The commands, and what applies to all of them.

use clap::{Parser, Subcommand, ValueEnum};

use super::{
    AddArguments, AdoptArguments, ApplicationCommand, CacheArguments, CheckArguments, CompletionsArguments,
    DetachArguments, DisableArguments, EnableArguments, EnsurePathArguments, ExportArguments,
    FreezeArguments, HelpArguments, HookArguments, InitArguments, KernelArguments, ListAllArguments,
    ListArguments, LockArguments, ManArguments, NewArguments, OutdatedArguments, PathArguments,
    PoetryArguments, PoetryInstallArguments, PythonArguments, ReasonsArguments, RelinkArguments,
    RemoteArguments, RemoveArguments, RunArguments, SeedArguments, ShowArguments, StatusArguments,
    StoreArguments, SyncArguments, ToolArguments, TreeArguments, pip,
};

/// A Python environment for every project, at the price of a few symlinks
///
/// Each wheel is unpacked once per machine, in a read-only store, and linked into every venv that uses it.
#[derive(Debug, Parser)]
#[command(name = "virtpy", version, propagate_version = true, max_term_width = 100)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Arguments {
    /// What applies to every command
    #[command(flatten)]
    pub global: GlobalArguments,
    /// The command
    #[command(subcommand)]
    pub command: Command,
}

/// What applies to every command
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Everywhere")]
pub struct GlobalArguments {
    /// Print nothing but errors and the data asked for
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Say more about what is being done
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// When to use colour: `auto` (on a terminal, unless `NO_COLOR` is set), `always` or `never`
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    pub color: ColorWhen,
}

/// When to use colour
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Also in a pipe
    Always,
    /// Nowhere
    Never,
}

/// The commands
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a venv
    #[command(alias = "venv")]
    New(NewArguments),
    /// Install packages into a venv
    Add(Box<AddArguments>),
    /// Make a venv hold exactly what a lock file says
    Sync(Box<SyncArguments>),
    /// Resolve a project or requirements into a lock file
    Lock(Box<LockArguments>),
    /// Remove packages from a venv
    Remove(RemoveArguments),
    /// Begin a project: a `pyproject.toml` with what is needed and nothing else
    Init(InitArguments),
    /// Move the packages of venvs that other tools made into the store
    Adopt(AdoptArguments),
    /// Give a venv its own copy of a package, to edit it
    Detach(DetachArguments),
    /// Make a venv whole again that was moved, copied, or lost its store or its interpreter
    Relink(RelinkArguments),
    /// Write a venv with files of its own, for an image or another machine
    Export(ExportArguments),
    /// Run a script or a command, in an environment that has what it needs
    Run(Box<RunArguments>),
    /// List what is installed in a venv
    List(ListArguments),
    /// Print what is installed in the form of a requirements file
    Freeze(FreezeArguments),
    /// Show what is known of installed packages
    Show(ShowArguments),
    /// Look for unmet requirements, dangling links and changed files
    Check(CheckArguments),
    /// Show what requires what
    Tree(TreeArguments),
    Why(ReasonsArguments),
    Outdated(OutdatedArguments),
    /// List every venv that the store knows
    ListAll(ListAllArguments),
    /// Applications on PATH
    #[command(flatten)]
    Application(ApplicationCommand),
    /// Look after the applications on PATH
    Tool(ToolArguments),
    /// Put the directory of the applications' commands on PATH
    #[command(alias = "ensurepath")]
    EnsurePath(EnsurePathArguments),
    /// Let other tools make venvs of virtpy's, by a plugin in their own environments
    Enable(EnableArguments),
    /// Take the plugins out of other tools again, without trace
    Disable(DisableArguments),
    /// List the tools of this machine that can make virtpy's venvs, and which of them do
    Status(StatusArguments),
    /// Give new worktrees of a git repository their venv, by a hook of git's
    Hook(HookArguments),
    /// Register venvs as kernels of Jupyter
    Kernel(KernelArguments),
    /// Make a venv of virtpy's of one that virtualenv is just making
    #[command(hide = true)]
    Seed(SeedArguments),
    /// Let Poetry install from the store, by a plugin in its own environment
    Poetry(PoetryArguments),
    /// Install what `poetry.lock` says, as `poetry install` does, without Poetry
    PoetryInstall(Box<PoetryInstallArguments>),
    /// Install and choose Python interpreters
    Python(PythonArguments),
    /// Look after the store that all venvs share
    #[command(alias = "internal-store")]
    Store(StoreArguments),
    /// Share wheels, builds and bytecode with other machines by object storage
    Remote(RemoteArguments),
    /// Do what pip does, in a venv of virtpy's
    Pip(pip::PipArguments),
    /// Print one of virtpy's own directories
    Path(PathArguments),
    /// Print what a command or a topic is about
    Help(HelpArguments),
    /// Print or install what completes command lines in a shell
    Completions(CompletionsArguments),
    /// Install the manual pages
    Man(ManArguments),
    /// Print or empty the cache, as other tools' `cache` does
    #[command(hide = true)]
    Cache(CacheArguments),
}
