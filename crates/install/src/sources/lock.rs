//! A lock file, or a project's own file, as what is wanted of an environment: what is there and right stays, the rest comes or
//! goes, in one change.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use virtpy_resolver::{Artifact, IndexSettings, Package, RequirementsFiles, Resolution, Selection};

use super::directories::Directories;
use super::lock_source::LockSource;
use crate::installed::{is_installed, package, sha256_of};
use crate::lockfile::{self, LockKind};
use crate::plan::{ConflictCheck, Goal, InstallPlan, Source, Supply, surplus};
use crate::resolve::{PinnedRequest, ResolutionCache};
use crate::resolved::RequestKey;
use crate::resolved::Resolved;
use crate::resolved::{Check, ResolvedSupply};
use crate::{Environment, Error, Extent, Host, Result, admits};
use virtpy_interpreters::Interpreter;
use virtpy_pep::PackageName;
use virtpy_venv::{Contents, PackageToInstall};

/// What of a file decides about the answer, beside the indexes and the interpreter.
#[derive(Serialize)]
struct Key<'a> {
    kind: LockKind,
    folder: &'a std::path::Path,
    texts: &'a [String],
    requirements: &'a RequirementsFiles,
    selection: &'a Selection,
    require_hashes: bool,
    directories: BTreeMap<&'a str, Option<&'a str>>,
}

/// What is followed, with what it is built from as that is now.
struct Target<'a> {
    source: &'a LockSource,
    extent: Extent,
    directories: Directories,
    /// The key of the request.
    key: String,
}

impl<'a> Target<'a> {
    fn of(
        source: &'a LockSource,
        extent: Extent,
        interpreter: &Interpreter,
        settings: &IndexSettings,
    ) -> Self {
        let directories = Directories::of(source);
        let key = Key {
            kind: source.kind,
            folder: &source.folder,
            texts: &source.texts,
            requirements: &source.requirements,
            selection: &source.choice.selection,
            require_hashes: source.choice.require_hashes,
            directories: directories.states(),
        };
        let key = RequestKey::new(Some(interpreter), settings, key).digest();
        Self { source, extent, directories, key }
    }

    /// What the environment satisfies in the end.
    fn satisfies(&self) -> String {
        format!("{}{}", self.key, if self.extent == Extent::Sufficient { "+" } else { "" })
    }

    /// Whether what was satisfied last is what is asked for now. What is exact is also enough.
    fn is_satisfied_by(&self, last: Option<&str>) -> bool {
        !self.source.choice.upgrade && (last == Some(&self.key) || last == Some(&self.satisfies()))
    }
}

impl LockSource {
    /// A project may not be for this Python. What locks says so itself, and is asked when it is read.
    fn check_python(&self, interpreter: &Interpreter) -> Result<()> {
        if self.kind != LockKind::Project {
            return Ok(());
        }
        let Some(required) = self.requires_python() else { return Ok(()) };
        if admits(&required, interpreter) {
            return Ok(());
        }
        let version = &interpreter.version;
        Err(Error::new(format!("the project is for Python {required}, and the venv has {version}"))
            .hinted(format!("give the venv another interpreter: `virtpy new --keep -p '{required}'`")))
    }

    /// Says which files ask for something else now than when it was made.
    pub fn warn_if_stale(&self, host: &Host) {
        for changed in self.changed() {
            host.warning(format_args!(
                "`{changed}` changed since `{}` was made, which is followed as it is; `{} lock` updates it",
                self.label(host),
                self.locked_by()
            ));
        }
    }

    /// Refuses a lock file that was made when the project asked for something else.
    ///
    /// # Errors
    /// When it was.
    pub fn demand_current(&self, host: &Host) -> Result<()> {
        let Some(changed) = self.changed().into_iter().next() else { return Ok(()) };
        let message =
            format!("`{changed}` changed since `{}` was made; nothing was changed", self.label(host));
        let hint = format!("update it with `{} lock`, or follow it as it is: `--frozen`", self.locked_by());
        Err(Error::new(message).hinted(hint))
    }

