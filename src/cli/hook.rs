//! Arguments of `virtpy hook`.

use clap::{Args, Subcommand};

/// Give new worktrees of a git repository their venv, by a hook of git's
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct HookArguments {
    /// What to do
    #[command(subcommand)]
    pub command: HookCommand,
}

/// What can be done with the hook
#[derive(Debug, Subcommand)]
pub enum HookCommand {
    /// Write the hook: each new worktree gets `.venv` from the lock file that it has
    ///
    /// It is the hook `post-checkout` of this repository, one line, for all of its worktrees. One that somebody else wrote is never
    /// replaced. What fails there is said and fails no checkout.
    Install,
    /// Remove the hook
    Uninstall,
    /// Do what the hook calls for
    #[command(hide = true)]
    Run(HookRunArguments),
}

/// Do what the hook calls for
#[derive(Debug, Args)]
pub struct HookRunArguments {
    /// The commit before
    pub previous: String,
    /// The commit that is there now, and whether it is a branch's
    #[arg(num_args = 0..)]
    pub others: Vec<String>,
}
