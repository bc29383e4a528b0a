//! Bringing a venv to exactly one set of packages: what is there and right stays, the rest comes or goes, in one change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use virtpy_pep::Requirement;
use virtpy_resolver::{Artifact, IndexSettings, Package, Resolution};

use super::directories::Directories;
use super::source::{Question, Source};
use crate::cli::SyncArguments;
use crate::commands::add::{Outcome, Ways};
use crate::commands::presence::{
    admits, arrival, is_the_same, same_source, same_version, sha256_of, warn_of_unmet_requirements,
};
use crate::commands::progress::Progress;
use crate::commands::{aftermath, bytecode};
use crate::context::Context;
use crate::digest::{Sha256, hex};
use crate::error::Failure;
use crate::interpreters::Interpreter;
use crate::lockfile::LockKind;
use crate::resolve::{self, Obtained, ResolveError, Supply};
use crate::venv::{Arrival, Change, ChangeSummary, Contents, Distribution, State, Venv};

/// What lockers leave out of requirements files, since a venv used to bring it.
const LEFT_TO_THE_VENV: [&str; 3] = ["pip", "setuptools", "distribute"];

/// One call of `virtpy sync`.
pub(super) struct Exact<'a> {
    pub(super) context: &'a Context,
    pub(super) arguments: &'a SyncArguments,
    pub(super) source: &'a Source,
    /// The venv; none if it would have to be made and nothing is to be changed.
    pub(super) venv: Option<&'a Venv>,
    pub(super) interpreter: Interpreter,
}

/// Where a call leads.
pub(super) struct Target {
    index: IndexSettings,
    /// What the packages are built from, where they are.
    directories: Directories,
    /// What stands for the set that is asked for.
    digest: String,
}