    /// The files that ask for something else now than when it was made.
    pub(crate) fn changed(&self) -> Vec<String> {
        let text = self.texts.first();
        text.map(|text| lockfile::changed_since(self.kind, text, &self.folder)).unwrap_or_default()
    }

    /// The tool that makes it again.
    fn locked_by(&self) -> &'static str {
        if self.kind == LockKind::Uv { "uv" } else { "virtpy" }
    }

    /// The first interpreter of this machine for which the file has everything. Nothing is fetched for that.
    pub fn fitting_interpreter(&self, host: &Host, settings: &IndexSettings) -> Option<Interpreter> {
        let asked = self.asked(host, &Contents::default(), settings).ok()?;
        let crate::resolved::ResolveRequest::Locked(request) = asked else { return None };
        let mut others = host.interpreters().into_iter();
        others.find(|other| host.session(other, settings.clone()).resolve_locked(&request).is_ok())
    }
}

impl Source for LockSource {
    fn is_satisfied_by(
        &self,
        last: &str,
        extent: Extent,
        interpreter: &Interpreter,
        settings: &IndexSettings,
    ) -> bool {
        Target::of(self, extent, interpreter, settings).is_satisfied_by(Some(last))
    }

    fn plan(&self, environment: &Environment<'_>, goal: &Goal<'_>) -> Result<InstallPlan> {
        let (interpreter, settings) = (environment.interpreter()?, environment.settings()?);
        self.check_python(interpreter)?;
        let target = Target::of(self, goal.extent, interpreter, settings);
        let (host, contents) = (environment.host, &environment.contents);
        if contents.is_own() && target.is_satisfied_by(contents.state.satisfied.as_deref()) {
            let put_back = deleted(environment, goal)?;
            let satisfies = contents.state.satisfied.clone();
            let nothing = InstallPlan::nothing(contents.distributions.len());
            return Ok(InstallPlan { put_back, satisfies, options: goal.options, ..nothing });
        }
        if !goal.options.dry_run
            && !self.choice.upgrade
            && let Some(cached) = ResolutionCache::new(&host.store).get(&target.key)
        {
            let keys = cached.iter().map(|one| one.entry.package.clone()).collect();
            let packages: Vec<PackageToInstall> = cached
                .into_iter()
                .filter(|one| !environment.is_own_pip(&one.entry.package))
                .map(|one| package(host, contents, one.entry, one.requested, one.direct_url))
                .collect::<Result<_>>()?;
            return Ok(InstallPlan {
                satisfies: Some(target.satisfies()),
                put_back: deleted(environment, goal)?,
                ..base(environment, goal, self, packages, &keys)
            });
        }
        resolved(environment, goal, target)
    }
}

