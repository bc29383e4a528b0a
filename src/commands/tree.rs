//! `virtpy tree`: what requires what.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_pep::PackageName;

use crate::cli::TreeArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install;
use crate::report;
use crate::venv::{Distribution, RequirementGraph};

pub(super) fn run(context: &Context, arguments: &TreeArguments) -> Result<u8, Failure> {
    let venv = context.venv_to_read(&arguments.venv)?.venv;
    let contents = report::contents(context, &venv)?;
    let interpreter = context.host.interpreter(&venv)?;
    let markers = install::markers(&interpreter)?;
    let project = venv.root.parent().unwrap_or(&venv.root);
    let beside = install::required_beside(&contents, &markers, project);
    let graph = RequirementGraph::with_extras(&contents, &markers, arguments.invert, &beside);
    let named = |name: &String| {
        name.parse()
            .ok()
            .and_then(|name| graph.find(&name))
            .ok_or_else(|| Failure::new(format!("`{name}` is not installed")))
    };
    let roots = if arguments.names.is_empty() {
        graph.roots()
    } else {
        arguments.names.iter().map(named).collect::<Result<_, _>>()?
    };
    if arguments.json {
        context.output.json(&Graph::of(&graph, &roots))?;
        return Ok(0);
    }
    let mut text = String::new();
    for root in roots {
        text.extend([root.name.as_str(), " ", &root.version, "\n"]);
        draw_below(&graph, &root.package, "", &mut BTreeSet::from([root.package.clone()]), &mut text);
    }
    context.output.data_block(&text);
    Ok(0)
}

/// The graph, for programs: each package once, and which ones a tree begins with.
#[derive(JsonSchema, Serialize)]
pub(super) struct Graph {
    /// What trees begin with.
    roots: Vec<PackageName>,
    /// All that can be reached from these.
    packages: Vec<Package>,
}

/// A package of the graph.
#[derive(JsonSchema, Serialize)]
struct Package {
    /// Its normalized name.
    key: PackageName,
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// What it requires, or with `--invert` what requires it.
    leads_to: Vec<Edge>,
}

/// Where a package of the graph leads.
#[derive(JsonSchema, Serialize)]
struct Edge {
    /// The normalized name.
    key: PackageName,
    /// The requirement that leads there.
    requirement: String,
    /// Whether it is installed.
    installed: bool,
}

impl Graph {
    /// All that can be reached from the roots.
    fn of(graph: &RequirementGraph<'_>, roots: &[&Distribution]) -> Self {
        let mut waiting: Vec<PackageName> = roots.iter().map(|root| root.package.clone()).collect();
        let mut packages = BTreeMap::new();
        while let Some(key) = waiting.pop() {
            let Some(found) = graph.find(&key).filter(|_| !packages.contains_key(&key)) else { continue };
            let edges: Vec<Edge> = graph
                .targets(&key)
                .into_iter()
                .flatten()
                .map(|(target, requirement)| Edge {
                    key: target.clone(),
                    requirement: requirement.clone(),
                    installed: graph.find(target).is_some(),
                })
                .collect();
            waiting.extend(edges.iter().map(|edge| edge.key.clone()));
            let (name, version) = (found.name.clone(), found.version.clone());
            packages.insert(key.clone(), Package { key, name, version, leads_to: edges });
        }
        let roots = roots.iter().map(|root| root.package.clone()).collect();
        Self { roots, packages: packages.into_values().collect() }
    }
}

/// Draws what is below a distribution. What was drawn before in the same tree is not drawn again: shared
/// dependencies would double the tree at every level.
fn draw_below(
    graph: &RequirementGraph<'_>,
    key: &PackageName,
    indent: &str,
    drawn: &mut BTreeSet<PackageName>,
    text: &mut String,
) {
    let Some(targets) = graph.targets(key) else { return };
    for (index, (target, requirement)) in targets.iter().enumerate() {
        let is_last = index + 1 == targets.len();
        let (branch, below) = if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
        let found = graph.find(target);
        let state = found.map_or_else(
            || "not installed".to_owned(),
            |Distribution { name, version, .. }| format!("{name} {version}"),
        );
        let again = graph.targets(target).is_some() && drawn.contains(target);
        let note = if again { " (see above)" } else { "" };
        text.extend([indent, branch, &state, " [required: ", requirement, "]", note, "\n"]);
        if found.is_some() && !again {
            drawn.insert(target.clone());
            draw_below(graph, target, &format!("{indent}{below}"), drawn, text);
        }
    }
}
