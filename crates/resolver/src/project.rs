//! What a project's `pyproject.toml` asks for: `[project]`'s dependencies and extras, and the dependency
//! groups of PEP 735. A project that can be built is asked for itself, editable; one that cannot is no more
//! than its dependencies.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use uv_normalize::{DEV_DEPENDENCIES, DefaultGroups, ExtraName, GroupName, PackageName};
use uv_pep508::MarkerTree;
use uv_pypi_types::VerbatimParsedUrl;
use uv_redacted::DisplaySafeUrl;
use uv_requirements_txt::RequirementsTxtRequirement;
use uv_workspace::dependency_groups::FlatDependencyGroups;
use uv_workspace::pyproject::PyProjectToml;
use virtpy_pep::limits;

use crate::error::{Cause, Error};
use crate::group_needs;
use crate::portable;
use crate::request::{Input, ProjectInput, Request, Selection};
use crate::settings::IndexSettings;
use crate::tool_sources::{Placed, ToolSources};

type GroupRequirement = uv_pep508::Requirement<VerbatimParsedUrl>;

/// Reads the projects among the inputs of a request.
///
/// # Errors
///
/// As those of [`Project::read`].
pub(crate) fn projects(request: &Request) -> Result<Vec<Project>, Error> {
    let folder = request.options.folder();
    let projects = request.requirements.iter().filter_map(|input| match input {
        Input::Project(input) => Some(Project::read(input, &folder)),
        _ => None,
    });
    projects.collect()
}

/// A project's file, read.
pub(crate) struct Project {
    input: ProjectInput,
    folder: PathBuf,
    toml: PyProjectToml,
    more: More,
    sources: ToolSources,
    groups: Vec<(GroupName, Vec<GroupRequirement>)>,
}

