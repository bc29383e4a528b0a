//! Compiling the bytecode of the store's entries: which modules, in which order, by how many interpreters at once.
//!
//! What to compile is the difference between an entry's modules and its record; in which order is a pure function of the
//! venv's packages ([`order`]). Interpreters compile ([`worker`]), and write nothing: the bytecode comes back by a pipe, is
//! checked, and published in batches.

mod imports;
mod library;
mod lines;
mod order;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use virtpy_pep::Requirement;

use self::library::{Package, Place};
use self::worker::{Answer, Worker};
use virtpy_files as fs;
use virtpy_interpreters::Interpreter;
use virtpy_store::{Batch, Dialect, Entry, Module, Published, Staging, Store, StoreError, Stray};

/// How much later than it was compiled bytecode is in place, at most.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many compiled modules may wait for being written.
const WAITING: usize = 512;

/// How often what somebody else holds is tried once more at the end, and after which time.
const RETRIES: (usize, Duration) = (25, Duration::from_millis(200));

/// Why nothing was compiled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An interpreter that worked before does not start.
    #[error("could not start `{}`", executable.display())]
    Start {
        /// The interpreter.
        executable: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Error {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Start { .. } => Some("`virtpy relink` gives the venv another interpreter".to_owned()),
        }
    }
}

/// An entry whose modules are wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The entry.
    pub entry: Entry,
    /// Whether somebody asked for it by name.
    pub requested: bool,
}

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How many modules were compiled.
    pub compiled: usize,
    /// How many of those that were to be compiled could not be.
    pub failed: usize,
    /// What lay in `__pycache__` folders and was not virtpy's; it is removed.
    pub strays: Vec<PackageStray>,
}

/// What lay in a `__pycache__` folder of a package in the store, and was not virtpy's.
#[derive(Debug, Clone)]
pub struct PackageStray {
    /// The package's name and version.
    pub package: String,
    /// The file.
    pub stray: Stray,
}

impl PackageStray {
    /// All that was found in one package.
    pub(crate) fn of(package: &str, found: Vec<Stray>) -> impl Iterator<Item = Self> + use<'_> {
        found.into_iter().map(|stray| Self { package: package.to_owned(), stray })
    }
}

/// The kind of bytecode that an interpreter reads; `None` for one that has none.
pub(crate) fn dialect(interpreter: &Interpreter) -> Option<Dialect> {
    Dialect::of(interpreter.cache_tag.as_deref()?, &interpreter.magic)
}

/// Removes what nobody recorded from the `__pycache__` folders of an entry.
///
/// # Errors
/// When the entry cannot be read, or is somebody else's.
pub(crate) fn clean(store: &Store, entry: &Entry) -> Result<Vec<Stray>, StoreError> {
    store.clean_bytecode(entry, &entry.manifest.modules()?)
}

/// Compiles what is not compiled yet of some entries, for the venvs of an interpreter. What was compiled is in place soon, not
/// only when all is done: who is killed loses the last second. Nothing is written into lower stores.
///
/// # Errors
/// When the store cannot be written, or the interpreter does not start.
pub(crate) fn compile(
    store: &Store,
    interpreter: &Interpreter,
    wanted: &[Wanted],
    staging: Staging,
) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    let Some(dialect) = dialect(interpreter) else { return Ok(outcome) };
    let mut works = Vec::with_capacity(wanted.len());
    for Wanted { entry, requested } in wanted.iter().filter(|wanted| wanted.entry.layer.is_none()) {
        let modules = entry.manifest.modules()?;
        let label = entry.manifest.label().to_string();
        let strays = store.clean_bytecode(entry, &modules)?;
        outcome.strays.extend(PackageStray::of(&label, strays));
        works.push(Work { entry, requested: *requested, modules, batch: Batch::default() });
    }
    let jobs = jobs(&works, &dialect);
    if jobs.is_empty() {
        return Ok(outcome);
    }
    let pool = Pool {
        executable: &interpreter.executable,
        dialect: &dialect,
        next: AtomicUsize::new(0),
        stopped: AtomicBool::new(false),
    };
    let mut press = Press { store, dialect: &dialect, works, staging, outcome };
    pool.run(&jobs, &mut press)?;
    Ok(press.outcome)
}

/// One entry, with what was compiled of it and is not published yet.
struct Work<'a> {
    entry: &'a Entry,
    requested: bool,
    modules: Vec<Module>,
    batch: Batch,
}

/// One module to compile.
struct Job {
    /// The number of its entry.
    work: usize,
    module: Module,
    source: PathBuf,
}

