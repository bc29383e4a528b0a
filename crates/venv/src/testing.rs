//! Distributions by the hundred, for the property tests: small ones, whose paths meet often.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use virtpy_files as fs;
use virtpy_store::{DIST_INFO_ALIAS, Manifest};
use virtpy_wheel::{Climbing, EntryPoint, InstalledFile, Libraries, RecordDigest, ScriptFile, Unpacked};

use super::{Config, Layout, LinkMode, PlannedDistribution};

/// A distribution, by what it has.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) name: String,
    /// Its files, by the tree and the path in it.
    pub(super) site: BTreeSet<String>,
    pub(super) data: BTreeSet<String>,
    pub(super) headers: BTreeSet<String>,
    /// Its scripts, and whether they are of Python.
    pub(super) scripts: BTreeSet<(String, bool)>,
    /// Its entry points.
    pub(super) commands: BTreeSet<String>,
    pub(super) requested: bool,
    pub(super) direct_url: Option<String>,
    pub(super) copied: bool,
}

impl Sample {
    pub(super) fn dist_info(&self) -> String {
        format!("{}-1.0.dist-info", self.name)
    }

    /// Its manifest, as the store would write it.
    pub(super) fn manifest(&self) -> Manifest {
        let file = |path: &String| InstalledFile {
            path: path.clone(),
            sha256: RecordDigest::of(self.content(path)),
            size: self.content(path).len() as u64,
            executable: false,
        };
        let command = |name: &String| EntryPoint {
            name: name.clone(),
            module: self.name.clone(),
            attribute: "main".to_owned(),
            gui: false,
        };
        Manifest::in_memory(Unpacked {
            name: self.name.clone(),
            version: "1.0".to_owned(),
            dist_info: self.dist_info(),
            tags: vec!["py3-none-any".to_owned()],
            root_is_purelib: true,
            site: self.site_files().iter().map(file).collect(),
            data: self.data.iter().map(file).collect(),
            headers: self.headers.iter().map(file).collect(),
            scripts: self
                .scripts
                .iter()
                .map(|(path, python)| ScriptFile { file: file(path), python: *python })
                .collect(),
            entry_points: self.commands.iter().map(command).collect(),
            requires_dist: Vec::new(),
            requires_python: None,
            provides_extra: Vec::new(),
            libraries: Libraries::default(),
            climbing: Climbing::default(),
            warnings: Vec::new(),
        })
    }

    /// The files of its `site`, those of the dist-info folder included.
    pub(super) fn site_files(&self) -> BTreeSet<String> {
        let own =
            ["METADATA", "WHEEL", "licenses/LICENSE"].map(|name| format!("{}/{name}", self.dist_info()));
        self.site.iter().cloned().chain(own).collect()
    }

    /// What is in its file of this path.
    pub(super) fn content(&self, path: &str) -> String {
        let is_of_python = self.scripts.contains(&(path.to_owned(), true));
        format!("{}{} of {}\n", if is_of_python { "#!python\n" } else { "" }, path, self.name)
    }

    /// Where its entry stands, if the entries are in `store`.
    pub(super) fn entry(&self, store: &Path) -> PathBuf {
        store.join(&self.name)
    }

    /// Makes its entry's files.
    pub(super) fn write(&self, store: &Path) {
        let entry = self.entry(store);
        let in_tree = |tree: &'static str, paths: &BTreeSet<String>| -> Vec<(String, String)> {
            paths.iter().map(|path| (format!("{tree}/{path}"), self.content(path))).collect()
        };
        let scripts = self.scripts.iter().map(|(path, _)| path.clone()).collect();
        let mut files = in_tree("site", &self.site_files());
        files.extend(in_tree("data", &self.data));
        files.extend(in_tree("headers", &self.headers));
        files.extend(in_tree("scripts", &scripts));
        for (path, content) in files {
            put(&entry, &path, &content);
        }
        fs::symlink(&Path::new("site").join(self.dist_info()), &entry.join(DIST_INFO_ALIAS)).unwrap();
    }
}

/// The distributions as a plan takes them.
pub(super) struct LoadedSamples {
    samples: Vec<Sample>,
    manifests: Vec<Manifest>,
    entries: Vec<PathBuf>,
}

