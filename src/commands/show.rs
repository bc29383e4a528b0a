//! `virtpy show`: what is known of installed packages.

use serde::Serialize;
use virtpy_pep::{PackageName, Requirement};

use crate::cli::ShowArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::report;
use crate::venv::{Contents, Distribution, LARGEST_METADATA, Venv, editable_location};
use crate::wheel::{self, Metadata};

pub(super) fn run(context: &Context, arguments: &ShowArguments) -> Result<u8, Failure> {
    let venv = context.venv(&arguments.venv)?;
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
        let blocks: Vec<String> = cards.iter().map(Card::text).collect();
        context.output.data_block(&blocks.join("---\n"));
    }
    if missing.is_empty() {
        return Ok(0);
    }
    Err(Failure::new(format!("not installed: {}", missing.join(", ")))
        .hinted("`virtpy list` shows what is installed"))
}

/// What is shown of one package; the keys are those of `pip show`.
#[derive(Serialize)]
struct Card {
    name: String,
    version: String,
    summary: String,
    home_page: String,
    author: String,
    license: String,
    location: String,
    installer: String,
    editable_project_location: Option<String>,
    requires: Vec<String>,
    required_by: Vec<String>,
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
        let folder = distribution.folder(&site_packages);
        let metadata = fs::read_bounded(&distribution.metadata_file(&site_packages), LARGEST_METADATA)?;
        let metadata = Metadata::parse(&metadata).map_err(|error| {
            Failure::new(format!("the METADATA of {} is broken: {error}", distribution.name))
        })?;
        let required_by = contents
            .visible()
            .iter()
            .filter(|other| required_names(other).contains(&distribution.key))
            .map(|other| other.name.clone())
            .collect();
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
            requires: required_names(distribution).into_iter().map(String::from).collect(),
            required_by,
            // Older tools did not write down which files they installed.
            files: (files && distribution.has_dist_info()).then(|| listed_files(&folder)).transpose()?,
        })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |key: &str, value: &str| {
            text.push_str(format!("{key}: {value}").trim_end());
            text.push('\n');
        };
        line("Name", &self.name);
        line("Version", &self.version);
        line("Summary", &self.summary);
        line("Home-page", &self.home_page);
        line("Author", &self.author);
        line("License", &self.license);
        line("Location", &self.location);
        if let Some(location) = &self.editable_project_location {
            line("Editable project location", location);
        }
        line("Installer", &self.installer);
        line("Requires", &self.requires.join(", "));
        line("Required-by", &self.required_by.join(", "));
        if let Some(files) = &self.files {
            line("Files", "");
            for file in files {
                line("  ", file);
            }
        }
        text.replace("  : ", "  ")
    }
}

/// The names that a distribution requires without any extra, sorted.
fn required_names(distribution: &Distribution) -> Vec<PackageName> {
    let mut names: Vec<PackageName> = distribution
        .requires_dist()
        .iter()
        .filter(|text| !text.contains("extra =="))
        .filter_map(|text| text.parse::<Requirement>().ok())
        .map(|requirement| requirement.name().clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The files of a RECORD, sorted.
fn listed_files(folder: &std::path::Path) -> Result<Vec<String>, Failure> {
    let text = fs::read_to_string(&folder.join("RECORD"))?;
    let rows = wheel::parse_record(&text).map_err(|error| Failure::new(error.to_string()))?;
    let mut files: Vec<String> = rows.into_iter().map(|row| row.path).collect();
    files.sort();
    Ok(files)
}
