//! Reads `pylock.toml` (PEP 751): which of its packages are wanted here, as its markers tell.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use uv_distribution_types::Resolution as SolvedGraph;
use uv_normalize::{DEV_DEPENDENCIES, ExtraName, GroupName, PackageName};
use uv_pep508::MarkerTree;
use uv_resolver::PylockToml;
use virtpy_pep::NamedVersion;

use crate::archives;
use crate::error::Error;
use crate::group_needs::GroupNeeds;
use crate::locked::{OwnProject, Reader};
use crate::portable::resolved;
use crate::project::names;
use crate::request::Selection;

/// What of the file the library does not look at, or does not hand out.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Head {
    lock_version: String,
    requires_python: Option<String>,
    #[serde(default)]
    environments: Vec<String>,
    #[serde(default)]
    packages: Vec<PackageHead>,
}

/// What is read of one package in a lock file.
#[derive(Debug, Deserialize)]
struct PackageHead {
    name: PackageName,
    #[serde(default)]
    marker: MarkerTree,
    directory: Option<DirectoryHead>,
}

#[derive(Debug, Deserialize)]
struct DirectoryHead {
    path: PathBuf,
}

/// The extras and groups that are wanted.
struct Chosen {
    extras: Vec<ExtraName>,
    groups: Vec<GroupName>,
}

