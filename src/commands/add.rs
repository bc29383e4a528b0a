//! `virtpy add`: install packages into a venv.

mod report;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use virtpy_resolver::{
    IndexSettings, Input, Options, Package, Request, RequirementsFiles, Resolution, Session,
};

pub(super) use self::report::{Named, named};
use super::bytecode;
use super::hold::hold_whole;
use super::presence::{self, arrival, same_version, sha256_of};
use super::progress::Progress;
use super::{aftermath, from_lock};
use crate::cli::AddArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::interpreters::Interpreter;
use crate::output::Output;
use crate::resolve::{self, Obtained, Question, ResolveError, Supply, Way};
use crate::settings::Settings;
use crate::store::{Entry, Manifest, Store};
use crate::venv::{Arrival, Change, ChangeSummary, Contents, Distribution, State, Venv};

/// What is said where another pip is asked for than the venv's own.
pub(super) const OWN_PIP: &str = "pip is virtpy's own here, and stays as it is; it is upgraded with virtpy";

pub(super) fn run(context: &Context, arguments: &AddArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    if let Some(venv) = context.meant_venv(&arguments.venv)? {
        context.name_venv(&venv);
    }
    let outcome = carry_out(context, arguments, &[])?;
    report::report(context, arguments, &outcome, started.elapsed())
}

/// Installs what the arguments ask for, and says nothing but warnings. Of the packages in `preferred`, name and version, these
/// versions are taken where the request admits them, as those that are installed are.
///
/// # Errors
/// When it failed; the venv is as before then.
pub(super) fn carry_out(
    context: &Context,
    arguments: &AddArguments,
    preferred: &[(String, String)],
) -> Result<Outcome, Failure> {
    let index = context.index_settings(&arguments.index)?;
    let inputs = Inputs::of(context, arguments, &index)?;
    let venv = context.venv_to_change(&arguments.venv)?;
    let interpreter = context.interpreter(&venv)?;
    if inputs.is_empty() {
        if let Some(remark) = inputs.files.remark_on_nothing() {
            context.output.warning(remark);
        }
        return Ok(Outcome::default());
    }
    let asked = Asked { arguments, interpreter: &interpreter, index };
    let question = asked.question(&inputs);
    if let Some(outcome) = asked.idle(&venv, &context.store, question.as_ref())? {
        return Ok(outcome);
    }
    let held = hold_whole(context, &venv, &arguments.index)?;
    let contents = &held.contents;
    let addition = Addition {
        context,
        arguments,
        preferred,
        venv: &venv,
        interpreter: &interpreter,
        contents,
        installed: contents.visible_by_key(),
        settings: context.settings()?,
        asked,
    };

    match addition.answer(question)? {
        Answer::Satisfied => Ok(Outcome { unchanged: contents.visible().len(), ..Outcome::default() }),
        Answer::Ask(known) => {
            aftermath::restore_everywhere(context, &venv, &arguments.index)?;
            match addition.install_recalled(known.as_ref())? {
                Some(outcome) => Ok(outcome),
                None => addition.install(inputs, known.as_ref()),
            }
        }
    }
}

/// What is asked for, sorted by kind.
struct Inputs {
    specs: Vec<String>,
    files: RequirementsFiles,
    build_constraints: RequirementsFiles,
    editables: Vec<String>,
}

impl Inputs {
    fn of(context: &Context, arguments: &AddArguments, index: &IndexSettings) -> Result<Self, Failure> {
        let mut names = arguments.requirements.clone();
        let mut specs = Vec::new();
        for spec in &arguments.specs {
            // No distribution's name ends so: who writes it means a requirements file.
            let is_file = Path::new(spec).extension().is_some_and(|extension| extension == "txt");
            if is_file { names.push(PathBuf::from(spec)) } else { specs.push(spec.clone()) }
        }
        let read = arguments.more.files.clone();
        if specs.is_empty() && names.is_empty() && read.is_none() && arguments.editables.is_empty() {
            return Err(Failure::usage("there is nothing to add")
                .hinted("name packages, or a requirements file with `-r`: `virtpy add requests`"));
        }
        let files = match read {
            Some(files) => files,
            None => context.requirements_files(&names, &arguments.constraints, index)?,
        };
        let build_constraints = context.requirements_files(&[], &arguments.more.build_constraints, index)?;
        Ok(Self { specs, files, build_constraints, editables: arguments.editables.clone() })
    }