/// What is left to be compiled, in order.
fn jobs(works: &[Work<'_>], dialect: &Dialect) -> Vec<Job> {
    let records: Vec<_> = works.iter().map(|work| work.entry.record(dialect)).collect();
    let is_missing = |work: usize, module: &Module| !records[work].has(&module.path);
    if works
        .iter()
        .enumerate()
        .all(|(index, work)| work.modules.iter().all(|module| !is_missing(index, module)))
    {
        return Vec::new();
    }
    let packages: Vec<Package> = works.iter().map(package).collect();
    let path =
        |(work, source): Place| works[work].entry.path.join("site").join(&packages[work].sources[source]);
    let read = |place| fs::read(&path(place)).ok().map(|text| String::from_utf8_lossy(&text).into_owned());
    let order = order::order(&packages, &mut { read });
    let jobs = order.into_iter().filter_map(|place| {
        // Behind the modules come those at the top, which are no part of the entry's bytecode.
        let module = works[place.0].modules.get(place.1).filter(|module| is_missing(place.0, module))?;
        Some(Job { work: place.0, module: module.clone(), source: path(place) })
    });
    jobs.collect()
}

fn package(work: &Work<'_>) -> Package {
    let manifest = &work.entry.manifest;
    let is_module = |name: &str| Path::new(name).extension().is_some_and(|end| end == "py");
    let at_the_top = manifest.top.iter().filter(|item| !item.folder && is_module(&item.name));
    let modules = work.modules.iter().map(|module| module.path.clone());
    Package {
        name: work.entry.package.to_string(),
        requested: work.requested,
        requires: manifest.requires_dist.iter().filter_map(|text| required(text)).collect(),
        sources: modules.chain(at_the_top.map(|item| item.name.clone())).collect(),
        extensions: manifest.extension_modules().unwrap_or_default(),
        commands: manifest.entry_points.iter().map(|point| point.module.clone()).collect(),
    }
}

/// The package that a requirement asks for, unless it is for an extra or cannot be read.
fn required(text: &str) -> Option<String> {
    let is_for_extra = text.split_once(';').is_some_and(|(_, marker)| marker.contains("extra"));
    let requirement = Requirement::of_metadata(text).ok().filter(|_| !is_for_extra)?;
    Some(requirement.name().to_string())
}

/// The interpreters at work.
struct Pool<'a> {
    executable: &'a Path,
    dialect: &'a Dialect,
    next: AtomicUsize,
    stopped: AtomicBool,
}

/// What one interpreter said of one job, by its number.
type Done = Result<(usize, Option<Vec<u8>>), std::io::Error>;

impl Pool<'_> {
    fn run(&self, jobs: &[Job], press: &mut Press<'_>) -> Result<(), Error> {
        let count = fs::processors().min(jobs.len() / 8 + 1);
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        std::thread::scope(|scope| {
            for _ in 0..count {
                let sender = sender.clone();
                scope.spawn(move || self.work(jobs, &sender));
            }
            drop(sender);
            let pressed = press.run(jobs, &receiver).map_err(|error| match error {
                PressError::Store(error) => error.into(),
                PressError::Start(source) => {
                    Error::Start { executable: self.executable.to_path_buf(), source }
                }
            });
            // A worker that waits for its answer being taken is let go when the receiver is.
            self.stopped.store(true, Ordering::Relaxed);
            drop(receiver);
            pressed
        })
    }

    fn work(&self, jobs: &[Job], done: &SyncSender<Done>) {
        let mut worker = Worker::new(self.executable);
        while !self.stopped.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(number) else { return };
            let message = match worker.compile(&job.source, &job.module.path) {
                // Only what the wheel brought is compiled: who changed the source has it compiled by Python.
                Ok(Answer::Compiled(digest, content))
                    if digest == job.module.sha256.as_str() && self.dialect.begins(&content) =>
                {
                    Ok((number, Some(content)))
                }
                Ok(Answer::Failed) => Ok((number, None)),
                Ok(Answer::Compiled(..) | Answer::Lost) => continue,
                Err(error) => Err(error),
            };
            let is_over = message.is_err();
            if done.send(message).is_err() || is_over {
                return;
            }
        }
    }
}

enum PressError {
    Store(StoreError),
    Start(std::io::Error),
}

impl From<StoreError> for PressError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Takes what was compiled, and publishes it from time to time.
struct Press<'a> {
    store: &'a Store,
    dialect: &'a Dialect,
    works: Vec<Work<'a>>,
    staging: Staging,
    outcome: Outcome,
}

impl Press<'_> {
    fn run(&mut self, jobs: &[Job], compiled: &Receiver<Done>) -> Result<(), PressError> {
        let mut due = Instant::now() + INTERVAL;
        loop {
            match compiled.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(done) => {
                    let (number, content) = done.map_err(PressError::Start)?;
                    self.take(&jobs[number], content)?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if Instant::now() >= due {
                self.publish()?;
                due = Instant::now() + INTERVAL;
            }
        }
        let (tries, pause) = RETRIES;
        for _ in 0..tries {
            if self.publish()? {
                break;
            }
            std::thread::sleep(pause);
        }
        Ok(())
    }

    fn take(&mut self, job: &Job, content: Option<Vec<u8>>) -> Result<(), StoreError> {
        let work = &mut self.works[job.work];
        if let Some(content) = content {
            self.staging.add(&mut work.batch, work.entry, &job.module.path, &content)?;
            self.outcome.compiled += 1;
        } else {
            work.batch.fail(&job.module.path);
            self.outcome.failed += 1;
        }
        Ok(())
    }

    /// Publishes what there is. Returns whether nothing is left.
    fn publish(&mut self) -> Result<bool, StoreError> {
        if self.works.iter().all(|work| work.batch.is_empty()) {
            return Ok(true);
        }
        self.staging.sync()?;
        let mut is_all = true;
        for work in self.works.iter_mut().filter(|work| !work.batch.is_empty()) {
            match self.store.publish_bytecode(work.entry, self.dialect, &work.modules, &work.batch)? {
                Published::Busy => is_all = false,
                Published::Done | Published::Gone => work.batch = Batch::default(),
            }
        }
        Ok(is_all)
    }
}
