//! `virtpy pip install`.

use super::call::{Call, Stop};
use super::projects;
use super::requirements::names_in;
use crate::cli::VenvArgument;
use crate::error::Failure;
use crate::install::pip::{Checkouts, CloneFolder};
use crate::install::{self, Changelog, Extent, Goal, IndexOptions, Indexes, InstallOptions, Requirements};
use crate::report;
use crate::store::PIP_SHIM_VERSION;

/// What pip says where a venv is asked for an installation into the user's own folder.
const NO_USER_SITE: &str =
    "Can not perform a '--user' install. User site-packages are not visible in this virtualenv.";

impl Call<'_> {
    pub(super) fn install(&self) -> Result<u8, Stop> {
        let request = self.request;
        if request.is_on("user", "no-user") {
            return Err(Failure::new(NO_USER_SITE).into());
        }
        let before = self.contents()?;
        let mut files = self.files()?;
        self.take_choices(&mut files);
        let names_in_files = names_in(&files);
        let mut wanted = self.wanted(&before, files)?;
        projects::check(self, &wanted)?;
        let is_empty = wanted.specs.is_empty() && !request.has("requirement") && wanted.editables.is_empty();
        let names_nothing = ["group", "requirements-from-script"].iter().all(|option| !request.has(option));
        if is_empty && request.arguments.is_empty() && names_nothing {
            let why = "You must give at least one requirement to install (see \"pip help install\")";
            return Err(Failure::new(why).into());
        }
        if request.has("verbose") {
            let package = self.venv.site_packages().join("pip");
            self.say(format_args!("Using pip {PIP_SHIM_VERSION} from {}", package.display()));
        }
        self.tell_sources();
        self.tell_left_out(&wanted.specs)?;
        let clones = match request.value("src") {
            Some(folder) => CloneFolder::Named(self.context.working_directory.join(folder)),
            None => CloneFolder::Venv(&self.venv),
        };
        let checkouts = Checkouts::of(&self.context.host, &mut wanted, &clones, &|line| self.say(line))?;
        let is_dry_run = request.has("dry-run");
        let log = if is_empty {
            Changelog::default()
        } else {
            self.carry_out(&wanted).inspect_err(|_| checkouts.remove())?
        };
        if is_dry_run {
            checkouts.remove();
        }
        report::warnings(self.context.output, &log);
        let asked: Vec<String> =
            wanted.specs.iter().cloned().chain(names_in_files.into_iter().map(String::from)).collect();
        self.tell(&before, &log, &asked)?;
        let checks = !request.has("no-warn-conflicts") && !request.has("no-deps");
        if checks && !is_dry_run {
            self.tell_conflicts(&log)?;
        }
        if let Some(target) = request.value("report") {
            self.report(target, &log)?;
        }
        Ok(0)
    }

    /// Installs. With `--prefer-binary` a set of wheels is looked for first, even if some of them are older than what would
    /// have to be built.
    fn carry_out(&self, wanted: &Requirements) -> Result<Changelog, Failure> {
        let index = self.index();
        if self.request.has("prefer-binary") {
            let only_binary = vec![":all:".to_owned()];
            if let Ok(log) = self.carry_out_with(wanted, IndexOptions { only_binary, ..index.clone() }) {
                return Ok(log);
            }
        }
        self.carry_out_with(wanted, index)
    }

    fn carry_out_with(&self, wanted: &Requirements, index: IndexOptions) -> Result<Changelog, Failure> {
        let request = self.request;
        let venv = self.context.venv_to_change(&VenvArgument { path: Some(self.venv.root.clone()) })?;
        let indexes = Indexes::new(index);
        if wanted.is_empty() {
            if let Some(remark) = wanted.files.remark_on_nothing() {
                self.context.output.warning(remark);
            }
            return Ok(Changelog::default());
        }
        let options = InstallOptions {
            dry_run: request.has("dry-run"),
            compile_bytecode: request.has("compile"),
            with_wheels: request.has("report"),
            no_conflict_check: true,
            ..InstallOptions::default()
        };
        let goal = Goal { source: wanted, extent: Extent::Sufficient, options };
        install::install(&self.context.host, venv, &indexes, &goal)
    }
}
