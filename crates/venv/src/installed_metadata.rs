//! What is written beside an installed distribution, whoever installed it: a dist-info folder (PEP 376), or the egg-info
//! and egg-link of older tools. All of it is input: it is read bounded, and what is broken is passed over.

use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, FileKind};
use virtpy_pep::{DirectUrl, PackageName};
use virtpy_wheel::Metadata;

/// The most bytes that METADATA may have: some have a whole book for a description.
pub(super) const LARGEST_METADATA: u64 = 16 * 1024 * 1024;
/// The most bytes that the smaller files beside it may have.
const LARGEST_NOTE: u64 = 1024 * 1024;

/// What was found out about a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InstalledMetadata {
    /// The package that it is of: its normalized name (PEP 503).
    pub(super) package: PackageName,
    /// Its name as it is spelled there.
    pub(super) name: String,
    /// Its version as it is spelled there.
    pub(super) version: String,
    /// The rest.
    pub(super) described: Described,
}

/// What is written beside a distribution that virtpy did not install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The tool that installed it, or "unknown".
    pub installer: String,
    /// The requirements of its METADATA, each a PEP 508 text.
    pub requires_dist: Vec<String>,
    /// The extras of its METADATA.
    pub provides_extra: Vec<String>,
    /// The text of its `direct_url.json`.
    pub direct_url: Option<String>,
}

/// Whether something with this name in a folder of packages describes a distribution. `~name` is what pip leaves of one that
/// it could not remove whole: nothing of that can be imported.
pub(super) fn is_metadata(name: &str, kind: FileKind) -> bool {
    match kind {
        _ if name.starts_with('~') => false,
        FileKind::Folder => name.ends_with(".dist-info") || name.ends_with(".egg-info"),
        FileKind::File => name.ends_with(".egg-info") || name.ends_with(".egg-link"),
        FileKind::Link | FileKind::Other => false,
    }
}

/// The file with the core metadata of what is called `name` in a folder of packages.
pub(super) fn metadata_file(packages: &Path, name: &str) -> Option<PathBuf> {
    let place = packages.join(name);
    if name.ends_with(".dist-info") {
        return Some(place.join("METADATA"));
    }
    let egg_info = match name.strip_suffix(".egg-link") {
        // As `setuptools` writes it: the project's folder, whose egg-info has the name with underscores.
        Some(stem) => linked_folder(&place)?.join(format!("{}.egg-info", stem.replace('-', "_"))),
        None => place,
    };
    let is_folder = fs::metadata(&egg_info).is_ok_and(|facts| facts.is_dir());
    Some(if is_folder { egg_info.join("PKG-INFO") } else { egg_info })
}

/// Reads what is called `name` in a folder of packages; `None` where it describes no distribution.
pub(super) fn read(packages: &Path, name: &str) -> Option<InstalledMetadata> {
    let file = metadata_file(packages, name)?;
    let mut metadata = Metadata::parse(&fs::read_bounded(&file, LARGEST_METADATA).ok()?).ok()?;
    let note = |place: &Path, note: &str| text(&place.join(note));
    let place = packages.join(name);
    let (mut installer, mut direct_url) = (None, None);
    if name.ends_with(".dist-info") {
        installer = note(&place, "INSTALLER").map(|text| text.trim().to_owned());
        direct_url = note(&place, "direct_url.json");
    } else {
        let requires = file.file_name().filter(|name| *name == "PKG-INFO");
        let requires = requires.and_then(|_| note(file.parent()?, "requires.txt"));
        if let Some(requires) = requires.filter(|_| metadata.requires_dist.is_empty()) {
            (metadata.requires_dist, metadata.provides_extra) = requirements_of_egg(&requires);
        }
        if name.ends_with(".egg-link") {
            let url = linked_folder(&place).and_then(|folder| url::Url::from_file_path(folder).ok());
            direct_url = url.map(|url| DirectUrl::directory(url.into(), true).to_string());
        }
    }
    Some(InstalledMetadata {
        package: metadata.package_name().ok()?,
        name: metadata.name,
        version: metadata.version,
        described: Described {
            installer: installer.filter(|text| !text.is_empty()).unwrap_or_else(|| "unknown".to_owned()),
            requires_dist: metadata.requires_dist,
            provides_extra: metadata.provides_extra,
            direct_url,
        },
    })
}

/// The folder that an egg-link names in its first line.
fn linked_folder(egg_link: &Path) -> Option<PathBuf> {
    let content = text(egg_link)?;
    let line = content.lines().map(str::trim).find(|line| !line.is_empty())?;
    let folder = egg_link.parent()?.join(line);
    folder.is_absolute().then_some(folder)
}

