//! The command line: what can be typed. The doc comments here are the help texts.

mod add;
mod interpreters;
mod isopy;
mod lock;
pub mod pip;
mod poetry;
mod poetry_install;
mod python;
pub mod quantity;
mod quick;
mod read;
mod run;
mod store;
mod sync;
mod tool;
mod venv;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};

pub use add::{AddArguments, IndexArguments, MoreOfAdd};
pub use interpreters::{
    FindArguments, InstallArguments, ListInterpretersArguments, PinArguments, ShowInterpretersArguments,
    UninstallArguments, UpdateArguments, UseArguments,
};
pub use isopy::{IsopyArguments, IsopyCommand};
pub use lock::LockArguments;
pub use poetry::{
    PluginWheelArguments, PoetryApplyArguments, PoetryArguments, PoetryCommand, PoetryStatusArguments,
    WhichPoetry,
};
pub use poetry_install::PoetryInstallArguments;
pub use python::{BuildIndexArguments, PythonArguments, PythonCommand, UpdateIndexArguments};
pub use read::{
    CheckArguments, FreezeArguments, ListAllArguments, ListArguments, PathArguments, PathKind,
    RemoveArguments, ShowArguments, TreeArguments,
};
pub use run::RunArguments;
pub use store::{
    CompileArguments, GcArguments, ProtectArguments, RepairArguments, StatsArguments, StoreArguments,
    StoreCommand, VerifyArguments, WhyArguments,
};
pub use sync::{SelectionArguments, SyncArguments};
pub use tool::{
    CompanyArguments, EnsurePathArguments, ImportPipxArguments, InjectArguments, ReinstallArguments,
    RepairToolsArguments, ToolArguments, ToolCommand, ToolExportArguments, ToolInstallArguments,
    ToolListArguments, ToolPinArguments, ToolRunArguments, ToolSyncArguments, ToolUninstallArguments,
    UninjectArguments, UpgradeArguments,
};
pub use venv::{
    AdoptArguments, DetachArguments, ExportArguments, NewArguments, RelinkArguments, VenvArgument,
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

impl Arguments {
    /// The command line of this process; one that makes no sense ends it with 2. What follows `pip` is not looked at:
    /// pip's options have other meanings than virtpy's. By the name of `virtpyx` the program is `virtpy tool run`.
    pub fn of_this_process() -> Self {
        let mut words = std::env::args_os();
        let program = words.next().unwrap_or_default();
        if Path::new(&program).file_name().is_some_and(|name| name == "virtpyx") {
            let run = ["virtpy", "tool", "run"].map(OsString::from);
            return Self::parse_from(run.into_iter().chain(words));
        }
        if words.next().is_some_and(|first| first == "pip") {
            let global = GlobalArguments { quiet: false, verbose: false, color: ColorWhen::Auto };
            return Self { global, command: Command::Pip(pip::PipArguments { arguments: words.collect() }) };
        }
        let words: Vec<OsString> = std::env::args_os().collect();
        quick::parse(&words)
            .unwrap_or_else(|| Self::try_parse_from(words).unwrap_or_else(|error| suggested(error).exit()))
    }
}

/// How many commands are suggested for a word that is none.
const SUGGESTIONS: usize = 3;

/// An error with its suggestions of commands as people want them: the best first, and none that no help shows.
fn suggested(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::Strings(names)) = error.remove(ContextKind::SuggestedSubcommand) {
        let mut visible = BTreeSet::new();
        add_visible(&Arguments::command(), &mut visible);
        let best = names.into_iter().rev().filter(|name| visible.contains(name)).take(SUGGESTIONS).collect();
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(best));
    }
    error
}

fn add_visible(command: &clap::Command, names: &mut BTreeSet<String>) {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        names.insert(inner.get_name().to_owned());
        add_visible(inner, names);
    }
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
    /// When to use colour; `NO_COLOR` is honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
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
    New(NewArguments),
    /// Install packages into a venv
    Add(Box<AddArguments>),
    /// Make a venv hold exactly what a lock file says
    Sync(Box<SyncArguments>),
    /// Resolve a project or requirements into a lock file
    Lock(Box<LockArguments>),
    /// Remove packages from a venv
    Remove(RemoveArguments),
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
    /// List every venv that the store knows
    ListAll(ListAllArguments),
    /// Install applications, each in a venv of its own
    Install(Box<ToolInstallArguments>),
    /// Remove applications and their commands
    Uninstall(ToolUninstallArguments),
    /// Bring applications to the newest version that was asked for
    Upgrade(UpgradeArguments),
    /// Install applications anew as they were asked for
    Reinstall(ReinstallArguments),
    /// Add packages to an application's venv
    Inject(InjectArguments),
    /// Remove packages from an application's venv
    Uninject(UninjectArguments),
    /// Leave applications out of upgrades
    Pin(ToolPinArguments),
    /// Let upgrades touch applications again
    Unpin(ToolPinArguments),
    /// Look after the applications on PATH
    Tool(ToolArguments),
    /// Put the folder of the applications' commands on PATH
    #[command(alias = "ensurepath")]
    EnsurePath(EnsurePathArguments),
    /// Let Poetry install from the store, by a plugin in its own environment
    Poetry(PoetryArguments),
    /// Install what `poetry.lock` says, as `poetry install` does, without Poetry
    PoetryInstall(Box<PoetryInstallArguments>),
    /// Install and choose Python interpreters
    Python(PythonArguments),
    /// Look after the store that all venvs share
    #[command(alias = "internal-store")]
    Store(StoreArguments),
    /// Do what pip does, in a venv of virtpy's
    Pip(pip::PipArguments),
    /// Print one of virtpy's own folders
    Path(PathArguments),
}