impl Reader<'_> {
    /// What the file holds for the interpreter.
    ///
    /// # Errors
    ///
    /// As those of [`Session::resolve_locked`](crate::Session::resolve_locked).
    pub(crate) fn pylock(&self, warnings: &mut Vec<String>) -> Result<SolvedGraph, Error> {
        self.check_nesting()?;
        let text = self.withheld(["packages", "vcs", "url"])?;
        let text = &*archives::named_by_url(&text, &self.folder());
        let head: Head = toml::from_str(text).map_err(|error| self.broken(&error))?;
        let mut lock: PylockToml = toml::from_str(text).map_err(|error| self.broken(&error))?;
        if head.lock_version != "1.0" {
            warnings.push(format!(
                "`{}` has lock version {}; what is newer than 1.0 in it is not understood",
                self.request.path.display(),
                head.lock_version
            ));
        }
        self.check_python(head.requires_python.as_deref())?;
        self.check_environments(&head.environments)?;
        let chosen = self.chosen_of_pylock(&lock)?;
        let Selection { no_project, only_groups, .. } = &self.request.selection;
        if *no_project || !only_groups.is_empty() {
            let own = head.own_packages(&self.folder());
            let needs = if only_groups.is_empty() { None } else { self.groups_needs(&head, &own)? };
            let markers = self.context.interpreter.markers();
            let is_needed = |package: &PackageHead| {
                let named = (&package.name, package.marker);
                needs.as_ref().is_none_or(|needs| needs.has(named, markers, &chosen.groups))
            };
            let is_left = |package: &PackageHead| !own.contains(&package.name) && is_needed(package);
            let left: Vec<bool> = head.packages.iter().map(is_left).collect();
            let mut left = left.into_iter();
            lock.packages.retain(|_| left.next().unwrap_or(true));
        }
        self.tell_absolute(&head, warnings);
        let markers = self.context.interpreter.markers();
        let options = &self.context.choices.build_options;
        lock.to_resolution(&self.folder(), markers, &chosen.extras, &chosen.groups, self.tags()?, options)
            .map_err(|error| self.unsuitable(&error))
    }

    /// At least one of the environments that the lock was made for has to be this one (PEP 751).
    fn check_environments(&self, environments: &[String]) -> Result<(), Error> {
        let markers = self.context.interpreter.markers();
        for text in environments {
            let marker = MarkerTree::from_str(text).map_err(|error| self.broken(&error))?;
            if marker.evaluate(markers, &[]) {
                return Ok(());
            }
        }
        if environments.is_empty() {
            return Ok(());
        }
        let all = environments.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(" or ");
        Err(self
            .other_python(&format!("was made for other environments: {all}"), "lock for this one as well"))
    }

    fn chosen_of_pylock(&self, lock: &PylockToml) -> Result<Chosen, Error> {
        let Selection { extras, all_extras, groups, all_groups, without_groups, .. } =
            &self.request.selection;
        let only = &self.request.selection.only_groups;
        let extras = if *all_extras { lock.extras.clone() } else { names(extras)? };
        for extra in &extras {
            if !lock.extras.contains(extra) {
                return Err(self.no_such("extra", extra.as_str(), lock.extras.iter().map(ExtraName::as_str)));
            }
        }
        let mut chosen =
            if *all_groups { lock.dependency_groups.clone() } else { names(groups.iter().chain(only))? };
        for group in &chosen {
            if !lock.dependency_groups.contains(group) {
                let all = lock.dependency_groups.iter().map(GroupName::as_str);
                return Err(self.no_such("dependency group", group.as_str(), all));
            }
        }
        if !self.request.selection.no_default_groups && only.is_empty() {
            chosen.extend(lock.default_groups.iter().cloned());
        }
        let mut without: Vec<GroupName> = names(without_groups)?;
        without.extend(self.request.selection.no_dev.then(|| DEV_DEPENDENCIES.clone()));
        chosen.retain(|group| !without.contains(group));
        Ok(Chosen { extras, groups: chosen })
    }

    /// What groups alone need, as far as the lock says so. If it does not, every package has to say for which groups it is there, as in
    /// PDM's locks: where those of the project itself have no marker, nobody knows which of them the groups need as well.
    fn groups_needs(&self, head: &Head, own: &HashSet<PackageName>) -> Result<Option<GroupNeeds>, Error> {
        if let Some(needs) = GroupNeeds::read(&self.request.text) {
            let selection = &self.request.selection;
            if !selection.extras.is_empty() || selection.all_extras {
                return Err(self.refused(
                    "has extras as parts of its project, which `--only-group` leaves out",
                    "`--group` adds a group to the rest",
                ));
            }
            return Ok(Some(needs));
        }
        let markers = self.context.interpreter.markers();
        let untold = head.packages.iter().find(|package| {
            !own.contains(&package.name) && package.marker.evaluate_pep751(markers, &[], &[])
        });
        let Some(untold) = untold else { return Ok(None) };
        Err(self.refused(
            &format!("cannot be asked for groups only: it does not tell which group needs `{}`", untold.name),
            "`virtpy lock` makes locks that tell; `--group` adds a group to the rest",
        ))
    }

    /// A directory that is named by its absolute path is the same one in every checkout.
    fn tell_absolute(&self, head: &Head, warnings: &mut Vec<String>) {
        let folder = self.folder();
        for package in &head.packages {
            let Some(directory) = package.directory.as_ref().filter(|one| one.path.is_absolute()) else {
                continue;
            };
            if !directory.path.starts_with(&folder) {
                warnings.push(format!(
                    "`{}` takes {} from `{}`, an absolute path",
                    self.request.path.display(),
                    package.name,
                    directory.path.display()
                ));
            }
        }
    }
}

impl Head {
    /// The names of the packages that are the lock's own project.
    fn own_packages(&self, folder: &Path) -> HashSet<PackageName> {
        let own = OwnProject::above(folder);
        let own_folder = own.as_ref().map_or_else(|| folder.to_path_buf(), |own| own.folder.clone());
        let is_own = |package: &&PackageHead| {
            let Some(directory) = &package.directory else { return false };
            resolved(&folder.join(&directory.path)) == resolved(&own_folder)
                || own.as_ref().is_some_and(|own| own.name.as_ref() == Some(&package.name))
        };
        self.packages.iter().filter(is_own).map(|package| package.name.clone()).collect()
    }
}

/// The versions that an existing lock names, for another one to keep them.
pub(crate) fn versions_of_pylock(text: &str) -> Vec<NamedVersion> {
    let Ok(lock) = toml::from_str::<PylockToml>(text) else { return Vec::new() };
    lock.packages
        .iter()
        .filter_map(|package| {
            Some(NamedVersion::new(package.name.as_str(), package.version.as_ref()?.to_string()))
        })
        .collect()
}
