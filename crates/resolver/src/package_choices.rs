//! Options that say one of two opposite things about packages: `--no-binary` and `--only-binary`, `--all-releases` and
//! `--only-final`. As pip has it, the later one counts, and what is said of a name counts before what is said of all.

use std::collections::BTreeSet;

use serde::Serialize;
use virtpy_pep::PackageName;

/// What is said of packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ChoiceKind {
    /// Build them from source.
    NoBinary,
    /// Never build them.
    OnlyBinary,
    /// Admit their pre-releases.
    AllReleases,
    /// Take no pre-release of them, whatever asks for one.
    OnlyFinal,
}

/// One such option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageChoice {
    /// What is said.
    pub kind: ChoiceKind,
    /// The packages: names, `:all:` or `:none:`, with commas between them.
    pub names: String,
}

/// The word for all packages.
const ALL: &str = ":all:";

/// For which packages which of two opposites was chosen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Opposites {
    one: BTreeSet<String>,
    other: BTreeSet<String>,
}

impl Opposites {
    /// What of these concerns the first of two kinds, and what the second.
    pub(crate) fn of<'a>(
        choices: impl IntoIterator<Item = &'a PackageChoice>,
        [one, other]: [ChoiceKind; 2],
    ) -> Self {
        let mut found = Self::default();
        for PackageChoice { kind, names } in choices {
            if *kind == one {
                take(names, &mut found.one, &mut found.other);
            } else if *kind == other {
                take(names, &mut found.other, &mut found.one);
            }
        }
        found
    }

    /// The packages of the first kind.
    pub(crate) fn one(&self) -> Vec<String> {
        self.one.iter().cloned().collect()
    }

    /// The packages of the second kind.
    pub(crate) fn other(&self) -> Vec<String> {
        self.other.iter().cloned().collect()
    }
}

/// Whether packages are for all.
pub(crate) fn is_all(name: &str) -> bool {
    name == ALL
}

fn take(names: &str, chosen: &mut BTreeSet<String>, opposite: &mut BTreeSet<String>) {
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        match name {
            ":none:" => chosen.clear(),
            ALL => {
                opposite.clear();
                chosen.clear();
                chosen.insert(ALL.to_owned());
            }
            name => {
                // What is no name is told by whoever reads the result.
                let name = name.parse::<PackageName>().map_or_else(|_| name.to_owned(), String::from);
                opposite.remove(&name);
                chosen.insert(name);
            }
        }
    }
}

/// Choices of two kinds of which nobody knows which came first: what is said of all is taken first, so that it takes nothing
/// back of what is said of single packages.
pub(crate) fn unordered(no_binary: &[String], only_binary: &[String]) -> Vec<PackageChoice> {
    let of = |kind: ChoiceKind, names: &[String]| -> Vec<PackageChoice> {
        names.iter().map(|names| PackageChoice { kind, names: names.clone() }).collect()
    };
    let mut choices = of(ChoiceKind::NoBinary, no_binary);
    choices.extend(of(ChoiceKind::OnlyBinary, only_binary));
    choices.sort_by_key(|choice| !choice.names.split(',').any(|name| is_all(name.trim())));
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELEASES: [ChoiceKind; 2] = [ChoiceKind::AllReleases, ChoiceKind::OnlyFinal];

    fn decided(choices: &[(ChoiceKind, &str)]) -> (String, String) {
        let choices: Vec<PackageChoice> = choices
            .iter()
            .map(|(kind, names)| PackageChoice { kind: *kind, names: (*names).to_owned() })
            .collect();
        let found = Opposites::of(&choices, RELEASES);
        (found.one().join(" "), found.other().join(" "))
    }

    #[test]
    fn the_later_counts_and_all_takes_everything_back() {
        use ChoiceKind::{AllReleases as All, NoBinary, OnlyFinal as Last};
        for (choices, one, other) in [
            (&[(All, "a,B_c"), (Last, "b.c")][..], "a", "b-c"),
            (&[(All, "a"), (Last, ":all:")], "", ":all:"),
            (&[(Last, ":all:"), (All, "a")], "a", ":all:"),
            (&[(All, ":all:, a"), (Last, "a")], ":all:", "a"),
            (&[(All, "a,:none:,b"), (NoBinary, "c")], "b", ""),
            (&[], "", ""),
        ] {
            assert_eq!(decided(choices), (one.to_owned(), other.to_owned()), "{choices:?}");
        }
    }

    #[test]
    fn without_an_order_single_packages_are_exceptions() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let choices = unordered(&texts(&["a"]), &texts(&[":all:"]));
        let found = Opposites::of(&choices, [ChoiceKind::NoBinary, ChoiceKind::OnlyBinary]);
        assert_eq!((found.one(), found.other()), (texts(&["a"]), texts(&[":all:"])));
    }
}
