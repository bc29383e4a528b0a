//! `virtpy python install`.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Instant;

use serde::Serialize;

use super::{catalogue, transfer};
use crate::cli::InstallArguments;
use crate::commands::progress::Progress;
use crate::context::Context;
use crate::error::Failure;
use crate::interpreters::available::{Build, Catalogue, Fetch};
use crate::interpreters::managed::{Installed, Installer, ManagedError, Outcome};
use crate::output::seconds;
use crate::resolve::Reporter as _;

/// How many interpreters are downloaded and unpacked at the same time.
const AT_ONCE: usize = 4;

pub(super) fn run(context: &Context, arguments: &InstallArguments) -> Result<u8, Failure> {
    let transfer = transfer(context)?;
    let catalogue = catalogue(context, &transfer)?;
    let builds = builds(&catalogue, &arguments.versions)?;
    report_warnings(context, &catalogue);
    let order = Order {
        fetch: &transfer,
        reinstall: arguments.reinstall,
        force: arguments.force,
        default: arguments.default.then(|| builds[0].name.clone()),
    };
    let results = install(context, &order, &builds)?;
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

/// How builds are to be installed.
pub(in crate::commands) struct Order<'a> {
    /// The way to the network.
    pub(in crate::commands) fetch: &'a dyn Fetch,
    /// Whether what is there is replaced.
    pub(in crate::commands) reinstall: bool,
    /// Whether what virtpy did not make is replaced.
    pub(in crate::commands) force: bool,
    /// The name of the build that is to be `python` and `python3`.
    pub(in crate::commands) default: Option<String>,
}

/// Installs builds, several at the same time, makes their commands, and says what became of each. A failed one does not
/// keep the others from being installed.
pub(in crate::commands) fn install(
    context: &Context,
    order: &Order<'_>,
    builds: &[Build],
) -> Result<Vec<Result<Outcome, ManagedError>>, Failure> {
    let started = Instant::now();
    let _store_lock = context.store.lock_shared(&mut context.announce())?;
    let installer = Installer {
        store: &context.store,
        fetch: order.fetch,
        reinstall: order.reinstall,
        force: order.force,
    };
    let progress = Progress::new(context.output, "installing");
    let queue: Mutex<VecDeque<usize>> = Mutex::new((0..builds.len()).collect());
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(builds.len()) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.pop_front());
                    let Some(index) = next else { break };
                    let result = install_one(context, &installer, &builds[index], &progress);
                    if let Ok(mut results) = results.lock() {
                        results.push((index, result));
                    }
                }
            });
        }
    });
    progress.end();
    let mut results = results.into_inner().unwrap_or_default();
    results.sort_by_key(|(index, _)| *index);
    let results: Vec<_> = results.into_iter().map(|(_, result)| result).collect();
    for (build, outcome) in builds.iter().zip(&results) {
        let Ok(outcome) = outcome else { continue };
        let is_default = order.default.as_ref() == Some(&build.name);
        for command in installer.make_commands(&outcome.installed, is_default)? {
            context.output.warning(format_args!(
                "`{}` is another program's and stays; `--force` replaces it",
                command.display()
            ));
        }
        report(context, build, outcome, started);
    }
    Ok(results)
}

fn install_one(
    context: &Context,
    installer: &Installer<'_>,
    build: &Build,
    progress: &Progress,
) -> Result<Outcome, ManagedError> {
    let hear = |received: u64, total: Option<u64>| {
        if received == 0 {
            progress.finished(&build.name);
            progress.download_started(&build.name, total);
        } else {
            progress.downloaded(&build.name, received);
            if total == Some(received) {
                progress.finished(&build.name);
            }
        }
    };
    context.output.detail(format_args!("installing {} from {}", build.name, build.location));
    let output = context.output;
    let mut announce =
        |holder: &str| output.message(format_args!("waiting for {holder}, which works on interpreters"));
    let outcome = installer.install(build, &hear, &mut announce);
    progress.finished(&build.name);
    outcome
}

fn report(context: &Context, build: &Build, outcome: &Outcome, started: Instant) {
    let record = &outcome.installed.record;
    for warning in &outcome.warnings {
        context.output.warning(format_args!("{}: {warning}", record.name));
    }
    let executable = outcome.installed.executable();
    if outcome.was_there {
        context.output.message(format_args!(
            "{} is installed already: {}",
            record.name,
            executable.display()
        ));
        if record.version != build.version || record.build != build.build {
            context.output.message(format_args!(
                "There is another build of it: {}; `virtpy python update {}` brings it",
                described(&build.version, build.build.as_deref()),
                record.name
            ));
        }
        return;
    }
    if !record.verified {
        context.output.warning(format_args!(
            "{} was not verified: its source tells no SHA-256 (it is {})",
            record.name, record.sha256
        ));
    }
    context.output.message(format_args!(
        "Installed {} in {}: {}",
        record.name,
        seconds(started.elapsed()),
        executable.display()
    ));
}

/// A version with the date of its build.
pub(super) fn described(version: &str, build: Option<&str>) -> String {
    build.map_or_else(|| version.to_owned(), |date| format!("{version} of {date}"))
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    version: &'a str,
    build: Option<&'a str>,
    path: String,
    sha256: &'a str,
    verified: bool,
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
