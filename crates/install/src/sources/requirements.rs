//! Requirements as what is wanted of an environment: what satisfies them stays, and the rest is resolved. A request by names
//! only may be answered without the resolver, or by what it was answered with before.

use std::path::{Path, PathBuf};

use serde::Serialize;
use virtpy_pep::{NamedVersion, Version};
use virtpy_resolver::{
    EntryKind, IndexSettings, Input, LockFormat, LockedRequest, Options, Package, Request, RequirementsEntry,
    RequirementsFiles, Selection, UvTable,
};

use crate::host::markers;
use crate::installed::{candidates, own_pip, package, same_version, sha256_of};
use crate::plan::{ConflictCheck, Extent, Goal, InstallPlan, Source};
use crate::resolve::{self, CachedPackage, PinnedRequest, ResolutionCache};
use crate::resolved::RequestKey;
use crate::resolved::ResolvedSupply;
use crate::resolved::{ResolveRequest, Resolved};
use crate::{Environment, Error, Host, Result};
use virtpy_interpreters::Interpreter;
use virtpy_venv::{PackageToInstall, Venv};

/// Requirements, and how they are to be met.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for a flag of its own")]
pub struct Requirements {
    /// Requirements, paths and URLs.
    pub specs: Vec<String>,
    /// What requirements files say.
    pub files: RequirementsFiles,
    /// Directories that are to be used in place.
    pub editables: Vec<String>,
    /// Versions that are taken where the requirements admit them, as those that are installed are.
    pub preferred: Vec<NamedVersion>,
    /// Leave out what the packages require.
    pub no_deps: bool,
    /// Install what the requested packages require, without them.
    pub only_deps: bool,
    /// Take the newest versions, also of what is installed.
    pub upgrade: bool,
    /// The names of packages to take the newest versions of, leaving the others as they are.
    pub upgrade_packages: Vec<String>,
    /// Install again what is there already.
    pub reinstall: bool,
    /// Accept pre-releases.
    pub pre: bool,
    /// Refuse every file whose hash the requirements do not give.
    pub require_hashes: bool,
    /// Leave out what was uploaded after this date.
    pub exclude_newer: Option<String>,
    /// How source distributions are built.
    pub build: BuildOptions,
}

/// How source distributions are built.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// In the venv itself, without an environment of its own for each.
    pub no_isolation: bool,
    /// Settings for build backends: `KEY=VALUE`.
    pub settings: Vec<String>,
    /// Whether those are for what is named alone.
    pub settings_of_inputs: bool,
    /// What limits the versions of what builds need.
    pub constraints: RequirementsFiles,
}

/// What of requirements decides about the answer, beside the indexes and the interpreter.
#[derive(Serialize)]
struct Key<'a> {
    requirements: &'a [String],
    has_own_pip: bool,
    no_deps: bool,
    pre: bool,
    exclude_newer: Option<&'a str>,
}

impl Requirements {
    /// Sorts what was typed: requirements, and requirements files by their ending, which no distribution's name has.
    ///
    /// # Errors
    /// When a file cannot be read or understood.
    pub fn read(
        host: &Host,
        typed: &[String],
        files: &[PathBuf],
        constraints: &[PathBuf],
        settings: &IndexSettings,
    ) -> Result<Self> {
        let is_file = |spec: &&String| Path::new(spec).extension().is_some_and(|end| end == "txt");
        let (named, specs): (Vec<&String>, Vec<&String>) = typed.iter().partition(is_file);
        let files: Vec<PathBuf> = files.iter().cloned().chain(named.iter().map(PathBuf::from)).collect();
        Ok(Self {
            specs: specs.into_iter().cloned().collect(),
            files: host.requirements_files(&files, constraints, settings)?,
            ..Self::default()
        })
    }

    /// Whether nothing is asked for: there are only requirements files, and they have nothing.
    pub fn is_empty(&self) -> bool {
        self.specs.is_empty() && self.editables.is_empty() && !self.files.asks_for_something()
    }

    /// The request, if it can be answered without the resolver.
    fn pinned_request(&self) -> Option<PinnedRequest> {
        let has_lists = !(self.upgrade_packages.is_empty() && self.build.constraints.texts.is_empty());
        let is_special = self.reinstall || self.only_deps || self.upgrade || self.require_hashes;
        if is_special || has_lists || !self.editables.is_empty() {
            return None;
        }
        PinnedRequest::of(&self.specs, &self.files)
    }

    /// By what the request is recognised in a venv with virtpy's own pip, or without.
    fn key(
        &self,
        request: &PinnedRequest,
        interpreter: &Interpreter,
        settings: &IndexSettings,
        has_own_pip: bool,
    ) -> String {
        let key = Key {
            requirements: request.lines(),
            has_own_pip,
            no_deps: self.no_deps,
            pre: self.pre,
            exclude_newer: self.exclude_newer.as_deref(),
        };
        RequestKey::new(Some(interpreter), settings, key).digest()
    }

