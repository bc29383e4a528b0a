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
    let depth = arguments.depth.unwrap_or(usize::MAX);
    let mut drawing = Drawing { graph: &graph, drawn: BTreeSet::new(), text: String::new() };
    for root in roots {
        drawing.text.extend([root.name.as_str(), " ", &root.version, "\n"]);
        drawing.drawn = BTreeSet::from([root.package.clone()]);
        drawing.draw_below(&root.package, "", depth);
    }
    context.output.data_block(&drawing.text);
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

/// Trees as they are drawn.
struct Drawing<'a> {
    graph: &'a RequirementGraph<'a>,
    /// What the present tree has already.
    drawn: BTreeSet<PackageName>,
    text: String,
}

impl Drawing<'_> {
    /// Draws what is below a distribution, at most so many levels. What was drawn before in the same tree is not drawn again: shared
    /// dependencies would double the tree at every level.
    fn draw_below(&mut self, key: &PackageName, indent: &str, depth: usize) {
        let Some(targets) = self.graph.targets(key).filter(|_| depth > 0) else { return };
        for (index, (target, requirement)) in targets.iter().enumerate() {
            let is_last = index + 1 == targets.len();
            let (branch, below) = if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
            let found = self.graph.find(target);
            let state = found.map_or_else(
                || "not installed".to_owned(),
                |Distribution { name, version, .. }| format!("{name} {version}"),
            );
            // Where the tree ends, nothing stands above either.
            let leads_on = depth > 1 && self.graph.targets(target).is_some();
            let again = leads_on && self.drawn.contains(target);
            let note = if again { " (see above)" } else { "" };
            self.text.extend([indent, branch, &state, " [required: ", requirement, "]", note, "\n"]);
            if found.is_some() && leads_on && !again {
                self.drawn.insert(target.clone());
                self.draw_below(target, &format!("{indent}{below}"), depth - 1);
            }
        }
    }
}
