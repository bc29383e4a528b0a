//! The environment variables that say what can be installed, read once.

use std::ffi::OsString;

/// How the names of the variables of custom distributions begin.
const CUSTOM: &str = "HATCH_PYTHON_CUSTOM_";

/// A variable and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    /// Its name, for messages.
    pub(super) name: String,
    /// Its value, never empty.
    pub(super) value: String,
}

/// What the environment says about interpreters to install. Empty variables count as not set.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `VIRTPY_PYTHON_INDEX_URL`, `ISOPY_INDEX_URL`: an index besides the built-in one.
    pub(super) index: Option<Variable>,
    /// `VIRTPY_PYTHON_INDEX_TTL`, `ISOPY_CACHE_TTL`: how many seconds a copy of it is good for.
    pub(super) lifetime: Option<Variable>,
    /// `VIRTPY_PYTHON_ARCH`, `ISOPY_ARCH`: the target triple instead of this machine's.
    pub(super) triple: Option<Variable>,
    /// `VIRTPY_PYTHON_MIRROR`: where the built-in index's archives are downloaded from.
    pub(super) mirror: Option<Variable>,
    /// The variables of custom distributions, without the part that they have in common.
    pub(super) custom: Vec<Variable>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        Self::read(std::env::vars_os())
    }

    /// Picks what is of interest here. Names and values that are no UTF-8 are none of it.
    pub fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let text = |(name, value): (OsString, OsString)| {
            Some(Variable { name: name.into_string().ok()?, value: value.into_string().ok()? })
        };
        let all: Vec<Variable> =
            variables.into_iter().filter_map(text).filter(|variable| !variable.value.is_empty()).collect();
        let first = |names: [&str; 2]| {
            names.iter().find_map(|name| all.iter().find(|variable| variable.name == *name)).cloned()
        };
        let custom = |variable: &Variable| {
            let name = variable.name.strip_prefix(CUSTOM)?.to_owned();
            Some(Variable { name, value: variable.value.clone() })
        };
        Self {
            index: first(["VIRTPY_PYTHON_INDEX_URL", "ISOPY_INDEX_URL"]),
            lifetime: first(["VIRTPY_PYTHON_INDEX_TTL", "ISOPY_CACHE_TTL"]),
            triple: first(["VIRTPY_PYTHON_ARCH", "ISOPY_ARCH"]),
            mirror: first(["VIRTPY_PYTHON_MIRROR", "UV_PYTHON_INSTALL_MIRROR"]),
            custom: all.iter().filter_map(custom).collect(),
        }
    }
}
