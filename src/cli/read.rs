//! Arguments of the commands that remove or only look.

use clap::{Args, ValueEnum};

use super::{IndexArguments, SaveArguments, VenvArgument};

/// Remove packages from a venv
#[derive(Debug, Args)]
pub struct RemoveArguments {
    /// The packages' names
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// Whether and where it is recorded
    #[command(flatten)]
    pub save: SaveArguments,
    /// Discard what was edited in packages that this venv has copies of (see `virtpy detach`)
    #[arg(long)]
    pub force: bool,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// List what is installed in a venv
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// Only what the index has a newer version of
    #[arg(long)]
    pub outdated: bool,
    /// With `--outdated`: count pre-releases as newer versions
    #[arg(long, requires = "outdated")]
    pub pre: bool,
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}

/// List what is installed in a venv and has a newer version
///
/// Beside the newest version it shows the newest that the requirements allow: those of the project beside the venv, and of
/// what is installed. `virtpy lock --upgrade` and `virtpy add -U` go up to that.
#[derive(Debug, Args)]
pub struct OutdatedArguments {
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// Count pre-releases as newer versions
    #[arg(long)]
    pub pre: bool,
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}

impl From<OutdatedArguments> for ListArguments {
    fn from(arguments: OutdatedArguments) -> Self {
        let OutdatedArguments { venv, pre, json, index } = arguments;
        Self { venv, outdated: true, pre, json, index }
    }
}

/// Print what is installed in the form of a requirements file
#[derive(Debug, Args)]
pub struct FreezeArguments {
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// Show what is known of installed packages
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// The packages' names
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// List the files as well
    #[arg(long, short)]
    pub files: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Look for unmet requirements, dangling links and changed files
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Show what requires what
#[derive(Debug, Args)]
pub struct TreeArguments {
    /// Start from these packages instead of those that nothing requires
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// Show what requires a package instead of what it requires
    #[arg(long)]
    pub invert: bool,
    /// Draw so many levels below what a tree begins with
    #[arg(long, short, value_name = "LEVELS", conflicts_with = "json")]
    pub depth: Option<usize>,
    /// Print the graph as JSON
    #[arg(long)]
    pub json: bool,
}

/// Show which requirements bring a package into a venv
///
/// It shows the shortest way to the package from each thing that was asked for: by the project beside the venv, or by name. `virtpy
/// store why` shows which venvs use a package of the store.
#[derive(Debug, Args)]
pub struct ReasonsArguments {
    /// The packages' names
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// Print the ways as JSON
    #[arg(long)]
    pub json: bool,
}

/// List every venv that the store knows
#[derive(Debug, Args)]
pub struct ListAllArguments {
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// Print one of virtpy's own directories
#[derive(Debug, Args)]
pub struct PathArguments {
    /// Which directory
    pub kind: PathKind,
}

/// One of virtpy's own directories
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PathKind {
    /// The commands of installed applications; belongs on PATH
    Bin,
    /// The same
    Executables,
    /// The store
    Storage,
    /// A command by the name of isopy, which behaves as that program; it is made if it is missing
    Isopy,
    /// A command `virtpyx`, which is `virtpy tool run`; it is made if it is missing
    Virtpyx,
}