fn text(path: &Path) -> Option<String> {
    String::from_utf8(fs::read_bounded(path, LARGEST_NOTE).ok()?).ok()
}

/// The requirements and the extras of a `requires.txt`: lines of requirements under headlines `[extra]`, `[:marker]` or
/// `[extra:marker]`.
fn requirements_of_egg(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut requirements, mut extras) = (Vec::new(), Vec::new());
    let mut condition = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
            // A requirement with a URL ends at the blank before the semicolon.
            requirements.push(format!("{line}{condition}"));
            continue;
        };
        let (extra, marker) = section.split_once(':').unwrap_or((section, ""));
        let mut conditions = Vec::new();
        if !marker.is_empty() {
            conditions.push(format!("({marker})"));
        }
        if !extra.is_empty() {
            conditions.push(format!("extra == '{extra}'"));
            extras.push(extra.to_owned());
        }
        condition =
            if conditions.is_empty() { String::new() } else { format!(" ; {}", conditions.join(" and ")) };
    }
    extras.sort();
    extras.dedup();
    (requirements, extras)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::put;

    #[test]
    fn requirements_of_eggs_get_markers() {
        let text = "six>=1\n\n[:python_version < \"3\"]\nfutures\n\n[fast]\nspeed\n[fast:os_name == \"nt\"]\nwin @ file:///w\n";
        let (requirements, extras) = requirements_of_egg(text);
        assert_eq!(
            requirements,
            [
                "six>=1",
                "futures ; (python_version < \"3\")",
                "speed ; extra == 'fast'",
                "win @ file:///w ; (os_name == \"nt\") and extra == 'fast'",
            ]
        );
        assert_eq!(extras, ["fast"]);
        for requirement in requirements {
            assert!(requirement.parse::<virtpy_pep::Requirement>().is_ok(), "{requirement}");
        }
    }

    #[test]
    fn every_form_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (packages, project) = (folder.path().join("packages"), folder.path().join("my project"));
        let headers = "Metadata-Version: 2.1\nName: Some.Demo\nVersion: 1.0\n";
        put(&packages, "some_demo-1.0.dist-info/METADATA", &format!("{headers}Requires-Dist: six\n"));
        put(&packages, "some_demo-1.0.dist-info/INSTALLER", "pip\n");
        put(&packages, "some_demo-1.0.dist-info/direct_url.json", "{}");
        put(&packages, "some_demo-1.0-py3.egg-info", headers);
        put(&packages, "some_demo.egg-info/PKG-INFO", headers);
        put(&packages, "some_demo.egg-info/requires.txt", "six\n");
        put(&packages, "some-demo.egg-link", &format!("{}\n.", project.display()));
        put(&project, "some_demo.egg-info/PKG-INFO", headers);
        for (name, requires, installer) in [
            ("some_demo-1.0.dist-info", &["six"][..], "pip"),
            ("some_demo-1.0-py3.egg-info", &[], "unknown"),
            ("some_demo.egg-info", &["six"], "unknown"),
            ("some-demo.egg-link", &[], "unknown"),
        ] {
            let found = read(&packages, name).unwrap();
            assert_eq!((found.package.as_str(), found.name.as_str()), ("some-demo", "Some.Demo"), "{name}");
            assert_eq!(
                (found.version.as_str(), found.described.installer.as_str()),
                ("1.0", installer),
                "{name}"
            );
            assert_eq!(found.described.requires_dist, requires, "{name}");
        }
        let link = read(&packages, "some-demo.egg-link").unwrap();
        let place = super::super::editable_location(&link.described.direct_url.unwrap());
        assert_eq!(place, Some(project.display().to_string()));
    }

    #[test]
    fn what_pip_left_behind_is_no_distribution() {
        assert!(is_metadata("demo-1.0.dist-info", FileKind::Folder));
        assert!(!is_metadata("~emo-1.0.dist-info", FileKind::Folder));
        assert!(!is_metadata("demo-1.0.dist-info", FileKind::Link));
    }

    #[test]
    fn what_is_broken_is_no_distribution() {
        let folder = tempfile::tempdir().unwrap();
        let packages = folder.path();
        put(packages, "nameless-1.dist-info/METADATA", "Metadata-Version: 2.1\nVersion: 1\n");
        put(packages, "empty.egg-info", "");
        put(packages, "nowhere.egg-link", "/absent\n");
        put(packages, "blank.egg-link", "\n");
        fs::create_dir(&packages.join("bare-1.dist-info")).unwrap();
        for name in [
            "nameless-1.dist-info",
            "empty.egg-info",
            "nowhere.egg-link",
            "blank.egg-link",
            "bare-1.dist-info",
        ] {
            assert_eq!(read(packages, name), None, "{name}");
        }
    }
}
