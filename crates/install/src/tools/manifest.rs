//! `.virtpy/tool.json` in an application's venv: what was asked for, so that it can be asked for again.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use virtpy_pep::public_requirement;

use super::name::{check_name, names_of};
use super::{Exposed, ToolError};
use virtpy_files as fs;
use virtpy_venv::PRIVATE_FOLDER;

const FORMAT: u32 = 1;

/// What is known of an installed application.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Manifest {
    /// The version of this file's format.
    pub format: u32,
    /// The requirement as the user wrote it; paths are absolute.
    pub request: String,
    /// The distribution's normalized name.
    pub package: String,
    /// The version that is installed.
    pub version: String,
    /// Whether the source is used in place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub editable: bool,
    /// What every command's name ends with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub suffix: String,
    /// Requirements that were installed beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    /// Those of them whose commands are exposed too: normalized names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with_apps: Vec<String>,
    /// Whether the commands of everything that it requires are exposed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub include_deps: bool,
    /// The interpreter that the user asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// Whether upgrades pass it over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// Where its packages came from.
    #[serde(default, skip_serializing_if = "Origin::is_default")]
    pub origin: Origin,
    /// Where those of `with` come from for which a place of their own was named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with_origins: BTreeMap<String, Origin>,
    /// What stands in `bin` and its neighbours for it.
    #[serde(default)]
    pub exposed: Vec<Exposed>,
}

/// Where an application's packages came from, as far as the user said so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Origin {
    /// The index instead of the configured one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_url: Option<String>,
    /// Other indexes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_index_urls: Vec<String>,
    /// Folders and pages with files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub find_links: Vec<String>,
    /// Whether no index is asked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_index: bool,
    /// Whether pre-releases are accepted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pre: bool,
}

impl Origin {
    /// Whether the user said nothing.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What was said of a package that is injected, beside what is known of the application: another index, or none, is meant
    /// for that package; what is added is added.
    #[must_use]
    pub fn for_injected(&self, said: Self) -> Self {
        if said.index_url.is_some() || said.no_index {
            return said;
        }
        let joined = |known: &[String], more: Vec<String>| known.iter().cloned().chain(more).collect();
        Self {
            extra_index_urls: joined(&self.extra_index_urls, said.extra_index_urls),
            find_links: joined(&self.find_links, said.find_links),
            ..self.clone()
        }
    }

    fn without_credentials(self) -> Self {
        let strip = |texts: Vec<String>| texts.iter().map(|text| public_requirement(text)).collect();
        Self {
            index_url: self.index_url.as_deref().map(public_requirement),
            extra_index_urls: strip(self.extra_index_urls),
            find_links: strip(self.find_links),
            ..self
        }
    }
}

impl Manifest {
    /// The manifest of something that was just asked for; nothing is installed yet.
    pub fn new(request: String) -> Self {
        Self { format: FORMAT, request, ..Self::default() }
    }

    /// The name that the application has: its package's with the suffix.
    pub fn name(&self) -> String {
        format!("{}{}", self.package, self.suffix)
    }

    /// The manifest without what stands before the `@` of an address: passwords are not kept. Whoever needs one for upgrades
    /// has it in a netrc file or a keyring.
    #[must_use]
    pub fn without_credentials(self) -> Self {
        let own = self.with_origins.into_iter();
        Self {
            request: public_requirement(&self.request),
            with: self.with.iter().map(|text| public_requirement(text)).collect(),
            origin: self.origin.without_credentials(),
            with_origins: own
                .map(|(text, origin)| (public_requirement(&text), origin.without_credentials()))
                .collect(),
            ..self
        }
    }

