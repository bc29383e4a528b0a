//! The choice among the files of all releases, and the two forms in which it is written.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};
use url::Url;
use virtpy_pep::Sha256Digest;

use super::super::asset::{Asset, Flavour};
use super::super::index::{Entry, FREE_THREADED, ORDINARY};
use crate::PythonVersion;

/// How the file is called that has the SHA-256 of each file of a release.
const SUMS: &str = "SHA256SUMS";

/// The chosen builds. Their order is that in which they are written: newest version first, then by target, and the
/// ordinary variant first.
pub(super) struct Choice {
    triples: BTreeSet<String>,
    chosen: BTreeMap<(Reverse<PythonVersion>, String, bool), Candidate>,
    /// The files with checksums, by what precedes their names.
    sums: BTreeMap<String, Url>,
    /// The files with the checksum of one other file, by that one's address.
    single: BTreeMap<String, Url>,
}

struct Candidate {
    asset: Asset,
    url: Url,
    sha256: Option<Sha256Digest>,
}

impl Candidate {
    fn is_gzip(&self) -> bool {
        self.url.path().rsplit('.').next() == Some("gz")
    }

    /// The greatest is the best: the newest build, of that the smallest archive, and of two the one that is
    /// unpacked everywhere.
    fn rank(&self) -> (&str, Reverse<Flavour>, bool, &str) {
        (&self.asset.build, Reverse(self.asset.flavour), self.is_gzip(), self.url.as_str())
    }
}

impl Choice {
    /// Chooses for some triples, or for all but those of newer processors.
    pub(super) fn new(triples: &[String]) -> Self {
        Self {
            triples: triples.iter().cloned().collect(),
            chosen: BTreeMap::new(),
            sums: BTreeMap::new(),
            single: BTreeMap::new(),
        }
    }

    /// How many builds are chosen so far.
    pub(super) fn count(&self) -> usize {
        self.chosen.len()
    }

    /// Looks at the files of a release.
    pub(super) fn extend(&mut self, files: Vec<Url>) {
        for mut url in files {
            url.set_fragment(None);
            let (folder, name) = split(&url);
            if name == SUMS {
                self.sums.entry(folder).or_insert(url);
            } else if let Some(archive) = name.strip_suffix(".sha256") {
                self.single.entry(format!("{folder}{archive}")).or_insert(url);
            } else if let Some(asset) = Asset::of(&name).filter(|asset| self.is_wanted(asset)) {
                self.add(Candidate { asset, url, sha256: None });
            }
        }
    }

    fn is_wanted(&self, asset: &Asset) -> bool {
        let is_of_target = if self.triples.is_empty() {
            let newer = ["x86_64_v2-", "x86_64_v3-", "x86_64_v4-"];
            !newer.iter().any(|architecture| asset.triple.starts_with(architecture))
        } else {
            self.triples.contains(&asset.triple)
        };
        is_of_target && asset.is_ordinary && asset.flavour != Flavour::Full
    }

    fn add(&mut self, candidate: Candidate) {
        let asset = &candidate.asset;
        let key = (Reverse(asset.version.clone()), asset.triple.clone(), asset.free_threaded);
        match self.chosen.get_mut(&key) {
            Some(known) if known.rank() >= candidate.rank() => {}
            Some(known) => *known = candidate,
            None => {
                self.chosen.insert(key, candidate);
            }
        }
    }

    /// The files that state the SHA-256 of what was chosen.
    pub(super) fn sums(&self) -> BTreeSet<Url> {
        let of = |candidate: &Candidate| {
            let (folder, name) = split(&candidate.url);
            self.sums.get(&folder).or_else(|| self.single.get(&format!("{folder}{name}"))).cloned()
        };
        self.chosen.values().filter_map(of).collect()
    }

