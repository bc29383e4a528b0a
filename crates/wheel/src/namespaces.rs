//! Folders that other distributions may join at any time.

use std::collections::BTreeMap;

/// The folders in `site-packages` that are portions of namespace packages (PEP 420) or look like it: without an
/// `__init__` module, with a name that can be imported, and with nothing directly in them but folders and modules;
/// and the same holds for every folder above. Sorted.
///
/// An installer that knows nothing of links puts another portion's files into such a folder, so it should not lead
/// into the store. Which folders have to be shared is still decided by collision alone.
pub fn namespaces<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut folders: BTreeMap<&str, bool> = BTreeMap::new();
    for path in paths {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let is_plain_module = match file.rsplit_once('.') {
            Some((stem, "py" | "pyi")) => stem != "__init__",
            _ => false,
        };
        *folders.entry(folder).or_insert(true) &= is_plain_module;
        let mut above = folder;
        while let Some((parent, _)) = above.rsplit_once('/') {
            folders.entry(parent).or_insert(true);
            above = parent;
        }
    }
    let is_name = |name: &str| name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let mut found: Vec<String> = Vec::new();
    // A folder sorts before what is in it.
    for (folder, is_open) in folders {
        let (parent, name) = folder.rsplit_once('/').unwrap_or(("", folder));
        let joins = parent.is_empty() || found.iter().any(|known| known == parent);
        if is_open && joins && !folder.is_empty() && is_name(name) {
            found.push(folder.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_portions_of_namespaces_only() {
        let paths = [
            "google/cloud/storage/__init__.py",
            "google/cloud/storage/data/x/y.txt",
            "space/one.py",
            "nvidia/cu13/lib/libx.so",
            "numpy.libs/libopenblas.so",
            "demo/__init__.py",
            "demo/plugins/a.py",
            "top.py",
            "x-1.0.dist-info/METADATA",
        ];
        let expected = ["google", "google/cloud", "nvidia", "nvidia/cu13", "space"];
        assert_eq!(namespaces(paths.into_iter()), expected);
    }
}
