//! What `pip install` is asked for.

use std::path::PathBuf;

use virtpy_pep::{Requirement, Version, accepts_python};
use virtpy_resolver::{ChoiceKind, EntryKind, PackageChoice, RequirementsEntry, RequirementsFiles};

use super::call::Call;
use super::group;
use super::requirements::{name_of, names_in};
use crate::error::Failure;
use crate::fs;
use crate::install::{BuildOptions, Requirements};
use crate::report::OWN_PIP;
use crate::scripts::{self, Source};
use crate::store::PIP_SHIM_VERSION;
use crate::venv::Contents;

impl Call<'_> {
    /// Puts what the command line says of the files and versions of packages before what requirements files say.
    pub(super) fn take_choices(&self, files: &mut RequirementsFiles) {
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

    /// Says which of the requirements are not for this environment.
    pub(super) fn tell_left_out(&self, specs: &[String]) -> Result<(), Failure> {
        let marked = |spec: &&String| spec.contains(';');
        if !specs.iter().any(|spec| marked(&spec)) {
            return Ok(());
        }
        let markers = self.markers()?;
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
}
