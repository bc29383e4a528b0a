//! In which order modules are compiled: what programs import first comes first.
//!
//! Until a module's bytecode is there every start of a program compiles it again, so the order decides how soon a venv
//! is as fast as it gets. Each module has a rank, the lower the sooner. Packages that were asked for by name, and not for
//! another one's sake, have the first; what is imported with a module has its rank, and what may be imported later by
//! a module has a higher one. What no import leads to comes at the end, tests last.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::imports::{self, Import, Moment};
use super::library::{Library, Package, Place, ancestors};

/// By how much the rank grows, and where it begins. Found by trial with what fourteen programs import of 140 packages;
/// small differences change little.
mod rank {
    /// What is imported when a package is asked for one of its names.
    pub(super) const ON_ACCESS: usize = 1;
    /// Commands of the packages that come first.
    pub(super) const COMMANDS: usize = 1;
    /// What these offer beside what they import themselves: `scipy.stats`.
    pub(super) const OFFERED: usize = 2;
    /// What lies beside extension modules, whose imports nothing tells.
    pub(super) const BESIDE_EXTENSION: usize = 3;
    /// Packages that were asked for by name, and that others of those require: as in a file with the pins of a whole venv.
    pub(super) const REQUIRED: usize = 4;
    /// What functions import, and what a text names.
    pub(super) const LATER: usize = 5;
    /// Commands of packages that nobody asked for.
    pub(super) const OTHER_COMMANDS: usize = 6;
}

/// The order in which all modules of some packages are compiled. `read` returns a module's source.
pub(super) fn order(packages: &[Package], read: &mut dyn FnMut(Place) -> Option<String>) -> Vec<Place> {
    let library = Library::of(packages);
    let all = packages.iter().all(|package| !package.requested);
    let (requested, others): (Vec<usize>, Vec<usize>) =
        (0..packages.len()).partition(|index| all || packages[*index].requested);
    let (first, required) = first(packages, &requested);
    let mut search = Search::new(packages, &library, read);
    for (packages, base) in [(&first, 0), (&required, rank::REQUIRED)] {
        for index in packages {
            search.seed(&library.outermost(*index), base);
            search.seed(&library.commands(*index), base + rank::COMMANDS);
            search.seed(&library.offered(*index), base + rank::OFFERED);
        }
    }
    for index in &others {
        search.seed(&library.commands(*index), rank::OTHER_COMMANDS);
    }
    let mut order = search.run();
    let seen: HashSet<Place> = order.iter().copied().collect();
    let places = |index: &usize| {
        (0..packages[*index].sources.len()).map(|source| (*index, source)).collect::<Vec<_>>()
    };
    let mut rest: Vec<Place> = requested.iter().chain(&others).flat_map(places).collect();
    rest.retain(|place| !seen.contains(place));
    rest.sort_by_key(|place| {
        let path = &packages[place.0].sources[place.1];
        (is_shadowed(&packages[place.0], path), is_test(path))
    });
    order.extend(rest);
    order
}

/// Of the packages that were asked for those that none of the others requires, and the rest of them. Where all are required,
/// all are the first.
fn first(packages: &[Package], requested: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let others = |index: usize| requested.iter().filter(move |other| **other != index);
    let is_required =
        |index: usize| others(index).any(|other| packages[*other].requires.contains(&packages[index].name));
    let (required, first): (Vec<usize>, Vec<usize>) =
        requested.iter().partition(|index| is_required(**index));
    if first.is_empty() { (required, first) } else { (first, required) }
}

/// Whether Python imports an extension module of the same name instead.
fn is_shadowed(package: &Package, path: &str) -> bool {
    path.strip_suffix(".py").is_some_and(|stem| package.extensions.contains(stem))
}

/// Whether a path leads to a test.
fn is_test(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "test" | "tests"))
}

