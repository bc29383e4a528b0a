//! A project of Poetry's as what is wanted of an environment: what its lock file has for the groups, the extras and the
//! interpreter, and the project itself.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use virtpy_resolver::{IndexSettings, Input};

use crate::host::markers;
use crate::installed::{is_installed, is_unchanged, package};
use crate::plan::{Goal, InstallOptions, InstallPlan, Source, Supply, surplus};
use crate::poetry::{
    self, Ask, GroupChoice, LockFile, PoetryError, Project, RootWheel, Selection, Wanted, file_url,
    group_name, identity_of_folder, root_wheel,
};
use crate::resolve::{Obtained, ResolutionCache, ResolveError};
use crate::resolved::{AtHand, RequestKey, ResolveRequest, Resolved};
use crate::{Changelog, Environment, Error, Host, Origins, Result, admits};
use virtpy_files as fs;
use virtpy_interpreters::Interpreter;
use virtpy_pep::{DirectUrl, InvalidName, NamedVersion, PackageName, WheelHash};
use virtpy_remote::Remote;
use virtpy_store::{Entry, EntryId, WheelFile};
use virtpy_venv::PackageToInstall;
use virtpy_wheel as wheel;

/// What of a project is wanted.
#[derive(Debug, Clone, Default)]
pub struct PoetryChoice {
    /// Its groups.
    pub groups: GroupChoice,
    /// Its extras.
    pub extras: Vec<String>,
    /// Whether all its extras are wanted.
    pub all_extras: bool,
    /// Whether the project itself is left out.
    pub no_root: bool,
}

/// A project of Poetry's with its lock file.
pub struct PoetryProject {
    /// The project.
    pub project: Project,
    lock: LockFile,
    choice: PoetryChoice,
}

impl PoetryProject {
    /// Reads a project and its lock file.
    ///
    /// # Errors
    /// When one of them is not there or makes no sense, or the lock file is of another state of the project.
    pub fn read(root: &Path, choice: PoetryChoice) -> Result<Self> {
        let project = Project::read(root)?;
        let lock = LockFile::read(&project.root.join("poetry.lock"))?;
        if !project.is_locked_by(&lock) {
            return Err(PoetryError::Stale.into());
        }
        Ok(Self { project, lock, choice })
    }

    /// The project may not be for this Python.
    fn check_python(&self, interpreter: &Interpreter) -> Result<()> {
        let Some(required) = self.project.requires_python() else { return Ok(()) };
        if admits(&required, interpreter) {
            return Ok(());
        }
        let version = &interpreter.version;
        Err(Error::new(format!("the venv's Python {version} is not allowed by the project ({required})"))
            .hinted("remove the venv, or name another one with `--venv`"))
    }

    /// What the lock file has for the groups, the extras and the interpreter.
    fn wanted(&self, interpreter: &Interpreter) -> Result<Vec<Wanted>> {
        let groups = self.project.choose(&self.choice.groups)?;
        let extras: Vec<String> = if self.choice.all_extras {
            self.lock.extras.keys().map(|extra| group_name(extra)).collect()
        } else {
            self.choice.extras.iter().flat_map(|text| text.split_whitespace()).map(group_name).collect()
        };
        let selection = Selection { markers: &markers(interpreter)?, groups: &groups, extras: &extras };
        let all = if self.lock.names_groups() { BTreeMap::new() } else { self.project.groups() };
        let selected = poetry::select(&self.lock, &all, selection)?;
        let wanted = selected.into_iter().map(|package| Wanted::of(package, &self.project.root));
        Ok(wanted.collect::<Result<_, _>>()?)
    }

