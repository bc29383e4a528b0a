//! Which versions a recorded requirement admits: what was chosen, and later ones.

use virtpy_pep::{PackageName, Requirement, Version};

/// The specifier that a requirement gets which names no versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bound {
    /// The version that was chosen, or a later one: `>=1.2.3`.
    #[default]
    Lower,
    /// That version only: `==1.2.3`.
    Exact,
    /// None.
    Nothing,
}

/// Whether a requirement gets a bound.
pub(super) fn is_open(text: &str, bound: Bound) -> bool {
    let open = |one: Requirement| one.specifiers().is_empty() && one.url().is_none();
    bound != Bound::Nothing && text.parse::<Requirement>().is_ok_and(open)
}

/// A requirement with the bound that it gets of the versions in a lock file; none if it stays as it is.
pub(super) fn bounded(text: &str, bound: Bound, lock: &str) -> Option<String> {
    if !is_open(text, bound) {
        return None;
    }
    let requirement: Requirement = text.parse().ok()?;
    let operator = match bound {
        Bound::Lower => ">=",
        Bound::Exact => "==",
        Bound::Nothing => return None,
    };
    let version = lowest(lock, requirement.name())?;
    // Another index may have the same version with another local part, or none.
    let public = version.split('+').next().unwrap_or(&version);
    let (package, marker) =
        text.split_once(';').map_or((text, None), |(package, marker)| (package, Some(marker)));
    let marker = marker.map(|marker| format!("; {}", marker.trim())).unwrap_or_default();
    Some(format!("{}{operator}{public}{marker}", package.trim()))
}

/// The lowest version of a package in a lock file (PEP 751): it may have several, for different platforms and Pythons.
fn lowest(lock: &str, name: &PackageName) -> Option<String> {
    let lock: toml::Table = lock.parse().ok()?;
    let text = |package: &toml::Value, key: &str| package.get(key)?.as_str().map(str::to_owned);
    let packages = lock.get("packages")?.as_array()?.iter();
    let of_name = packages
        .filter(|package| text(package, "name").is_some_and(|one| one.parse().ok().as_ref() == Some(name)));
    of_name
        .filter_map(|package| text(package, "version"))
        .min_by_key(|version| version.parse::<Version>().ok())
}

/// The names of the packages in a lock file (PEP 751).
pub(super) fn names(lock: &str) -> Vec<PackageName> {
    let lock: Option<toml::Table> = lock.parse().ok();
    let packages = lock.as_ref().and_then(|lock| lock.get("packages")?.as_array());
    let name = |package: &toml::Value| package.get("name")?.as_str()?.parse().ok();
    packages.into_iter().flatten().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "lock-version = \"1.0\"\n[[packages]]\nname = \"a-b\"\nversion = \"2.0+cpu\"\n\
                        [[packages]]\nname = \"a-b\"\nversion = \"1.10\"\n[[packages]]\nname = \"a-b\"\nversion = \"1.9\"\n";

    #[test]
    fn the_lowest_version_that_was_chosen_is_the_bound() {
        let lower = |text| bounded(text, Bound::Lower, LOCK);
        assert_eq!(lower("A_b").as_deref(), Some("A_b>=1.9"));
        assert_eq!(lower("a.b[x, y] ;os_name == 'nt'").as_deref(), Some("a.b[x, y]>=1.9; os_name == 'nt'"));
        assert_eq!(bounded("a-b", Bound::Exact, LOCK).as_deref(), Some("a-b==1.9"));
        let only = LOCK.split("[[packages]]").take(2).collect::<Vec<_>>().join("[[packages]]");
        assert_eq!(
            bounded("a-b", Bound::Lower, &only).as_deref(),
            Some("a-b>=2.0"),
            "without the local part"
        );
    }

    #[test]
    fn what_says_its_versions_stays() {
        for text in ["a-b>=1", "a-b @ https://h/a.whl", "other"] {
            assert_eq!(bounded(text, Bound::Lower, LOCK), None, "{text}");
        }
        assert_eq!(bounded("a-b", Bound::Nothing, LOCK), None);
        assert_eq!(names(LOCK).len(), 3);
    }
}
