//! What people and programs are told of what came of an operation: one place for all commands.

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_pep::NamedVersion;

use crate::context::Context;
use crate::error::Failure;
use crate::install::{self, Changelog, Environment, Origins};
use crate::output::{Output, counted, seconds};
use crate::venv::{ChangeSummary, Contents, Venv};

/// What is said where another pip is asked for than the venv's own.
pub const OWN_PIP: &str = "pip is virtpy's own here, and stays as it is; it is upgraded with virtpy";

/// Says what the user should know of a change: whose pip stays, what files are in its way, requirements that are no longer met.
pub fn warnings(output: Output, log: &Changelog) {
    if log.pip_stays {
        output.warning(OWN_PIP);
    }
    collisions(output, &log.summary);
    for sentence in &log.unmet {
        output.warning(sentence);
    }
}

/// Says which files more than one package has, and which were changed and left alone.
pub fn collisions(output: Output, summary: &ChangeSummary) {
    for clash in &summary.clashes {
        output.warning(format_args!(
            "`{}` is in both {} and {}; the one of {} is used",
            clash.path, clash.loser, clash.winner, clash.winner
        ));
    }
    for path in &summary.left_alone {
        output.warning(format_args!("`{path}` was changed since virtpy made it, and was left alone"));
    }
}

/// A change as an answer for programs. What a command has to add stands beside it.
#[derive(JsonSchema, Serialize)]
pub struct Report<'a> {
    /// Whether nothing was changed.
    dry_run: bool,
    /// The file that was followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    /// What came.
    added: &'a [NamedVersion],
    /// What went.
    removed: &'a [NamedVersion],
    /// How many packages were there already.
    unchanged: usize,
    #[serde(flatten)]
    origins: Origins,
    /// How long it took.
    seconds: f64,
}

/// How a command tells of a change.
pub struct Telling<'a> {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Whether programs read it.
    pub json: bool,
    /// The file that was followed, for programs.
    pub file: Option<&'a str>,
    /// When the command began.
    pub started: Instant,
}

/// Tells of a change: warnings, then JSON for programs, or what came and went and the sentence that `sentence` makes of the
/// time that it took.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn changelog(
    output: Output,
    telling: &Telling<'_>,
    log: &Changelog,
    sentence: impl FnOnce(&str) -> String,
) -> Result<u8, Failure> {
    warnings(output, log);
    let elapsed = telling.started.elapsed();
    if telling.json {
        output.json(&Report {
            dry_run: telling.dry_run,
            file: telling.file,
            added: &log.summary.added,
            removed: &log.summary.removed,
            unchanged: log.unchanged,
            origins: log.origins,
            seconds: elapsed.as_secs_f64(),
        })?;
        return Ok(0);
    }
    output.changes(&log.summary.removed, &log.summary.added);
    output.message(sentence(&seconds(elapsed)));
    if log.linked_in > Duration::ZERO && !log.summary.added.is_empty() {
        output.detail(format_args!(
            "linked {} in {:.1} ms",
            counted(log.summary.added.len(), "distribution"),
            log.linked_in.as_secs_f64() * 1000.0
        ));
    }
    Ok(0)
}

/// Tells of a venv that was made.
///
/// # Errors
/// When its interpreter does not tell about itself.
pub fn made(context: &Context, environment: &Environment<'_>, started: Instant) -> Result<(), Failure> {
    let path = &environment.venv().root;
    let shown = path.strip_prefix(&context.working_directory).ok();
    let shown = shown.filter(|shown| !shown.as_os_str().is_empty()).unwrap_or(path);
    let interpreter = environment.interpreter()?;
    let implementation = match interpreter.implementation.as_str() {
        "cpython" => "CPython",
        "pypy" => "PyPy",
        "graalpy" => "GraalPy",
        other => other,
    };
    context.output.message(format_args!(
        "Made `{}` with {implementation} {} in {}",
        shown.display(),
        interpreter.version,
        seconds(started.elapsed())
    ));
    Ok(())
}

/// Reads what is installed in a venv, and says so if the store no longer has some of it.
///
/// # Errors
/// When the venv cannot be read.
pub fn contents(context: &Context, venv: &Venv) -> Result<Contents, Failure> {
    let contents = install::overview(&context.host, venv)?;
    warn_of_lost(context, &contents);
    Ok(contents)
}

/// Says so if the store no longer has some of what is installed.
pub fn warn_of_lost(context: &Context, contents: &Contents) {
    if contents.dangling.is_empty() {
        return;
    }
    // What a store has that is not looked at is not lost.
    if let Err(error) = install::demand_stores(&context.host, &contents.dangling) {
        let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
        context.output.warning(format_args!("{error}{hint}"));
    } else {
        context.output.warning(format_args!(
            "{} no longer has {}; `virtpy relink` fetches what is missing",
            install::store_of(&contents.dangling),
            install::described(&contents.dangling)
        ));
    }
}
