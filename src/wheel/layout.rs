//! Where each member of a wheel belongs.

use std::collections::BTreeMap;

use virtpy_resolver::normalize_name;

use super::Error;
use super::entry_points::{check_script_name, is_reserved_script};
use crate::archive::Member;

/// The tree of an entry that a member is unpacked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tree {
    Site,
    Data,
    Headers,
    Scripts,
}

impl Tree {
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Data => "data",
            Self::Headers => "headers",
            Self::Scripts => "scripts",
        }
    }
}

/// A member and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The member's index in the archive.
    pub(super) member: usize,
    pub(super) tree: Tree,
    /// The path in the tree.
    pub(super) path: String,
}

/// What a wheel consists of.
#[derive(Debug)]
pub(super) struct Layout {
    /// The name of the dist-info folder.
    pub(super) dist_info: String,
    pub(super) places: Vec<Place>,
    /// The indices of the members that describe the rest.
    pub(super) metadata: usize,
    pub(super) wheel: usize,
    pub(super) record: usize,
    pub(super) entry_points: Option<usize>,
}

/// Files of a dist-info folder that only an installer may write, or that sign what it will rewrite.
const INSTALLERS_OWN: &[&str] =
    &["RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"];

impl Layout {
    /// Sorts the members of an archive.
    pub(super) fn of(members: &[Member]) -> Result<Self, Error> {
        let dist_info = dist_info(members)?;
        let data_prefix = format!("{}.data/", dist_info.trim_end_matches(".dist-info"));
        let mut places = Vec::with_capacity(members.len());
        let mut taken: BTreeMap<(Tree, String), &str> = BTreeMap::new();
        for (member, facts) in members.iter().enumerate().filter(|(_, facts)| !facts.is_folder) {
            let Some((tree, path)) = place(&facts.name, &dist_info, &data_prefix)? else {
                continue;
            };
            if let Some(other) = taken.insert((tree, path.clone()), &facts.name) {
                return Err(Error::Layout(format!("`{other}` and `{}` have the same place", facts.name)));
            }
            places.push(Place { member, tree, path });
        }
        check_folders(&taken)?;
        let find = |name: &str| {
            let path = format!("{dist_info}/{name}");
            members.iter().position(|member| member.name == path)
        };
        let need =
            |name: &str| find(name).ok_or_else(|| Error::Layout(format!("it has no `{dist_info}/{name}`")));
        Ok(Self {
            metadata: need("METADATA")?,
            wheel: need("WHEEL")?,
            record: need("RECORD")?,
            entry_points: find("entry_points.txt"),
            places,
            dist_info,
        })
    }
}

/// The one dist-info folder of an archive.
fn dist_info(members: &[Member]) -> Result<String, Error> {
    let mut folders: Vec<&str> = members
        .iter()
        .filter_map(|member| member.name.split_once('/').map(|(first, _)| first))
        .filter(|first| first.ends_with(".dist-info"))
        .collect();
    folders.sort_unstable();
    folders.dedup();
    match folders[..] {
        [folder] => Ok(folder.to_owned()),
        [] => Err(Error::Layout("it has no dist-info folder".to_owned())),
        _ => Err(Error::Layout(format!("it has more than one dist-info folder: {}", folders.join(", ")))),
    }
}

/// The place of a member; `None` for what only an installer may write.
fn place(name: &str, dist_info: &str, data_prefix: &str) -> Result<Option<(Tree, String)>, Error> {
    if let Some(inside) = name.strip_prefix(dist_info).and_then(|rest| rest.strip_prefix('/')) {
        return Ok((!INSTALLERS_OWN.contains(&inside)).then(|| (Tree::Site, name.to_owned())));
    }
    let Some(inside) = name.strip_prefix(data_prefix) else {
        return Ok(Some((Tree::Site, name.to_owned())));
    };
    let Some((scheme, path)) = inside.split_once('/') else {
        return Err(Error::Layout(format!("`{name}` belongs to no scheme")));
    };
    let tree = match scheme {
        "purelib" | "platlib" => Tree::Site,
        "data" => {
            check_data(path)?;
            Tree::Data
        }
        "headers" => Tree::Headers,
        "scripts" => {
            check_script_name(path)?;
            Tree::Scripts
        }
        _ => {
            return Err(Error::Layout(format!("`{name}` is of the unknown scheme `{scheme}`")));
        }
    };
    let would_replace =
        tree == Tree::Site && path.strip_prefix(dist_info).and_then(|rest| rest.strip_prefix('/')).is_some();
    if would_replace {
        return Err(Error::Layout(format!("`{name}` hides in the dist-info folder")));
    }
    Ok(Some((tree, path.to_owned())))
}

