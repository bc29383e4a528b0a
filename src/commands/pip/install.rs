//! `virtpy pip install`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use virtpy_pep::{PackageName, Requirement, Version, accepts_python};
use virtpy_resolver::{ChoiceKind, PackageChoice, RequirementsFiles};

use super::requirements::{name_of, names_in};
use super::{Call, Stop, check, group, projects};
use crate::cli::VenvArgument;
use crate::error::Failure;
use crate::fs;
use crate::install::checkout::{Checkouts, CloneFolder};
use crate::install::{
    self, BuildOptions, Changelog, Extent, Goal, IndexOptions, Indexes, InstallOptions, Requirements,
};
use crate::report::{self, OWN_PIP};
use crate::scripts::{self, Source};
use crate::store::PIP_SHIM_VERSION;
use crate::venv::{Contents, Problem, Scope, check_requirements};

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

    /// Says which of the requirements are not for this environment.
    fn tell_left_out(&self, specs: &[String]) -> Result<(), Failure> {
        let marked = |spec: &&String| spec.contains(';');
        if !specs.iter().any(|spec| marked(&spec)) {
            return Ok(());
        }
        let markers = install::markers(&self.context.host.interpreter(&self.venv)?)?;
        for spec in specs.iter().filter(marked) {
            let Ok(requirement) = spec.parse::<Requirement>() else { continue };
            if let Some((_, condition)) = spec.split_once(';')
                && !requirement.applies(&markers, &[])
            {
                self.say(format_args!(
                    "Ignoring {}: markers '{}' don't match your environment",
                    requirement.name(),
                    condition.trim()
                ));
            }
        }
        Ok(())
    }

    /// Says what is no longer as other distributions require it, or as what came does.
    fn tell_conflicts(&self, log: &Changelog) -> Result<(), Failure> {
        let added = &log.summary.added;
        if added.is_empty() {
            return Ok(());
        }
        let contents = self.contents()?;
        let came =
            |name: &str| added.iter().any(|(added, _)| name_of(added).is_some_and(|added| added == *name));
        // Of others, those count that require something of what came, with all that they require.
        let mut concerned = BTreeSet::new();
        for one in contents.visible() {
            let wishes = one.requires_dist();
            if came(&one.key) || wishes.iter().filter_map(|text| name_of(text)).any(|name| came(&name)) {
                concerned.insert(one.key.as_str());
            }
        }
        let is_concerned = |label: &str| {
            label.split(' ').next().and_then(name_of).is_some_and(|name| concerned.contains(name.as_str()))
        };
        let markers = install::markers(&self.context.host.interpreter(&self.venv)?)?;
        let mut lines = Vec::new();
        for problem in check_requirements(&contents, &markers, Scope::Everything) {
            match &problem {
                Problem::Unmet { distribution, requirement } if is_concerned(distribution) => {
                    let label = check::labelled(distribution);
                    lines.push(format!("{label} requires {requirement}, which is not installed."));
                }
                Problem::Conflicting { distribution, requirement, installed }
                    if is_concerned(distribution) =>
                {
                    let name = name_of(requirement).map(String::from).unwrap_or_default();
                    lines.push(format!(
                        "{} requires {requirement}, but you have {name} {installed} which is incompatible.",
                        check::labelled(distribution)
                    ));
                }
                _ => {}
            }
        }
        if !lines.is_empty() {
            self.context.output.complaint(
                "ERROR: what was installed does not go with all that is installed. There are the following dependency \
                 conflicts.",
            );
            for line in &lines {
                self.context.output.complaint(line);
            }
        }
        Ok(())
    }

    /// Puts what the command line says of the files and versions of packages before what requirements files say.
    fn take_choices(&self, files: &mut RequirementsFiles) {
        let kinds = [
            ("no-binary", ChoiceKind::NoBinary),
            ("only-binary", ChoiceKind::OnlyBinary),
            ("all-releases", ChoiceKind::AllReleases),
            ("only-final", ChoiceKind::OnlyFinal),
        ];
        let choices: Vec<PackageChoice> = self
            .request
            .in_order(&kinds.map(|(option, _)| option))
            .filter_map(|(option, names)| {
                let (_, kind) = kinds.into_iter().find(|(known, _)| *known == option)?;
                Some(PackageChoice { kind, names: names.to_owned() })
            })
            .collect();
        files.options.choices.splice(0..0, choices);
    }

    /// What is asked for. Where the venv's pip is virtpy's own, it is never among it.
    fn wanted(&self, before: &Contents, files: RequirementsFiles) -> Result<Requirements, Failure> {
        let request = self.request;
        // Scripts pass variables on that may be empty.
        let mut asked: Vec<String> =
            request.arguments.iter().filter(|text| !text.trim().is_empty()).cloned().collect();
        let mut editables = request.values("editable");
        asked.extend(group::requirements(&self.context.working_directory, &request.values("group"))?);
        if let Some(script) = request.value("requirements-from-script") {
            self.of_script(script, &mut asked, &mut editables)?;
        }
        let own_pip = |spec: &String| before.has_pip_shim() && name_of(spec).as_deref() == Some("pip");
        let (own, specs): (Vec<String>, Vec<String>) = asked.into_iter().partition(own_pip);
        if !own.is_empty() {
            self.say(format_args!("{OWN_PIP}."));
            let there = self.venv.site_packages();
            for text in &own {
                self.say(format_args!(
                    "Requirement already satisfied: {text} in {} ({PIP_SHIM_VERSION})",
                    there.display()
                ));
            }
        }
        let eager = request.value("upgrade-strategy") == Some("eager");
        let upgrade = request.has("upgrade");
        let upgrade_packages = if upgrade && !eager { names_asked_for(&specs, &files) } else { Vec::new() };
        let paths: Vec<PathBuf> = request.values("build-constraint").iter().map(PathBuf::from).collect();
        let settings = self.context.host.index_settings(&self.index())?;
        Ok(Requirements {
            specs,
            files,
            editables,
            preferred: Vec::new(),
            no_deps: request.has("no-deps"),
            only_deps: request.has("only-deps"),
            upgrade: upgrade && eager,
            upgrade_packages: upgrade_packages.into_iter().map(String::from).collect(),
            reinstall: request.has("force-reinstall") || request.has("ignore-installed"),
            pre: request.has("pre"),
            require_hashes: request.is_on("require-hashes", "no-require-hashes"),
            exclude_newer: request.value("uploaded-prior-to").map(str::to_owned),
            build: BuildOptions {
                no_isolation: request.has("no-build-isolation"),
                settings: request.values("config-settings"),
                settings_of_inputs: true,
                constraints: self.context.host.requirements_files(&[], &paths, &settings)?,
            },
        })
    }

    /// What a script says that it needs (PEP 723).
    fn of_script(
        &self,
        script: &str,
        specs: &mut Vec<String>,
        editables: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let path = self.context.working_directory.join(script);
        let Some(block) = scripts::block(&fs::read(&path)?)? else { return Ok(()) };
        let metadata = scripts::Metadata::parse(&block)?;
        let python = self.context.host.interpreter(&self.venv)?.version.to_string();
        if let Some(wanted) = &metadata.requires_python
            && !python.parse::<Version>().is_ok_and(|version| accepts_python(wanted, &version) == Ok(true))
        {
            return Err(Failure::new(format!(
                "Script {script:?} requires a different Python: {python} not in {wanted:?}"
            )));
        }
        let folder = path.parent().unwrap_or(&self.context.working_directory);
        for one in metadata.dependencies {
            match one {
                Source::Requirement(text) => specs.push(text),
                Source::Editable(place) => editables.push(folder.join(place).display().to_string()),
            }
        }
        Ok(())
    }
}

/// The names of the packages that are asked for, as far as they have one.
fn names_asked_for(specs: &[String], files: &RequirementsFiles) -> Vec<PackageName> {
    specs.iter().filter_map(|spec| name_of(spec)).chain(names_in(files)).collect()
}
