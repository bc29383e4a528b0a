//! `virtpy python install`.

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_pep::Sha256Digest;

use crate::cli::InstallArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::pythons::{Order, install};
use crate::interpreters::available::{Build, Catalogue};
use crate::interpreters::managed::{Installed, Outcome};

pub(super) fn run(context: &Context, arguments: &InstallArguments) -> Result<u8, Failure> {
    let transfer = context.host.downloads()?;
    let catalogue = context.host.catalogue(&transfer)?;
    let builds = builds(&catalogue, &arguments.versions)?;
    report_warnings(context, &catalogue);
    let order = Order {
        fetch: &transfer,
        reinstall: arguments.reinstall,
        force: arguments.force,
        default: arguments.default.then(|| builds[0].name.clone()),
    };
    let results = install(&context.host, &order, &builds)?;
    if arguments.json {
        let rows: Vec<Row> = results.iter().filter_map(|result| result.as_ref().ok()).map(Row::of).collect();
        context.output.json(&rows)?;
    }
    let mut failures: Vec<Failure> = results.into_iter().filter_map(Result::err).map(Failure::from).collect();
    let Some(last) = failures.pop() else { return Ok(0) };
    for failure in &failures {
        context.output.failure(failure);
    }
    Err(last)
}

/// The builds that are asked for, each once.
fn builds(catalogue: &Catalogue<'_>, versions: &[String]) -> Result<Vec<Build>, Failure> {
    let mut builds: Vec<Build> = Vec::new();
    for version in versions {
        let build = catalogue.find(version)?;
        if builds.iter().all(|other| other.name != build.name) {
            builds.push(build);
        }
    }
    Ok(builds)
}

/// Says what is wrong with the sources although there is a result.
pub(super) fn report_warnings(context: &Context, catalogue: &Catalogue<'_>) {
    for warning in catalogue.warnings() {
        context.output.warning(warning);
    }
}

#[derive(JsonSchema, Serialize)]
pub(in crate::commands) struct Row<'a> {
    /// Its name.
    name: &'a str,
    /// Its version.
    version: &'a str,
    /// Which build of that version it is.
    build: Option<&'a str>,
    /// Its executable.
    path: String,
    /// The SHA-256 of its archive.
    sha256: &'a Sha256Digest,
    /// Whether that was known before it came.
    verified: bool,
    /// Whether it was installed already.
    was_there: bool,
}

impl<'a> Row<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let Installed { record, .. } = &outcome.installed;
        Self {
            name: &record.name,
            version: &record.version,
            build: record.build.as_deref(),
            path: outcome.installed.executable().display().to_string(),
            sha256: &record.sha256,
            verified: record.verified,
            was_there: outcome.was_there,
        }
    }
}