    /// Whether the request alone decides: there is nothing installed or preferred that would be kept, and no directory of
    /// wheels whose name means another one elsewhere.
    fn is_alone(&self, environment: &Environment<'_>) -> Result<bool> {
        let find_links = &environment.settings()?.find_links;
        Ok(self.preferred.is_empty()
            && environment.contents.visible().iter().all(|one| environment.is_own_pip(&one.package))
            && find_links.iter().all(|place| Path::new(place).is_absolute()))
    }

    fn request(&self, environment: &Environment<'_>) -> Result<Request> {
        let settings = environment.settings()?.clone();
        let contents = &environment.contents;
        let site_packages = environment.existing().map(Venv::site_packages);
        let specs = self.specs.iter().cloned().map(Input::Requirement);
        let editables = self.editables.iter().cloned().map(Input::Editable);
        Ok(Request {
            requirements: specs.chain(editables).collect(),
            files: self.files.clone(),
            build_constraints: self.build.constraints.clone(),
            installed: candidates(&contents.visible(), &site_packages.unwrap_or_default()),
            preferred: self.preferred.clone(),
            rules: UvTable::default(),
            project: None,
            options: Options {
                no_deps: self.no_deps,
                left_out: own_pip(contents),
                upgrade: self.upgrade,
                reinstall: self.reinstall,
                upgrade_packages: self.upgrade_packages.clone(),
                prerelease: self.pre || settings.prerelease,
                no_binary: settings.no_binary,
                only_binary: settings.only_binary,
                require_hashes: self.require_hashes || settings.require_hashes,
                exclude_newer: self.exclude_newer.clone().or(settings.exclude_newer),
                build_settings: self.build.settings.clone(),
                settings_of_inputs: self.build.settings_of_inputs,
                build_environment: environment
                    .existing()
                    .filter(|_| self.build.no_isolation)
                    .map(|venv| venv.root.clone()),
                working_directory: environment.host.working_directory.clone(),
            },
        })
    }
}

/// A request by names only, which can be recognised when it comes again.
struct Known {
    request: PinnedRequest,
    key: String,
}

impl Source for Requirements {
    fn is_satisfied_by(
        &self,
        last: &str,
        _: Extent,
        interpreter: &Interpreter,
        settings: &IndexSettings,
    ) -> bool {
        let Some(request) = self.pinned_request() else { return false };
        // It has the pip that it had then.
        [true, false].iter().any(|own_pip| self.key(&request, interpreter, settings, *own_pip) == last)
    }

    fn plan(&self, environment: &Environment<'_>, goal: &Goal<'_>) -> Result<InstallPlan> {
        let (interpreter, settings) = (environment.interpreter()?, environment.settings()?);
        let contents = &environment.contents;
        let known = self.pinned_request().filter(|_| !goal.options.with_wheels).map(|request| {
            let key = self.key(&request, interpreter, settings, contents.has_pip_shim());
            Known { request, key }
        });
        if let Some(Known { request, key }) = &known {
            let is_own = contents.is_own() && !environment.sees_system_site();
            let is_recognised = is_own && contents.state.satisfied.as_ref() == Some(key);
            if is_recognised || resolve::is_satisfied(request, contents, &markers(interpreter)?, self.no_deps)
            {
                for sentence in resolve::unknown_extras(request, contents) {
                    environment.host.warning(sentence);
                }
                return Ok(InstallPlan::nothing(contents.visible().len()));
            }
            if !goal.options.dry_run
                && let Some(plan) = cached(environment, goal, self, key)?
            {
                return Ok(plan);
            }
        }
        resolved(environment, goal, self, known)
    }
}

/// When what is installed is compared with what it requires: pip's users know that an upgrade may break what was there.
fn conflict_check(wanted: &Requirements) -> ConflictCheck {
    if wanted.no_deps { ConflictCheck::Always } else { ConflictCheck::OnReplacement }
}

/// What was resolved for the same request before, if the store has all of it.
fn cached(
    environment: &Environment<'_>,
    goal: &Goal<'_>,
    wanted: &Requirements,
    key: &str,
) -> Result<Option<InstallPlan>> {
    let (host, contents) = (environment.host, &environment.contents);
    let cache = ResolutionCache::new(&host.store);
    let mut cached = cache.get(key);
    if cached.is_none() && wanted.is_alone(environment)? {
        cached = cache.get_fresh(key);
        if cached.is_some() {
            host.detail("the answer is remembered, and the index lets it be believed for some minutes");
        }
    }
    let Some(cached) = cached else { return Ok(None) };
    let found = |one: &CachedPackage| {
        let found = contents.find_visible(&one.entry.package);
        found.filter(|found| same_version(&found.version, &one.entry.manifest.version))
    };
    let is_other = |one: &CachedPackage| {
        found(one).is_some_and(|found| sha256_of(found) != Some(one.entry.manifest.sha256))
    };
    if cached.iter().any(is_other) {
        // It stays, and may require something else than what was resolved.
        return Ok(None);
    }
    let all = cached.len();
    let is_missing =
        |one: &CachedPackage| !environment.is_own_pip(&one.entry.package) && found(one).is_none();
    let packages: Vec<PackageToInstall> = cached
        .into_iter()
        .filter(is_missing)
        .map(|one| package(host, contents, one.entry, one.requested, None))
        .collect::<Result<_>>()?;
    Ok(Some(InstallPlan {
        unchanged: all - packages.len(),
        satisfies: Some(key.to_owned()),
        check: conflict_check(wanted),
        ..InstallPlan::new(packages, goal.options)
    }))
}

