//! `virtpy show`: what is known of installed packages.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::ShowArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::report;
use crate::venv::{Contents, Distribution, Venv, editable_location};
use crate::wheel::{Metadata, RecordRow};

pub(super) fn run(context: &Context, arguments: &ShowArguments) -> Result<u8, Failure> {
    let venv = context.venv_to_read(&arguments.venv)?.venv;
    let contents = report::contents(context, &venv)?;
    let mut cards = Vec::new();
    let mut missing = Vec::new();
    for name in &arguments.names {
        match contents.find_spelled(name) {
            Some(distribution) => cards.push(Card::of(&venv, &contents, distribution, arguments.files)?),
            None => missing.push(name.as_str()),
        }
    }
    if arguments.json {
        context.output.json(&cards)?;
    } else {
        let blocks: Vec<String> = cards.iter().map(|card| card.text(context.output.is_verbose())).collect();
        context.output.data_block(&blocks.join("---\n"));
    }
    if missing.is_empty() {
        return Ok(0);
    }
    Err(Failure::new(format!("not installed: {}", missing.join(", ")))
        .hinted("`virtpy list` shows what is installed"))
}

/// What is shown of one package; the keys are those of `pip show`.
#[derive(JsonSchema, Serialize)]
pub(super) struct Card {
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// What its authors say of it, in a line.
    summary: String,
    /// Its web site.
    home_page: String,
    /// Who wrote it.
    author: String,
    /// Its licence.
    license: String,
    /// The directory that it is in.
    location: String,
    /// The tool that installed it.
    installer: String,
    /// The directory whose source is used in place.
    editable_project_location: Option<String>,
    /// What it requires.
    requires: Vec<String>,
    /// What requires it.
    required_by: Vec<String>,
    /// The lower store that it is linked from.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    /// Its files, with `--files`.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<String>>,
}

impl Card {
    fn of(
        venv: &Venv,
        contents: &Contents,
        distribution: &Distribution,
        files: bool,
    ) -> Result<Self, Failure> {
        let site_packages = venv.site_packages();
        let metadata = Metadata::parse(&distribution.read_metadata(&site_packages)?).map_err(|error| {
            Failure::new(format!("the METADATA of {} is broken: {error}", distribution.name))
        })?;
        // Older tools did not write down which files they installed.
        let files = if files && distribution.has_dist_info() {
            Some(distribution.recorded_files(&site_packages)?)
        } else {
            None
        };
        let paths = |rows: Vec<RecordRow>| rows.into_iter().map(|row| row.path).collect();
        Ok(Self {
            name: distribution.name.clone(),
            version: distribution.version.clone(),
            summary: metadata.summary.unwrap_or_default(),
            home_page: metadata.home_page.unwrap_or_default(),
            author: metadata.author.unwrap_or_default(),
            license: metadata.license.unwrap_or_default(),
            location: distribution.packages(&site_packages).display().to_string(),
            installer: distribution.installer().to_owned(),
            editable_project_location: distribution.direct_url().and_then(editable_location),
            requires: distribution.required_names().into_iter().map(String::from).collect(),
            required_by: contents.dependents(&distribution.package),
            store: distribution.layer().map(|path| path.display().to_string()),
            files: files.map(paths),
        })
    }

    fn text(&self, is_verbose: bool) -> String {
        let (requires, required_by) = (self.requires.join(", "), self.required_by.join(", "));
        let lines = [
            ("Name", Some(&self.name)),
            ("Version", Some(&self.version)),
            ("Summary", Some(&self.summary)),
            ("Home-page", Some(&self.home_page)),
            ("Author", Some(&self.author)),
            ("License", Some(&self.license)),
            ("Location", Some(&self.location)),
            ("Editable project location", self.editable_project_location.as_ref()),
            ("Installer", Some(&self.installer)),
            ("Requires", Some(&requires)),
            ("Required-by", Some(&required_by)),
            ("Store", self.store.as_ref().filter(|_| is_verbose)),
        ];
        let line = |(key, value): (&str, Option<&String>)| Some(format!("{key}: {}", value?));
        let mut lines: Vec<String> = lines.into_iter().filter_map(line).collect();
        if let Some(files) = &self.files {
            lines.push("Files:".to_owned());
            lines.extend(files.iter().map(|file| format!("  {file}")));
        }
        let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
        lines.join("\n") + "\n"
    }
}