impl Exact<'_> {
    /// Where this call leads, if it is for this Python at all.
    pub(super) fn target(&self) -> Result<Target, Failure> {
        self.check_python()?;
        let index = self.context.index_settings(&self.arguments.index)?;
        let directories = Directories::of(self.source);
        Ok(Target { digest: self.digest(&index, &directories), index, directories })
    }

    /// Whether there is nothing to do, as far as that can be told without holding the venv and reading all that is in it.
    pub(super) fn idle(&self, target: &Target) -> Result<Option<Outcome>, Failure> {
        let Some(venv) = self.venv else { return Ok(None) };
        let Some((satisfied, unchanged)) = State::still_satisfied(venv, &self.context.store)? else {
            return Ok(None);
        };
        let is_idle = self.is_satisfied_by(Some(&satisfied), &target.digest);
        Ok(is_idle.then(|| Outcome { unchanged, ..Outcome::default() }))
    }

    /// Whether what was satisfied last is what is asked for now. What is exact is also enough.
    fn is_satisfied_by(&self, last: Option<&str>, digest: &str) -> bool {
        !self.arguments.upgrade && (last == Some(digest) || last == Some(&self.satisfies(digest)))
    }

    /// What the venv satisfies in the end.
    fn satisfies(&self, digest: &str) -> String {
        format!("{digest}{}", if self.arguments.inexact { "+" } else { "" })
    }

    pub(super) fn run(&self, contents: &Contents, target: Target) -> Result<Outcome, Failure> {
        let satisfies = self.satisfies(&target.digest);
        let digest = &target.digest;
        if contents.is_own() && self.is_satisfied_by(contents.state.satisfied.as_deref(), digest) {
            return Ok(Outcome { unchanged: contents.distributions.len(), ..Outcome::default() });
        }
        if let Some(venv) = self.venv {
            aftermath::restore_everywhere(self.context, venv, &self.arguments.index)?;
        }
        if !self.arguments.dry_run
            && !self.arguments.upgrade
            && let Some(recalled) = resolve::recall(&self.context.store, digest)
        {
            let settings = self.context.settings()?;
            let arrivals: Vec<Arrival> = recalled
                .into_iter()
                .map(|one| arrival(settings, contents, one.entry, (one.requested, one.direct_url)))
                .collect();
            let ways = Ways { from_store: arrivals.len(), ..Ways::default() };
            return self.change(contents, arrivals, (None, Some(satisfies)), ways);
        }
        self.resolve(contents, target)
    }

    /// A project may not be for this Python. What locks says so itself, and is asked when it is read.
    fn check_python(&self) -> Result<(), Failure> {
        if self.source.kind != LockKind::Project {
            return Ok(());
        }
        let Some(required) = self.source.requires_python() else { return Ok(()) };
        if admits(&required, &self.interpreter) {
            return Ok(());
        }
        let version = &self.interpreter.version;
        Err(Failure::new(format!("the project is for Python {required}, and the venv has {version}"))
            .hinted("make a venv with another interpreter: `virtpy new -p VERSION`"))
    }

    /// What decides about the answer: the file, the choices, the indexes, the interpreter, and what is built where it lies.
    fn digest(&self, index: &IndexSettings, directories: &Directories) -> String {
        let mut digest = Sha256::new();
        for text in &self.source.texts {
            digest.update(text.len().to_le_bytes());
            digest.update(text);
        }
        let Interpreter { executable, version, platform, .. } = &self.interpreter;
        let settings = IndexSettings { offline: false, ..index.clone() };
        let SyncArguments { require_hashes, .. } = self.arguments;
        digest.update(format!(
            "sync {:?} {:?} {require_hashes} {settings:?} {} {} {version} {platform}",
            self.source.kind,
            self.source.selection,
            self.source.folder.display(),
            executable.display(),
        ));
        digest.update(directories.state());
        hex(&digest.finish())
    }

    fn resolve(&self, contents: &Contents, target: Target) -> Result<Outcome, Failure> {
        let Target { index, directories, digest } = target;
        let question = self.source.question(self.context, self.arguments, contents)?;
        let session = self.context.session(&self.interpreter, index);
        let progress = Progress::new(self.context.output, "resolving");
        let resolution = match &question {
            Question::Locked(request) => session.resolve_locked(request),
            Question::Request(request) => session.resolve(request),
        };
        let resolution = resolution.map_err(ResolveError::from)?;
        for note in &resolution.notes {
            self.context.output.detail(note);
        }
        for warning in &resolution.warnings {
            self.context.output.warning(warning);
        }
        let wanted = wanted(&resolution, contents);
        let arriving: Vec<usize> = wanted
            .iter()
            .copied()
            .filter(|index| !is_there(&resolution.packages[*index], contents))
            .collect();
        let names = wanted.iter().map(|index| &resolution.packages[*index].name);
        let kept = resolution.kept.iter().map(|kept| &kept.name);
        let keys: BTreeSet<String> = names.chain(kept).cloned().collect();
        if self.arguments.dry_run {
            let packages: Vec<&Package> = arriving.iter().map(|index| &resolution.packages[*index]).collect();
            return Ok(self.foresee(contents, &packages, &keys));
        }
        progress.stage("fetching");
        let supply = Supply {
            store: &self.context.store,
            session: &session,
            interpreter: &Context::build_key(&self.interpreter),
            reporter: &progress,
        };
        let obtained = resolve::obtain(&supply, &resolution, &arriving, &mut self.context.announce())?;
        progress.end();
        self.demand_closure(contents, &resolution, &obtained)?;
        self.remember((&digest, &directories), &resolution, &obtained);
        // What may be another package the next time is looked at then.
        let is_told = resolution.packages.iter().all(|package| directories.tell(package));
        let satisfies = is_told.then(|| self.satisfies(&digest));
        let ways = Ways::of(&obtained);
        let settings = self.context.settings()?;
        let arrivals: Vec<Arrival> = obtained
            .into_iter()
            .map(|one| {
                let package = &resolution.packages[one.package];
                arrival(settings, contents, one.entry, (package.requested, one.direct_url))
            })
            .collect();
        self.change(contents, arrivals, (Some(keys), satisfies), ways)
    }

    /// Requirements that lack what their packages require are no lock.
    fn demand_closure(
        &self,
        contents: &Contents,
        resolution: &Resolution,
        obtained: &[Obtained],
    ) -> Result<(), Failure> {
        if self.source.kind != LockKind::Requirements {
            return Ok(());
        }
        let markers = Context::markers(&self.interpreter)?;
        let mut known: BTreeSet<&str> = resolution.packages.iter().map(|one| one.name.as_str()).collect();
        known.extend(LEFT_TO_THE_VENV);
        if self.arguments.inexact {
            known.extend(contents.distributions.iter().map(|one| one.key.as_str()));
        }
        for (index, package) in resolution.packages.iter().enumerate() {
            let arrived = obtained.iter().find(|one| one.package == index);
            let required = match (arrived, contents.find(&package.name)) {
                (Some(one), _) => one.entry.manifest.requires_dist.as_slice(),
                (None, Some(installed)) => installed.requires_dist(),
                (None, None) => &[],
            };
            for text in required {
                let Ok(requirement) = text.parse::<Requirement>() else { continue };
                if requirement.applies(&markers, &package.extras) && !known.contains(requirement.name()) {
                    let Package { name, version, .. } = package;
                    let why = format!("{name} {version} requires `{text}`, which it does not list");
                    return Err(self.source.is_no_lock(self.context, &why));
                }
            }
        }
        Ok(())
    }

    /// Remembers the answer for the next venv, if it is certain: a lock file names each file by its hash and each commit, and
    /// the directories are part of the digest.
    fn remember(
        &self,
        (digest, directories): (&str, &Directories),
        resolution: &Resolution,
        obtained: &[Obtained],
    ) {
        let store = &self.context.store;
        let found = (resolution, obtained);
        match self.source.kind {
            LockKind::Pylock | LockKind::Uv => resolve::remember(store, digest, found, &|package| {
                let is_named = !matches!(&package.file, Artifact::Wheel { sha256: None, .. });
                is_named && directories.tell(package)
            }),
            LockKind::Requirements => {
                if let Some(question) = resolve::Question::of(&[], &self.source.requirements) {
                    resolve::remember(store, digest, found, &|package| question.pins(package));
                }
            }
            LockKind::Pipfile => resolve::remember(store, digest, found, &|package| {
                package.direct_url.is_none() && !package.file.may_change()
            }),
            LockKind::Poetry | LockKind::Project => {}
        }
    }

    /// Makes the venv hold these. `keys` are the names of all that are wanted; without them the arrivals are.
    fn change(
        &self,
        contents: &Contents,
        arrivals: Vec<Arrival>,
        (keys, satisfies): (Option<BTreeSet<String>>, Option<String>),
        ways: Ways,
    ) -> Result<Outcome, Failure> {
        let Some(venv) = self.venv else { return Ok(Outcome::default()) };
        let linking = Instant::now();
        let keys = keys.unwrap_or_else(|| arrivals.iter().map(key).collect());
        let has_own_pip = contents.has_pip_shim();
        let is_new = |arrival: &Arrival| {
            let found = contents.find(&arrival.entry.manifest.name);
            let direct_url = found.and_then(Distribution::direct_url);
            let is_own_pip = has_own_pip && key(arrival) == "pip";
            !is_own_pip
                && (!is_the_same(&arrival.entry, contents)
                    || !same_source(direct_url, arrival.direct_url.as_deref()))
        };
        let install: Vec<Arrival> = arrivals.into_iter().filter(is_new).collect();
        let ways = Ways { from_store: install.len().saturating_sub(ways.fetched()), ..ways };
        let remove = self.surplus(contents, &keys);
        let unchanged = keys.len().saturating_sub(install.len());
        let tags = Some(self.interpreter.tags());
        let force = self.arguments.force;
        let change = Change { install, remove, force, tags, satisfies, ..Change::default() };
        let is_idle = change.install.is_empty()
            && change.remove.is_empty()
            && contents.state.satisfied == change.satisfies;
        let summary = if is_idle {
            ChangeSummary::default()
        } else {
            venv.apply(&self.context.store, contents, &change)?
        };
        let eager = self.arguments.compile_bytecode;
        bytecode::after_change(self.context, &self.interpreter, venv, &change.install, eager)?;
        // What is listed by hand may lack something; what was locked was whole then.
        if matches!(self.source.kind, LockKind::Requirements | LockKind::Pipfile) {
            warn_of_unmet_requirements(self.context, venv, &self.interpreter)?;
        }
        Ok(Outcome { summary, unchanged, ways, linked_in: linking.elapsed(), ..Outcome::default() })
    }

    /// What is installed and not wanted. virtpy's own pip stays.
    fn surplus(&self, contents: &Contents, keys: &BTreeSet<String>) -> BTreeSet<String> {
        if self.arguments.inexact {
            return BTreeSet::new();
        }
        // Of what has no dist-info nobody knows which files it has.
        let removable = |one: &&Distribution| !one.is_pip_shim() && one.has_dist_info();
        let installed = contents.distributions.iter().filter(removable);
        installed.filter(|one| !keys.contains(&one.key)).map(|one| one.key.clone()).collect()
    }

    /// What would come and go.
    fn foresee(&self, contents: &Contents, arriving: &[&Package], keys: &BTreeSet<String>) -> Outcome {
        let installed: BTreeMap<&str, &Distribution> = contents.by_key();
        let mut summary = ChangeSummary::default();
        for package in arriving {
            if let Some(old) = installed.get(package.name.as_str()) {
                summary.removed.push((old.name.clone(), old.version.clone()));
            }
            summary.added.push((package.name.clone(), package.version.clone()));
        }
        for key in self.surplus(contents, keys) {
            let distribution = installed[key.as_str()];
            summary.removed.push((distribution.name.clone(), distribution.version.clone()));
        }
        Outcome { summary, unchanged: keys.len() - arriving.len(), ..Outcome::default() }
    }
}

