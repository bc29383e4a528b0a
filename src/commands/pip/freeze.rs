//! `virtpy pip freeze`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use virtpy_resolver::RequirementsEntry;

use super::call::{Call, Stop};
use super::requirements::{name_of, spelled};
use virtpy_pep::PackageName;

use crate::error::Failure;
use crate::install::pip::frozen_editable;
use crate::venv::{Distribution, editable_location, frozen};

/// What belongs to every environment of older Pythons, and is told only with `--all`.
const TOOLS: [&str; 3] = ["setuptools", "wheel", "distribute"];

/// What was told already in the order of requirements files.
#[derive(Default)]
struct Told {
    /// The packages.
    keys: BTreeSet<PackageName>,
    /// The lines that name no package: each stands there once.
    lines: BTreeSet<String>,
    /// The files that name a package, by its name as it stands there first.
    files: BTreeMap<String, Vec<String>>,
}

impl Call<'_> {
    pub(super) fn freeze(&self) -> Result<u8, Stop> {
        let contents = self.contents()?;
        let python = self.venv.layout.python_version();
        let minor: u32 = python.strip_prefix("3.").and_then(|minor| minor.parse().ok()).unwrap_or(0);
        let is_tool =
            |one: &Distribution| one.package == "pip" || minor < 12 && TOOLS.contains(&one.package.as_str());
        let mut chosen = self.selection(&contents)?;
        chosen.retain(|one| self.request.has("all") || !is_tool(one));
        let mut block = String::new();
        let mut told = Told::default();
        for file in self.request.values("requirement") {
            self.in_the_order_of(&file, &chosen, &mut block, &mut told)?;
        }
        for (name, files) in told.files.iter().filter(|(_, files)| files.len() > 1) {
            let files: BTreeSet<&str> = files.iter().map(String::as_str).collect();
            let files: Vec<&str> = files.into_iter().collect();
            self.context.output.complaint(format_args!(
                "WARNING: Requirement {name} included multiple times [{}]",
                files.join(", ")
            ));
        }
        if !self.request.values("requirement").is_empty() {
            block.push_str("## The following requirements were added by pip freeze:\n");
        }
        for distribution in chosen.iter().filter(|one| !told.keys.contains(&one.package)) {
            block.push_str(&line(distribution));
        }
        self.context.output.data_block(&block);
        Ok(0)
    }

    /// What a requirements file names, in its order and with its comments and options.
    fn in_the_order_of(
        &self,
        file: &str,
        chosen: &[&Distribution],
        block: &mut String,
        told: &mut Told,
    ) -> Result<(), Failure> {
        let settings = self.context.host.index_settings(&self.index())?;
        // What a file includes keeps its line there.
        let read = self.context.host.requirements_file_alone(Path::new(file), &settings)?;
        let Some(own) = read.texts.first() else { return Ok(()) };
        for line in own.lines() {
            let stands_here =
                |entry: &&RequirementsEntry| entry.place.line == line.number && entry.place.file == own.name;
            let Some(entry) = read.entries.iter().find(stands_here) else {
                let raw = line.raw.trim_end();
                if told.lines.insert(raw.to_owned()) {
                    block.push_str(raw);
                    block.push('\n');
                }
                continue;
            };
            let wanted = entry.text.as_str();
            let Some(name) = name_of(wanted) else {
                self.context.output.complaint(format_args!(
                    "Skipping line in requirement file [{file}] because it's not clear what it would install: {wanted}"
                ));
                continue;
            };
            let found = chosen.iter().find(|one| one.package == name);
            match found {
                Some(distribution) => {
                    if told.keys.insert(distribution.package.clone()) {
                        block.push_str(&self::line(distribution));
                    }
                    told.files.entry(spelled(wanted).to_owned()).or_default().push(file.to_owned());
                }
                None => self.context.output.complaint(format_args!(
                    "WARNING: Requirement file [{file}] contains {wanted}, but package '{}' is not installed",
                    spelled(wanted)
                )),
            }
        }
        Ok(())
    }
}

/// A distribution as `pip freeze` writes it.
fn line(distribution: &Distribution) -> String {
    match distribution.direct_url().and_then(editable_location) {
        None => format!("{}\n", frozen(distribution)),
        Some(folder) => frozen_editable(&distribution.name, &distribution.version, &folder),
    }
}
