//! Why a package is in a venv: the ways on which requirements lead to it from what was asked for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use virtpy_pep::{MarkerEnvironment, PackageName, Requirement};
use virtpy_resolver::{members_of, read_project, relative_to};

use crate::poetry::{MAIN, Project};
use crate::saving::{RequirementList, recorded};
use virtpy_venv::{Contents, Distribution, RequirementGraph};

/// Who asked for what a way begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedBy {
    /// The project beside the venv or a member of its workspace, in one of its lists.
    Project(ProjectList),
    /// Somebody, by its name.
    Name,
    /// Nobody any more, or a lock: nothing that is installed requires it.
    Nothing,
}

/// A list of requirements in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectList {
    /// The project's file, from the directory of the venv on.
    pub file: String,
    /// The list.
    pub list: RequirementList,
}

/// A way on which requirements lead to a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Who asked for the first package.
    pub asked_by: AskedBy,
    /// The packages on it, from what was asked for to the one in question.
    pub steps: Vec<Step>,
}

/// A package on a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The requirement that leads to it; none leads to what was asked for by name.
    pub requirement: Option<String>,
}

/// The shortest way to an installed package from each thing that was asked for; `project` is the directory that the venv is of.
pub fn ways_to(
    contents: &Contents,
    markers: &MarkerEnvironment,
    project: &Path,
    target: &Distribution,
) -> Vec<Way> {
    let projects = projects_in(contents, project);
    let recorded = recorded_in(&projects, project, markers);
    let requirements: Vec<Requirement> = recorded.iter().map(|(_, one)| one.clone()).collect();
    let graph = RequirementGraph::with_extras(contents, markers, false, &requirements);
    let mut begun = BTreeSet::new();
    let mut ways = Vec::new();
    let mut add = |asked_by: AskedBy, first: &Distribution, requirement: Option<String>| {
        begun.insert(first.package.clone());
        ways.extend(shortest(&graph, first, requirement, target).map(|steps| Way { asked_by, steps }));
    };
    for (list, requirement) in recorded {
        if let Some(first) = graph.find(requirement.name()) {
            add(AskedBy::Project(list), first, Some(without_marker(&requirement)));
        }
    }
    let is_own = |one: &&Distribution| projects.iter().any(|project| is_in(one, project));
    let own = contents.distributions.iter().filter(is_own).map(|one| one.package.clone());
    let own: BTreeSet<PackageName> = own.filter(|name| *name != target.package).collect();
    let asked = contents.state.distributions.iter().filter(|one| one.requested);
    let asked: Vec<&Distribution> = asked.filter_map(|one| graph.find(&one.package)).collect();
    for (firsts, by) in [(asked, AskedBy::Name), (graph.roots(), AskedBy::Nothing)] {
        for first in firsts {
            if !own.contains(&first.package) && begun.insert(first.package.clone()) {
                let steps = shortest(&graph, first, None, target);
                ways.extend(steps.map(|steps| Way { asked_by: by.clone(), steps }));
            }
        }
    }
    ways
}

/// What the projects of a venv require, for which its packages' extras count as well; `project` is the directory that it is of.
pub fn required_beside(contents: &Contents, markers: &MarkerEnvironment, project: &Path) -> Vec<Requirement> {
    let recorded = recorded_in(&projects_in(contents, project), project, markers);
    recorded.into_iter().map(|(_, requirement)| requirement).collect()
}

/// What a project requires, by the standards and in the tables of uv and Poetry.
fn required_by(project: &Path) -> Vec<(RequirementList, Requirement)> {
    let mut all = recorded(project);
    let tool = read_project(project).and_then(|file| file.get("tool").cloned());
    let of_uv = tool.as_ref().and_then(|tool| tool.get("uv")?.get("dev-dependencies")?.as_array());
    let of_uv = of_uv.into_iter().flatten().filter_map(|text| text.as_str()?.parse().ok());
    all.extend(of_uv.map(|one| (RequirementList::Group("dev".to_owned()), one)));
    if tool.is_some_and(|tool| tool.get("poetry").is_some())
        && let Ok(poetrys) = Project::read(project)
    {
        // Poetry reads the standard tables, too.
        let known: BTreeSet<PackageName> = all.iter().map(|(_, one)| one.name().clone()).collect();
        let own = poetrys.requirements().into_iter().filter(|(_, one)| !known.contains(one.name()));
        all.extend(own.map(|(group, requirement)| {
            let is_main = group == MAIN;
            let list = if is_main { RequirementList::Dependencies } else { RequirementList::Group(group) };
            (list, requirement)
        }));
    }
    all
}

