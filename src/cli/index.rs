//! Arguments about indexes, which many commands share.

use clap::Args;

/// Where packages come from
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Where packages come from")]
pub struct IndexArguments {
    /// The index to ask, instead of the configured one
    #[arg(long, short, value_name = "URL")]
    pub index_url: Option<String>,
    /// Another index to ask as well (can be repeated)
    #[arg(long = "extra-index-url", value_name = "URL")]
    pub extra_index_urls: Vec<String>,
    /// A folder or a page with wheels and sdists (can be repeated)
    #[arg(long = "find-links", short, value_name = "PATH|URL")]
    pub find_links: Vec<String>,
    /// Ask no index
    #[arg(long)]
    pub no_index: bool,
    /// Use only what is on this machine
    #[arg(long)]
    pub offline: bool,
    /// Build this package from source: a name, or `:all:` (can be repeated)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub no_binary: Vec<String>,
    /// Never build this package from source: a name, or `:all:` (can be repeated)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub only_binary: Vec<String>,
    /// Values that stand before those of the environment variables with the same names
    #[arg(skip)]
    pub variables: Vec<(String, String)>,
    /// Whether the user's own settings and variables are left aside
    #[arg(skip)]
    pub isolated: bool,
}
