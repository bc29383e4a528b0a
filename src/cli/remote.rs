//! Arguments of `virtpy remote`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{IndexArguments, SelectionArguments, VenvArgument, quantity};

/// Share wheels, builds and bytecode with other machines by object storage
///
/// The setting `remote.url` or the variable `VIRTPY_REMOTE` names the storage. Commands that install something ask it by
/// themselves.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct RemoteArguments {
    /// What to do
    #[command(subcommand)]
    pub command: RemoteCommand,
}

/// What can be done with a remote
#[derive(Debug, Subcommand)]
pub enum RemoteCommand {
    /// Make a pair of keys, or show the public one
    Key(RemoteKeyArguments),
    /// Put what this machine has on the remote
    Push(Box<RemotePushArguments>),
    /// Take what a venv uses or a file asks for from the remote, now
    Pull(Box<RemotePullArguments>),
    /// Show which remote is used, and how much is there
    Status(RemoteStatusArguments),
    /// Read everything that is there, and look for what is not what it should be
    Verify(RemoteVerifyArguments),
    /// Say what is old on the remote, or signed by keys that are not trusted, and remove it
    Gc(RemoteGcArguments),
}

/// Make a pair of keys, or show the public one
///
/// The private key signs what goes to the remote, and stays in a file that nobody else can read. The public key, which is
/// printed, belongs into the setting `remote.trust` of whoever shall believe it.
#[derive(Debug, Args)]
pub struct RemoteKeyArguments {
    /// The file of the private key [default: the setting `remote.key-file`, or `remote.key` beside `config.toml`]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Put what this machine has on the remote
///
/// Wheels, records of what was built from source, and bytecode: of what a venv uses, or of what the store has of what requirements or
/// lock files ask for. What is there already is left. A push that was interrupted goes on where it was.
#[derive(Debug, Args)]
pub struct RemotePushArguments {
    /// Requirements files, lock files, and wheels on this machine
    #[arg(value_name = "FILE", conflicts_with_all = ["all", "path"])]
    pub files: Vec<PathBuf>,
    /// An interpreter for which files are read (can be repeated) [default: one that the file admits]
    #[arg(long, short, value_name = "PYTHON", requires = "files")]
    pub python: Vec<String>,
    /// Everything that the store has
    #[arg(long, conflicts_with = "path")]
    pub all: bool,
    /// Nothing new: sign with this machine's key what other trusted keys have signed, before they are given up
    #[arg(long, conflicts_with_all = ["files", "all", "path"])]
    pub sign_again: bool,
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// Which extras and groups of lock files
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Where wheels are fetched from once more
    #[command(flatten)]
    pub index: IndexArguments,
}

/// Take what a venv uses or a file asks for from the remote, now
///
/// Of a venv that is its bytecode, after what the store has lost of it. Of a requirements or lock file it is all that the remote has:
/// wheels, what was built from source, and bytecode. No venv is needed for it, and the rest is named.
#[derive(Debug, Args)]
pub struct RemotePullArguments {
    /// Requirements files and lock files
    #[arg(value_name = "FILE", conflicts_with = "path")]
    pub files: Vec<PathBuf>,
    /// An interpreter for which files are read (can be repeated) [default: one that the file admits]
    #[arg(long, short, value_name = "PYTHON", requires = "files")]
    pub python: Vec<String>,
    /// Which extras and groups of lock files
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// Where packages come from that the remote does not have
    #[command(flatten)]
    pub index: IndexArguments,
}

/// Show which remote is used, and how much is there
#[derive(Debug, Args)]
pub struct RemoteStatusArguments {
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Read everything that is there, and look for what is not what it should be
///
/// Ends with 1 if anything was found.
#[derive(Debug, Args)]
pub struct RemoteVerifyArguments {
    /// Remove what is damaged
    #[arg(long)]
    pub remove: bool,
}

/// Say what is old on the remote, or signed by keys that are not trusted, and remove it
///
/// Without `--remove` nothing is changed. What is removed and still wanted comes back: wheels and bytecode with the next push, builds
/// from the next machine that has to build. With both conditions, only what meets both is removed.
#[derive(Debug, Args)]
pub struct RemoteGcArguments {
    /// What was put there longer ago than this (`90d`, `12h`)
    #[arg(long, value_name = "TIME", value_parser = quantity::duration, required_unless_present = "untrusted")]
    pub max_age: Option<Duration>,
    /// What is signed by a key that the setting `remote.trust` does not list
    #[arg(long)]
    pub untrusted: bool,
    /// Remove it
    #[arg(long)]
    pub remove: bool,
}
