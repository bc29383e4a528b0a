//! The names of the packages in a lock file. The libraries take a wheel's name from the file that a package lists, so a lock may say one name
//! to whoever reads it, and bring another package.

use std::collections::HashSet;
use std::str::FromStr;

use toml::{Table, Value};
use uv_normalize::PackageName;

/// Whether a lock file has a package of this name. `quick` are the names that [`at_first_sight`] has found.
pub(crate) fn has(text: &str, quick: &HashSet<PackageName>, name: &PackageName) -> bool {
    quick.contains(name) || all(text).contains(name)
}

/// The names that stand where tools write them, in the line below the one that begins a package.
pub(crate) fn at_first_sight(text: &str) -> HashSet<PackageName> {
    let is_head = |line: &str| matches!(line.trim(), "[[package]]" | "[[packages]]");
    let named = |line: &str| {
        let value = line.trim().strip_prefix("name")?.trim_start().strip_prefix('=')?.trim();
        PackageName::from_str(value.trim_matches(['"', '\''])).ok()
    };
    let pairs = text.lines().zip(text.lines().skip(1));
    pairs.filter(|(head, _)| is_head(head)).filter_map(|(_, line)| named(line)).collect()
}

/// The names of all packages, wherever they stand.
fn all(text: &str) -> HashSet<PackageName> {
    let lock: Table = text.parse().unwrap_or_default();
    let packages = ["package", "packages"].iter().filter_map(|key| lock.get(*key)?.as_array()).flatten();
    let names = packages.filter_map(|package| package.get("name").and_then(Value::as_str));
    names.filter_map(|name| PackageName::from_str(name).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_tools_write_them_and_elsewhere() {
        let name = |text: &str| PackageName::from_str(text).unwrap();
        let text = "[[package]]\nname = \"a-b\"\ndependencies = [{ name = \"c\" }]\n\n[[package]]\nversion = '1'\nname = 'D_e'\n";
        let quick = at_first_sight(text);
        assert_eq!(quick, HashSet::from([name("a-b")]));
        assert!(has(text, &quick, &name("a-b")) && has(text, &quick, &name("d-e")));
        assert!(!has(text, &quick, &name("c")));
        assert!(has("packages = [{ name = 'x' }]", &HashSet::new(), &name("x")));
    }
}
