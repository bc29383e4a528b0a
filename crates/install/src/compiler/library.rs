//! The modules of some packages, by the names by which they are imported.

use std::collections::{HashMap, HashSet};

use super::imports::Import;

/// What the order needs to know of one package.
#[derive(Debug, Default)]
pub(super) struct Package {
    /// Its normalized name.
    pub(super) name: String,
    /// Whether somebody asked for it by name.
    pub(super) requested: bool,
    /// The normalized names of the packages that it requires without any extra.
    pub(super) requires: HashSet<String>,
    /// The paths of its modules in `site/`, those at the top as well.
    pub(super) sources: Vec<String>,
    /// The paths of its extension modules without their suffixes: `numpy/_core/_multiarray_umath`.
    pub(super) extensions: HashSet<String>,
    /// The modules of its commands.
    pub(super) commands: Vec<String>,
}

/// A module: the package's number, and that of the source in it.
pub(super) type Place = (usize, usize);

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
pub(super) struct Library<'a> {
    packages: &'a [Package],
    places: HashMap<String, Place>,
    /// The name, and whether it is a package, by the place.
    names: HashMap<Place, (String, bool)>,
}

impl<'a> Library<'a> {
    /// All modules of some packages.
    pub(super) fn of(packages: &'a [Package]) -> Self {
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

    /// Where the module of a name is.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        self.places.get(name).copied()
    }

    /// The name of a module.
    pub(super) fn name(&self, place: Place) -> Option<&str> {
        self.names.get(&place).map(|(name, _)| name.as_str())
    }

    /// Whether a module is a package's `__init__`.
    pub(super) fn is_package(&self, place: Place) -> bool {
        self.names.get(&place).is_some_and(|(_, is_package)| *is_package)
    }

    /// The modules of a package that are in no other package of its own.
    pub(super) fn outermost(&self, package: usize) -> Vec<Place> {
        let places = (0..self.packages[package].sources.len()).map(|number| (package, number));
        let is_outermost = |place: &Place| {
            let Some((name, is_package)) = self.names.get(place) else { return false };
            let is_inside = |outer: &str| self.places.get(outer).is_some_and(|outer| outer.0 == package);
            (*is_package || !name.contains('.')) && !ancestors(name).any(is_inside)
        };
        places.filter(is_outermost).collect()
    }

    /// The modules of a package's commands.
    pub(super) fn commands(&self, package: usize) -> Vec<Place> {
        let modules = self.packages[package].commands.iter();
        modules.filter_map(|module| self.places.get(module).copied()).collect()
    }

    /// What lies directly in a package's outermost modules and is meant for others.
    pub(super) fn offered(&self, package: usize) -> Vec<Place> {
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
    pub(super) fn imported(&self, by: Place, import: &Import) -> Vec<Place> {
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
pub(super) fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        rest = rest.rsplit_once('.')?.0;
        Some(rest)
    })
}