/// The directories of a venv's projects: the one that it is of, and the members of its workspace that it has. A member that is no
/// package leaves no trace in it.
fn projects_in(contents: &Contents, project: &Path) -> Vec<PathBuf> {
    let is_package =
        |member: &Path| read_project(member).is_some_and(|file| file.contains_key("build-system"));
    let is_there =
        |member: &PathBuf| !is_package(member) || contents.distributions.iter().any(|one| is_in(one, member));
    let members = members_of(project).into_iter().map(|(member, _)| member);
    let members = members.filter(|member| member != project && is_there(member));
    std::iter::once(project.to_path_buf()).chain(members).collect()
}

/// What projects require, each with the list that it is in.
fn recorded_in(
    projects: &[PathBuf],
    folder: &Path,
    markers: &MarkerEnvironment,
) -> Vec<(ProjectList, Requirement)> {
    let of = |project: &PathBuf| {
        let file = relative_to(&project.join("pyproject.toml"), folder);
        let applying = required_by(project).into_iter().filter(|(_, one)| one.applies(markers, &[]));
        applying
            .map(|(list, requirement)| (ProjectList { file: file.clone(), list }, requirement))
            .collect::<Vec<_>>()
    };
    projects.iter().flat_map(of).collect()
}

/// Whether a distribution is the project in a directory, used in place.
fn is_in(distribution: &Distribution, project: &Path) -> bool {
    let place = distribution.direct_url().and_then(virtpy_venv::editable_location);
    place.is_some_and(|place| Path::new(&place) == project)
}

/// A requirement as it is shown: that it applies is known.
fn without_marker(requirement: &Requirement) -> String {
    let text = requirement.to_string();
    text.split(';').next().unwrap_or(&text).trim().to_owned()
}

/// The fewest steps from one distribution to another.
fn shortest(
    graph: &RequirementGraph<'_>,
    first: &Distribution,
    requirement: Option<String>,
    target: &Distribution,
) -> Option<Vec<Step>> {
    let mut before: BTreeMap<&PackageName, (&PackageName, &String)> = BTreeMap::new();
    let mut waiting = VecDeque::from([&first.package]);
    while let Some(key) = waiting.pop_front().filter(|key| **key != target.package) {
        for (next, text) in graph.targets(key).into_iter().flatten() {
            if *next != first.package && graph.find(next).is_some() && !before.contains_key(next) {
                before.insert(next, (key, text));
                waiting.push_back(next);
            }
        }
    }
    let mut steps = Vec::new();
    let mut key = &target.package;
    while *key != first.package {
        let (from, text) = before.get(key)?;
        let found = graph.find(key)?;
        steps.push(step(found, Some((*text).clone())));
        key = from;
    }
    steps.push(step(first, requirement));
    steps.reverse();
    Some(steps)
}

fn step(distribution: &Distribution, requirement: Option<String>) -> Step {
    Step { name: distribution.name.clone(), version: distribution.version.clone(), requirement }
}

/// What the requirements of a venv's projects and of all that is installed in it say about the versions of packages.
pub struct Limits<'a> {
    graph: RequirementGraph<'a>,
    own: Vec<Requirement>,
}

impl<'a> Limits<'a> {
    /// Those in a venv; `project` is the directory that it is of.
    pub fn of(contents: &'a Contents, markers: &MarkerEnvironment, project: &Path) -> Self {
        let own = required_beside(contents, markers, project);
        Self { graph: RequirementGraph::with_extras(contents, markers, true, &own), own }
    }

    /// What is said about one package.
    pub fn on(&self, name: &PackageName) -> Vec<Requirement> {
        let asked = self.graph.targets(name).into_iter().flatten();
        let installed = asked.filter_map(|(_, text)| Requirement::of_metadata(text).ok());
        installed.chain(self.own.iter().filter(|one| one.name() == name).cloned()).collect()
    }
}