    /// The project itself, if it is wanted.
    fn root(&self) -> Result<Option<Root>> {
        let project = &self.project;
        if self.choice.no_root || !project.is_package() {
            return Ok(None);
        }
        let url = file_url(&project.root);
        let direct_url = DirectUrl::directory(url, true).to_string();
        let version = project.text("version");
        if project.is_built_by_poetry_alone() && version.is_some() {
            let wheel = Box::new(root_wheel(project)?);
            return Ok(Some(Root::Own { wheel, origin: project.root.display().to_string(), direct_url }));
        }
        let name = project.text("name").unwrap_or_default().parse().map_err(|error: InvalidName| {
            PoetryError::Unusable { path: project.root.join("pyproject.toml"), reason: error.to_string() }
        })?;
        Ok(Some(Root::Asked(Box::new(Wanted {
            package: name,
            version: version.unwrap_or_default().to_owned(),
            ask: Ask::Input(Input::Editable(project.root.display().to_string())),
            index: None,
            direct_url: Some(direct_url),
            identity: identity_of_folder(&project.root, true),
        }))))
    }
}

/// How the project itself comes.
enum Root {
    /// virtpy lays it out.
    Own { wheel: Box<RootWheel>, origin: String, direct_url: String },
    /// The program that builds it is asked.
    Asked(Box<Wanted>),
}

/// What has to come of a lock file.
pub(super) struct PoetrySupply {
    project: Project,
    settings: IndexSettings,
    wanted: Vec<Wanted>,
    own_root: Option<Root>,
}

impl Source for PoetryProject {
    fn plan(&self, environment: &Environment<'_>, goal: &Goal<'_>) -> Result<InstallPlan> {
        let interpreter = environment.interpreter()?;
        let contents = &environment.contents;
        self.check_python(interpreter)?;
        let mut wanted = self.wanted(interpreter)?;
        let settings = poetry::with_indexes(environment.settings()?.clone(), &wanted);
        let pip_stays = wanted.iter().any(|one| environment.is_own_pip(&one.package));
        wanted.retain(|one| !environment.is_own_pip(&one.package));
        // `pip` stays, as with Poetry.
        let own = self.project.text("name").map(group_name).unwrap_or_default();
        let stays = |key: &PackageName| {
            *key == "pip" || **key == *own || wanted.iter().any(|one| one.package == *key)
        };
        let remove = surplus(environment, goal.extent, stays);
        let all = wanted.len();
        wanted.retain(|one| {
            !is_installed(contents.find(&one.package), &one.version, one.direct_url.as_deref())
        });
        let unchanged = all - wanted.len();
        let own_root = match self.root()? {
            Some(Root::Asked(root)) => {
                wanted.push(*root);
                None
            }
            own => own,
        };
        let supply = PoetrySupply { project: self.project.clone(), settings, wanted, own_root };
        Ok(InstallPlan { remove, unchanged, pip_stays, ..InstallPlan::new(supply, goal.options) })
    }
}

/// What of a locked package decides which wheel it is. Files are told by their hashes, wherever they come from.
#[derive(Serialize)]
struct Key<'a> {
    poetry: &'a str,
}

impl PoetrySupply {
    /// The key under which a package's entry is remembered.
    fn key(&self, interpreter: &Interpreter, wanted: &Wanted) -> Option<String> {
        let IndexSettings { no_binary, only_binary, .. } = self.settings.clone();
        let settings = IndexSettings { no_binary, only_binary, ..IndexSettings::default() };
        let key = Key { poetry: wanted.identity.as_deref()? };
        Some(RequestKey::new(Some(interpreter), &settings, key).digest())
    }

    /// Finds the files of packages, which are pinned.
    fn resolve(&self, host: &Host, interpreter: &Interpreter, wanted: &[&Wanted]) -> Result<Resolved> {
        let request = poetry::request(&self.project, wanted).map_err(ResolveError::from)?;
        let asked = ResolveRequest::Request(Box::new(request));
        Resolved::of(host, interpreter, self.settings.clone(), &asked)
    }
}

