//! In which order modules are compiled: what programs import first comes first.
//!
//! Until a module's bytecode is there every start of a program compiles it again, so the order decides how soon a venv
//! is as fast as it gets. First come the packages that were asked for by name and the modules of their commands, with what
//! those import; then what such packages offer besides (`scipy.stats`), with what that imports; then the rest, tests last.

use std::collections::{HashMap, HashSet, VecDeque};

use super::imports::{self, Import};

/// What the order needs to know of one package.
#[derive(Debug, Default)]
pub(super) struct Package {
    /// Whether somebody asked for it by name.
    pub(super) requested: bool,
    /// The paths of its modules in `site/`, those at the top as well.
    pub(super) sources: Vec<String>,
    /// The modules of its commands.
    pub(super) commands: Vec<String>,
}

/// A module: the package's number, and that of the source in it.
pub(super) type Place = (usize, usize);

/// The order in which all modules of some packages are compiled. `read` returns a module's source.
pub(super) fn order(packages: &[Package], read: &mut dyn FnMut(Place) -> Option<String>) -> Vec<Place> {
    let library = Library::of(packages);
    let all = packages.iter().all(|package| !package.requested);
    let (requested, others): (Vec<usize>, Vec<usize>) =
        (0..packages.len()).partition(|index| all || packages[*index].requested);
    let mut search = Search { library: &library, read, seen: HashSet::new(), order: Vec::new() };
    let mut seeds: Vec<Place> = requested.iter().flat_map(|index| library.outermost(*index)).collect();
    seeds.extend(requested.iter().flat_map(|index| library.commands(*index)));
    search.follow(&seeds);
    let offered: Vec<Place> = requested.iter().flat_map(|index| library.offered(*index)).collect();
    search.follow(&offered);
    let commands: Vec<Place> = others.iter().flat_map(|index| library.commands(*index)).collect();
    search.follow(&commands);
    let Search { seen, mut order, .. } = search;
    let places = |index: &usize| {
        (0..packages[*index].sources.len()).map(|source| (*index, source)).collect::<Vec<_>>()
    };
    let mut rest: Vec<Place> = requested.iter().chain(&others).flat_map(places).collect();
    rest.retain(|place| !seen.contains(place));
    let (tests, code): (Vec<Place>, Vec<Place>) =
        rest.into_iter().partition(|(package, source)| is_test(&packages[*package].sources[*source]));
    order.extend(code.into_iter().chain(tests));
    order
}

/// Whether a path leads to a test.
fn is_test(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "test" | "tests"))
}

/// The name by which a source is imported, and whether it is a package's `__init__`; `None` where no import can name it.
fn module_name(path: &str) -> Option<(String, bool)> {
    let stem = path.strip_suffix(".py")?;
    let (name, is_package) = match stem.strip_suffix("/__init__") {
        Some(package) => (package, true),
        None => (stem, false),
    };
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    name.split('/').all(is_name).then(|| (name.replace('/', "."), is_package))
}

/// Every module that can be imported, by its name.
struct Library<'a> {
    packages: &'a [Package],
    places: HashMap<String, Place>,
    /// The name, and whether it is a package, by the place.
    names: HashMap<Place, (String, bool)>,
}

impl<'a> Library<'a> {
    fn of(packages: &'a [Package]) -> Self {
        let (mut places, mut names) = (HashMap::new(), HashMap::new());
        for (index, package) in packages.iter().enumerate() {
            for (number, path) in package.sources.iter().enumerate() {
                let Some((name, is_package)) = module_name(path) else { continue };
                // As Python does: a package goes before a module of the same name.
                if is_package || !places.contains_key(&name) {
                    places.insert(name.clone(), (index, number));
                }
                names.insert((index, number), (name, is_package));
            }
        }
        Self { packages, places, names }
    }

    /// The modules of a package that are in no other package of its own.
    fn outermost(&self, package: usize) -> Vec<Place> {
        let places = (0..self.packages[package].sources.len()).map(|number| (package, number));
        let is_outermost = |place: &Place| {
            let Some((name, is_package)) = self.names.get(place) else { return false };
            let is_inside = |outer: &str| self.places.get(outer).is_some_and(|outer| outer.0 == package);
            (*is_package || !name.contains('.')) && !ancestors(name).any(is_inside)
        };
        places.filter(is_outermost).collect()
    }

