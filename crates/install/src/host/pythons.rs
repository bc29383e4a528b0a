//! Installing interpreters: several at once, with their commands in `bin`.

use std::time::Instant;

use crate::downloads::Downloads;
use crate::words::seconds;
use crate::{Host, IndexOptions, Progress, Result};
use virtpy_files as fs;
use virtpy_interpreters::available::{Build, Catalogue, Environment, Fetch};
use virtpy_interpreters::managed::{Installer, ManagedError, Outcome};

/// How many interpreters are downloaded and unpacked at the same time.
const AT_ONCE: usize = 4;

/// How builds are to be installed.
pub struct Order<'a> {
    /// The way to the network.
    pub fetch: &'a dyn Fetch,
    /// Whether what is there is replaced.
    pub reinstall: bool,
    /// Whether what virtpy did not make is replaced.
    pub force: bool,
    /// The name of the build that is to be `python` and `python3`.
    pub default: Option<String>,
}

impl<'a> Order<'a> {
    /// What is missing, and nothing else.
    pub fn new(fetch: &'a dyn Fetch) -> Self {
        Self { fetch, reinstall: false, force: false, default: None }
    }
}

impl Host {
    /// The way to the network, with the settings that the indexes of packages are reached with.
    ///
    /// # Errors
    /// When a configuration file makes no sense.
    pub fn downloads(&self) -> Result<Downloads> {
        Ok(Downloads::new(&self.index_settings(&IndexOptions::default())?))
    }

    /// All interpreters that can be installed, as the environment says.
    ///
    /// # Errors
    /// When what the environment names cannot be read.
    pub fn catalogue<'a>(&self, fetch: &'a dyn Fetch) -> Result<Catalogue<'a>> {
        Ok(Catalogue::open(Environment::of_process(), self.store.cache(), fetch)?)
    }
}

/// Installs builds, several at the same time, makes their commands, and says what became of each. A failed one does not keep the others from being
/// installed.
///
/// # Errors
/// When the store cannot be locked, or commands cannot be made.
pub fn install(
    host: &Host,
    order: &Order<'_>,
    builds: &[Build],
) -> Result<Vec<Result<Outcome, ManagedError>>> {
    let started = Instant::now();
    let _store_lock = host.store.lock_shared(&mut host.announce())?;
    let installer =
        Installer { store: &host.store, fetch: order.fetch, reinstall: order.reinstall, force: order.force };
    let progress = host.progress("installing");
    let results =
        fs::map_ordered(builds, AT_ONCE, |build| install_one(host, &installer, build, progress.as_ref()));
    drop(progress);
    for (build, outcome) in builds.iter().zip(&results) {
        let Ok(outcome) = outcome else { continue };
        let is_default = order.default.as_ref() == Some(&build.name);
        for command in installer.make_commands(&outcome.installed, is_default)? {
            host.warning(format_args!(
                "`{}` is another program's and stays; `--force` replaces it",
                command.display()
            ));
        }
        report(host, build, outcome, started);
    }
    Ok(results)
}

fn install_one(
    host: &Host,
    installer: &Installer<'_>,
    build: &Build,
    progress: &dyn Progress,
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
    host.detail(format_args!("installing {} from {}", build.name, build.location));
    let mut announce =
        |holder: &str| host.message(format_args!("waiting for {holder}, which works on interpreters"));
    let outcome = installer.install(build, &hear, &mut announce);
    progress.finished(&build.name);
    outcome
}

fn report(host: &Host, build: &Build, outcome: &Outcome, started: Instant) {
    let record = &outcome.installed.record;
    for warning in &outcome.warnings {
        host.warning(format_args!("{}: {warning}", record.name));
    }
    let executable = outcome.installed.executable();
    if outcome.was_there {
        host.message(format_args!("{} is installed already: {}", record.name, executable.display()));
        if record.version != build.version || record.build != build.build {
            host.message(format_args!(
                "There is another build of it: {}; `virtpy python update {}` brings it",
                described(&build.version, build.build.as_deref()),
                record.name
            ));
        }
        return;
    }
    if !record.verified {
        host.warning(format_args!(
            "{} was not verified: its source tells no SHA-256 (it is {})",
            record.name, record.sha256
        ));
    }
    host.message(format_args!(
        "Installed {} in {}: {}",
        record.name,
        seconds(started.elapsed()),
        executable.display()
    ));
}

/// A version with the date of its build.
pub fn described(version: &str, build: Option<&str>) -> String {
    build.map_or_else(|| version.to_owned(), |date| format!("{version} of {date}"))
}

/// Installs the interpreter that a request means, for another operation.
///
/// # Errors
/// When there is none, or it cannot be installed.
pub fn install_for(host: &Host, request: &str) -> Result<()> {
    let transfer = host.downloads()?;
    let build = host.catalogue(&transfer)?.find(request)?;
    for outcome in install(host, &Order::new(&transfer), &[build])? {
        outcome?;
    }
    Ok(())
}

/// The newest final release that a request means and that can be installed.
pub(crate) fn newest_version(host: &Host, request: &str) -> Result<String> {
    let transfer = host.downloads()?;
    Ok(host.catalogue(&transfer)?.find(request)?.version)
}