impl Supply for PoetrySupply {
    fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.own_root.is_none()
    }

    fn preview(&self, _: &Environment<'_>, log: &mut Changelog) {
        log.summary.added =
            self.wanted.iter().map(|one| NamedVersion::new(one.package.as_str(), &one.version)).collect();
    }

    fn editable(&self) -> Option<String> {
        if self.own_root.is_some() {
            return Some(self.project.text("name").unwrap_or_default().to_owned());
        }
        let is_editable = |one: &&Wanted| matches!(&one.ask, Ask::Input(Input::Editable(_)));
        self.wanted.iter().find(is_editable).map(|one| one.package.to_string())
    }

    fn at_hand(&self, environment: &Environment<'_>, remote: Option<&Remote>) -> Result<AtHand> {
        let (host, interpreter) = (environment.host, environment.interpreter()?);
        let is_shared = |one: &&Wanted| !matches!(&one.ask, Ask::Input(Input::Editable(_)));
        let wanted: Vec<&Wanted> = self.wanted.iter().filter(is_shared).collect();
        if wanted.is_empty() {
            return Ok(AtHand::default());
        }
        let resolved = self.resolve(host, interpreter, &wanted)?;
        let places: Vec<usize> = (0..resolved.resolution.packages.len()).collect();
        resolved.at_hand(&places, interpreter, remote)
    }

    /// Takes what was had before, fetches or builds the rest with exact pins and hashes, so that nothing is left for the
    /// resolver to decide but which file fits, and remembers it.
    fn fetch(
        self: Box<Self>,
        environment: &Environment<'_>,
        _: InstallOptions,
        log: &mut Changelog,
    ) -> Result<Vec<PackageToInstall>> {
        let (host, interpreter) = (environment.host, environment.interpreter()?);
        let (store, cache) = (&host.store, ResolutionCache::new(&host.store));
        let keys: Vec<Option<String>> = self.wanted.iter().map(|one| self.key(interpreter, one)).collect();
        let known: Vec<Option<WheelHash>> = keys.iter().map(|key| cache.get_one(key.as_ref()?)).collect();
        let mut entries = store.usable(&known)?;
        let unknown: Vec<usize> = (0..entries.len()).filter(|place| entries[*place].is_none()).collect();
        if !unknown.is_empty() {
            let wanted: Vec<&Wanted> = unknown.iter().map(|place| &self.wanted[*place]).collect();
            let resolved = self.resolve(host, interpreter, &wanted)?;
            let obtained = resolved.fetch_all()?;
            log.origins = Origins::of(obtained.iter().map(|one| one.origin));
            for place in unknown {
                let wanted = &self.wanted[place];
                let is_it =
                    |one: &&Obtained| resolved.resolution.packages[one.package].name == wanted.package;
                let found = obtained.iter().find(is_it).ok_or_else(|| PoetryError::Package {
                    package: wanted.label(),
                    reason: "it was not found".to_owned(),
                })?;
                if let Some(key) = &keys[place] {
                    cache.put_one(key, &found.entry);
                }
                entries[place] = Some(found.entry.clone());
            }
        }
        let mut packages = Vec::with_capacity(entries.len() + 1);
        for (one, entry) in self.wanted.into_iter().zip(entries) {
            let Some(entry) = entry else { continue };
            packages.push(package(host, &environment.contents, entry, false, one.direct_url)?);
        }
        if let Some(Root::Own { wheel, origin, direct_url }) = self.own_root {
            let entry = own_entry(environment, *wheel, origin)?;
            packages.push(package(host, &environment.contents, entry, false, Some(direct_url))?);
        }
        // The project itself is looked at each time, and often still the same.
        packages.retain(|one| !is_unchanged(&environment.contents, one));
        Ok(packages)
    }
}

/// The entry of a project that virtpy lays out by itself.
fn own_entry(environment: &Environment<'_>, wheel: RootWheel, origin: String) -> Result<Entry> {
    let host = environment.host;
    let store = &host.store;
    let folder = store.temporary_folder()?;
    let path = folder.path().join(&wheel.filename);
    fs::write_new(&path, &wheel.bytes, 0o600)?;
    let sha256 = wheel::file_sha256(&path)?.into();
    if let Some(entry) = store.usable(&[Some(sha256)])?.pop().flatten() {
        return Ok(entry);
    }
    let _locks = store.lock_entries(vec![EntryId::of(&sha256)], &mut host.announce())?;
    let file = WheelFile { path, filename: wheel.filename, sha256, origin, indexes: Vec::new() };
    let published = store.publish(vec![store.stage(&file)?])?;
    published.into_iter().next().ok_or_else(|| Error::new("the project's entry was not published"))
}
