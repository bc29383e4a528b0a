//! Arguments of the commands about virtpy itself: help, completions, manual pages, the cache.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Print what a command or a topic is about
#[derive(Debug, Args)]
pub struct HelpArguments {
    /// A command (`add`, `tool install`), or `index`: where packages come from
    #[arg(value_name = "COMMAND")]
    pub words: Vec<String>,
}

/// Print or install what completes command lines in a shell
///
/// It completes commands and options, and names of packages, venvs, applications and interpreters that are on this machine; for
/// virtpy, virtpyx and isopy. In nushell commands and options only.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: CompletionShell,
    /// Write it where the shell looks for completions, instead of printing it
    #[arg(long)]
    pub install: bool,
}

/// A shell that can be told how to complete command lines
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompletionShell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
    /// elvish
    Elvish,
    /// PowerShell
    Powershell,
    /// nushell
    #[value(alias = "nu")]
    Nushell,
}

/// Install the manual pages
///
/// One for each command, as `man virtpy-add`, and for virtpyx and isopy.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// The directory to write them to [default: `~/.local/share/man/man1`, where man looks]
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

/// Print or empty the cache
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct CacheArguments {
    /// What to do
    #[command(subcommand)]
    pub command: CacheCommand,
}

/// What can be done with the cache
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum CacheCommand {
    /// Print its directory
    Dir,
    /// Remove what indexes said and what builds left; packages stay in the store
    Clean,
}
