//! `virtpy tree`: what requires what.

use std::collections::BTreeSet;

use virtpy_pep::PackageName;

use crate::cli::TreeArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install;
use crate::report;
use crate::venv::{Distribution, RequirementGraph};

pub(super) fn run(context: &Context, arguments: &TreeArguments) -> Result<u8, Failure> {
    let venv = context.venv(&arguments.venv)?;
    let contents = report::contents(context, &venv)?;
    let interpreter = context.host.interpreter(&venv)?;
    let graph = RequirementGraph::of(&contents, &install::markers(&interpreter)?, arguments.invert);
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
    let mut text = String::new();
    for root in roots {
        text.extend([root.name.as_str(), " ", &root.version, "\n"]);
        draw_below(&graph, &root.key, "", &mut BTreeSet::from([root.key.clone()]), &mut text);
    }
    context.output.data_block(&text);
    Ok(0)
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
