//! Arguments of `virtpy store`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{IndexArguments, SelectionArguments, quantity};

/// Look after the store that all venvs share
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct StoreArguments {
    /// What to do
    #[command(subcommand)]
    pub command: StoreCommand,
}

impl StoreArguments {
    /// Whether this is the process in the background, which nobody hears.
    pub fn is_in_background(&self) -> bool {
        matches!(&self.command, StoreCommand::Compile(arguments) if arguments.background)
    }
}

/// What can be done with the store
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Say what no venv uses, and remove it
    Gc(GcArguments),
    /// Show how much the store holds and what it saves
    Stats(StatsArguments),
    /// Show which venvs use a package of the store, and why (`virtpy why` shows what brings it into a venv)
    Why(WhyArguments),
    /// Hash every file and look for what was changed, removed or added
    Verify(VerifyArguments),
    /// Restore what `verify` finds
    Repair(RepairArguments),
    /// Compile the bytecode of what venvs use, now
    Compile(CompileArguments),
    /// Protect the store from root's own programs, or take that back
    Protect(ProtectArguments),
    /// Put what files ask for into the store, with bytecode, for others to read
    Fill(FillArguments),
    /// Make the store one that is only read, and say what it lacks
    Seal(SealArguments),
}

/// Compile the bytecode of what venvs use, now
///
/// After a change this happens in the background. Here it is done for every venv, in front.
#[derive(Debug, Args)]
pub struct CompileArguments {
    /// Wait for the process that compiles in the background, if there is one
    #[arg(long)]
    pub wait: bool,
    /// Be that process
    #[arg(long, hide = true, conflicts_with = "wait")]
    pub background: bool,
}

/// Put what files ask for into the store, with bytecode, for others to read
///
/// Each file is taken on its own: requirements, or a lock file of any kind. No venv is left. For a store that other users name in
/// the setting `stores`, for images and for read-only mounts.
#[derive(Debug, Args)]
pub struct FillArguments {
    /// Requirements files and lock files
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// An interpreter to choose wheels and compile bytecode for (can be repeated) [default: one that the file admits]
    #[arg(long, short, value_name = "PYTHON")]
    pub python: Vec<String>,
    /// Which extras and groups
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Refuse every file whose hash a requirements file does not give
    #[arg(long)]
    pub require_hashes: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}

/// Make the store one that is only read, and say what it lacks
///
/// Every file is hashed first. Then the packages can no longer be written to, and other users can read them. What is missing for them,
/// such as bytecode, is told.
#[derive(Debug, Args)]
pub struct SealArguments {
    /// Let the store be written again
    #[arg(long)]
    pub undo: bool,
    /// Let other users register their venvs, so that a collection keeps what those use
    #[arg(long, conflicts_with = "undo")]
    pub roots: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Protect the store from root's own programs, or take that back
///
/// Sets the immutable flag (`chattr +i`) on the files and directories of all packages. With the setting `immutable` those that
/// come are protected at once. Collecting and repairing take the flag off by themselves where they have to.
#[derive(Debug, Args)]
pub struct ProtectArguments {
    /// Take the flag off, also to delete a store
    #[arg(long)]
    pub undo: bool,
}

/// Hash every file and look for what was changed, removed or added
///
/// Looks at all of your store, and at what your venvs use of the stores below it. Ends with 1 if anything was found.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// Only these: names of packages, or ids of entries
    #[arg(value_name = "NAME|ID")]
    pub names: Vec<String>,
    /// All of this store alone: yours, or one that the setting `stores` names
    #[arg(long, value_name = "DIRECTORY")]
    pub store: Option<PathBuf>,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// Restore what `verify` finds
///
/// Wheels are fetched again from where they came from, and have to have the same hash. A store below yours only its owner can
/// restore; with `--relink` your venvs no longer need what is damaged there. Ends with 1 if something could not be restored.
#[derive(Debug, Args)]
pub struct RepairArguments {
    /// Only these: names of packages, or ids of entries
    #[arg(value_name = "NAME|ID")]
    pub names: Vec<String>,
    /// Take what is damaged in a store below yours into your own, and link your venvs from there
    #[arg(long)]
    pub relink: bool,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}

/// Say what no venv uses, and remove it
///
/// Without `--remove` nothing is changed. What a venv uses is never removed, nor what came within the last hour. The other
/// conditions keep more of what is unused, as do the settings of the same names.
#[derive(Debug, Args)]
pub struct GcArguments {
    /// Remove it
    #[arg(long)]
    pub remove: bool,
    /// Remove only what no venv linked for so long (`30d`, `12h`)
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    pub max_age: Option<Duration>,
    /// Remove only so much that the store is no larger than this (`20GB`), the longest unused first
    #[arg(long, value_name = "SIZE", value_parser = quantity::size)]
    pub max_size: Option<u64>,
    /// Keep the last COUNT versions of each package, also unused
    #[arg(long, value_name = "COUNT")]
    pub keep_last: Option<usize>,
    /// Keep what was unpacked within this time, also unused [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    pub grace: Option<Duration>,
    /// Give up a venv that cannot be read now or is on a disk that is not mounted: its path or its id (can be repeated)
    #[arg(long, value_name = "PATH|ID")]
    pub forget: Vec<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Show how much the store holds and what it saves
///
/// With `--verbose` also each package and each venv.
#[derive(Debug, Args)]
pub struct StatsArguments {
    /// Print everything as JSON
    #[arg(long)]
    pub json: bool,
}

/// Show which venvs use a package, and why
#[derive(Debug, Args)]
pub struct WhyArguments {
    /// The package's name, or the id of an entry
    #[arg(value_name = "NAME|ID")]
    pub name: String,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}