    /// Whether nothing is asked for: there are only requirements files, and they have nothing.
    fn is_empty(&self) -> bool {
        self.specs.is_empty() && self.editables.is_empty() && !self.files.asks_for_something()
    }
}

/// Whether the resolver has to be asked.
enum Answer {
    /// Everything is there.
    Satisfied,
    /// Ask; a request that can be compared with others comes with its digest.
    Ask(Option<Known>),
}

/// A request by name only, which can be recognised when it comes again.
struct Known {
    question: Question,
    digest: String,
}

/// What an answer depends on besides the requirements and the venv.
struct Asked<'a> {
    arguments: &'a AddArguments,
    interpreter: &'a Interpreter,
    index: IndexSettings,
}

impl Asked<'_> {
    /// The request, if it can be answered without the resolver.
    fn question(&self, inputs: &Inputs) -> Option<Question> {
        let (arguments, more) = (self.arguments, &self.arguments.more);
        let has_lists = !(more.upgrade_packages.is_empty() && more.build_constraints.is_empty());
        let is_special = more.reinstall || more.only_deps || more.details || has_lists;
        if is_special || arguments.upgrade || arguments.require_hashes || !inputs.editables.is_empty() {
            return None;
        }
        Question::of(&inputs.specs, &inputs.files)
    }

    /// By what the request is recognised in a venv with virtpy's own pip, or without.
    fn digest(&self, question: &Question, own_pip: bool) -> String {
        let AddArguments { no_deps, pre, exclude_newer, .. } = self.arguments;
        let Interpreter { executable, version, platform, .. } = self.interpreter;
        // Whether a connection may be made changes nothing about the answer.
        let settings = IndexSettings { offline: false, ..self.index.clone() };
        let circumstances = format!(
            "{own_pip} {no_deps} {pre} {exclude_newer:?} {settings:?} {} {version} {platform}",
            executable.display()
        );
        resolve::request_digest(question, &circumstances)
    }

    /// Whether there is nothing to do, as far as that can be told without holding the venv and reading all that is in it.
    fn idle(
        &self,
        venv: &Venv,
        store: &Store,
        question: Option<&Question>,
    ) -> Result<Option<Outcome>, Failure> {
        // What the base interpreter has may have changed.
        let Some(question) = question.filter(|_| !venv.sees_system_site()) else { return Ok(None) };
        let Some((satisfied, unchanged)) = State::still_satisfied(venv, store)? else { return Ok(None) };
        // Nobody changed the venv, so it has the pip that it had then.
        let is_same = [true, false].iter().any(|own_pip| self.digest(question, *own_pip) == satisfied);
        Ok(is_same.then(|| Outcome { unchanged, ..Outcome::default() }))
    }
}

/// One call of `virtpy add`.
struct Addition<'a> {
    context: &'a Context,
    arguments: &'a AddArguments,
    preferred: &'a [(String, String)],
    venv: &'a Venv,
    interpreter: &'a Interpreter,
    contents: &'a Contents,
    /// What is installed and seen, by normalized name.
    installed: BTreeMap<&'a str, &'a Distribution>,
    settings: &'a Settings,
    asked: Asked<'a>,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Outcome {
    /// What came and what went.
    pub(super) summary: ChangeSummary,
    /// Each package that came, or would come, with its entry, where that was asked for.
    pub(super) details: Vec<(Package, Entry)>,
    /// The packages that came or would come, where the resolver was asked.
    pub(super) arriving: Vec<Package>,
    /// The names of those that were built.
    pub(super) built: Vec<String>,
    /// How many packages were there already.
    pub(super) unchanged: usize,
    /// In which way the others came.
    pub(super) ways: Ways,
    /// How long linking took.
    pub(super) linked_in: Duration,
}

