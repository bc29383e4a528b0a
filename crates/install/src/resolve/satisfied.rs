//! Whether a request is satisfied already, so that nothing has to be asked: the reason why "nothing to do" costs
//! milliseconds.
//!
//! Only what can be answered without doubt is answered with yes: plain requirements by name, from the command
//! line or from requirements files without options. Everything else goes to the resolver.

use std::collections::{BTreeMap, BTreeSet};

use virtpy_pep::{MarkerEnvironment, PackageName, Requirement, Version};
use virtpy_resolver::{EntryKind, Package, RequirementsFiles, RequirementsOptions};

use virtpy_venv::Contents;

/// A request as far as it can be answered here.
#[derive(Debug, Default)]
pub(crate) struct PinnedRequest {
    requirements: Vec<Requirement>,
    pinned: BTreeSet<PackageName>,
    lines: Vec<String>,
}

impl PinnedRequest {
    /// Takes requirements and what files of them say; `None` where something in them needs the resolver.
    pub(crate) fn of(specs: &[String], files: &RequirementsFiles) -> Option<Self> {
        let mut request = Self::default();
        for spec in specs {
            request.add(spec)?;
        }
        // A constraint is a requirement on what is installed, which the caller's answer does not look at; options and
        // projects are the resolver's.
        let is_plain = files.entries.iter().all(|entry| entry.kind == EntryKind::Requirement)
            && files.options == RequirementsOptions::default()
            && files.projects.is_empty()
            && files.locks.is_empty();
        if !is_plain {
            return None;
        }
        for entry in &files.entries {
            request.add(&entry.text)?;
            // Hashes speak of files, and what is installed was verified when it came.
            for detail in entry.hashes.iter().chain(&entry.build_settings) {
                request.lines.push(format!(" {detail}"));
            }
        }
        Some(request)
    }

    /// Whether the request itself names one version of a package, of which the index has a wheel.
    pub(crate) fn pins(&self, package: &Package) -> bool {
        package.direct_url.is_none() && !package.file.may_change() && self.pinned.contains(&package.name)
    }

    /// All that it says, by which it is recognised.
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    fn add(&mut self, text: &str) -> Option<()> {
        let requirement = plain(text)?;
        self.lines.push(text.to_owned());
        if requirement.pinned_version().is_some() {
            self.pinned.insert(requirement.name().clone());
        }
        self.requirements.push(requirement);
        Some(())
    }
}

/// A requirement by name.
fn plain(text: &str) -> Option<Requirement> {
    let begins_with_name = text.starts_with(|first: char| first.is_ascii_alphanumeric());
    // A file or a folder of that name is what pip's users would mean by it only when it looks like a path.
    if !begins_with_name || text.contains(['/', '\\', '@', '$']) {
        return None;
    }
    text.parse().ok().filter(|requirement: &Requirement| requirement.url().is_none())
}

/// Whether everything that the requirements ask for, and what that requires in turn, is installed.
pub(crate) fn is_satisfied(
    request: &PinnedRequest,
    contents: &Contents,
    markers: &MarkerEnvironment,
    no_deps: bool,
) -> bool {
    let installed = contents.visible_by_package();
    let mut seen: BTreeSet<(PackageName, Vec<String>)> = BTreeSet::new();
    let mut versions: BTreeMap<&PackageName, Version> = BTreeMap::new();
    let mut waiting: Vec<Requirement> = request
        .requirements
        .iter()
        .filter(|requirement| requirement.applies(markers, &[]))
        .cloned()
        .collect();
    while let Some(requirement) = waiting.pop() {
        let Some((key, distribution)) = installed.get_key_value(requirement.name()) else {
            return false;
        };
        if !versions.contains_key(key) {
            let Ok(version) = distribution.version.parse() else {
                return false;
            };
            versions.insert(key, version);
        }
        // What came from a path or a URL satisfies a name; a URL may mean something else than what is there.
        if requirement.url().is_some() || !requirement.accepts(&versions[key]) {
            return false;
        }
        let extras = requirement.extras();
        if no_deps || !seen.insert((requirement.name().clone(), extras.clone())) {
            continue;
        }
        for text in distribution.requires_dist() {
            let Ok(required) = Requirement::of_metadata(text) else {
                return false;
            };
            if required.applies(markers, &extras) {
                waiting.push(required);
            }
        }
    }
    true
}

/// What is asked for of extras that the installed versions do not have, as the resolver tells it of others.
pub(crate) fn unknown_extras(request: &PinnedRequest, contents: &Contents) -> Vec<String> {
    let installed = contents.visible_by_package();
    let of_one = |requirement: &Requirement| {
        let Some(distribution) = installed.get(requirement.name()) else { return Vec::new() };
        let is_known = |extra: &String| {
            let all = distribution.provides_extra().iter();
            all.filter_map(|known| known.parse::<PackageName>().ok()).any(|known| known == extra.as_str())
        };
        let extras = requirement.extras().into_iter().filter(|extra| !is_known(extra));
        let sentence = |extra| {
            format!("{} {} does not provide the extra '{extra}'", distribution.name, distribution.version)
        };
        extras.map(sentence).collect()
    };
    request.requirements.iter().flat_map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_only_what_is_beyond_doubt() {
        for text in ["rich", "rich>=13,<15", "black[d]==24.1 ; python_version >= '3.8'"] {
            assert!(plain(text).is_some(), "{text}");
        }
        for text in ["./rich", "rich @ file:///x.whl", "-r more.txt", "git+file:///x", "dist/x.whl", "$HOME"]
        {
            assert!(plain(text).is_none(), "{text}");
        }
    }
}