    fn commands(&self, package: usize) -> Vec<Place> {
        let modules = self.packages[package].commands.iter();
        modules.filter_map(|module| self.places.get(module).copied()).collect()
    }

    /// What lies directly in a package's outermost modules and is meant for others.
    fn offered(&self, package: usize) -> Vec<Place> {
        let outer: HashSet<&str> = self
            .outermost(package)
            .iter()
            .filter_map(|place| self.names.get(place))
            .map(|(name, _)| name.as_str())
            .collect();
        let places = (0..self.packages[package].sources.len()).map(|number| (package, number));
        let is_offered = |place: &Place| {
            let name = self.names.get(place).and_then(|(name, _)| name.rsplit_once('.'));
            name.is_some_and(|(parent, last)| {
                outer.contains(parent)
                    && !last.starts_with('_')
                    && !matches!(last, "test" | "tests" | "conftest")
            })
        };
        places.filter(is_offered).collect()
    }

    /// What an import statement in a module imports: the packages on the way first.
    fn imported(&self, by: Place, import: &Import) -> Vec<Place> {
        let Some((name, is_package)) = self.names.get(&by) else { return Vec::new() };
        let mut base = Vec::new();
        if import.level > 0 {
            let parts: Vec<&str> = name.split('.').collect();
            let up = import.level - usize::from(*is_package);
            let Some(kept) = parts.len().checked_sub(up) else { return Vec::new() };
            base.extend(&parts[..kept]);
        }
        base.extend(import.module.split('.').filter(|part| !part.is_empty()));
        let base = base.join(".");
        let mut names: Vec<String> = ancestors(&base).map(str::to_owned).collect();
        names.reverse();
        names.push(base.clone());
        names.extend(import.names.iter().map(|name| format!("{base}.{name}")));
        names.iter().filter_map(|name| self.places.get(name).copied()).collect()
    }
}

/// The packages that a module is in, the nearest first.
fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        rest = rest.rsplit_once('.')?.0;
        Some(rest)
    })
}

/// The walk along imports.
struct Search<'a, 'b> {
    library: &'a Library<'a>,
    read: &'b mut dyn FnMut(Place) -> Option<String>,
    seen: HashSet<Place>,
    order: Vec<Place>,
}

impl Search<'_, '_> {
    /// Goes on from some modules to everything that they import, the near before the far.
    fn follow(&mut self, seeds: &[Place]) {
        let mut waiting: VecDeque<Place> = VecDeque::new();
        for seed in seeds {
            let above = self.library.names.get(seed).map(|(name, _)| name.as_str()).unwrap_or_default();
            let mut above: Vec<Place> =
                ancestors(above).filter_map(|name| self.library.places.get(name).copied()).collect();
            above.reverse();
            self.meet(above.into_iter().chain([*seed]), &mut waiting);
        }
        while let Some(place) = waiting.pop_front() {
            for import in (self.read)(place).as_deref().map(imports::of).unwrap_or_default() {
                self.meet(self.library.imported(place, &import).into_iter(), &mut waiting);
            }
        }
    }

    fn meet(&mut self, places: impl Iterator<Item = Place>, waiting: &mut VecDeque<Place>) {
        for place in places {
            if self.seen.insert(place) {
                self.order.push(place);
                waiting.push_back(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Orders packages that are given as name of the package (with `*` if it was asked for), and sources with their text.
    fn ordered(packages: &[(&str, &[(&str, &str)])]) -> Vec<String> {
        let described: Vec<Package> = packages
            .iter()
            .map(|(name, sources)| Package {
                requested: name.ends_with('*'),
                sources: sources.iter().map(|(path, _)| (*path).to_owned()).collect(),
                commands: vec![format!("{}.__main__", name.trim_end_matches('*'))],
            })
            .collect();
        let text = |place: Place| Some(packages[place.0].1[place.1].1.to_owned());
        let order = order(&described, &mut |place| text(place));
        order.into_iter().map(|place| described[place.0].sources[place.1].clone()).collect()
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
            "main/__main__.py",
            "main/sub/__init__.py",
            "main/sub/inner.py",
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