/// The folder that a path is in; nothing for what is at the top.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The walk along imports.
struct Search<'a, 'b> {
    packages: &'a [Package],
    library: &'a Library<'a>,
    read: &'b mut dyn FnMut(Place) -> Option<String>,
    /// What lies in folders with extension modules, by package and folder, until it is met.
    beside_extensions: HashMap<(usize, &'a str), Vec<Place>>,
    /// The best rank that is known of each module.
    ranks: HashMap<Place, usize>,
    waiting: BTreeMap<usize, VecDeque<Place>>,
}

impl<'a, 'b> Search<'a, 'b> {
    fn new(
        packages: &'a [Package],
        library: &'a Library<'a>,
        read: &'b mut dyn FnMut(Place) -> Option<String>,
    ) -> Self {
        let mut beside_extensions: HashMap<(usize, &str), Vec<Place>> = HashMap::new();
        for (index, package) in packages.iter().enumerate() {
            let folders: HashSet<&str> = package.extensions.iter().map(|path| folder_of(path)).collect();
            for (source, path) in package.sources.iter().enumerate() {
                let folder = folder_of(path);
                if folders.contains(folder) {
                    beside_extensions.entry((index, folder)).or_default().push((index, source));
                }
            }
        }
        let (ranks, waiting) = (HashMap::new(), BTreeMap::new());
        Self { packages, library, read, beside_extensions, ranks, waiting }
    }

    /// Begins at some modules and the packages that they are in.
    fn seed(&mut self, places: &[Place], rank: usize) {
        for place in places {
            let name = self.library.name(*place).unwrap_or_default();
            let mut above: Vec<Place> = ancestors(name).filter_map(|name| self.library.place(name)).collect();
            above.reverse();
            self.meet(above.into_iter().chain([*place]), rank);
        }
    }

    /// Goes on from there to everything that an import leads to: the lower ranks first, and the near before the far.
    fn run(mut self) -> Vec<Place> {
        let (mut order, mut done) = (Vec::new(), HashSet::new());
        while let Some(mut first) = self.waiting.first_entry() {
            let rank = *first.key();
            let Some(place) = first.get_mut().pop_front() else {
                first.remove();
                continue;
            };
            if !done.insert(place) {
                continue;
            }
            let path = &self.packages[place.0].sources[place.1];
            // Its source tells what the extension module imports.
            if !is_shadowed(&self.packages[place.0], path) {
                order.push(place);
            }
            for (moment, import) in self.imports(place) {
                let later = match moment {
                    Moment::AtOnce => 0,
                    Moment::OnAccess => rank::ON_ACCESS,
                    Moment::Later => rank::LATER,
                };
                self.meet(self.library.imported(place, &import).into_iter(), rank + later);
            }
            let beside = self.beside_extensions.remove(&(place.0, folder_of(path)));
            self.meet(beside.unwrap_or_default().into_iter(), rank + rank::BESIDE_EXTENSION);
        }
        order
    }

    fn imports(&mut self, place: Place) -> Vec<(Moment, Import)> {
        let is_package = self.library.is_package(place);
        (self.read)(place).map(|source| imports::of(&source, is_package)).unwrap_or_default()
    }

