//! What an earlier virtpy made of a venv whose plan is another one by today's rules: what is a real folder or a real file
//! now may have been a link then, and more folders had a marker. Such a link leads to the very place in the store that the plan takes the files from, so
//! it is known for virtpy's own, and goes when what it stands for changes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, FileKind};

use super::node::Node;
use super::plan::Plan;
use super::{Venv, VenvError, foreign};

impl Venv {
    /// Puts the markers of an earlier version into a plan that needs none there.
    pub(super) fn see_earlier_markers(&self, plan: &mut Plan) -> Result<(), VenvError> {
        for marker in std::mem::take(&mut plan.former_markers) {
            let node = Node::SharedText("");
            if self.is_as_planned(&marker, &node)? {
                plan.nodes.insert(marker, node);
            }
        }
        Ok(())
    }

    /// Puts the links of an earlier version into the old plan, as far as they concern paths that change.
    pub(super) fn see_earlier_links(&self, old: &mut Plan, new: &Plan) -> Result<(), VenvError> {
        let gone = old.nodes.iter().filter(|(path, node)| new.nodes.get(*path) != Some(*node));
        let come = new.nodes.iter().filter(|(path, node)| old.nodes.get(*path) != Some(*node));
        let mut paths = BTreeSet::new();
        for (path, _) in gone.chain(come) {
            foreign::insert_with_parents(&self.layout, path, &mut paths);
        }
        self.see_links(old, &paths)
    }

    /// Puts the links of an earlier version into a plan, for all of its paths.
    pub(super) fn see_all_earlier_links(&self, plan: &mut Plan) -> Result<(), VenvError> {
        let paths = plan.nodes.keys().cloned().collect();
        self.see_links(plan, &paths)
    }

    /// `paths` are sorted, so that a folder comes before what is in it.
    fn see_links(&self, plan: &mut Plan, paths: &BTreeSet<String>) -> Result<(), VenvError> {
        for path in paths {
            if !matches!(plan.nodes.get(path), Some(Node::Folder | Node::HardlinkOrCopy(_))) {
                continue;
            }
            let absolute = self.root.join(path);
            if fs::kind(&absolute)? != Some(FileKind::Link) {
                continue;
            }
            let target = fs::read_link(&absolute)?;
            if !sources(plan, path).contains(&target) {
                continue;
            }
            let below = format!("{path}/");
            plan.nodes.retain(|other, _| !other.starts_with(&below));
            plan.nodes.insert(path.clone(), Node::Link(target));
        }
        Ok(())
    }
}

/// Where in the store what a plan has at a path comes from; of a folder, what is in it.
fn sources(plan: &Plan, path: &str) -> BTreeSet<PathBuf> {
    let above = |(inner, node): (&String, &Node)| {
        let rest = Path::new(inner.strip_prefix(path)?.strip_prefix('/')?);
        let source = node.source()?;
        source
            .ends_with(rest)
            .then(|| source.ancestors().nth(rest.components().count()).map(Path::to_path_buf))?
    };
    let own = plan.nodes.get(path).and_then(Node::source).map(Path::to_path_buf);
    let below = format!("{path}/");
    let inside = plan.nodes.range(below.clone()..).take_while(|(inner, _)| inner.starts_with(&below));
    own.into_iter().chain(inside.filter_map(above)).collect()
}
