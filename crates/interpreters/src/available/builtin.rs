//! The index that is part of the program, so that every interpreter it names is downloaded verified.
//!
//! `data/python-builds.json` has the facts that the releases of python-build-standalone state: for each
//! version, target and variant the newest build, and the SHA-256 of its archive. One text per build keeps it
//! small: `VERSION[t] BUILD FLAVOUR SHA256`, below its target triple. The addresses follow from these.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::asset::{self, Asset, Flavour};
use super::index::Entry;
use super::{Build, BuildSource};

/// The index as it is shipped.
const TEXT: &str = include_str!("../../../../data/python-builds.json");

#[derive(Deserialize)]
struct Document<'a> {
    download: String,
    #[serde(borrow)]
    builds: BTreeMap<&'a str, Vec<&'a str>>,
}

/// The index as it is written.
#[derive(Serialize)]
struct Written {
    download: String,
    builds: BTreeMap<String, Vec<String>>,
}

/// The builds for a target triple, downloaded from `mirror` if there is one instead of where they were
/// published.
pub(super) fn builds(triple: &str, mirror: Option<&str>) -> Vec<Build> {
    // A test reads the whole of it; here it is better to offer less than to fail.
    let Ok(document) = serde_json::from_str::<Document<'_>>(TEXT) else { return Vec::new() };
    let base = mirror.unwrap_or(&document.download).trim_end_matches('/');
    let lines = document.builds.get(triple).map(Vec::as_slice).unwrap_or_default();
    lines.iter().filter_map(|line| build(line, triple, base)).collect()
}

fn build(line: &str, triple: &str, base: &str) -> Option<Build> {
    let mut words = line.split(' ');
    let (name, date, flavour, sha256) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let version = name.trim_end_matches('t');
    let free_threaded = version != name;
    let variant = if free_threaded { "-freethreaded" } else { "" };
    // A plus sign is written as `%2B` in a URL, and as itself in the name of a file.
    let plus = if base.contains("://") { "%2B" } else { "+" };
    Some(Build {
        name: name.to_owned(),
        version: version.to_owned(),
        build: Some(date.to_owned()),
        free_threaded,
        triple: Some(triple.to_owned()),
        location: format!("{base}/{date}/cpython-{version}{plus}{date}-{triple}{variant}-{flavour}.tar.gz"),
        sha256: Some(sha256.parse().ok()?),
        executable: None,
        source: BuildSource::BuiltIn,
    })
}

/// The file `data/python-builds.json` for the next release of virtpy, made from an index. Builds without a SHA-256,
/// and those that are elsewhere than where the others are, are left out.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn document(entries: &[Entry]) -> Result<String, serde_json::Error> {
    let mut builds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let folder = |entry: &Entry| Some(entry.url.rsplitn(3, '/').nth(2)?.to_owned());
    let download = entries.first().and_then(folder).unwrap_or_default();
    for entry in entries {
        let (Some(asset), Some(sha256)) = (Asset::of(&entry.url), &entry.sha256) else { continue };
        let flavour = match asset.flavour {
            Flavour::Stripped => "install_only_stripped",
            Flavour::InstallOnly => "install_only",
            Flavour::Full => continue,
        };
        let name = asset::name(&asset.version, asset.free_threaded);
        let line = format!("{name} {} {flavour} {sha256}", asset.build);
        if build(&line, &asset.triple, &download).is_some_and(|build| build.location == entry.url) {
            builds.entry(asset.triple).or_default().push(line);
        }
    }
    Ok(serde_json::to_string_pretty(&Written { download, builds })? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PythonVersion;

    #[test]
    fn every_build_is_complete_and_stands_once() {
        let document: Document<'_> = serde_json::from_str(TEXT).unwrap();
        assert!(document.builds.len() >= 6, "{:?}", document.builds.keys());
        for (triple, lines) in &document.builds {
            let read = builds(triple, None);
            assert_eq!(read.len(), lines.len());
            let mut names: Vec<_> = read.iter().map(|build| build.name.clone()).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), lines.len(), "{triple} names a version twice");
            for build in read {
                build.version.parse::<PythonVersion>().unwrap();
                assert!(build.sha256.is_some());
                let date = build.build.unwrap();
                assert!(date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()), "{date}");
            }
        }
    }

    #[test]
    fn addresses_follow_from_the_facts() {
        let find = |mirror, name: &str| {
            let all = builds("x86_64-unknown-linux-gnu", mirror);
            all.into_iter().find(|build| build.name == name).unwrap().location
        };
        assert_eq!(
            find(None, "3.15.1t"),
            "https://github.com/astral-sh/python-build-standalone/releases/download/20261021/\
             cpython-3.15.1%2B20261021-x86_64-unknown-linux-gnu-freethreaded-install_only_stripped.tar.gz"
        );
        assert_eq!(
            find(Some("https://mirror.example/pbs/"), "3.12.3"),
            "https://mirror.example/pbs/20240415/cpython-3.12.3%2B20240415-x86_64-unknown-linux-gnu-install_only.tar.gz"
        );
        assert_eq!(
            find(Some("/srv/pbs"), "3.12.3"),
            "/srv/pbs/20240415/cpython-3.12.3+20240415-x86_64-unknown-linux-gnu-install_only.tar.gz"
        );
    }

    #[test]
    fn the_shipped_file_is_what_would_be_written() {
        let document: Document<'_> = serde_json::from_str(TEXT).unwrap();
        let entry = |build: Build| Entry {
            version: build.version,
            build: build.build,
            triple: build.triple,
            variant: String::new(),
            url: build.location,
            sha256: build.sha256,
        };
        let of_triple = |triple: &&str| builds(triple, None).into_iter().map(entry).collect::<Vec<_>>();
        let mut entries: Vec<Entry> = document.builds.keys().flat_map(of_triple).collect();
        assert_eq!(super::document(&entries).unwrap(), TEXT);
        entries[1].sha256 = None;
        entries[2].url = entries[2].url.replace("github.com", "x.example");
        let fewer = super::document(&entries).unwrap();
        assert_eq!(fewer.lines().count() + 2, TEXT.lines().count());
    }
}
