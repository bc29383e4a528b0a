//! `virtpy pip uninstall`.

use std::collections::BTreeSet;
use std::path::Path;

use super::call::{Call, Stop};
use super::requirements::{name_of, names_in};
use virtpy_pep::PackageName;

use crate::cli::VenvArgument;
use crate::error::Failure;
use crate::install::{self, Environment, Indexes, InstallOptions, InstallPlan};
use crate::report;
use crate::venv::{Contents, Distribution};

impl Call<'_> {
    pub(super) fn uninstall(&self) -> Result<u8, Stop> {
        let names = self.names()?;
        if names.is_empty() {
            let files = self.request.values("requirement");
            let why = match files.first() {
                Some(file) => format!("Requirements file [{file}] contains no packages"),
                None => "You must give at least one requirement to uninstall (see \"pip help uninstall\")"
                    .to_owned(),
            };
            return Err(Failure::new(why).into());
        }
        let venv = self.context.venv_to_change(&VenvArgument { path: Some(self.venv.root.clone()) })?;
        let indexes = Indexes::default();
        let mut environment = Environment::open(&self.context.host, venv, &indexes)?;
        let chosen = self.choose(&environment.contents, &names)?;
        let keys = chosen.iter().map(|distribution| distribution.package.clone()).collect();
        let plan = InstallPlan::removal(keys, InstallOptions::default());
        report::warnings(self.context.output, &install::execute(&mut environment, plan)?);
        for Distribution { name, version, .. } in &chosen {
            if self.request.has("yes") {
                self.say(format_args!("Found existing installation: {name} {version}"));
                self.say(format_args!("Uninstalling {name}-{version}:"));
            }
            self.say(format_args!("  Successfully uninstalled {name}-{version}"));
        }
        Ok(0)
    }

    /// The names of what is to go, each once.
    fn names(&self) -> Result<Vec<PackageName>, Failure> {
        let mut names: Vec<PackageName> = Vec::new();
        for argument in &self.request.arguments {
            match name_of(argument) {
                Some(name) => names.push(name),
                None => self.context.output.complaint(format_args!(
                    "WARNING: Invalid requirement: '{argument}' ignored - the uninstall command expects named \
                     requirements."
                )),
            }
        }
        names.extend(names_in(&self.files()?));
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Ok(names)
    }

    /// What is installed of it and goes. The user is asked, unless `-y` says yes to all.
    fn choose(&self, contents: &Contents, names: &[PackageName]) -> Result<Vec<Distribution>, Failure> {
        let output = self.context.output;
        let mut chosen = Vec::new();
        for name in names {
            let Some(distribution) = contents.find_visible(name) else {
                if self.request.count("quiet") < 2 {
                    output.complaint(format_args!("WARNING: Skipping {name} as it is not installed."));
                }
                continue;
            };
            if distribution.is_of_system() {
                self.leave_outside(distribution);
                continue;
            }
            if distribution.is_pip_shim() {
                self.say(format_args!("Found existing installation: pip {}", distribution.version));
                self.say("Not uninstalling pip: it is virtpy's own here, and stays.");
                continue;
            }
            if self.request.has("yes") || self.agrees(distribution)? {
                chosen.push(distribution.clone());
            }
        }
        Ok(chosen)
    }

    /// Says of a distribution of the base interpreter that it stays.
    fn leave_outside(&self, distribution: &Distribution) {
        let Distribution { name, version, .. } = distribution;
        let packages = distribution.packages(Path::new("")).display();
        self.say(format_args!("Found existing installation: {name} {version}"));
        self.say(format_args!(
            "Not uninstalling {} at {packages}, outside environment {}",
            name.to_lowercase(),
            self.venv.root.display()
        ));
        self.say(format_args!("Can't uninstall '{name}'. No files were found to uninstall."));
    }
}