/// The packages that the venv is to have: all but a pip where it has virtpy's own.
fn wanted(resolution: &Resolution, contents: &Contents) -> Vec<usize> {
    let has_own_pip = contents.has_pip_shim();
    let all = 0..resolution.packages.len();
    all.filter(|index| !(has_own_pip && resolution.packages[*index].name == "pip")).collect()
}

fn key(arrival: &Arrival) -> String {
    let name = &arrival.entry.manifest.name;
    virtpy_pep::normalize_name(name).unwrap_or_else(|_| name.clone())
}

/// Whether a package is installed as it should be, without looking at its wheel: the version, the source, and the hash as
/// far as both are known. What is in a folder may have changed, so its wheel has to be made.
fn is_there(package: &Package, contents: &Contents) -> bool {
    let Some(distribution) = contents.find(&package.name) else { return false };
    let direct_url = package.direct_url.as_ref().map(ToString::to_string);
    let may_have_changed = package.file.may_change();
    let is_other_file = match (package.file.sha256(), sha256_of(distribution)) {
        (Some(wanted), Some(installed)) => wanted != installed,
        _ => false,
    };
    !may_have_changed
        && !is_other_file
        && same_version(&distribution.version, &package.version)
        && same_source(distribution.direct_url(), direct_url.as_deref())
}
