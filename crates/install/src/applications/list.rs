//! All applications of a machine in a file, with the exact versions of everything that they have, for another machine.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::tools::{Manifest, Origin, Toolbox};
use crate::{Error, Host, Result, ToolSpec};
use virtpy_venv::{Contents, Venv, frozen};

/// The version of the file's format.
const FORMAT: u32 = 1;

/// All applications of a machine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolList {
    format: u32,
    #[serde(default, rename = "tool")]
    tools: Vec<ExportedTool>,
}

/// One application, with the exact versions of everything that it has.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ExportedTool {
    request: String,
    package: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    suffix: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    with: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    with_apps: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    include_deps: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    python: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pinned: bool,
    #[serde(default)]
    origin: Origin,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    with_origins: BTreeMap<String, Origin>,
    /// `name==version` each.
    locked: Vec<String>,
}

impl ToolList {
    /// Those that are installed. Says which of them come from paths of this machine.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn of_installed(host: &Host) -> Result<Self> {
        let toolbox = Toolbox::new(&host.store);
        let mut tools = Vec::new();
        for name in toolbox.names()? {
            let Some(tool) = toolbox.open(&name)? else { continue };
            let contents = Contents::read(&Venv::open(&tool.venv)?, &host.store)?;
            let known = tool.manifest;
            if known.editable || Path::new(&known.request).is_absolute() {
                host.warning(format_args!("{name} comes from `{}`, which is of this machine", known.request));
            }
            tools.push(ExportedTool::of(known, &contents));
        }
        Ok(Self { format: FORMAT, tools })
    }

    /// Reads a list.
    ///
    /// # Errors
    /// Why the text is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let list: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if list.format != FORMAT {
            return Err(format!("its format {} is another program's", list.format));
        }
        Ok(list)
    }

    /// The list as it is written.
    ///
    /// # Errors
    /// When it cannot be written as TOML.
    pub fn text(&self) -> Result<String> {
        toml::to_string(self)
            .map_err(|error| Error::new(format!("the applications cannot be written down: {error}")))
    }

    /// The names of the applications.
    pub fn names(&self) -> Vec<String> {
        self.tools.iter().map(|tool| tool.clone().spec().manifest.name()).collect()
    }

    /// What is wanted of the application with a name: the very versions that are written down.
    pub fn spec(&self, name: &str) -> Option<ToolSpec> {
        self.tools.iter().map(|tool| tool.clone().spec()).find(|spec| spec.manifest.name() == name)
    }
}

impl ExportedTool {
    fn of(known: Manifest, contents: &Contents) -> Self {
        // What came from a repository is written with its commit.
        let package = known.package.parse().ok();
        let request = package
            .and_then(|package| contents.find(&package))
            .filter(|one| one.direct_url().is_some() && !known.editable)
            .map_or(known.request, frozen);
        let from_index = contents.distributions.iter().filter(|one| one.direct_url().is_none());
        Self {
            request,
            package: known.package,
            suffix: known.suffix,
            with: known.with,
            with_apps: known.with_apps,
            include_deps: known.include_deps,
            python: known.python,
            pinned: known.pinned,
            origin: known.origin,
            with_origins: known.with_origins,
            locked: from_index.map(|one| format!("{}=={}", one.package, one.version)).collect(),
        }
    }

    fn spec(self) -> ToolSpec {
        let manifest = Manifest {
            package: self.package,
            suffix: self.suffix,
            with: self.with,
            with_apps: self.with_apps,
            include_deps: self.include_deps,
            python: self.python,
            pinned: self.pinned,
            origin: self.origin,
            with_origins: self.with_origins,
            ..Manifest::new(self.request)
        };
        ToolSpec { constraints: self.locked, keep_same: true, ..ToolSpec::of(manifest) }
    }
}
