//! `virtpy python list`: what is installed, what else this machine has, and what can be installed.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_pep::Sha256Digest;

use super::install::report_warnings;
use crate::cli::ListInterpretersArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::interpreters::available::{Build, Catalogue};
use crate::interpreters::managed::installed;
use crate::interpreters::{Interpreter, PythonVersion};
use crate::output::table::table;

pub(super) fn run(context: &Context, arguments: &ListInterpretersArguments) -> Result<u8, Failure> {
    let mut rows = present(context);
    if !arguments.only_installed {
        rows.extend(available(context, arguments.all, &rows)?);
    }
    if arguments.json {
        context.output.json(&rows)?;
        return Ok(0);
    }
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| vec![row.name.clone(), row.origin.to_owned(), row.path.clone().unwrap_or_default()])
        .collect();
    context.output.data_block(&table(&lines, "  "));
    Ok(0)
}

/// An interpreter of the list.
#[derive(JsonSchema, Serialize)]
pub(in crate::commands) struct Row {
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// `virtpy`, the tool that it belongs to, `system`, or `available`.
    origin: &'static str,
    /// Its executable.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Where it can be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// The SHA-256 of its archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<Sha256Digest>,
}

/// What this machine has, in the order in which it would be taken.
fn present(context: &Context) -> Vec<Row> {
    let managed = installed(&context.store.pythons());
    let found = context.host.interpreters();
    let origins = context.host.origins(&found);
    let row = |(interpreter, origin): (&Interpreter, &'static str)| {
        let executable = &interpreter.executable;
        let own = managed
            .iter()
            .find(|one| crate::fs::canonicalize(&one.executable()).is_ok_and(|path| path == *executable));
        Row {
            name: own.map_or_else(|| name(interpreter), |one| one.record.name.clone()),
            version: interpreter.version.to_string(),
            origin,
            path: Some(executable.display().to_string()),
            location: None,
            sha256: None,
        }
    };
    found.iter().zip(origins).map(row).collect()
}

/// What an interpreter is asked for by.
fn name(interpreter: &Interpreter) -> String {
    let implementation = match interpreter.implementation.as_str() {
        "cpython" => "",
        other => other,
    };
    let threading = if interpreter.free_threaded { "t" } else { "" };
    format!("{implementation}{}{threading}", interpreter.version)
}

/// What can be installed and is not: all of it, or the newest of each minor version and the custom distributions.
fn available(context: &Context, all: bool, present: &[Row]) -> Result<Vec<Row>, Failure> {
    let transfer = context.host.downloads()?;
    let catalogue = context.host.catalogue(&transfer)?;
    let builds = offered(&catalogue, all)?;
    report_warnings(context, &catalogue);
    let is_there = |build: &Build| present.iter().any(|row| row.origin == "virtpy" && row.name == build.name);
    let row = |build: &Build| Row {
        name: build.name.clone(),
        version: build.version.clone(),
        origin: "available",
        path: None,
        location: Some(crate::interpreters::available::location::public(&build.location)),
        sha256: build.sha256,
    };
    Ok(builds.iter().filter(|build| !is_there(build)).map(row).collect())
}

/// All builds, or the best of each minor version and the custom distributions.
pub(super) fn offered(catalogue: &Catalogue<'_>, all: bool) -> Result<Vec<Build>, Failure> {
    let builds = catalogue.all()?;
    if all {
        return Ok(builds.to_vec());
    }
    let mut seen = BTreeSet::new();
    let is_newest = |build: &&Build| match build.version.parse::<PythonVersion>() {
        // They come newest first; the catalogue itself knows whether a final release is preferable.
        Ok(version) if build.triple.is_some() => {
            seen.insert((version.major, version.minor, build.free_threaded))
        }
        _ => true,
    };
    Ok(builds.iter().filter(is_newest).cloned().collect())
}
