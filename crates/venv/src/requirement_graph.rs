//! Who requires whom among what is installed.

use std::collections::{BTreeMap, BTreeSet};

use virtpy_pep::{MarkerEnvironment, PackageName, Requirement};

use super::{Contents, Distribution};

/// Who requires whom, or who is required by whom.
pub struct RequirementGraph<'a> {
    distributions: BTreeMap<&'a PackageName, &'a Distribution>,
    /// Each with the requirement that leads to it.
    edges: BTreeMap<PackageName, BTreeMap<PackageName, String>>,
}

impl<'a> RequirementGraph<'a> {
    /// The graph of all that can be imported in a venv; `inverted` leads from what is required to who requires it.
    pub fn of(contents: &'a Contents, markers: &MarkerEnvironment, inverted: bool) -> Self {
        Self::with_extras(contents, markers, inverted, &[])
    }

    /// The same graph, where these requirements of somebody who is not installed ask for extras as well: a project's.
    pub fn with_extras(
        contents: &'a Contents,
        markers: &MarkerEnvironment,
        inverted: bool,
        wanted: &[Requirement],
    ) -> Self {
        let distributions = contents.visible_by_package();
        let mut edges: BTreeMap<PackageName, BTreeMap<PackageName, String>> = BTreeMap::new();
        // Extras count once somebody asks for them, which may only be seen when the asker is reached.
        let mut extras: BTreeSet<(PackageName, Vec<String>)> =
            distributions.keys().map(|key| ((*key).clone(), Vec::new())).collect();
        extras.extend(wanted.iter().map(|one| (one.name().clone(), one.extras())));
        let mut waiting: Vec<(PackageName, Vec<String>)> = extras.iter().cloned().collect();
        while let Some((key, asked)) = waiting.pop() {
            let Some(distribution) = distributions.get(&key) else { continue };
            for text in distribution.requires_dist() {
                let Ok(requirement) = Requirement::of_metadata(text) else { continue };
                if !requirement.applies(markers, &asked) {
                    continue;
                }
                let wanted = (requirement.name().clone(), requirement.extras());
                if !wanted.1.is_empty() && extras.insert(wanted.clone()) {
                    waiting.push(wanted);
                }
                let shown = text.split(';').next().unwrap_or(text).trim().to_owned();
                let (from, to) = if inverted {
                    (requirement.name(), &distribution.package)
                } else {
                    (&distribution.package, requirement.name())
                };
                if !inverted || distributions.contains_key(from) {
                    edges.entry(from.clone()).or_default().insert(to.clone(), shown);
                }
            }
        }
        Self { distributions, edges }
    }

    /// The distributions that no other leads to. In a ring, the first by name stands for all.
    pub fn roots(&self) -> Vec<&'a Distribution> {
        let is_required = |one: &&Distribution| {
            self.edges
                .iter()
                .any(|(from, targets)| *from != one.package && targets.contains_key(&one.package))
        };
        let (required, mut roots): (Vec<&Distribution>, Vec<&Distribution>) =
            self.distributions.values().copied().partition(is_required);
        let mut reached: BTreeSet<&PackageName> = roots.iter().flat_map(|root| self.below(root)).collect();
        let mut of_rings: Vec<&Distribution> = Vec::new();
        for one in required {
            if !reached.contains(&one.package) {
                let below = self.below(one);
                // One that came first by name may be below a ring, and not in it.
                of_rings.retain(|other| !below.contains(&other.package));
                of_rings.push(one);
                reached.extend(below);
            }
        }
        roots.append(&mut of_rings);
        roots
    }

    /// A distribution, and all that it leads to.
    pub fn below(&self, root: &'a Distribution) -> BTreeSet<&'a PackageName> {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![&root.package];
        while let Some(key) = waiting.pop() {
            if reached.insert(key) {
                let targets = self.edges.get(key).into_iter().flat_map(BTreeMap::keys);
                waiting.extend(targets.filter_map(|to| self.distributions.get(to)).map(|one| &one.package));
            }
        }
        reached
    }

    /// The distribution with a name.
    pub fn find(&self, name: &PackageName) -> Option<&'a Distribution> {
        self.distributions.get(name).copied()
    }

    /// Where a distribution leads: names, each with the requirement; none if it leads nowhere.
    pub fn targets(&self, key: &PackageName) -> Option<&BTreeMap<PackageName, String>> {
        self.edges.get(key)
    }
}

#[cfg(test)]
mod properties;
