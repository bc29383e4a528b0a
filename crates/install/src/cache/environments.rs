//! Environments in the cache, for scripts and commands: the one that another request led to, or one that is resolved, fetched
//! and linked now.

use std::path::{Path, PathBuf};

use serde::Serialize;
use virtpy_resolver::{
    IndexSettings, Input, LockFormat, LockedRequest, Options, Package, Request, RequirementsFiles, Selection,
};

use super::base::Base;
use crate::installed::{candidates, same_version};
use crate::lockfile::LockKind;
use crate::plan::{InstallOptions, InstallPlan};
use crate::resolve::Obtained;
use crate::resolved::RequestKey;
use crate::resolved::{ResolveRequest, Resolved};
use crate::scripts::{Block, CachedEnvironment, Environments, Metadata, Note, Watched, watch};
use crate::tools::names_of;
use crate::{
    Changelog, Environment, Error, Host, Indexes, NewEnvironment, Result, ScriptLock, admits, cache, execute,
};
use virtpy_files as fs;
use virtpy_interpreters::Interpreter;
use virtpy_pep::WheelHash;
use virtpy_venv::{self as venv, Distribution, PackageToInstall};

/// The file in an environment that lets it see the packages of the venv beneath it. Files of this kind are read in the order of
/// their names; this one comes last, so that all of the environment's own goes before.
const BASE_FILE: &str = "~virtpy-base.pth";

/// What an environment has to have.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentSpec {
    /// What the script says about itself.
    pub block: Option<Block>,
    /// The lock file beside the script.
    pub lock: Option<ScriptLock>,
    /// The directory that paths in the script's metadata start from.
    pub folder: PathBuf,
    /// Requirements; paths in them are absolute.
    pub specs: Vec<String>,
    /// What requirements files say.
    pub files: RequirementsFiles,
    /// Directories that are used in place, absolute.
    pub editables: Vec<String>,
    /// The interpreter that the user names.
    pub python: Option<String>,
    /// The venv that is seen beneath it.
    pub base: Option<Base>,
    /// Where packages come from, without what the script says about that.
    pub settings: IndexSettings,
    /// Whether the newest versions are wanted.
    pub refresh: bool,
}

/// Everything that decides about an environment, beside where packages come from.
#[derive(Serialize)]
struct Key<'a> {
    system: [&'a str; 2],
    specs: &'a [String],
    editables: &'a [String],
    files: Option<FilesKey<'a>>,
    python: Option<&'a str>,
    pin: Option<Vec<String>>,
    names_index: bool,
    block: Option<&'a str>,
    /// Where paths in the block start, if it has one: only that can mean something else in another directory.
    block_folder: Option<&'a Path>,
    lock: Option<&'a ScriptLock>,
    base: Option<BaseKey<'a>>,
}

/// What of requirements files decides.
#[derive(Serialize)]
struct FilesKey<'a> {
    /// Where paths in them start.
    folder: &'a Path,
    files: &'a RequirementsFiles,
}

/// What of the venv beneath decides.
#[derive(Serialize)]
struct BaseKey<'a> {
    venv: &'a Base,
    python: Option<PathBuf>,
    distributions: Vec<String>,
}

/// What tells one environment from another: the venv beneath it, and its wheels.
#[derive(Serialize)]
struct ContentKey<'a> {
    base: Option<&'a Base>,
    wheels: Vec<WheelKey<'a>>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct WheelKey<'a> {
    sha256: &'a WheelHash,
    copied: bool,
    direct_url: Option<&'a str>,
}

/// An environment that is ready.
pub struct ReadyEnvironment {
    /// Its directory.
    pub path: PathBuf,
    /// What came of making it, if it was not there.
    pub made: Option<Changelog>,
}

impl EnvironmentSpec {
    /// Whether nothing is asked for on the command line.
    pub fn is_bare(&self) -> bool {
        self.specs.is_empty() && self.editables.is_empty() && !self.files.asks_for_something()
    }

    /// Whether nothing is asked for beside what the base has.
    pub fn is_plain(&self) -> bool {
        self.block.is_none() && self.is_bare()
    }

    /// Makes sure that a venv has the Python that the user names.
    ///
    /// # Errors
    /// When it has another one.
    pub fn check_python(&self, host: &Host, base: &Base) -> Result<()> {
        let Some(text) = &self.python else { return Ok(()) };
        let own = base.interpreter(host)?;
        if host.is_wanted(text, &own)? {
            return Ok(());
        }
        Err(Error::new(format!(
            "the venv at `{}` has Python {}, not {text}",
            base.root.display(),
            own.version
        ))
        .hinted("`--isolated` leaves it aside; `virtpy new --keep -p VERSION` gives it that one"))
    }

