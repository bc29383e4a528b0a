//! Locks that are known to be what would be made again: virtpy made them, and nothing that decides about them has changed. Of what a
//! lock has, no index is asked again anyhow; so resolving all of it once more could only find the same.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde::Serialize;
use toml::Table;
use virtpy_resolver::{IndexSettings, Input, LockForm, members_of, read_project};

use super::inputs::Inputs;
use super::spec::Locking;
use super::target::Target;
use crate::lockfile::Neighbours;
use crate::resolve::ResolutionCache;
use crate::resolved::RequestKey;
use crate::{Host, Result};
use virtpy_files as fs;
use virtpy_files::digest::{hex, sha256};

/// The number of this form of keys. Whoever changes how locks are made takes the next one.
const FORMAT: u32 = 1;

/// Settings of a project by which other indexes are asked, or whose meaning changes with the time.
const OTHER_SETTINGS: [&str; 7] = [
    "exclude-newer",
    "exclude-newer-package",
    "extra-index-url",
    "find-links",
    "index",
    "index-url",
    "no-index",
];

/// What is asked for when a project is locked.
#[derive(Serialize)]
struct LockKey<'a> {
    format: u32,
    program: &'a str,
    lock: Option<&'a Path>,
    project: &'a Path,
    without_groups: &'a [String],
    universal: bool,
    requires_python: Option<&'a str>,
    no_project: bool,
    pre: bool,
    /// The files in each of the folders that are looked at besides the index.
    directories: Vec<Vec<FileKey>>,
    projects: Vec<ProjectKey<'a>>,
}

/// A file, by what changes when it does.
#[derive(Serialize)]
struct FileKey {
    path: PathBuf,
    size: u64,
    modified: Duration,
}

/// A project that is locked or that others need.
#[derive(Serialize)]
struct ProjectKey<'a> {
    file: &'a Path,
    text: String,
    /// The members of its workspace: their folders and names.
    members: Vec<(PathBuf, String)>,
}

/// All that decides about a lock beside what it says already.
pub(super) struct KnownLock<'a> {
    cache: ResolutionCache<'a>,
    decides: String,
}

impl<'a> KnownLock<'a> {
    /// What decides about the lock of a project now; nothing if that cannot be told, or something is asked again each time.
    ///
    /// # Errors
    /// When the settings or the interpreter cannot be read.
    pub(super) fn of(
        locking: &Locking,
        host: &'a Host,
        inputs: &Inputs,
        target: &Target,
        neighbours: &Neighbours,
    ) -> Result<Option<Self>> {
        let is_plain = locking.constraints.is_empty()
            && locking.upgrade_packages.iter().all(|name| !name.contains(['<', '>', '=', '!', '~']))
            && locking.exclude_newer.is_none()
            && locking.draft.is_none()
            && target.form == LockForm::Pylock;
        let [Input::Project(project)] = inputs.asked.as_slice() else { return Ok(None) };
        if !is_plain || !inputs.files.is_empty() {
            return Ok(None);
        }
        let Some(settings) = settings(locking, host)? else { return Ok(None) };
        let mut directories = Vec::new();
        for folder in &settings.find_links {
            let Some(files) = listed(Path::new(folder.strip_prefix("file://").unwrap_or(folder))) else {
                return Ok(None);
            };
            directories.push(files);
        }
        let mut projects = Vec::new();
        for file in neighbours.files() {
            let Some(text) = text_of(file) else { return Ok(None) };
            let members = file.parent().map(members_of).unwrap_or_default();
            projects.push(ProjectKey { file, text, members });
        }
        let interpreter = locking.interpreter(host, inputs)?;
        let request = LockKey {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION"),
            lock: target.path.as_deref(),
            project: &project.path,
            without_groups: &locking.without_groups,
            universal: locking.universal,
            requires_python: locking.requires_python.as_deref(),
            no_project: locking.no_project,
            pre: locking.pre,
            directories,
            projects,
        };
        let decides = RequestKey::new(Some(&interpreter), &settings, request).text();
        Ok(Some(Self { cache: ResolutionCache::new(&host.store), decides }))
    }

    /// How many packages a lock with this text has, if it is known.
    pub(super) fn packages(&self, text: &str) -> Option<usize> {
        self.cache.get_count(&self.digest(text))
    }

    /// Remembers a lock, if all is as it was before it was made.
    pub(super) fn remember(&self, now: Option<Self>, text: &str, packages: usize) {
        // What a repository or an archive has is looked at each time.
        let is_moving = |line: &str| {
            ["vcs = ", "archive = ", "[packages.vcs]", "[packages.archive]"]
                .iter()
                .any(|start| line.starts_with(start))
        };
        if now.is_some_and(|now| now.decides == self.decides) && !text.lines().any(is_moving) {
            self.cache.put_count(&self.digest(text), packages);
        }
    }

    fn digest(&self, text: &str) -> String {
        hex(&sha256(format!("{}\n{text}", self.decides).as_bytes()))
    }
}

/// Where packages come from; nothing if there is more than one index, which are all asked each time.
fn settings(locking: &Locking, host: &Host) -> Result<Option<IndexSettings>> {
    let settings = host.index_settings(&locking.index)?;
    let is_remote = |url: &String| url.contains("://") && !url.contains("file://");
    let is_one = settings.extra_index_urls.is_empty()
        && settings.explicit_index_urls.is_empty()
        && settings.exclude_newer.is_none()
        && settings.index_url.as_ref().is_none_or(is_remote);
    Ok(is_one.then_some(settings))
}

/// The files of a folder; nothing if it is none, or only known from where one stands.
fn listed(folder: &Path) -> Option<Vec<FileKey>> {
    let mut names = fs::read_dir_names(folder).ok().filter(|_| folder.is_absolute())?;
    names.sort_by(|one, other| one.0.cmp(&other.0));
    let file = |(name, _): (OsString, _)| {
        let path = folder.join(name);
        let found = fs::metadata(&path).ok()?;
        let modified = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(FileKey { path, size: found.len(), modified })
    };
    names.into_iter().map(file).collect()
}

/// The file of a project that says by itself what it requires, and that by one index; nothing of any other. One that is not there says
/// nothing as long as it stays so.
fn text_of(file: &Path) -> Option<String> {
    let folder = file.parent()?;
    let Some(project) = read_project(folder) else {
        let builds = ["setup.py", "setup.cfg", "pyproject.toml"].map(|name| folder.join(name));
        return builds.iter().all(|file| fs::metadata(file).is_err()).then(String::new);
    };
    let dynamic = project.get("project").and_then(|table| table.get("dynamic")?.as_array());
    let is_dynamic = dynamic.is_some_and(|fields| {
        fields.iter().any(|one| one.as_str().is_none_or(|one| one.ends_with("dependencies")))
    });
    let is_whole = project.contains_key("project") || !project.contains_key("build-system");
    let settings = project.get("tool").and_then(|tool| tool.get("uv")?.as_table());
    let is_other = |settings: &Table| OTHER_SETTINGS.iter().any(|key| settings.contains_key(*key));
    if is_dynamic || !is_whole || settings.is_some_and(is_other) {
        return None;
    }
    fs::read_to_string(file).ok()
}
