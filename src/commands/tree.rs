//! `virtpy tree`: what requires what.

use std::collections::{BTreeMap, BTreeSet};

use virtpy_pep::{MarkerEnvironment, PackageName, Requirement};

use crate::cli::TreeArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install;
use crate::report;
use crate::venv::{Contents, Distribution};

pub(super) fn run(context: &Context, arguments: &TreeArguments) -> Result<u8, Failure> {
    let venv = context.venv(&arguments.venv)?;
    let contents = report::contents(context, &venv)?;
    let interpreter = context.host.interpreter(&venv)?;
    let graph = Graph::of(&contents, &install::markers(&interpreter)?, arguments.invert);
    let roots = if arguments.names.is_empty() { graph.roots() } else { graph.named(&arguments.names)? };
    let mut text = String::new();
    for root in roots {
        graph.draw(root, &mut text);
    }
    context.output.data_block(&text);
    Ok(0)
}

/// Who requires whom, by normalized name.
struct Graph<'a> {
    distributions: BTreeMap<&'a str, &'a Distribution>,
    /// Each with the requirement that leads to it.
    edges: BTreeMap<&'a str, BTreeMap<String, String>>,
}

impl<'a> Graph<'a> {
    fn of(contents: &'a Contents, markers: &MarkerEnvironment, invert: bool) -> Self {
        let distributions: BTreeMap<&str, &Distribution> =
            contents.visible_by_key().into_iter().map(|(key, one)| (key.as_str(), one)).collect();
        let mut edges: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
        // Extras count once somebody asks for them, which may only be seen when the asker is reached.
        let mut extras: BTreeSet<(String, Vec<String>)> =
            distributions.keys().map(|key| ((*key).to_owned(), Vec::new())).collect();
        let mut waiting: Vec<(String, Vec<String>)> = extras.iter().cloned().collect();
        while let Some((key, asked)) = waiting.pop() {
            let Some((key, distribution)) = distributions.get_key_value(key.as_str()) else {
                continue;
            };
            for text in distribution.requires_dist() {
                let Ok(requirement) = Requirement::of_metadata(text) else {
                    continue;
                };
                if !requirement.applies(markers, &asked) {
                    continue;
                }
                let wanted = (requirement.name().to_string(), requirement.extras());
                if !wanted.1.is_empty() && extras.insert(wanted.clone()) {
                    waiting.push(wanted);
                }
                let shown = text.split(';').next().unwrap_or(text).trim().to_owned();
                let target = distributions.get_key_value(requirement.name().as_str());
                match (invert, target) {
                    (false, _) => {
                        edges.entry(key).or_default().insert(requirement.name().to_string(), shown);
                    }
                    (true, Some((target, _))) => {
                        edges.entry(target).or_default().insert((*key).to_owned(), shown);
                    }
                    (true, None) => {}
                }
            }
        }
        Self { distributions, edges }
    }

    /// Those that no other leads to. In a ring, the first by name stands for all.
    fn roots(&self) -> Vec<&'a str> {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut roots: Vec<&str> = Vec::new();
        let pointed_at =
            |key: &str| self.edges.iter().any(|(from, targets)| *from != key && targets.contains_key(key));
        let free = self.distributions.keys().filter(|key| !pointed_at(key));
        let rest = self.distributions.keys().filter(|key| pointed_at(key));
        for key in free.chain(rest) {
            if !reached.contains(key) {
                roots.push(key);
                self.reach(key, &mut reached);
            }
        }
        roots
    }

    fn reach(&self, key: &'a str, reached: &mut BTreeSet<&'a str>) {
        let mut waiting = vec![key];
        while let Some(key) = waiting.pop() {
            if reached.insert(key) {
                let targets = self.edges.get(key).into_iter().flat_map(BTreeMap::keys);
                waiting.extend(
                    targets.filter_map(|to| self.distributions.get_key_value(to.as_str())).map(|(to, _)| *to),
                );
            }
        }
    }

    fn named(&self, names: &[String]) -> Result<Vec<&'a str>, Failure> {
        let find = |name: &String| {
            let key = name.parse::<PackageName>().ok()?;
            self.distributions.get_key_value(key.as_str()).map(|(key, _)| *key)
        };
        names
            .iter()
            .map(|name| find(name).ok_or_else(|| Failure::new(format!("`{name}` is not installed"))))
            .collect()
    }

    fn draw(&self, root: &str, text: &mut String) {
        let version = self.distributions.get(root).map_or("", |distribution| distribution.version.as_str());
        let name = self.distributions.get(root).map_or(root, |distribution| distribution.name.as_str());
        text.extend([name, " ", version, "\n"]);
        self.draw_below(root, "", &mut BTreeSet::from([root.to_owned()]), text);
    }

    /// Draws what is below a distribution. What was drawn before in the same tree is not drawn again: shared
    /// dependencies would double the tree at every level.
    fn draw_below(&self, key: &str, indent: &str, drawn: &mut BTreeSet<String>, text: &mut String) {
        let Some(targets) = self.edges.get(key) else {
            return;
        };
        for (index, (target, requirement)) in targets.iter().enumerate() {
            let is_last = index + 1 == targets.len();
            let (branch, below) = if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
            let found = self.distributions.get(target.as_str());
            let state = match found {
                None => "not installed".to_owned(),
                Some(distribution) => format!("{} {}", distribution.name, distribution.version),
            };
            let is_leaf = !self.edges.contains_key(target.as_str());
            let again = !is_leaf && drawn.contains(target);
            let note = if again { " (see above)" } else { "" };
            text.extend([indent, branch, &state, " [required: ", requirement, "]", note, "\n"]);
            if found.is_some() && !again {
                drawn.insert(target.clone());
                self.draw_below(target, &format!("{indent}{below}"), drawn, text);
            }
        }
    }
}