impl LoadedSamples {
    pub(super) fn of(samples: &[Sample], store: &Path) -> Self {
        let manifests = samples.iter().map(Sample::manifest).collect();
        let entries = samples.iter().map(|sample| sample.entry(store)).collect();
        Self { samples: samples.to_vec(), manifests, entries }
    }

    pub(super) fn members(&self) -> Vec<PlannedDistribution<'_>> {
        let all = self.samples.iter().zip(&self.manifests).zip(&self.entries);
        all.map(|((sample, manifest), entry)| PlannedDistribution {
            manifest,
            entry,
            requested: sample.requested,
            direct_url: sample.direct_url.as_deref(),
            copied: sample.copied,
        })
        .collect()
    }
}

/// Writes a file into a folder, with the folders on its way.
pub(super) fn put(folder: &Path, path: &str, content: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write_new(&path, content.as_bytes(), 0o644).unwrap();
}

/// A folder that goes away, in memory where there is such a place: a disk would take ten times as long.
pub(super) fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap()
}

/// A layout of a venv that is nowhere.
pub(super) fn layout() -> Layout {
    let mut config = Config::default();
    config.push("virtpy-library", "python3.12");
    Layout::of(Path::new("/v"), &config).unwrap()
}

/// Every way in which packages come into a venv.
pub(super) fn modes() -> impl Strategy<Value = LinkMode> {
    prop_oneof![
        3 => Just(LinkMode::Auto),
        1 => Just(LinkMode::Symlink),
        1 => Just(LinkMode::Hardlink),
        1 => Just(LinkMode::Copy),
    ]
}

/// Up to so many distributions, in an order. They are called `d0`, `d1`, ….
pub(super) fn sets(most: usize) -> impl Strategy<Value = Vec<Sample>> {
    vec(sample(), 0..=most).prop_map(|mut samples| {
        for (number, sample) in samples.iter_mut().enumerate() {
            sample.name = format!("d{number}");
        }
        samples
    })
}

fn sample() -> impl Strategy<Value = Sample> {
    let trees = (btree_set(site_path(), 0..6), btree_set(data_path(), 0..3), btree_set("[ab]\\.h", 0..2));
    let script = (prop_oneof![Just("tool"), Just("other"), Just("in/tool")], any::<bool>())
        .prop_map(|(path, python)| (path.to_owned(), python));
    let command = prop_oneof![Just("tool"), Just("run")].prop_map(str::to_owned);
    let bin = (btree_set(script, 0..2), btree_set(command, 0..2));
    let url = proptest::option::weighted(0.1, Just("{\"url\": \"file:///x\"}".to_owned()));
    (trees, bin, any::<bool>(), url, proptest::bool::weighted(0.15)).prop_map(
        |((site, data, headers), (scripts, commands), requested, direct_url, copied)| Sample {
            name: String::new(),
            site: without_folders(&site),
            data: without_folders(&data),
            headers,
            scripts,
            commands,
            requested,
            direct_url,
            copied,
        },
    )
}

/// Where a package's files lie. `part` is a file's name and a folder's.
fn site_path() -> impl Strategy<Value = String> {
    let folder = prop_oneof![4 => Just("one"), 4 => Just("two"), 1 => Just("part")];
    let file = prop_oneof![
        4 => Just("__init__.py"),
        4 => Just("module.py"),
        2 => Just("page.html"),
        2 => Just("libx.so"),
        1 => Just("part"),
    ];
    (vec(folder, 0..4), file).prop_map(|(folders, file)| joined(&folders, file))
}

fn data_path() -> impl Strategy<Value = String> {
    let folder = prop_oneof![
        Just("share"),
        Just("share/man/man1"),
        Just("share/app/deep/own"),
        Just("etc"),
        Just("bin"),
        Just("lib/python3.12/site-packages/one"),
    ];
    let file = prop_oneof![Just("page.1"), Just("tool"), Just("module.py"), Just("part")];
    (folder, file).prop_map(|(folder, file)| joined(&[folder], file))
}

fn joined(folders: &[&str], file: &str) -> String {
    folders.iter().chain(&[file]).copied().collect::<Vec<_>>().join("/")
}

/// The paths without those that are folders of others: an archive has one or the other.
fn without_folders(paths: &BTreeSet<String>) -> BTreeSet<String> {
    let is_folder = |path: &String| paths.iter().any(|other| other.starts_with(&format!("{path}/")));
    paths.iter().filter(|path| !is_folder(path)).cloned().collect()
}
