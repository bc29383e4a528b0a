//! Arguments about indexes, which many commands share.

use clap::Args;

use crate::install::{IndexOptions, Indexes};

/// What help calls these options.
pub(super) const HEADING: &str = "Where packages come from";

/// Where packages come from
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = HEADING)]
pub struct IndexArguments {
    /// The index to ask, instead of the configured one
    #[arg(long, short, value_name = "URL")]
    pub index_url: Option<String>,
    /// Another index to ask as well (can be repeated)
    #[arg(long = "extra-index-url", value_name = "URL")]
    pub extra_index_urls: Vec<String>,
    /// A directory or a page with wheels and sdists (can be repeated)
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
}

impl IndexArguments {
    /// Whether they stand for all indexes, so that none that a lock file names is asked.
    pub fn replaces_others(&self) -> bool {
        self.index_url.is_some() || self.no_index
    }

    /// What they mean for whoever asks the indexes.
    pub fn options(&self) -> IndexOptions {
        IndexOptions {
            index_url: self.index_url.clone(),
            extra_index_urls: self.extra_index_urls.clone(),
            find_links: self.find_links.clone(),
            no_index: self.no_index,
            offline: self.offline,
            no_binary: self.no_binary.clone(),
            only_binary: self.only_binary.clone(),
            ..IndexOptions::default()
        }
    }

    /// The indexes that they mean.
    pub fn indexes(&self) -> Indexes {
        Indexes::new(self.options())
    }
}