/// How many packages came in which way.
#[derive(Default, Clone, Copy, Serialize)]
pub(super) struct Ways {
    pub(super) from_store: usize,
    pub(super) downloaded: usize,
    pub(super) built: usize,
}

impl Ways {
    /// How many had to be fetched or built.
    pub(super) fn fetched(self) -> usize {
        self.downloaded + self.built
    }

    pub(super) fn of(obtained: &[Obtained]) -> Self {
        let count = |way| obtained.iter().filter(|one| one.way == way).count();
        Self { from_store: count(Way::Store), downloaded: count(Way::Fetched), built: count(Way::Built) }
    }
}

impl std::fmt::Display for Ways {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} from the store, {} downloaded", self.from_store, self.downloaded)?;
        if self.built > 0 { write!(formatter, ", {} built", self.built) } else { Ok(()) }
    }
}

impl Addition<'_> {
    /// Tries to answer without the resolver.
    fn answer(&self, question: Option<Question>) -> Result<Answer, Failure> {
        let Some(question) = question else { return Ok(Answer::Ask(None)) };
        let digest = self.asked.digest(&question, self.contents.has_pip_shim());
        let is_own = self.contents.is_own() && !self.venv.sees_system_site();
        if is_own && self.contents.state.satisfied.as_ref() == Some(&digest) {
            return Ok(Answer::Satisfied);
        }
        let markers = Context::markers(self.interpreter)?;
        if resolve::is_satisfied(&question, self.contents, &markers, self.arguments.no_deps) {
            return Ok(Answer::Satisfied);
        }
        Ok(Answer::Ask(Some(Known { question, digest })))
    }

    /// Installs what was resolved for the same request before, if the store has all of it.
    fn install_recalled(&self, known: Option<&Known>) -> Result<Option<Outcome>, Failure> {
        let Some(known) = known else { return Ok(None) };
        if self.arguments.dry_run {
            return Ok(None);
        }
        let store = &self.context.store;
        let fresh = || {
            let recalled = self.is_alone().then(|| resolve::recall_fresh(store, &known.digest)).flatten()?;
            self.context
                .output
                .detail("the answer is remembered, and the index lets it be believed for some minutes");
            Some(recalled)
        };
        let Some(recalled) = resolve::recall(store, &known.digest).or_else(fresh) else { return Ok(None) };
        let found = |manifest: &Manifest| {
            let key = virtpy_pep::normalize_name(&manifest.name).ok()?;
            self.installed.get(key.as_str()).filter(|one| same_version(&one.version, &manifest.version))
        };
        let is_other = |entry: &Entry| {
            found(&entry.manifest).is_some_and(|one| sha256_of(one) != Some(&entry.manifest.sha256))
        };
        if recalled.iter().any(|one| is_other(&one.entry)) {
            // It stays, and may require something else than what was resolved.
            return Ok(None);
        }
        let all = recalled.len();
        let recalled = recalled.into_iter().filter(|one| !self.is_own_pip(&one.entry.manifest.name));
        let install: Vec<Arrival> = recalled
            .filter(|one| found(&one.entry.manifest).is_none())
            .map(|one| arrival(self.settings, self.contents, one.entry, (one.requested, None)))
            .collect();
        let ways = Ways { from_store: install.len(), ..Ways::default() };
        let unchanged = all - install.len();
        self.link(install, Some(&known.digest), unchanged, ways).map(Some)
    }

    /// Whether the request alone decides: there is nothing installed or preferred that would be kept, and no folder of wheels
    /// whose name means another one elsewhere.
    fn is_alone(&self) -> bool {
        self.preferred.is_empty()
            && self.installed.keys().all(|key| self.is_own_pip(key))
            && self.asked.index.find_links.iter().all(|place| Path::new(place).is_absolute())
    }

    /// Links what is at hand into the venv.
    fn link(
        &self,
        install: Vec<Arrival>,
        digest: Option<&String>,
        unchanged: usize,
        ways: Ways,
    ) -> Result<Outcome, Failure> {
        let linking = Instant::now();
        let tags = Some(self.interpreter.tags());
        let force = self.arguments.force;
        let change = Change { install, tags, satisfies: digest.cloned(), force, ..Change::default() };
        let summary = self.venv.apply(&self.context.store, self.contents, &change)?;
        let linked_in = linking.elapsed();
        let eager = self.arguments.compile_bytecode;
        bytecode::after_change(self.context, self.interpreter, self.venv, &change.install, eager)?;
        let outcome = Outcome { summary, unchanged, ways, linked_in, ..Outcome::default() };
        // pip's users know that an upgrade may break what was there; they should hear of it at once.
        let may_break = !outcome.summary.removed.is_empty() || self.arguments.no_deps;
        if may_break && !self.arguments.more.no_conflict_check {
            presence::warn_of_unmet_requirements(self.context, self.venv, self.interpreter)?;
        }
        Ok(outcome)
    }

    fn install(&self, inputs: Inputs, known: Option<&Known>) -> Result<Outcome, Failure> {
        let session = self.context.session(self.interpreter, self.asked.index.clone());
        let progress = Progress::new(self.context.output, "resolving");
        let resolution = self.resolution(&session, inputs)?;
        for note in &resolution.notes {
            self.context.output.detail(note);
        }
        for warning in &resolution.warnings {
            self.context.output.warning(warning);
        }
        // What is not there as it was asked for is told every time.
        let known = known.filter(|_| resolution.left_out.is_empty());
        if !resolution.left_out.is_empty() {
            self.context.output.warning(OWN_PIP);
        }
        let arriving = self.arriving(&resolution);
        let unchanged = resolution.kept.len() + resolution.packages.len() - arriving.len();
        let details = self.arguments.more.details;
        if self.arguments.dry_run && !details {
            let at_hand =
                |index: &&usize| resolve::is_at_hand(&self.context.store, &resolution.packages[**index]);
            let from_store = arriving.iter().filter(at_hand).count();
            let ways = Ways { from_store, downloaded: arriving.len() - from_store, built: 0 };
            let summary = self.foresee(&resolution, &arriving);
            let arriving = of_resolution(&resolution, &arriving);
            return Ok(Outcome { summary, arriving, unchanged, ways, ..Outcome::default() });
        }
        progress.stage("fetching");
        let supply = Supply {
            store: &self.context.store,
            session: &session,
            interpreter: &Context::build_key(self.interpreter),
            reporter: &progress,
        };
        let obtained = resolve::obtain(&supply, &resolution, &arriving, &mut self.context.announce())?;
        progress.end();
        if let Some(Known { question, digest }) = known {
            let found = (&resolution, obtained.as_slice());
            resolve::remember(&self.context.store, digest, found, &|package| question.pins(package));
            let is_told = !resolution.warnings.is_empty();
            if let Some(pages) = resolution.pages.as_ref().filter(|_| self.is_alone() && !is_told) {
                resolve::remember_fresh(&self.context.store, digest, found, pages);
            }
        }
        let ways = Ways::of(&obtained);
        let detail = |one: &Obtained| (resolution.packages[one.package].clone(), one.entry.clone());
        let details = if details { obtained.iter().map(detail).collect() } else { Vec::new() };
        let built = obtained.iter().filter(|one| one.way == Way::Built);
        let built: Vec<String> = built.map(|one| one.entry.manifest.name.clone()).collect();
        if self.arguments.dry_run {
            let summary = self.foresee(&resolution, &arriving);
            let arriving = of_resolution(&resolution, &arriving);
            return Ok(Outcome { summary, details, arriving, built, unchanged, ways, ..Outcome::default() });
        }
        let install: Vec<Arrival> = obtained
            .into_iter()
            .map(|one| {
                let package = &resolution.packages[one.package];
                arrival(self.settings, self.contents, one.entry, (package.requested, one.direct_url))
            })
            .collect();
        let digest = known.map(|known| &known.digest);
        let arriving = of_resolution(&resolution, &arriving);
        Ok(Outcome { details, arriving, built, ..self.link(install, digest, unchanged, ways)? })
    }

    /// What satisfies the request: what a lock file holds, if one is named, or what the resolver finds.
    fn resolution(&self, session: &Session, inputs: Inputs) -> Result<Resolution, Failure> {
        let request = self.request(inputs);
        if request.files.locks.is_empty() {
            return Ok(session.resolve(&request).map_err(ResolveError::from)?);
        }
        from_lock::resolution(session, request, &Context::markers(self.interpreter)?)
    }

    fn request(&self, inputs: Inputs) -> Request {
        let (arguments, settings) = (self.arguments, self.asked.index.clone());
        let specs = inputs.specs.into_iter().map(Input::Requirement);
        let editables = inputs.editables.into_iter().map(Input::Editable);
        Request {
            requirements: specs.chain(editables).collect(),
            files: inputs.files,
            build_constraints: inputs.build_constraints,
            installed: presence::candidates(&self.contents.visible(), &self.venv.site_packages()),
            preferred: self.preferred.to_vec(),
            options: Options {
                no_deps: arguments.no_deps,
                left_out: if self.contents.has_pip_shim() { vec!["pip".to_owned()] } else { Vec::new() },
                upgrade: arguments.upgrade,
                reinstall: arguments.more.reinstall,
                upgrade_packages: arguments.more.upgrade_packages.clone(),
                prerelease: arguments.pre || settings.prerelease,
                no_binary: settings.no_binary,
                only_binary: settings.only_binary,
                require_hashes: arguments.require_hashes || settings.require_hashes,
                exclude_newer: arguments.exclude_newer.clone().or(settings.exclude_newer),
                build_settings: arguments.more.config_settings.clone(),
                settings_of_inputs: arguments.more.settings_of_inputs,
                build_environment: arguments.more.no_build_isolation.then(|| self.venv.root.clone()),
                working_directory: self.context.working_directory.clone(),
            },
        }
    }

    /// The packages of a resolution that are not installed as they should be.
    fn arriving(&self, resolution: &Resolution) -> Vec<usize> {
        let is_there = |package: &Package| {
            let anew = self.arguments.more.reinstall || package.direct_url.is_some();
            let is_left_out = self.arguments.more.only_deps && package.requested;
            is_left_out
                || self.is_own_pip(&package.name)
                || !anew && self.is_installed(&package.name, &package.version)
        };
        (0..resolution.packages.len()).filter(|index| !is_there(&resolution.packages[*index])).collect()
    }

    /// Whether this is the name of virtpy's own pip, which no other replaces.
    fn is_own_pip(&self, name: &str) -> bool {
        name == "pip" && self.contents.has_pip_shim()
    }

    /// Whether this version is installed from an index: what came from a path or a URL may have changed without a new
    /// version.
    fn is_installed(&self, key: &str, version: &str) -> bool {
        self.installed.get(key).is_some_and(|distribution| {
            distribution.direct_url().is_none() && same_version(&distribution.version, version)
        })
    }

    /// What would come and go.
    fn foresee(&self, resolution: &Resolution, arriving: &[usize]) -> ChangeSummary {
        let mut summary = ChangeSummary::default();
        for package in arriving.iter().map(|index| &resolution.packages[*index]) {
            if let Some(old) = self.contents.find(&package.name) {
                summary.removed.push((old.name.clone(), old.version.clone()));
            }
            summary.added.push((package.name.clone(), package.version.clone()));
        }
        summary
    }
}

/// The packages of a resolution at these places.
fn of_resolution(resolution: &Resolution, places: &[usize]) -> Vec<Package> {
    places.iter().map(|place| resolution.packages[*place].clone()).collect()
}

/// Says which files more than one package has, and which were not touched.
pub(super) fn warn_of_clashes(output: Output, outcome: &Outcome) {
    for clash in &outcome.summary.clashes {
        output.warning(format_args!(
            "`{}` is in both {} and {}; the one of {} is used",
            clash.path, clash.loser, clash.winner, clash.winner
        ));
    }
    super::report_left_alone(output, &outcome.summary);
}
