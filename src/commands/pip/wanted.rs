//! What `pip install` is asked for.

use std::path::PathBuf;

use virtpy_pep::Requirement;
use virtpy_resolver::{EntryKind, Input, RequirementsEntry, RequirementsFiles};

use super::call::Call;
use super::requirements::{name_of, names_in};
use crate::error::Failure;
use crate::install::pip::{group_requirements, script_inputs};
use crate::install::{BuildOptions, Requirements};
use crate::report::OWN_PIP;
use crate::store::PIP_SHIM_VERSION;
use crate::venv::Contents;

impl Call<'_> {
    /// What is asked for. Where the venv's pip is virtpy's own, it is never among it.
    pub(super) fn wanted(
        &self,
        before: &Contents,
        files: RequirementsFiles,
    ) -> Result<Requirements, Failure> {
        let request = self.request;
        // Scripts pass variables on that may be empty.
        let mut asked: Vec<String> =
            request.arguments.iter().filter(|text| !text.trim().is_empty()).cloned().collect();
        let mut editables = request.values("editable");
        asked.extend(group_requirements(&self.context.working_directory, &request.values("group"))?);
        if let Some(script) = request.value("requirements-from-script") {
            let interpreter = self.context.host.interpreter(&self.venv)?;
            for input in script_inputs(&self.context.host, script, &interpreter)? {
                match input {
                    Input::Requirement(text) => asked.push(text),
                    Input::Editable(place) => editables.push(place),
                    Input::Project(_) => {}
                }
            }
        }
        let specs = self.without_own_pip(before, asked);
        let eager = request.value("upgrade-strategy") == Some("eager");
        let upgrade = request.has("upgrade");
        let mut upgrade_packages = Vec::new();
        if upgrade && !eager {
            // As far as what is asked for has a name.
            let names = specs.iter().filter_map(|spec| name_of(spec));
            upgrade_packages.extend(names.chain(names_in(&files)).map(String::from));
        }
        let paths: Vec<PathBuf> = request.values("build-constraint").iter().map(PathBuf::from).collect();
        let settings = self.context.host.index_settings(&self.index())?;
        // As with pip, one hash makes them demanded of all.
        let has_hash =
            |entry: &RequirementsEntry| entry.kind != EntryKind::Constraint && !entry.hashes.is_empty();
        let demands_hashes =
            request.is_on("require-hashes", "no-require-hashes") || files.entries.iter().any(has_hash);
        Ok(Requirements {
            specs,
            files,
            editables,
            preferred: Vec::new(),
            no_deps: request.has("no-deps"),
            only_deps: request.has("only-deps"),
            upgrade: upgrade && eager,
            upgrade_packages,
            reinstall: request.has("force-reinstall") || request.has("ignore-installed"),
            pre: request.has("pre"),
            require_hashes: demands_hashes,
            exclude_newer: request.value("uploaded-prior-to").map(str::to_owned),
            build: BuildOptions {
                no_isolation: request.has("no-build-isolation"),
                settings: request.values("config-settings"),
                settings_of_inputs: true,
                constraints: self.context.host.requirements_files(&[], &paths, &settings)?,
            },
        })
    }

    /// Takes virtpy's own pip out of what is asked for, and says so.
    fn without_own_pip(&self, before: &Contents, asked: Vec<String>) -> Vec<String> {
        let is_own = |spec: &String| before.has_pip_shim() && name_of(spec).as_deref() == Some("pip");
        let (own, specs): (Vec<String>, Vec<String>) = asked.into_iter().partition(is_own);
        if !own.is_empty() {
            self.say(format_args!("{OWN_PIP}."));
        }
        for text in &own {
            let there = self.venv.site_packages();
            self.say(format_args!(
                "Requirement already satisfied: {text} in {} ({PIP_SHIM_VERSION})",
                there.display()
            ));
        }
        specs
    }

    /// Says which of the requirements are not for this environment.
    pub(super) fn tell_left_out(&self, specs: &[String]) -> Result<(), Failure> {
        let marked: Vec<(Requirement, &str)> = specs
            .iter()
            .filter_map(|spec| Some((spec.parse().ok()?, spec.split_once(';')?.1.trim())))
            .collect();
        if marked.is_empty() {
            return Ok(());
        }
        let markers = self.markers()?;
        for (requirement, condition) in marked.iter().filter(|(one, _)| !one.applies(&markers, &[])) {
            let name = requirement.name();
            self.say(format_args!("Ignoring {name}: markers '{condition}' don't match your environment"));
        }
        Ok(())
    }
}