fn resolved(
    environment: &Environment<'_>,
    goal: &Goal<'_>,
    wanted: &Requirements,
    known: Option<Known>,
) -> Result<InstallPlan> {
    let request = wanted.request(environment)?;
    let interpreter = environment.interpreter()?;
    let settings = environment.settings()?.clone();
    let host = environment.host;
    let resolved = if request.files.locks.is_empty() {
        Resolved::of(host, interpreter, settings, &ResolveRequest::Request(Box::new(request)))?
    } else {
        of_lock_file(environment, settings, request)?
    };
    let resolution = &resolved.resolution;
    // What is not there as it was asked for is told every time.
    let known = known.filter(|_| resolution.left_out.is_empty());
    let is_arriving = |package: &Package| {
        let comes_again = wanted.reinstall || package.direct_url.is_some();
        let is_left_out = wanted.only_deps && package.requested;
        !is_left_out
            && !environment.is_own_pip(&package.name)
            && (comes_again || !is_from_index(environment, package))
    };
    let arriving: Vec<usize> =
        (0..resolution.packages.len()).filter(|place| is_arriving(&resolution.packages[*place])).collect();
    let is_pinned = known
        .as_ref()
        .is_some_and(|known| resolution.packages.iter().all(|package| known.request.pins(package)));
    let key = known.map(|known| known.key);
    let may_be_fresh = resolution.warnings.is_empty() && wanted.is_alone(environment)?;
    let unchanged = resolution.kept.len() + resolution.packages.len() - arriving.len();
    let pip_stays = !resolution.left_out.is_empty();
    let supply = ResolvedSupply {
        arriving,
        cache_key: key.clone().filter(|_| is_pinned),
        fresh_cache_key: key.clone().filter(|_| may_be_fresh),
        check: None,
        resolved,
    };
    Ok(InstallPlan {
        unchanged,
        satisfies: key,
        check: conflict_check(wanted),
        pip_stays,
        ..InstallPlan::new(supply, goal.options)
    })
}

/// Whether this version is installed from an index: what came from a path or a URL may have changed without a new version.
fn is_from_index(environment: &Environment<'_>, package: &Package) -> bool {
    environment
        .contents
        .find_visible(&package.name)
        .is_some_and(|one| one.direct_url().is_none() && same_version(&one.version, &package.version))
}

/// What the lock file among a request's files holds. All of it counts as asked for.
fn of_lock_file(
    environment: &Environment<'_>,
    settings: IndexSettings,
    request: Request,
) -> Result<Resolved> {
    let Request { requirements, files, options, .. } = request;
    let is_wanted = |entry: &RequirementsEntry| entry.kind != EntryKind::Constraint;
    let is_alone =
        requirements.is_empty() && files.projects.is_empty() && !files.entries.iter().any(is_wanted);
    let ([lock], true) = (files.locks.as_slice(), is_alone) else {
        return Err(Error::usage("a lock file is installed alone: it says all that belongs together")
            .hinted("call the command once for it, and once for the rest"));
    };
    let lock = &files.texts[*lock];
    let locked = LockedRequest {
        // Relative paths in what came from elsewhere start here.
        path: lock.path.clone().unwrap_or_else(|| options.working_directory.join("pylock.toml")),
        text: lock.text.clone(),
        format: LockFormat::Pylock,
        selection: Selection::default(),
        options,
    };
    let interpreter = environment.interpreter()?;
    let mut resolved =
        Resolved::of(environment.host, interpreter, settings, &ResolveRequest::Locked(Box::new(locked)))?;
    for package in &mut resolved.resolution.packages {
        package.requested = true;
    }
    let markers = markers(interpreter)?;
    for constraint in &files.entries {
        let Some(requirement) = constraint.requirement().filter(|one| one.applies(&markers, &[])) else {
            continue;
        };
        for package in resolved.resolution.packages.iter().filter(|one| one.name == *requirement.name()) {
            let version = package.version.parse::<Version>();
            if !version.is_ok_and(|version| requirement.accepts(&version)) {
                return Err(Error::new(format!(
                    "{} does not admit {} {}, which the lock file has",
                    constraint.place, package.name, package.version
                ))
                .hinted("make the lock file again, or leave the constraint out"));
            }
        }
    }
    Ok(resolved)
}
