//! What a user has chosen once for all environments, as far as it concerns what is installed.

use std::str::FromStr;

use virtpy_pep::PackageName;
use virtpy_remote::RemoteSettings;
use virtpy_resolver::IndexSettings;

use virtpy_venv::LinkMode;

/// What a user has chosen once for all environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// How packages come into a new venv that does not say it.
    pub link_mode: LinkMode,
    /// The distributions that every venv gets copies of.
    pub always_copy: Vec<PackageName>,
    /// When the store's bytecode is compiled.
    pub bytecode: Bytecode,
    /// Whether entries get the immutable flag, which keeps root out as well.
    pub immutable: bool,
    /// Whether a new venv gets the `pip` that hands over to virtpy.
    pub pip_shim: bool,
    /// What is taken from indexes.
    pub index: IndexLimits,
    /// The storage that is shared with other machines.
    pub remote: Option<RemoteSettings>,
}

impl Preferences {
    /// Whether a distribution is always copied.
    pub fn copies(&self, name: &PackageName) -> bool {
        self.always_copy.contains(name)
    }
}

/// How much is taken from indexes, and how slowly it may come; where a value is not set, the facade's own counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexLimits {
    /// The most bytes of a page or of metadata.
    pub max_page_size: Option<u64>,
    /// The most bytes of a file.
    pub max_file_size: Option<u64>,
    /// The fewest bytes a second.
    pub min_speed: Option<u64>,
}

impl IndexLimits {
    /// Puts them into the settings of the indexes.
    pub fn apply(&self, settings: &mut IndexSettings) {
        settings.max_page_size = self.max_page_size.unwrap_or(settings.max_page_size);
        settings.max_file_size = self.max_file_size.unwrap_or(settings.max_file_size);
        settings.min_speed = self.min_speed.unwrap_or(settings.min_speed);
    }
}

/// When the bytecode of what is added to a venv is compiled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Bytecode {
    /// After the command, by a process in the background.
    #[default]
    Background,
    /// Before the command ends, as with `--compile-bytecode`.
    Eager,
    /// Never: Python compiles what it imports each time.
    Off,
}

impl FromStr for Bytecode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "background" => Ok(Self::Background),
            "eager" => Ok(Self::Eager),
            "off" => Ok(Self::Off),
            other => Err(format!("`{other}` is none of `background`, `eager` and `off`")),
        }
    }
}