    fn meet(&mut self, places: impl Iterator<Item = Place>, rank: usize) {
        for place in places {
            let known = self.ranks.entry(place).or_insert(usize::MAX);
            if rank < *known {
                *known = rank;
                self.waiting.entry(rank).or_default().push_back(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packages that are given as name of the package (with `*` if it was asked for), and sources with their text.
    type Given<'a> = [(&'a str, &'a [(&'a str, &'a str)])];

    fn described(packages: &Given<'_>) -> Vec<Package> {
        let is_source = |path: &str| path.strip_suffix(".so").is_none();
        let extension = |(path, _): &(&str, &str)| path.strip_suffix(".so").map(str::to_owned);
        let package = |(name, files): &(&str, &[(&str, &str)])| Package {
            name: name.trim_end_matches('*').to_owned(),
            requested: name.ends_with('*'),
            requires: HashSet::new(),
            sources: files
                .iter()
                .filter(|(path, _)| is_source(path))
                .map(|(path, _)| (*path).to_owned())
                .collect(),
            extensions: files.iter().filter_map(extension).collect(),
            commands: vec![format!("{}.__main__", name.trim_end_matches('*'))],
        };
        packages.iter().map(package).collect()
    }

    fn ordered_as(described: &[Package], packages: &Given<'_>) -> Vec<String> {
        let text = |(package, source): Place| {
            let path = described[package].sources.get(source)?;
            packages[package].1.iter().find(|(known, _)| known == path).map(|(_, text)| (*text).to_owned())
        };
        let order = order(described, &mut |place| text(place));
        order.into_iter().map(|place| described[place.0].sources[place.1].clone()).collect()
    }

    fn ordered(packages: &Given<'_>) -> Vec<String> {
        ordered_as(&described(packages), packages)
    }

    #[test]
    fn what_is_imported_comes_before_what_is_not() {
        let order = ordered(&[
            (
                "dep",
                &[
                    ("dep/unused.py", ""),
                    ("dep/__init__.py", "from .core import x"),
                    ("dep/core.py", "from . import deeper"),
                    ("dep/deeper.py", ""),
                    ("dep/tests/__init__.py", ""),
                ],
            ),
            (
                "main*",
                &[
                    ("main/_private.py", ""),
                    ("main/tests/test_a.py", ""),
                    ("main/offered.py", "import single"),
                    ("main/__init__.py", "import os\nfrom .sub.inner import y"),
                    ("main/__main__.py", "import dep.core"),
                    ("main/sub/__init__.py", ""),
                    ("main/sub/inner.py", ""),
                ],
            ),
            ("single", &[("single.py", "")]),
        ]);
        let expected = [
            "main/__init__.py",
            "main/sub/__init__.py",
            "main/sub/inner.py",
            "main/__main__.py",
            "dep/__init__.py",
            "dep/core.py",
            "dep/deeper.py",
            "main/offered.py",
            "single.py",
            "main/_private.py",
            "dep/unused.py",
            "main/tests/test_a.py",
            "dep/tests/__init__.py",
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn what_may_be_imported_later_comes_before_what_nothing_names() {
        let order = ordered(&[
            (
                "other",
                &[("other/__init__.py", "from . import deep"), ("other/deep.py", ""), ("other/a.py", "")],
            ),
            (
                "main*",
                &[
                    (
                        "main/__init__.py",
                        "def __getattr__(name):\n    if name in ('lazy',): pass\nfrom . import sub",
                    ),
                    ("main/_a.py", ""),
                    ("main/offered.py", ""),
                    ("main/lazy.py", "from . import _of_lazy"),
                    ("main/_of_lazy.py", ""),
                    ("main/_by_text.py", ""),
                    ("main/sub/__init__.py", "def f():\n    import other\nx = 'main._by_text.Class'"),
                    ("main/sub/_beside.py", ""),
                    ("main/sub/_native.so", ""),
                    ("main/sub/_native.py", ""),
                ],
            ),
        ]);
        let expected = [
            "main/__init__.py",
            "main/sub/__init__.py",
            "main/lazy.py",
            "main/_of_lazy.py",
            "main/offered.py",
            "main/sub/_beside.py",
            "other/__init__.py",
            "main/_by_text.py",
            "other/deep.py",
            "main/_a.py",
            "other/a.py",
            // Python imports the extension module instead.
            "main/sub/_native.py",
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn an_extension_module_imports_what_its_source_says() {
        let order = ordered(&[
            ("dep", &[("dep/a.py", ""), ("dep/b.py", "")]),
            ("main*", &[("main/__init__.so", ""), ("main/__init__.py", "import dep.b")]),
        ]);
        assert_eq!(order, ["dep/b.py", "dep/a.py", "main/__init__.py"]);
    }

    #[test]
    fn of_the_pins_of_a_venv_those_come_first_that_no_other_one_requires() {
        let packages: &Given<'_> = &[
            ("dep*", &[("dep/__init__.py", ""), ("dep/used.py", "")]),
            ("main*", &[("main/__init__.py", "import dep.used")]),
            ("plugin*", &[("plugin/__init__.py", "")]),
        ];
        let mut described = described(packages);
        described[1].requires = HashSet::from(["dep".to_owned(), "main".to_owned()]);
        let expected = ["main/__init__.py", "plugin/__init__.py", "dep/__init__.py", "dep/used.py"];
        assert_eq!(ordered_as(&described, packages), expected);
        // Where each is required by another one none is special.
        described[0].requires = HashSet::from(["main".to_owned(), "plugin".to_owned()]);
        assert_eq!(ordered_as(&described, packages)[0], "dep/__init__.py");
    }

    #[test]
    fn where_nothing_was_asked_for_everything_was() {
        let order = ordered(&[
            ("one", &[("one/z.py", ""), ("one/__init__.py", "from ..... import x\nfrom .. import y")]),
            ("space", &[("ns/part/__init__.py", "from .. import other"), ("ns/part/in.py", "")]),
        ]);
        assert_eq!(order, ["one/__init__.py", "ns/part/__init__.py", "one/z.py", "ns/part/in.py"]);
    }

    #[test]
    fn names_that_no_import_can_have_come_with_the_rest() {
        let order =
            ordered(&[("a*", &[("a/{{x}}.py", ""), ("a/1-b/c.py", ""), ("a/__init__.py", "import a.b")])]);
        assert_eq!(order, ["a/__init__.py", "a/{{x}}.py", "a/1-b/c.py"]);
    }
}