    /// Takes over what such a file states, in lines of hash and name.
    pub(super) fn verify(&mut self, sums: &Url, text: &str) {
        let (folder, file) = split(sums);
        let mut stated: BTreeMap<String, BTreeSet<Sha256Digest>> = BTreeMap::new();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let Some(Ok(hash)) = words.next().map(str::parse::<Sha256Digest>) else { continue };
            // An asterisk stands for a binary file. The checksum of one file may stand alone.
            let own = || file.strip_suffix(".sha256").map(str::to_owned);
            let name = words.next().map(|name| name.trim_start_matches('*').to_owned()).or_else(own);
            stated.entry(name.unwrap_or_default()).or_default().insert(hash);
        }
        for candidate in self.chosen.values_mut() {
            let (own_folder, name) = split(&candidate.url);
            // A file with two hashes has none.
            if own_folder == folder
                && let Some(hashes) = stated.get(&name).filter(|hashes| hashes.len() == 1)
            {
                candidate.sha256 = hashes.first().copied();
            }
        }
    }

    /// The chosen builds, and the names of those whose SHA-256 is not known.
    pub(super) fn finish(self) -> (Vec<Entry>, Vec<String>) {
        let unverified = self.chosen.values().filter(|candidate| candidate.sha256.is_none());
        let unverified = unverified.map(|candidate| split(&candidate.url).1).collect();
        let entry = |candidate: Candidate| Entry {
            version: candidate.asset.version.to_string(),
            build: Some(candidate.asset.build),
            triple: Some(candidate.asset.triple),
            variant: if candidate.asset.free_threaded { FREE_THREADED } else { ORDINARY }.to_owned(),
            url: candidate.url.into(),
            sha256: candidate.sha256,
        };
        (self.chosen.into_values().map(entry).collect(), unverified)
    }
}

/// The beginning of an address up to the last `/`, and the name after it as files have it.
fn split(url: &Url) -> (String, String) {
    let mut plain = url.clone();
    plain.set_query(None);
    let (folder, name) = plain.as_str().rsplit_once('/').unwrap_or_default();
    (format!("{folder}/"), name.replace("%2B", "+").replace("%2b", "+"))
}

/// An index with everything that is known, as JSON.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn rich_document(entries: &[Entry]) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Document<'a> {
        builds: &'a [Entry],
    }
    Ok(serde_json::to_string_pretty(&Document { builds: entries })? + "\n")
}