    /// Asks for packages beside it, as they are said now where they are there already, and for their commands if those are wanted.
    /// `said` is where they come from, as far as that is said; otherwise they come from where they came from before.
    pub fn inject(&mut self, specs: &[String], with_apps: bool, said: Origin) {
        let names = names_of(specs);
        let is_again =
            |known: &String| names_of(std::slice::from_ref(known)).iter().any(|it| names.contains(it));
        let known = self.with_origins.iter().find(|(known, _)| is_again(known)).map(|(_, own)| own.clone());
        self.with.retain(|known| !is_again(known));
        self.with_origins.retain(|known, _| !is_again(known));
        self.with.extend(specs.iter().cloned());
        let own = if said.is_default() { known } else { Some(self.origin.for_injected(said)) };
        self.with_origins
            .extend(own.iter().flat_map(|own| specs.iter().map(|spec| (spec.clone(), own.clone()))));
        if with_apps {
            self.with_apps.extend(names);
            self.with_apps.sort();
            self.with_apps.dedup();
        }
    }

    /// Keeps what is beside the application as it was before, with its commands, unless that is asked for anew. It comes from
    /// where it came from.
    pub fn keep_injected(&mut self, old: &Self) {
        let asked = names_of(&self.with);
        let is_other_place = self.origin.clone().without_credentials() != old.origin;
        for spec in &old.with {
            let names = names_of(std::slice::from_ref(spec));
            if self.with.contains(spec) || names.iter().any(|name| asked.contains(name)) {
                continue;
            }
            let own = old.with_origins.get(spec).or(is_other_place.then_some(&old.origin));
            self.with_origins.extend(own.map(|own| (spec.clone(), own.clone())));
            self.with.push(spec.clone());
            self.with_apps.extend(names.into_iter().filter(|name| old.with_apps.contains(name)));
        }
        self.with_apps.sort();
        self.with_apps.dedup();
    }

    /// Asks for a package beside it no longer. Returns whether it was asked for.
    pub fn uninject(&mut self, package: &String) -> bool {
        let names = names_of(std::slice::from_ref(package));
        let before = self.with.len();
        self.with.retain(|known| known != package && names_of(std::slice::from_ref(known)) != names);
        self.with_apps.retain(|name| !names.contains(name));
        self.with_origins.retain(|known, _| self.with.contains(known));
        self.with.len() < before
    }

    /// The names of its commands.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.exposed.iter().filter_map(Exposed::command)
    }

    /// Reads the manifest of a venv.
    ///
    /// # Errors
    /// When there is none, or it makes no sense.
    pub fn read(venv: &Path) -> Result<Self, ToolError> {
        let path = venv.join(PRIVATE_FOLDER).join("tool.json");
        let text = fs::read_to_string(&path)?;
        let wrong = |reason: String| ToolError::Manifest { path: path.clone(), reason };
        let manifest: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(wrong(format!("its format {} is another program's", manifest.format)));
        }
        check_name(&manifest.name())?;
        manifest.exposed.iter().try_for_each(|one| one.validate().map_err(&wrong))?;
        Ok(manifest)
    }

    /// Writes it into a venv.
    ///
    /// # Errors
    /// When the disk cannot be written.
    pub fn write(&self, venv: &Path) -> Result<(), ToolError> {
        let path = venv.join(PRIVATE_FOLDER).join("tool.json");
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| ToolError::Manifest { path: path.clone(), reason: error.to_string() })?;
        Ok(fs::write_atomic(&path, (text + "\n").as_bytes())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_kept() {
        assert_eq!(public_requirement("https://user:secret@host/simple"), "https://host/simple");
        assert_eq!(public_requirement("x @ git+https://token@host/x@main"), "x @ git+https://host/x@main");
        assert_eq!(public_requirement("git+ssh://git@host/x"), "git+ssh://git@host/x");
        assert_eq!(public_requirement("black[d]>=24"), "black[d]>=24");
        let manifest = Manifest {
            origin: Origin { index_url: Some("https://u:p@host/".to_owned()), ..Origin::default() },
            ..Manifest::new("https://u:p@host/x.whl".to_owned())
        };
        assert!(!format!("{:?}", manifest.without_credentials()).contains("u:p"));
    }
}
