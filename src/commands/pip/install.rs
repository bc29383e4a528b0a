//! `virtpy pip install`.

use std::path::PathBuf;

use virtpy_resolver::normalize_name;

use super::checkout::Checkouts;
use super::requirements::{name_of, names_in};
use super::{Call, Stop};
use crate::cli::{AddArguments, MoreOfAdd};
use crate::commands::add::{self, OWN_PIP, Outcome};
use crate::error::Failure;
use crate::venv::Contents;

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
        let mut arguments = self.add_arguments(&before);
        let is_empty =
            arguments.specs.is_empty() && arguments.requirements.is_empty() && arguments.editables.is_empty();
        if is_empty && request.arguments.is_empty() {
            let why = "You must give at least one requirement to install (see \"pip help install\")";
            return Err(Failure::new(why).into());
        }
        let checkouts = Checkouts::of(self, &mut arguments)?;
        let outcome = if is_empty {
            Outcome::default()
        } else {
            match add::carry_out(&self.context, &arguments, &[]) {
                Ok(outcome) => outcome,
                Err(failure) => {
                    checkouts.take_back();
                    return Err(failure.into());
                }
            }
        };
        if arguments.dry_run {
            checkouts.take_back();
        }
        add::warn_of_clashes(self.context.output, &outcome);
        self.tell(&before, &outcome);
        if let Some(target) = request.value("report") {
            self.report(target, &outcome)?;
        }
        Ok(0)
    }

    /// What `virtpy add` would have been told. Where the venv's pip is virtpy's own, it is never among it.
    fn add_arguments(&self, before: &Contents) -> AddArguments {
        let request = self.request;
        let own_pip = |spec: &String| before.has_pip_shim() && name_of(spec).as_deref() == Some("pip");
        let (own, specs): (Vec<String>, Vec<String>) = request.arguments.iter().cloned().partition(own_pip);
        if !own.is_empty() {
            self.say(format_args!("{OWN_PIP}."));
        }
        let requirements: Vec<PathBuf> = request.values("requirement").iter().map(PathBuf::from).collect();
        let eager = request.value("upgrade-strategy") == Some("eager");
        let upgrade = request.has("upgrade");
        let upgrade_packages =
            if upgrade && !eager { self.names_asked_for(&specs, &requirements) } else { Vec::new() };
        AddArguments {
            specs,
            venv: self.venv_argument(),
            requirements,
            constraints: request.values("constraint").iter().map(PathBuf::from).collect(),
            editables: request.values("editable"),
            no_deps: request.has("no-deps"),
            upgrade: upgrade && eager,
            pre: request.has("pre"),
            require_hashes: request.has("require-hashes"),
            exclude_newer: request.value("uploaded-prior-to").map(str::to_owned),
            dry_run: request.has("dry-run"),
            compile_bytecode: request.has("compile"),
            json: false,
            index: self.index(),
            more: MoreOfAdd {
                upgrade_packages,
                reinstall: request.has("force-reinstall") || request.has("ignore-installed"),
                details: request.has("report"),
                no_build_isolation: request.has("no-build-isolation"),
                config_settings: request.values("config-settings"),
                build_constraints: request.values("build-constraint").iter().map(PathBuf::from).collect(),
                texts: Vec::new(),
            },
        }
    }

    /// The names of the packages that are asked for, as far as they have one.
    fn names_asked_for(&self, specs: &[String], files: &[PathBuf]) -> Vec<String> {
        let mut names: Vec<String> = specs.iter().filter_map(|spec| name_of(spec)).collect();
        let files: Vec<PathBuf> =
            files.iter().map(|file| self.context.working_directory.join(file)).collect();
        // What cannot be read is told by whoever has to read it.
        names.extend(names_in(&files).unwrap_or_default());
        names
    }

    /// Says what was done, in pip's lines.
    fn tell(&self, before: &Contents, outcome: &Outcome) {
        let summary = &outcome.summary;
        let key = |name: &str| normalize_name(name).unwrap_or_else(|_| name.to_owned());
        let came = |name: &str| summary.added.iter().any(|(added, _)| key(added) == name);
        let site_packages = self.venv.site_packages();
        let requirements: Vec<PathBuf> =
            self.request.values("requirement").iter().map(PathBuf::from).collect();
        for text in self.request.arguments.iter().cloned().chain(self.names_asked_for(&[], &requirements)) {
            let Some(name) = name_of(&text).filter(|name| !came(name)) else { continue };
            if let Some(there) = before.find_visible(&name) {
                self.say(format_args!(
                    "Requirement already satisfied: {text} in {} ({})",
                    there.packages(&site_packages).display(),
                    there.version
                ));
            }
        }
        let mut added: Vec<(String, &String)> =
            summary.added.iter().map(|(name, version)| (name.clone(), version)).collect();
        added.sort_by_key(|(name, _)| name.to_lowercase());
        let labels: Vec<String> = added.iter().map(|(name, version)| format!("{name}-{version}")).collect();
        if added.is_empty() {
            return;
        }
        for (name, _) in &added {
            self.say(format_args!("Collecting {name}"));
        }
        if self.request.has("dry-run") {
            self.say(format_args!("Would install {}", labels.join(" ")));
            return;
        }
        let names: Vec<&str> = added.iter().map(|(name, _)| name.as_str()).collect();
        self.say(format_args!("Installing collected packages: {}", names.join(", ")));
        for (name, version) in &summary.removed {
            self.say(format_args!("  Attempting uninstall: {name}"));
            self.say(format_args!("    Found existing installation: {name} {version}"));
            self.say(format_args!("    Uninstalling {name}-{version}:"));
            self.say(format_args!("      Successfully uninstalled {name}-{version}"));
        }
        self.say(format_args!("Successfully installed {}", labels.join(" ")));
    }
}