/// Refuses data that would replace what a venv itself consists of.
fn check_data(path: &str) -> Result<(), Error> {
    let script = path.strip_prefix("bin/").or_else(|| path.strip_prefix("Scripts/"));
    let is_script = script.is_some_and(is_reserved_script);
    let first = path.split('/').next().unwrap_or(path);
    if is_script || matches!(first, "pyvenv.cfg" | ".virtpy") {
        return Err(Error::Layout(format!("`{path}` would replace a part of the venv itself")));
    }
    Ok(())
}

/// Refuses a file that is another's folder once purelib and platlib are merged.
fn check_folders(taken: &BTreeMap<(Tree, String), &str>) -> Result<(), Error> {
    for ((tree, path), name) in taken {
        let mut parent = path.as_str();
        while let Some((folder, _)) = parent.rsplit_once('/') {
            if let Some(file) = taken.get(&(*tree, folder.to_owned())) {
                return Err(Error::Layout(format!("`{file}` is a file, and `{name}` is in it")));
            }
            parent = folder;
        }
    }
    Ok(())
}

/// Whether a dist-info folder's name is that of a distribution: any legal spelling of name and version.
pub(super) fn names(dist_info: &str, name: &str, version: &virtpy_resolver::Version) -> bool {
    let stem = dist_info.trim_end_matches(".dist-info");
    stem.rsplit_once('-').is_some_and(|(found_name, found_version)| {
        normalize_name(found_name).is_ok_and(|found| found == name)
            // In a folder's name `-` and `+` of a version may stand as `_`.
            && [found_version.to_owned(), found_version.replacen('_', "+", 1), found_version.replace('_', "-")]
                .iter()
                .any(|text| text.parse::<virtpy_resolver::Version>().is_ok_and(|found| found == *version))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(name: &str) -> Result<Option<(Tree, String)>, Error> {
        place(name, "a-1.dist-info", "a-1.data/")
    }

    #[test]
    fn schemes_lead_to_trees() {
        assert_eq!(placed("a/b.py").unwrap(), Some((Tree::Site, "a/b.py".to_owned())));
        assert_eq!(placed("a-1.data/platlib/a/b.so").unwrap(), Some((Tree::Site, "a/b.so".to_owned())));
        assert_eq!(placed("a-1.data/data/share/x").unwrap(), Some((Tree::Data, "share/x".to_owned())));
        assert_eq!(placed("a-1.data/headers/a.h").unwrap(), Some((Tree::Headers, "a.h".to_owned())));
        assert_eq!(placed("a-1.data/scripts/run").unwrap(), Some((Tree::Scripts, "run".to_owned())));
        assert_eq!(placed("a-1.dist-info/RECORD").unwrap(), None);
        assert_eq!(placed("a-1.dist-info/INSTALLER").unwrap(), None);
    }

    #[test]
    fn odd_places_are_refused() {
        for name in [
            "a-1.data/other/x",
            "a-1.data/x",
            "a-1.data/scripts/a/b",
            "a-1.data/purelib/a-1.dist-info/METADATA",
        ] {
            assert!(placed(name).is_err(), "{name}");
        }
    }

    #[test]
    fn every_legal_spelling_of_a_folder_is_known() {
        let version = "1.0+local.1".parse().unwrap();
        for folder in [
            "Foo_Bar-1.0+local.1.dist-info",
            "foo.bar-1.0.0_local.1.dist-info",
            "foo-bar-1.0+local.1.dist-info",
        ] {
            assert!(names(folder, "foo-bar", &version), "{folder}");
        }
        assert!(!names("foo_baz-1.0.dist-info", "foo-bar", &version));
    }
}