/// What somebody has deleted of the environment's packages, which is put back.
fn deleted(environment: &Environment<'_>, goal: &Goal<'_>) -> Result<BTreeSet<String>> {
    let Some(venv) = environment.existing() else { return Ok(BTreeSet::new()) };
    let deleted = venv.deleted(&environment.host.store, &environment.contents)?;
    let verb = if goal.options.dry_run { "would be put back" } else { "is put back" };
    let others = match deleted.len() {
        0 | 1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    if let Some(first) = deleted.first() {
        environment.host.message(format_args!("`{first}`{others} was deleted from the venv, and {verb}"));
    }
    Ok(deleted)
}

/// The plan by which an environment holds what has these names.
fn base(
    environment: &Environment<'_>,
    goal: &Goal<'_>,
    source: &LockSource,
    supply: impl Supply + 'static,
    keys: &BTreeSet<PackageName>,
) -> InstallPlan {
    // What is listed by hand may lack something; what was locked was whole then.
    let is_by_hand = matches!(source.kind, LockKind::Requirements | LockKind::Pipfile);
    InstallPlan {
        remove: surplus(environment, goal.extent, |key| keys.contains(key)),
        check: if is_by_hand { ConflictCheck::Always } else { ConflictCheck::Never },
        keeps_same: true,
        ..InstallPlan::new(supply, goal.options)
    }
}

fn resolved(environment: &Environment<'_>, goal: &Goal<'_>, target: Target<'_>) -> Result<InstallPlan> {
    let (host, source, contents) = (environment.host, target.source, &environment.contents);
    let settings = environment.settings()?;
    let asked = source.asked(host, contents, settings)?;
    let resolved = Resolved::of(host, environment.interpreter()?, settings.clone(), &asked)?;
    let resolution = &resolved.resolution;
    let places = 0..resolution.packages.len();
    let wanted: Vec<usize> =
        places.filter(|place| !environment.is_own_pip(&resolution.packages[*place].name)).collect();
    let arriving: Vec<usize> =
        wanted.iter().copied().filter(|place| !is_there(&resolution.packages[*place], contents)).collect();
    let names = wanted.iter().map(|place| &resolution.packages[*place].name);
    let keys: BTreeSet<PackageName> =
        names.chain(resolution.kept.iter().map(|kept| &kept.name)).cloned().collect();
    // What may be another package the next time is looked at then.
    let is_told = resolution.packages.iter().all(|package| target.directories.tell(package));
    let satisfies = is_told.then(|| target.satisfies());
    let with_installed = goal.extent == Extent::Sufficient;
    let is_requirements = source.kind == LockKind::Requirements;
    let closure = is_requirements.then(|| source.closure(host, with_installed));
    let check = closure.map(|closure| -> Check {
        Box::new(move |environment, resolution, obtained| closure.check(environment, resolution, obtained))
    });
    let unchanged = keys.len() - arriving.len();
    let pip_stays = wanted.len() < resolution.packages.len() || !resolution.left_out.is_empty();
    let supply = ResolvedSupply {
        cache_key: is_certain(&target, resolution).then_some(target.key),
        fresh_cache_key: None,
        check,
        arriving,
        resolved,
    };
    let put_back = deleted(environment, goal)?;
    let base = base(environment, goal, source, supply, &keys);
    Ok(InstallPlan { unchanged, satisfies, pip_stays, put_back, ..base })
}

/// Whether the answer is the same for the next venv: a lock file names each file by its hash and each commit, and the
/// directories are part of the key.
fn is_certain(target: &Target<'_>, resolution: &Resolution) -> bool {
    let all = |is_certain: &dyn Fn(&Package) -> bool| resolution.packages.iter().all(is_certain);
    match target.source.kind {
        LockKind::Pylock | LockKind::Uv => all(&|package| {
            let is_named = !matches!(&package.file, Artifact::Wheel { sha256: None, .. });
            is_named && target.directories.tell(package)
        }),
        LockKind::Requirements => PinnedRequest::of(&[], &target.source.requirements)
            .is_some_and(|request| all(&|package| request.pins(package))),
        LockKind::Pipfile => all(&|package| package.direct_url.is_none() && !package.file.may_change()),
        LockKind::Poetry | LockKind::Project => false,
    }
}

/// Whether a package is installed as it should be, without looking at its wheel: the version, the source, and the hash as
/// far as both are known. What is in a folder may have changed, so its wheel has to be made.
fn is_there(package: &Package, contents: &Contents) -> bool {
    let Some(distribution) = contents.find(&package.name) else { return false };
    let direct_url = package.direct_url.as_ref().map(ToString::to_string);
    let is_other_file = match (package.file.sha256(), sha256_of(distribution)) {
        (Some(wanted), Some(installed)) => wanted != installed,
        _ => false,
    };
    !package.file.may_change()
        && !is_other_file
        && is_installed(Some(distribution), &package.version, direct_url.as_deref())
}