/// An index as isopy reads it, as JSON: the ordinary builds of final versions for one target.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn flat_document(entries: &[Entry], triple: &str) -> Result<String, serde_json::Error> {
    struct Document<'a>(Vec<&'a Entry>);
    impl Serialize for Document<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|entry| (&entry.version, &entry.url)))
        }
    }
    let is_wanted = |entry: &&Entry| {
        let is_final = entry.version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        entry.triple.as_deref() == Some(triple) && entry.variant == ORDINARY && is_final
    };
    Ok(serde_json::to_string_pretty(&Document(entries.iter().filter(is_wanted).collect()))? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GNU: &str = "x86_64-unknown-linux-gnu";

    fn url(build: &str, version: &str, rest: &str) -> Url {
        let text = format!("https://x.example/download/{build}/cpython-{version}%2B{build}-{rest}.tar.gz");
        Url::parse(&text).unwrap()
    }

    fn choose(files: &[Url], triples: &[&str]) -> Vec<Entry> {
        let mut choice = Choice::new(&triples.iter().map(|triple| (*triple).to_owned()).collect::<Vec<_>>());
        choice.extend(files.to_vec());
        choice.finish().0
    }

    #[test]
    fn the_newest_build_is_chosen_and_of_it_the_stripped_one() {
        let stripped = format!("{GNU}-install_only_stripped");
        let plain = format!("{GNU}-install_only");
        let mut files = vec![
            url("20250101", "3.12.1", &stripped),
            url("20250301", "3.12.1", &plain),
            url("20250301", "3.12.1", &stripped),
            url("20250201", "3.12.1", &stripped),
            url("20250401", "3.12.2", &plain),
        ];
        for _ in 0..2 {
            let chosen = choose(&files, &[]);
            let urls: Vec<&str> = chosen.iter().map(|entry| entry.url.as_str()).collect();
            assert_eq!(urls, [files_named(&files, "20250401"), files_named(&files, "20250301-stripped")]);
            files.reverse();
        }
    }

    /// The only file of a build, or its stripped one.
    fn files_named<'a>(files: &'a [Url], build: &str) -> &'a str {
        let (build, stripped) = build.split_once('-').map_or((build, false), |(build, _)| (build, true));
        let mut found = files.iter().map(Url::as_str).filter(|url| url.contains(build));
        found.find(|url| url.contains("stripped") == stripped).unwrap()
    }

    #[test]
    fn variants_candidates_and_targets_are_kept_apart() {
        let files = [
            url("20250101", "3.14.0rc1", &format!("{GNU}-install_only")),
            url("20240101", "3.14.0", &format!("{GNU}-install_only")),
            url("20250101", "3.14.0", &format!("{GNU}-freethreaded-install_only")),
            url("20250101", "3.14.0", "x86_64_v3-unknown-linux-gnu-install_only"),
            url("20250101", "3.14.0", &format!("{GNU}-debug-full")),
            url("20250101", "3.14.0", "aarch64-apple-darwin-install_only"),
        ];
        let names = |triples: &[&str]| {
            let chosen = choose(&files, triples);
            let name =
                |entry: Entry| format!("{} {} {}", entry.version, entry.triple.unwrap(), entry.variant);
            chosen.into_iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(
            names(&[]),
            [
                "3.14.0 aarch64-apple-darwin default",
                "3.14.0 x86_64-unknown-linux-gnu default",
                "3.14.0 x86_64-unknown-linux-gnu freethreaded",
                "3.14.0rc1 x86_64-unknown-linux-gnu default",
            ]
        );
        assert_eq!(names(&["x86_64_v3-unknown-linux-gnu"]), ["3.14.0 x86_64_v3-unknown-linux-gnu default"]);
        let flat = flat_document(&choose(&files, &[]), GNU).unwrap();
        assert_eq!(flat, format!("{{\n  \"3.14.0\": \"{}\"\n}}\n", files[1]));
    }

    #[test]
    fn checksums_belong_to_the_files_beside_them() {
        let (one, other) = (
            url("20250101", "3.12.1", &format!("{GNU}-install_only")),
            url("20250201", "3.12.2", &format!("{GNU}-install_only")),
        );
        let sums =
            |build: &str| Url::parse(&format!("https://x.example/download/{build}/SHA256SUMS")).unwrap();
        let single = Url::parse(&format!("{other}.sha256")).unwrap();
        let mut choice = Choice::new(&[]);
        choice.extend(vec![one.clone(), sums("20250101"), other.clone(), single.clone(), sums("20250301")]);
        assert_eq!(choice.sums().into_iter().collect::<Vec<_>>(), [sums("20250101"), single.clone()]);
        let name = |url: &Url| split(url).1;
        let (hash, second) = ("AB".repeat(32), "cd".repeat(32));
        let text =
            format!("# a note\n{second} *{}\n{hash}  {}\nzz  {}\n", name(&other), name(&one), name(&one));
        choice.verify(&sums("20250101"), &text);
        choice.verify(&single, &format!("{second}\n"));
        let (entries, unverified) = choice.finish();
        let hashes: Vec<_> = entries.into_iter().map(|entry| entry.sha256.unwrap()).collect();
        assert_eq!(hashes, [[0xcd; 32].into(), [0xab; 32].into()]);
        assert_eq!(unverified, [] as [&str; 0]);
    }

    #[test]
    fn a_file_with_two_hashes_has_none() {
        let one = url("20250101", "3.12.1", &format!("{GNU}-install_only"));
        let sums = Url::parse("https://x.example/download/20250101/SHA256SUMS").unwrap();
        let name = split(&one).1;
        let mut choice = Choice::new(&[]);
        choice.extend(vec![one, sums.clone()]);
        choice.verify(&sums, &format!("{} {name}\n{} {name}\n", "0".repeat(64), "1".repeat(64)));
        let (entries, unverified) = choice.finish();
        assert_eq!((entries[0].sha256, unverified), (None, vec![name]));
    }
}