    /// Everything that decides about the environment, as a text.
    fn key(&self, host: &Host) -> Result<String> {
        let block = self.block.as_ref().map(|block| block.text.as_str());
        let has_path = |text: &&str| text.contains(['/', '\\']) || text.contains("path");
        let is_pinned = block.is_none() && self.base.is_none() && self.python.is_none();
        let base = self.base.as_ref().map(|venv| {
            let python = fs::read_link(&venv.root.join("bin/python")).ok();
            Ok::<_, Error>(BaseKey { venv, python, distributions: venv.distributions(host)? })
        });
        let has_files = self.files != RequirementsFiles::default();
        let key = Key {
            system: [std::env::consts::OS, std::env::consts::ARCH],
            specs: &self.specs,
            editables: &self.editables,
            files: has_files.then_some(FilesKey { folder: &host.working_directory, files: &self.files }),
            python: self.python.as_deref(),
            pin: if is_pinned { host.pin().map(|pin| pin.requests) } else { None },
            names_index: self.settings.names_index,
            block,
            block_folder: block.filter(has_path).map(|_| self.folder.as_path()),
            lock: self.lock.as_ref(),
            base: base.transpose()?,
        };
        Ok(RequestKey::new(None, &self.settings, key).text())
    }

    /// The environment that is remembered for this request, or one that is made now.
    ///
    /// # Errors
    /// When the metadata make no sense, there is no such interpreter, or packages cannot be found or fetched.
    pub fn ready(&self, host: &Host) -> Result<ReadyEnvironment> {
        let environments = Environments::new(&host.store);
        let name = environments.name_of(&self.key(host)?);
        if !self.refresh
            && let Some(path) = environments.recall(&name, cache::LIFETIME)
        {
            return Ok(ReadyEnvironment { path, made: None });
        }
        cache::sweep(host);
        let metadata = self.block.as_ref().map(Metadata::parse).transpose()?.unwrap_or_default();
        for key in &metadata.unknown {
            host.warning(format_args!("the script's metadata have `{key}`, which says nothing to virtpy"));
        }
        let interpreter = self.interpreter(host, &metadata)?;
        // What is resolved must not be collected before it is linked.
        let _store_lock = host.store.lock_shared(&mut host.announce())?;
        let beneath = self.base.as_ref().map(|base| base.packages(&interpreter)).unwrap_or_default();
        let maker = Maker { host, spec: self, metadata: &metadata, interpreter: &interpreter, beneath };
        let Set { packages, watched } = maker.resolve()?;
        let (path, log) = match &self.base {
            Some(base) if packages.is_empty() => (base.root.clone(), Changelog::default()),
            _ => maker.environment(packages)?,
        };
        // Where that cannot be watched, it is looked for each time.
        if let Some(watched) = watched {
            environments.remember(&name, &Note::new(path.clone(), watched));
        }
        Ok(ReadyEnvironment { path, made: Some(log) })
    }

    /// The interpreter: the base's, the one that the user names, or one that the script works with.
    fn interpreter(&self, host: &Host, metadata: &Metadata) -> Result<Interpreter> {
        if let Some(base) = &self.base {
            self.check_python(host, base)?;
            return base.interpreter(host);
        }
        let downloads = !self.settings.offline;
        let requires = metadata.requires_python.as_deref();
        if self.python.is_none() && self.block.is_none() && host.pin().is_some() {
            return host.wanted_interpreter(None);
        }
        let found = host.interpreter_for(self.python.as_deref().or(requires), downloads);
        let Some(requires) = requires else { return found };
        if self.python.is_none() {
            return found.map_err(|error| error.within(format!("the script requires Python {requires}")));
        }
        let found = found?;
        if admits(requires, &found) {
            return Ok(found);
        }
        let version = &found.version;
        Err(Error::new(format!("the script requires Python {requires}, and `--python` chooses {version}"))
            .hinted("leave `--python` out, or name a version that the script works with"))
    }
}

/// The packages that an environment is to have.
struct Set {
    /// They, sorted by name.
    packages: Vec<PackageToInstall>,
    /// What some of them were made from, if it can be watched.
    watched: Option<Vec<Watched>>,
}

/// The making of one environment.
struct Maker<'a> {
    host: &'a Host,
    spec: &'a EnvironmentSpec,
    metadata: &'a Metadata,
    interpreter: &'a Interpreter,
    /// What the base has.
    beneath: Vec<Distribution>,
}