/// What the library does not hand out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct More {
    project: MoreOfProject,
    tool: MoreOfTool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct MoreOfProject {
    requires_python: Option<String>,
    dynamic: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MoreOfTool {
    uv: MoreOfUv,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct MoreOfUv {
    default_groups: Option<DefaultGroups>,
}

impl Project {
    /// Reads a project's file.
    ///
    /// # Errors
    ///
    /// [`Error::Requirements`] when it is not there or makes no sense, or has no such extra or group.
    pub(crate) fn read(input: &ProjectInput, working_directory: &Path) -> Result<Self, Error> {
        let path = working_directory.join(&input.path);
        let failed = |cause: Cause| Error::Requirements {
            message: format!("cannot read the project `{}`", path.display()),
            hint: None,
            cause: Some(cause),
        };
        let text = match &input.text {
            Some(text) => text.clone(),
            // Reading only: the ban is on writing past the one module that does.
            #[expect(clippy::disallowed_methods)]
            None => std::fs::read_to_string(&path).map_err(|error| failed(Cause::from_error(&error)))?,
        };
        limits::check_file(&text).map_err(|reason| failed(Cause::new(reason)))?;
        let toml = PyProjectToml::from_string(text.clone(), &path)
            .map_err(|error| failed(Cause::from_error(&error)))?;
        let groups = FlatDependencyGroups::from_pyproject_toml(&path, &toml)
            .map_err(|error| failed(Cause::from_error(&error)))?;
        let groups = groups.into_iter().map(|(name, group)| (name, group.requirements)).collect();
        // Checked above as far as it is TOML; what is of another type is none of ours.
        let more = toml::from_str(&text).unwrap_or_default();
        let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        let sources = ToolSources::of(&folder);
        let project = Self { input: input.clone(), folder, toml, more, sources, groups };
        if project.toml.project.is_none() && project.groups.is_empty() && !project.is_package() {
            return Err(Error::Requirements {
                message: format!(
                    "`{}` has neither a table `[project]` nor dependency groups",
                    path.display()
                ),
                hint: Some(
                    "for another tool's tables, let that tool lock, and follow its lock file".to_owned(),
                ),
                cause: None,
            });
        }
        project.check_selection()?;
        Ok(project)
    }

    /// `requires-python`, as it is written.
    pub(crate) fn requires_python(&self) -> Option<&str> {
        self.more.project.requires_python.as_deref()
    }

    /// The extras.
    pub(crate) fn extras(&self) -> Vec<ExtraName> {
        let optional = self.toml.project.as_ref().and_then(|project| project.optional_dependencies.as_ref());
        optional.map(|all| all.keys().cloned().collect()).unwrap_or_default()
    }

    /// The groups that a conditional request has.
    pub(crate) fn groups(&self) -> Vec<GroupName> {
        let without = &self.input.selection.without_groups;
        let names = self.groups.iter().map(|(name, _)| name.clone());
        names.filter(|name| !without.iter().any(|other| other == name.as_str())).collect()
    }

    /// Whether its groups can be told from the rest of it.
    pub(crate) fn has_groups_to_tell(&self) -> bool {
        let groups = self.groups();
        self.input.conditional
            && self.input.selection.only_groups.is_empty()
            && !groups.is_empty()
            && groups.iter().all(|name| name.as_str() != group_needs::BASE)
    }

    /// The groups that are installed unasked.
    pub(crate) fn default_groups(&self) -> Vec<GroupName> {
        let all = self.groups.iter().map(|(name, _)| name.clone());
        match &self.more.tool.uv.default_groups {
            None => Vec::new(),
            Some(DefaultGroups::All) => all.collect(),
            Some(DefaultGroups::List(listed)) => all.filter(|name| listed.contains(name)).collect(),
        }
    }

    /// Requirements that were locked for it, with the project itself named by its path from the directory in which they were.
    pub(crate) fn named_relative(&self, requirements: &str, directory: &Path) -> String {
        let Ok(url) = DisplaySafeUrl::from_file_path(&self.folder) else { return requirements.to_owned() };
        let own = format!("-e {url}");
        let path = portable::relative(&self.folder, &portable::resolved(directory));
        // Without a `./`, a name of one word would be a package.
        let is_plain = !path.starts_with(['.', '/']);
        let named = format!("-e {}{path}", if is_plain { "./" } else { "" });
        let line = |line: &str| {
            let text = line.trim_end();
            if text == own { line.replacen(&own, &named, 1) } else { line.to_owned() }
        };
        requirements.split_inclusive('\n').map(line).collect()
    }

    /// What is asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Requirements`] for a dependency that is no requirement.
    pub(crate) fn requirements(&self, users: &IndexSettings) -> Result<Vec<Placed>, Error> {
        let mut all = Vec::new();
        if self.input.selection.only_groups.is_empty() {
            if self.is_package() {
                self.itself(&mut all)?;
                // It says by itself what it requires, but not from where.
                let mut own = Vec::new();
                if !self.sources.is_empty() {
                    self.dependencies(users, &mut own)?;
                }
                all.extend(own.into_iter().filter(Placed::is_placed));
            } else {
                self.dependencies(users, &mut all)?;
            }
            if self.input.marks_base {
                for placed in &mut all {
                    placed.narrow(group_needs::base());
                }
            }
        }
        let default = self.default_groups();
        let Selection { groups, only_groups, without_groups, no_default_groups, no_dev, all_groups, .. } =
            &self.input.selection;
        for (name, requirements) in &self.groups {
            let is = |others: &[String]| others.iter().any(|other| same_name(other, name.as_str()));
            let by_default = !no_default_groups && only_groups.is_empty() && default.contains(name);
            let wanted = self.input.conditional || *all_groups || is(groups) || is(only_groups) || by_default;
            let is_left_out = is(without_groups) || *no_dev && *name == *DEV_DEPENDENCIES;
            if !wanted || is_left_out {
                continue;
            }
            let marker = self.condition("dependency_groups", name.as_str())?;
            for requirement in requirements {
                let mut requirement = requirement.clone();
                requirement.marker = requirement.marker.and(marker);
                self.place(requirement, users, &mut all)?;
            }
        }
        Ok(all)
    }

    /// Whether the project can be built, and so be installed itself.
    fn is_package(&self) -> bool {
        let is_dynamic = self.more.project.dynamic.iter().any(|field| field.ends_with("dependencies"));
        let is_static = self.toml.project.as_ref().is_some_and(|project| project.dependencies.is_some());
        (self.toml.is_package(true) && !self.input.selection.no_project) || (is_dynamic && !is_static)
    }

    fn itself(&self, all: &mut Vec<Placed>) -> Result<(), Error> {
        let url = DisplaySafeUrl::from_file_path(&self.folder)
            .map_err(|()| self.invalid("its folder has no absolute path"))?;
        let mut ask = |extras: &str, marker: Option<MarkerTree>| -> Result<(), Error> {
            let mut requirement = self.parse(&match &self.toml.project {
                Some(project) => format!("{}{extras} @ {url}", project.name),
                None => format!("{url}{extras}"),
            })?;
            requirement.make_editable().map_err(|error| self.invalid(&error.to_string()))?;
            if let (Some(marker), RequirementsTxtRequirement::Named(named)) = (marker, &mut requirement) {
                named.marker = marker;
            }
            all.push(requirement.into());
            Ok(())
        };
        if self.input.conditional {
            ask("", None)?;
            for extra in self.extras() {
                ask(&format!("[{extra}]"), Some(self.condition("extras", extra.as_str())?))?;
            }
            return Ok(());
        }
        let extras = self.wanted_extras()?;
        let extras = extras.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        ask(&if extras.is_empty() { extras } else { format!("[{extras}]") }, None)
    }

    fn dependencies(&self, users: &IndexSettings, all: &mut Vec<Placed>) -> Result<(), Error> {
        let Some(project) = &self.toml.project else { return Ok(()) };
        for text in project.dependencies.iter().flatten() {
            match self.parse(text)? {
                RequirementsTxtRequirement::Named(named) => self.place(named, users, all)?,
                unnamed @ RequirementsTxtRequirement::Unnamed(_) => all.push(unnamed.into()),
            }
        }
        let extras = if self.input.conditional { self.extras() } else { self.wanted_extras()? };
        for extra in extras {
            let marker = self.condition("extras", extra.as_str())?;
            self.extra((&extra, marker), &mut vec![extra.clone()], users, all)?;
        }
        Ok(())
    }

    /// What an extra asks for. One may ask for another one of the same project.
    fn extra(
        &self,
        (extra, marker): (&ExtraName, MarkerTree),
        above: &mut Vec<ExtraName>,
        users: &IndexSettings,
        all: &mut Vec<Placed>,
    ) -> Result<(), Error> {
        let Some(project) = &self.toml.project else { return Ok(()) };
        let optional = project.optional_dependencies.as_ref().and_then(|all| all.get(extra));
        for text in optional.into_iter().flatten() {
            let mut requirement = self.parse(text)?;
            let RequirementsTxtRequirement::Named(named) = &mut requirement else {
                all.push(requirement.into());
                continue;
            };
            named.marker = named.marker.and(marker);
            if named.name != project.name {
                self.place(named.clone(), users, all)?;
                continue;
            }
            for other in &named.extras {
                if !above.contains(other) {
                    above.push(other.clone());
                    self.extra((other, named.marker), above, users, all)?;
                    above.pop();
                }
            }
        }
        Ok(())
    }

    /// Adds a requirement, from where the project wants it.
    fn place(
        &self,
        requirement: GroupRequirement,
        users: &IndexSettings,
        all: &mut Vec<Placed>,
    ) -> Result<(), Error> {
        let placed = self.sources.place(requirement, users).map_err(|reason| self.invalid(&reason))?;
        all.extend(placed);
        Ok(())
    }

    fn wanted_extras(&self) -> Result<Vec<ExtraName>, Error> {
        let Selection { extras, all_extras, .. } = &self.input.selection;
        if *all_extras { Ok(self.extras()) } else { names(extras) }
    }

    /// The marker for what only counts if an extra or a group is chosen at installation; true if that is decided now.
    fn condition(&self, list: &str, name: &str) -> Result<MarkerTree, Error> {
        if !self.input.conditional {
            return Ok(MarkerTree::TRUE);
        }
        MarkerTree::from_str(&format!("'{name}' in {list}")).map_err(|error| self.invalid(&error.to_string()))
    }

    fn parse(&self, text: &str) -> Result<RequirementsTxtRequirement, Error> {
        limits::check_requirement(text).map_err(|reason| self.invalid(&reason))?;
        RequirementsTxtRequirement::parse(text, &self.folder, false)
            .map_err(|error| self.invalid(&format!("`{text}`: {error}")))
    }

    fn invalid(&self, reason: &str) -> Error {
        Error::Requirements {
            message: format!("cannot read the dependencies in `{}`", self.input.path.display()),
            hint: None,
            cause: Some(Cause::new(reason)),
        }
    }

    /// Refuses extras and groups that there are not.
    fn check_selection(&self) -> Result<(), Error> {
        let Selection { extras, groups, only_groups, without_groups, .. } = &self.input.selection;
        let known_extras = self.extras();
        // Extras that only the build backend knows are told by what it builds.
        let is_dynamic = self.more.project.dynamic.iter().any(|field| field == "optional-dependencies");
        for extra in names::<ExtraName>(extras)? {
            if !known_extras.contains(&extra) && !is_dynamic {
                return Err(self.no_such(
                    "extra",
                    extra.as_str(),
                    known_extras.iter().map(ExtraName::as_str),
                ));
            }
        }
        for group in names::<GroupName>(groups.iter().chain(only_groups).chain(without_groups))? {
            if !self.groups.iter().any(|(known, _)| *known == group) {
                let known = self.groups.iter().map(|(known, _)| known.as_str());
                return Err(self.no_such("dependency group", group.as_str(), known));
            }
        }
        Ok(())
    }

    fn no_such<'n>(&self, kind: &str, name: &str, all: impl Iterator<Item = &'n str>) -> Error {
        let all: Vec<&str> = all.collect();
        Error::Requirements {
            message: format!("`{}` has no {kind} `{name}`", self.input.path.display()),
            hint: Some(if all.is_empty() {
                format!("it has no {kind} at all")
            } else {
                format!("it has {}", all.join(", "))
            }),
            cause: None,
        }
    }
}

/// Whether a text names the same as a normalized name.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    PackageName::from_str(one).is_ok_and(|name| name.as_str() == other)
}

/// Parses names of extras or groups.
///
/// # Errors
///
/// [`Error::Requirements`] for a text that is none.
pub(crate) fn names<'a, N>(texts: impl IntoIterator<Item = &'a String>) -> Result<Vec<N>, Error>
where
    N: FromStr,
    N::Err: std::error::Error + 'static,
{
    let parse = |text: &String| {
        N::from_str(text).map_err(|error| Error::Requirements {
            message: format!("`{text}` is not the name of an extra or a group"),
            hint: None,
            cause: Some(Cause::from_error(&error)),
        })
    };
    texts.into_iter().map(parse).collect()
}
