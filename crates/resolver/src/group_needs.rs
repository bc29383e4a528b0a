//! What the groups of a project need without the rest of it. The markers of a lock file (PEP 751) do not tell that of what the project itself
//! requires, too; so while it is resolved, all that is no part of a group stands under a condition of its own, and a table of the lock
//! says what is left of the markers where that does not hold.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Deserialize;
use toml_edit::{DocumentMut, Item, Table};
use uv_normalize::{GroupName, PackageName};
use uv_pep508::{MarkerEnvironment, MarkerTree};

/// The group that stands for all that is in none.
pub(crate) const BASE: &str = "virtpy-base";

/// The table's name below `[tool.virtpy]`.
const KEY: &str = "needed-by-groups";

/// The packages that groups need and the rest of the project, too, each with the condition on which groups need it.
#[derive(Debug, Default)]
pub(crate) struct GroupNeeds(BTreeMap<PackageName, MarkerTree>);

/// The condition of what is no part of a group.
pub(crate) fn base() -> MarkerTree {
    MarkerTree::from_str(&format!("'{BASE}' in dependency_groups")).unwrap_or(MarkerTree::TRUE)
}

impl GroupNeeds {
    /// A package's marker without the condition of what is in no group. What is left for the groups alone is kept.
    pub(crate) fn split(&mut self, name: &PackageName, marker: MarkerTree) -> MarkerTree {
        let whole = marker.restrict(base());
        let alone = marker.restrict(base().negate());
        if alone != whole && !alone.is_false() {
            let known = self.0.entry(name.clone()).or_insert(MarkerTree::FALSE);
            *known = known.or(alone);
        }
        whole
    }

    /// Writes them into a lock. `simple` leaves out of a marker what the lock says for all.
    pub(crate) fn write(&self, document: &mut DocumentMut, simple: impl Fn(MarkerTree) -> MarkerTree) {
        let mut table = Table::new();
        for (name, marker) in &self.0 {
            // One that always holds has no text.
            let text = simple(*marker).try_to_string().unwrap_or_default();
            table.insert(name.as_str(), toml_edit::value(text));
        }
        let (mut tool, mut own) = (Table::new(), Table::new());
        tool.set_implicit(true);
        own.set_implicit(true);
        own.insert(KEY, Item::Table(table));
        tool.insert("virtpy", Item::Table(own));
        document.insert("tool", Item::Table(tool));
    }

    /// Reads them from a lock; nothing if it does not tell.
    pub(crate) fn read(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Lock {
            tool: Tool,
        }
        #[derive(Deserialize)]
        struct Tool {
            virtpy: Own,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        struct Own {
            needed_by_groups: BTreeMap<PackageName, String>,
        }
        let lock: Lock = toml::from_str(text).ok()?;
        let needs = lock.tool.virtpy.needed_by_groups.into_iter();
        let parsed = needs.map(|(name, text)| {
            let marker = if text.is_empty() { MarkerTree::TRUE } else { MarkerTree::from_str(&text).ok()? };
            Some((name, marker))
        });
        parsed.collect::<Option<_>>().map(Self)
    }

    /// Whether groups need a package without the rest of the project; `marker` is its own in the lock, and holds.
    pub(crate) fn has(
        &self,
        (name, marker): (&PackageName, MarkerTree),
        environment: &MarkerEnvironment,
        groups: &[GroupName],
    ) -> bool {
        match self.0.get(name) {
            Some(alone) => alone.evaluate_pep751(environment, &[], groups),
            // It is of groups only, or of none.
            None => !marker.evaluate_pep751(environment, &[], &[]),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
mod tests {
    use super::*;

    fn marker(text: &str) -> MarkerTree {
        text.parse().unwrap()
    }

    #[test]
    fn what_groups_need_is_told_apart() {
        let name = |text: &str| text.parse::<PackageName>().unwrap();
        let mut needs = GroupNeeds::default();
        let both = marker(
            "'virtpy-base' in dependency_groups or 'dev' in dependency_groups and sys_platform == 'win32'",
        );
        assert!(needs.split(&name("both"), both).is_true());
        let dev = marker("'dev' in dependency_groups");
        assert_eq!(needs.split(&name("dev"), dev), dev);
        let windows = marker("'virtpy-base' in dependency_groups and sys_platform == 'win32'");
        assert_eq!(needs.split(&name("windows"), windows), marker("sys_platform == 'win32'"));

        let mut document: DocumentMut = "lock-version = \"1.0\"\n".parse().unwrap();
        needs.write(&mut document, |marker| marker);
        let text = document.to_string();
        assert_eq!(
            text,
            "lock-version = \"1.0\"\n\n[tool.virtpy.needed-by-groups]\n\
             both = \"sys_platform == 'win32' and 'dev' in dependency_groups\"\n"
        );
        let read = GroupNeeds::read(&format!("{text}\n[tool.virtpy]\ninputs = []\n")).unwrap();
        assert_eq!(read.0, needs.0);
        assert!(GroupNeeds::read("[tool.virtpy]\ninputs = []\n").is_none());
    }
}