impl Maker<'_> {
    /// Finds the packages, and has their entries.
    fn resolve(&self) -> Result<Set> {
        let inputs = self.inputs();
        if inputs.is_empty() && !self.spec.files.asks_for_something() {
            return Ok(Set { packages: Vec::new(), watched: Some(Vec::new()) });
        }
        let settings = self.metadata.uv.applied_to(self.spec.settings.clone());
        let options = self.options(&settings);
        let asked = if let Some(lock) = &self.spec.lock {
            let is_uv = LockKind::of(&lock.path) == LockKind::Uv;
            ResolveRequest::Locked(Box::new(LockedRequest {
                path: lock.path.clone(),
                text: lock.text.clone(),
                format: if is_uv { LockFormat::Uv } else { LockFormat::Pylock },
                selection: Selection::default(),
                options,
            }))
        } else {
            ResolveRequest::Request(Box::new(Request {
                requirements: inputs,
                files: self.spec.files.clone(),
                rules: self.metadata.uv.clone(),
                installed: candidates(&self.beneath.iter().collect::<Vec<_>>(), Path::new("")),
                options,
                ..Request::default()
            }))
        };
        let resolved = Resolved::of(self.host, self.interpreter, settings, &asked)?;
        let packages = self.fetch(&resolved)?;
        let watched = resolved.resolution.packages.iter().filter_map(source_of);
        let watched = watched.map(|(path, in_place)| watch(&path, in_place)).collect();
        Ok(Set { packages, watched })
    }

    fn inputs(&self) -> Vec<Input> {
        let own = self.metadata.dependencies.iter().cloned();
        let specs = self.spec.specs.iter().cloned().map(Input::Requirement);
        let editables = self.spec.editables.iter().cloned().map(Input::Editable);
        own.chain(specs).chain(editables).collect()
    }

    fn options(&self, settings: &IndexSettings) -> Options {
        // What the base has stays as it is; only what is asked for beside it is to be new.
        let has_base = self.spec.base.is_some();
        let upgrade_packages =
            if self.spec.refresh && has_base { names_of(&self.spec.specs) } else { Vec::new() };
        Options {
            upgrade: self.spec.refresh && !has_base,
            upgrade_packages,
            prerelease: settings.prerelease,
            no_binary: settings.no_binary.clone(),
            only_binary: settings.only_binary.clone(),
            require_hashes: settings.require_hashes,
            exclude_newer: settings.exclude_newer.clone(),
            working_directory: self.spec.folder.clone(),
            ..Options::default()
        }
    }

    /// What the base does not have, in the order of the names.
    fn fetch(&self, resolved: &Resolved) -> Result<Vec<PackageToInstall>> {
        let packages = &resolved.resolution.packages;
        let mut wanted: Vec<usize> =
            (0..packages.len()).filter(|place| !self.has(&packages[*place])).collect();
        wanted.sort_by_key(|place| &packages[*place].name);
        let preferences = self.host.preferences()?;
        let package = |one: Obtained| PackageToInstall {
            copied: preferences.copies(&packages[one.package].name),
            requested: packages[one.package].requested,
            direct_url: one.direct_url,
            entry: one.entry,
        };
        Ok(resolved.fetch(&wanted)?.into_iter().map(package).collect())
    }

    /// Whether the base has this version of a package.
    fn has(&self, package: &Package) -> bool {
        let is_it =
            |one: &Distribution| one.package == package.name && same_version(&one.version, &package.version);
        package.direct_url.is_none() && self.beneath.iter().any(is_it)
    }

    /// The environment that has exactly this.
    fn environment(&self, packages: Vec<PackageToInstall>) -> Result<(PathBuf, Changelog)> {
        let wheel = |one| {
            let PackageToInstall { entry, copied, direct_url, .. }: &PackageToInstall = one;
            let direct_url = direct_url.as_deref();
            WheelKey { sha256: &entry.manifest.sha256, copied: *copied, direct_url }
        };
        let mut wheels: Vec<WheelKey<'_>> = packages.iter().map(wheel).collect();
        wheels.sort();
        let content = ContentKey { base: self.spec.base.as_ref(), wheels };
        let content = RequestKey::new(Some(self.interpreter), &IndexSettings::default(), content).text();
        let place = Environments::new(&self.host.store).place(&content);
        let _lock = place.lock(&mut self.host.announce())?;
        let mut log = Changelog::default();
        if place.is_complete() {
            place.note_use();
        } else {
            place.discard()?;
            log = self.fill(&place, packages)?;
        }
        Ok((place.path, log))
    }

    /// Makes the venv at a place where there is none. The caller holds its lock.
    fn fill(&self, place: &CachedEnvironment<'_>, packages: Vec<PackageToInstall>) -> Result<Changelog> {
        let base = self.spec.base.as_ref();
        let new = NewEnvironment {
            system_site_packages: base.is_some_and(|base| base.sees_system),
            ..NewEnvironment::in_store(place.path.clone())
        };
        let indexes = Indexes::of(self.spec.settings.clone());
        let mut environment = Environment::create(self.host, self.interpreter.clone(), new, &indexes)?;
        let plan = InstallPlan::new(packages, InstallOptions::default());
        let log = execute(&mut environment, plan)?;
        if let Some(base) = base {
            let line =
                format!("import site; site.addsitedir({})\n", venv::python_literal(&base.site_packages));
            let venv = environment.venv();
            let path = format!("{}/{BASE_FILE}", venv.layout.site_packages);
            venv.directory.write_new(path, line.as_bytes(), 0o644)?;
        }
        place.complete()?;
        environment.keep();
        Ok(log)
    }
}

/// The folder or file on this machine that a package is made from, and whether it is used in place.
fn source_of(package: &Package) -> Option<(PathBuf, bool)> {
    let direct = package.direct_url.as_ref()?;
    if matches!(direct.source, virtpy_pep::DirectSource::Repository(_)) {
        return None;
    }
    let path = url::Url::parse(&direct.url).ok()?.to_file_path().ok()?;
    Some((path, direct.is_editable()))
}
