//! What holds of every graph of requirements: it has what the markers and the extras let count, both directions say the same, and
//! from its roots everything is reached.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::{Described, Owner};

/// What is installed, and one name that never is.
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "absent"];

/// When a requirement counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Always,
    Here,
    Elsewhere,
    WithExtra,
}

/// A requirement of one of those, perhaps with its extra `x`.
#[derive(Debug, Clone)]
struct Wanted {
    name: &'static str,
    with_extra: bool,
    condition: Condition,
}

impl Wanted {
    fn text(&self) -> String {
        let extra = if self.with_extra { "[x]" } else { "" };
        let marker = match self.condition {
            Condition::Always => "",
            Condition::Here => " ; sys_platform == 'linux'",
            Condition::Elsewhere => " ; sys_platform == 'win32'",
            Condition::WithExtra => " ; extra == 'x'",
        };
        format!("{}{extra}{marker}", self.name)
    }

    fn counts(&self, extra_is_asked: bool) -> bool {
        match self.condition {
            Condition::Always | Condition::Here => true,
            Condition::Elsewhere => false,
            Condition::WithExtra => extra_is_asked,
        }
    }
}

type Installed = BTreeMap<&'static str, Vec<Wanted>>;

fn installed() -> impl Strategy<Value = Installed> {
    let condition = prop_oneof![
        Just(Condition::Always),
        Just(Condition::Here),
        Just(Condition::Elsewhere),
        Just(Condition::WithExtra)
    ];
    let wanted = (0..NAMES.len(), any::<bool>(), condition)
        .prop_map(|(number, with_extra, condition)| Wanted { name: NAMES[number], with_extra, condition });
    btree_map(0..NAMES.len() - 1, vec(wanted, 0..4), 0..NAMES.len())
        .prop_map(|all| all.into_iter().map(|(number, wanted)| (NAMES[number], wanted)).collect())
}

fn contents(installed: &Installed) -> Contents {
    let distribution = |(name, wanted): (&&str, &Vec<Wanted>)| Distribution {
        package: name.parse().unwrap(),
        name: name.to_uppercase(),
        version: "1".to_owned(),
        dist_info: format!("{name}-1.dist-info"),
        owner: Owner::Foreign(Described {
            installer: "pip".to_owned(),
            requires_dist: wanted.iter().map(Wanted::text).collect(),
            provides_extra: vec!["x".to_owned()],
            direct_url: None,
        }),
    };
    Contents { distributions: installed.iter().map(distribution).collect(), ..Contents::default() }
}

/// Who requires whom, found out by looking again until nothing more is asked for.
fn expected(installed: &Installed) -> BTreeSet<(&'static str, &'static str)> {
    let mut asked: BTreeSet<&str> = BTreeSet::new();
    loop {
        let counting = |name: &&str, one: &&Wanted| one.counts(asked.contains(*name));
        let edges = installed.iter().flat_map(|(name, wanted)| {
            wanted.iter().filter(move |one| counting(name, one)).map(move |one| (*name, one))
        });
        let edges: Vec<(&'static str, &Wanted)> = edges.collect();
        let more: BTreeSet<&str> =
            edges.iter().filter(|(_, one)| one.with_extra).map(|(_, one)| one.name).collect();
        if more.is_subset(&asked) {
            return edges.into_iter().map(|(from, one)| (from, one.name)).collect();
        }
        asked.extend(more);
    }
}

fn edges(contents: &Contents, inverted: bool) -> BTreeSet<(String, String)> {
    let graph = RequirementGraph::of(contents, &MarkerEnvironment::example(), inverted);
    let names = NAMES.iter().map(|name| name.parse::<PackageName>().unwrap());
    let of_one = |from: PackageName| {
        let targets = graph.targets(&from).into_iter().flat_map(BTreeMap::keys);
        targets.map(|to| (from.to_string(), to.to_string())).collect::<Vec<_>>()
    };
    names.flat_map(of_one).collect()
}

fn reached(
    from: &str,
    edges: &BTreeSet<(&'static str, &'static str)>,
    installed: &Installed,
) -> BTreeSet<&'static str> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&'static str> = installed.keys().filter(|name| **name == from).copied().collect();
    while let Some(name) = waiting.pop() {
        if installed.contains_key(name) && reached.insert(name) {
            waiting.extend(edges.iter().filter(|(from, _)| *from == name).map(|(_, to)| *to));
        }
    }
    reached
}

proptest! {
    /// It has the requirements that count here and no others; the inverted one has the same, of what is installed.
    #[test]
    fn it_has_what_counts(installed in installed()) {
        let contents = contents(&installed);
        let expected = expected(&installed);
        let named = |(from, to): &(&str, &str)| ((*from).to_owned(), (*to).to_owned());
        prop_assert_eq!(edges(&contents, false), expected.iter().map(named).collect());
        let inverted = expected.iter().filter(|(_, to)| installed.contains_key(to)).map(|(from, to)| (*to, *from));
        prop_assert_eq!(edges(&contents, true), inverted.map(|pair| named(&pair)).collect());
    }

    /// From its roots everything is reached, and no root from another one; what nobody else requires is one.
    #[test]
    fn its_roots_reach_everything(installed in installed()) {
        let contents = contents(&installed);
        let edges = expected(&installed);
        let graph = RequirementGraph::of(&contents, &MarkerEnvironment::example(), false);
        let roots: Vec<&str> = graph.roots().iter().map(|root| root.package.as_str()).collect();
        let all: BTreeSet<&str> = roots.iter().flat_map(|root| reached(root, &edges, &installed)).collect();
        prop_assert_eq!(all, installed.keys().copied().collect::<BTreeSet<_>>());
        for root in &roots {
            let above = roots.iter().find(|other| *other != root && reached(other, &edges, &installed).contains(root));
            prop_assert!(above.is_none(), "{root} is below {above:?}");
        }
        for name in installed.keys().filter(|name| edges.iter().all(|(from, to)| to != *name || from == to)) {
            prop_assert!(roots.contains(name), "{name} is not a root");
        }
    }
}
