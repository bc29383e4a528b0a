//! What is wanted of an environment, and the plan of what has to come and go for it. A plan is a value: it can be shown, and
//! nothing has changed yet.

use std::collections::BTreeSet;

use virtpy_resolver::IndexSettings;

use crate::changelog::Changelog;
use crate::environment::Environment;
use crate::error::Result;
use crate::resolved::AtHand;
use virtpy_interpreters::Interpreter;
use virtpy_pep::PackageName;
use virtpy_remote::Remote;
use virtpy_venv::{Distribution, PackageToInstall, editable_location};

/// What is wanted of an environment.
pub struct Goal<'a> {
    /// What is to be in it.
    pub source: &'a dyn Source,
    /// Whether other things may be in it as well.
    pub extent: Extent,
    /// What follows from how it is asked for.
    pub options: InstallOptions,
}

/// What says which packages are wanted: requirements, a lock file, a project of Poetry's, wheels.
pub trait Source {
    /// Finds out what has to come and go.
    ///
    /// # Errors
    /// When what is wanted makes no sense, cannot be found, or is not for this environment.
    fn plan(&self, environment: &Environment<'_>, goal: &Goal<'_>) -> Result<InstallPlan>;

    /// Whether what a venv satisfied last, which nobody changed since, is this.
    fn is_satisfied_by(
        &self,
        _last: &str,
        _extent: Extent,
        _interpreter: &Interpreter,
        _settings: &IndexSettings,
    ) -> bool {
        false
    }
}

/// How far a goal reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What is wanted has to be there; whatever else is there stays.
    Sufficient,
    /// Exactly what is wanted has to be there.
    Exact,
}

/// How a goal is reached.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for a flag of its own")]
pub struct InstallOptions {
    /// Whether only the plan is wanted.
    pub dry_run: bool,
    /// Whether what was edited in copies that the venv has may be lost.
    pub force: bool,
    /// Whether bytecode is compiled before the operation ends.
    pub compile_bytecode: bool,
    /// Whether each package's wheel is told; it is fetched for that even if nothing is to be changed.
    pub with_wheels: bool,
    /// Whether it is left to the caller to say which requirements are no longer met.
    pub no_conflict_check: bool,
}

/// When it is looked whether what is installed has what it requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConflictCheck {
    /// What is wanted is whole by itself.
    Never,
    /// When something was replaced.
    OnReplacement,
    /// What is wanted may lack something.
    Always,
}

/// What has to come and go.
pub struct InstallPlan {
    pub(super) supply: Box<dyn Supply>,
    /// What goes and is not replaced.
    pub(super) remove: BTreeSet<PackageName>,
    /// How many distributions are there already as they are wanted.
    pub(super) unchanged: usize,
    /// What the environment satisfies in the end.
    pub(super) satisfies: Option<String>,
    pub(super) options: InstallOptions,
    pub(super) check: ConflictCheck,
    /// Whether wheels that turn out to be there already are left out.
    pub(super) keeps_same: bool,
    /// Whether another pip was asked for than the venv's own.
    pub(super) pip_stays: bool,
    /// What was deleted and is put back.
    pub(super) put_back: BTreeSet<String>,
}

/// Where the packages of a plan come from.
pub(super) trait Supply {
    /// Whether nothing comes.
    fn is_empty(&self) -> bool;

    /// Says what would come.
    fn preview(&self, environment: &Environment<'_>, log: &mut Changelog);

    /// A package of it whose source is used in place, if there is one.
    fn editable(&self) -> Option<String> {
        None
    }

    /// What of it the store has, and the remote, if that is asked: what comes from there is in the store then. Neither an index is
    /// asked for it, nor is anything built.
    fn at_hand(&self, environment: &Environment<'_>, remote: Option<&Remote>) -> Result<AtHand>;

    /// Has it in the store, and says how it came.
    fn fetch(
        self: Box<Self>,
        environment: &Environment<'_>,
        options: InstallOptions,
        log: &mut Changelog,
    ) -> Result<Vec<PackageToInstall>>;
}

/// What the store has.
impl Supply for Vec<PackageToInstall> {
    fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    fn preview(&self, _: &Environment<'_>, log: &mut Changelog) {
        log.summary.added = self.iter().map(|one| one.entry.manifest.label()).collect();
        log.origins.from_store = self.len();
    }

    fn editable(&self) -> Option<String> {
        let is_editable =
            |one: &&PackageToInstall| one.direct_url.as_deref().and_then(editable_location).is_some();
        self.iter().find(is_editable).map(|one| one.entry.manifest.name.clone())
    }

    fn at_hand(&self, _: &Environment<'_>, _: Option<&Remote>) -> Result<AtHand> {
        let entries = self.iter().map(|one| one.entry.clone()).collect();
        Ok(AtHand { entries, ..AtHand::default() })
    }

    fn fetch(self: Box<Self>, _: &Environment<'_>, _: InstallOptions, _: &mut Changelog) -> Result<Self> {
        Ok(*self)
    }
}

impl InstallPlan {
    /// A plan by which these packages come, and nothing else is said.
    pub(super) fn new(supply: impl Supply + 'static, options: InstallOptions) -> Self {
        Self {
            supply: Box::new(supply),
            remove: BTreeSet::new(),
            unchanged: 0,
            satisfies: None,
            options,
            check: ConflictCheck::Never,
            keeps_same: false,
            pip_stays: false,
            put_back: BTreeSet::new(),
        }
    }

    /// A plan by which nothing happens.
    pub(super) fn nothing(unchanged: usize) -> Self {
        Self { unchanged, ..Self::new(Vec::new(), InstallOptions::default()) }
    }

    /// A plan by which the distributions with these names go.
    pub fn removal(remove: BTreeSet<PackageName>, options: InstallOptions) -> Self {
        Self { remove, ..Self::new(Vec::new(), options) }
    }

    /// What would come and go.
    pub fn preview(&self, environment: &Environment<'_>) -> Changelog {
        let mut log =
            Changelog { unchanged: self.unchanged, pip_stays: self.pip_stays, ..Changelog::default() };
        self.supply.preview(environment, &mut log);
        let contents = &environment.contents;
        let replaced = log.summary.added.iter().filter_map(|one| contents.find(&one.name.parse().ok()?));
        let gone = contents.distributions.iter().filter(|one| self.remove.contains(&one.package));
        log.summary.removed = replaced.chain(gone).map(Distribution::label).collect();
        log
    }
}

/// The distributions of an environment that go if only those with these names stay. virtpy's own pip always does, and of what
/// has no dist-info nobody knows which files it has.
pub(super) fn surplus(
    environment: &Environment<'_>,
    extent: Extent,
    stays: impl Fn(&PackageName) -> bool,
) -> BTreeSet<PackageName> {
    if extent == Extent::Sufficient {
        return BTreeSet::new();
    }
    let removable = |one: &&Distribution| !one.is_pip_shim() && one.has_dist_info() && !stays(&one.package);
    environment.contents.distributions.iter().filter(removable).map(|one| one.package.clone()).collect()
}
