//! The command line: what can be typed. The doc comments here are the help texts.

mod about;
mod add;
mod arguments;
mod change;
mod command;
mod hook;
mod index;
mod init;
mod interpreters;
mod isopy;
mod kernel;
mod lock;
pub mod pip;
mod plugins;
mod poetry;
mod poetry_install;
mod python;
pub mod quantity;
mod quick;
mod read;
mod remote;
mod run;
mod save;
mod selection;
mod store;
mod sync;
mod tool;
mod venv;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, FromArgMatches as _};

pub use about::{
    CacheArguments, CacheCommand, CompletionShell, CompletionsArguments, HelpArguments, ManArguments,
};
pub use add::AddArguments;
pub use arguments::{Arguments, ColorWhen, Command, GlobalArguments};
pub use change::ChangeArguments;
pub use command::{command, help_about, virtpyx};
pub use hook::{HookArguments, HookCommand, HookRunArguments};
pub use index::IndexArguments;
pub use init::InitArguments;
pub use interpreters::{
    FindArguments, InstallArguments, ListInterpretersArguments, PinArguments, ShowInterpretersArguments,
    UninstallArguments, UpdateArguments, UseArguments,
};
pub use isopy::{IsopyArguments, IsopyCommand};
pub use kernel::{KernelArguments, KernelCommand, KernelInstallArguments, KernelListArguments};
pub use lock::LockArguments;
pub use plugins::{DisableArguments, EnableArguments, SeedArguments, StatusArguments};
pub use poetry::{
    PluginWheelArguments, PoetryApplyArguments, PoetryArguments, PoetryCommand, PoetryStatusArguments,
    WhichPoetry,
};
pub use poetry_install::PoetryInstallArguments;
pub use python::{BuildIndexArguments, PythonArguments, PythonCommand, UpdateIndexArguments};
pub use read::{
    CheckArguments, FreezeArguments, ListAllArguments, ListArguments, OutdatedArguments, PathArguments,
    PathKind, ReasonsArguments, RemoveArguments, ShowArguments, TreeArguments,
};
pub use remote::{
    RemoteArguments, RemoteCommand, RemoteGcArguments, RemoteKeyArguments, RemotePullArguments,
    RemotePushArguments, RemoteStatusArguments, RemoteVerifyArguments,
};
pub use run::RunArguments;
pub use save::SaveArguments;
pub use selection::SelectionArguments;
pub use store::{
    CompileArguments, FillArguments, GcArguments, ProtectArguments, RepairArguments, SealArguments,
    StatsArguments, StoreArguments, StoreCommand, VerifyArguments, WhyArguments,
};
pub use sync::SyncArguments;
pub use tool::{
    ApplicationCommand, EnsurePathArguments, ExtraPackages, ImportPipxArguments, InjectArguments,
    ReinstallArguments, RepairToolsArguments, ToolArguments, ToolCommand, ToolDirArguments,
    ToolExportArguments, ToolInstallArguments, ToolListArguments, ToolPinArguments, ToolRunArguments,
    ToolSyncArguments, ToolUninstallArguments, UninjectArguments, UpgradeArguments,
};
pub use venv::{
    AdoptArguments, DetachArguments, ExportArguments, NewArguments, RelinkArguments, VenvArgument,
};

impl Arguments {
    /// The command line of this process; one that makes no sense ends it with 2. What follows `pip` is not looked at:
    /// pip's options have other meanings than virtpy's. By the name of `virtpyx` the program is `virtpy tool run`.
    pub fn of_this_process() -> Self {
        let mut words = std::env::args_os();
        let program = words.next().unwrap_or_default();
        if Path::new(&program).file_name().is_some_and(|name| name == "virtpyx") {
            let run = ["virtpy", "tool", "run"].map(OsString::from);
            return Self::whole(&run.into_iter().chain(words).collect::<Vec<_>>());
        }
        if words.next().is_some_and(|first| first == "pip") {
            let global = GlobalArguments { quiet: false, verbose: false, color: ColorWhen::Auto };
            return Self { global, command: Command::Pip(pip::PipArguments { arguments: words.collect() }) };
        }
        let words: Vec<OsString> = std::env::args_os().collect();
        quick::parse(&words).unwrap_or_else(|| Self::whole(&words))
    }

    /// Reads a command line with the definitions of all commands.
    fn whole(words: &[OsString]) -> Self {
        let matches = command().try_get_matches_from(words);
        let read = matches.and_then(|matches| Self::from_arg_matches(&matches));
        read.unwrap_or_else(|error| suggested(error).exit())
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
