//! From locked packages to entries of the store: what was had before is recalled, one note for each package; the rest is
//! asked of the resolver with exact pins and hashes, so that nothing is left for it to decide but which file fits.

use std::collections::BTreeMap;

use virtpy_resolver::{Error, IndexSettings, Input, Options, Request, RequirementsFiles, Surroundings};

use super::wanted::{Ask, Wanted};
use super::{PoetryError, Project};
use crate::digest::{hex, sha256};
use crate::resolve::{self, Supply, Way};
use crate::store::{Entry, Store};

/// What the answer for a package depends on besides the lock file.
#[derive(Debug, Clone)]
pub struct Circumstances(String);

impl Circumstances {
    /// Those of an interpreter (its executable, version and platform) and of the settings.
    pub fn new(interpreter: &str, settings: &IndexSettings) -> Self {
        Self(format!("{interpreter}\n{:?} {:?}", settings.no_binary, settings.only_binary))
    }

    fn digest(&self, wanted: &Wanted) -> Option<String> {
        let identity = wanted.identity.as_ref()?;
        Some(hex(&sha256(format!("poetry\n{}\n{identity}", self.0).as_bytes())))
    }
}

/// The settings with the indexes that the packages name. Files are told by their hashes, wherever they come from.
pub fn with_indexes(mut settings: IndexSettings, wanted: &[Wanted]) -> IndexSettings {
    let mut urls: Vec<String> = Vec::new();
    for url in wanted.iter().filter_map(|wanted| wanted.index.clone()) {
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    let is_default_asked =
        wanted.iter().any(|wanted| matches!(wanted.ask, Ask::Line(_)) && wanted.index.is_none());
    if !is_default_asked && settings.index_url.is_none() && !urls.is_empty() {
        settings.index_url = urls.pop();
    }
    settings.extra_index_urls.splice(0..0, urls);
    settings.best_match = true;
    settings
}

/// Takes what is known and in the store; `None` for the rest. Whether the entries are sound is the caller's to check.
pub fn recall(store: &Store, circumstances: &Circumstances, wanted: &[&Wanted]) -> Vec<Option<Entry>> {
    let one = |wanted: &&Wanted| resolve::recall_one(store, &circumstances.digest(wanted)?);
    wanted.iter().map(one).collect()
}

/// Finds, fetches or builds packages, and remembers them. Returns their entries in order, and how they came.
///
/// # Errors
/// When one is not to be had for this interpreter, or not with a hash that the lock file gives.
pub fn obtain(
    supply: &Supply<'_>,
    project: &Project,
    circumstances: &Circumstances,
    wanted: &[&Wanted],
    announce: &mut dyn FnMut(&str),
) -> Result<Vec<(Entry, Way)>, PoetryError> {
    let lines: Vec<&str> = wanted
        .iter()
        .filter_map(|wanted| if let Ask::Line(line) = &wanted.ask { Some(line.as_str()) } else { None })
        .collect();
    let requirements: Vec<Input> = wanted
        .iter()
        .filter_map(|wanted| if let Ask::Input(input) = &wanted.ask { Some(input.clone()) } else { None })
        .collect();
    let files = pins(project, &lines).map_err(resolve::ResolveError::from)?;
    let options = Options { no_deps: true, working_directory: project.root.clone(), ..Options::default() };
    let request = Request { requirements, files, options, ..Request::default() };
    let resolution = supply.session.resolve(&request).map_err(resolve::ResolveError::from)?;
    let all: Vec<usize> = (0..resolution.packages.len()).collect();
    let obtained = resolve::obtain(supply, &resolution, &all, announce)?;
    let mut by_name: BTreeMap<&str, (Entry, Way)> = obtained
        .into_iter()
        .map(|one| (resolution.packages[one.package].name.as_str(), (one.entry, one.way)))
        .collect();
    let mut found = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let one = by_name.remove(wanted.key.as_str()).ok_or_else(|| PoetryError::Package {
            package: wanted.label(),
            reason: "it was not found".to_owned(),
        })?;
        if let Some(digest) = circumstances.digest(wanted) {
            resolve::remember_one(supply.store, &digest, &one.0);
        }
        found.push(one);
    }
    Ok(found)
}

/// What the lock file pins, as requirements with hashes. Nothing in it is looked up elsewhere.
fn pins(project: &Project, lines: &[&str]) -> Result<RequirementsFiles, Error> {
    let from = Surroundings {
        folder: &project.root,
        environment: &|_| None,
        fetch: &|url, _| Err(Error::Offline { what: format!("`{url}`") }),
    };
    RequirementsFiles::of_text(&project.root.join("poetry.lock"), lines.join("\n"), from)
}
