//! `virtpy run`: a script, a module or a command, in an environment that has what it needs.
//!
//! The second time is the one that counts: the script is read, its request is named by a digest, a note under that name
//! leads to the environment, and the program takes this process's place. Everything else (interpreters, indexes, locks) is
//! only looked at where there is no such note.

mod env_file;
mod project;
mod spec;
mod start;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Instant;

use crate::cli::RunArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{EnvironmentSpec, ReadyEnvironment};
use crate::output::{counted, seconds};
use crate::report;
use crate::scripts::{self, Block, Program};

pub(super) fn run(context: &Context, arguments: &RunArguments) -> Result<u8, Failure> {
    let variables = env_file::variables(context, &arguments.env_file)?;
    let call = Call::of(context, arguments)?;
    let spec = spec::of(context, arguments, &call)?;
    let place = match &spec.base {
        // The project's venv is enough.
        Some(base) if spec.is_plain() => {
            spec.check_python(&context.host, base)?;
            Ran { environment: base.root.clone(), base: None }
        }
        _ => Ran {
            environment: ready(context, &spec)?,
            base: spec.base.as_ref().map(|base| base.root.clone()),
        },
    };
    context.output.detail(format_args!("environment: {}", place.environment.display()));
    Err(start::start(&call, &place, variables))
}

/// What is run, and what it is told.
struct Call {
    what: What,
    arguments: Vec<OsString>,
    /// What the script says about itself.
    block: Option<Block>,
    /// The folder that paths in its metadata start from.
    folder: PathBuf,
}

/// What is run.
enum What {
    /// A file, a folder or an archive, by a path that Python understands.
    File(PathBuf),
    /// What a pipe gave.
    Pipe(Vec<u8>),
    /// The standard input, which was read.
    Input(Vec<u8>),
    Module(OsString),
    Command(OsString),
}

/// Where it is run.
struct Ran {
    /// The environment.
    environment: PathBuf,
    /// The venv beneath it, if it has one.
    base: Option<PathBuf>,
}

impl Call {
    fn of(context: &Context, arguments: &RunArguments) -> Result<Self, Failure> {
        let present = context.working_directory.clone();
        let mut words = arguments.words.iter().cloned();
        let first = words.next().unwrap_or_default();
        let rest: Vec<OsString> = words.collect();
        let of = |what, block, folder| Ok(Self { what, arguments: rest.clone(), block, folder });
        if arguments.module {
            return of(What::Module(first), None, present);
        }
        match scripts::program(&first, &present)? {
            Program::Command(name) => of(What::Command(name), None, present),
            Program::Package(path) => of(What::File(path), None, present),
            Program::Script { path, content: source } => {
                let folder = present.join(&path).parent().map_or(present, PathBuf::from);
                of(What::File(path), scripts::block(&source)?, folder)
            }
            Program::Pipe(source) => {
                let block = scripts::block(&source)?;
                of(What::Pipe(source), block, present)
            }
            Program::Url(url) => {
                let (path, source) = context.host.download_script(&url, &arguments.index.options())?;
                of(What::File(path), scripts::block(&source)?, present)
            }
            Program::StandardInput => {
                let source = scripts::read_input(&mut std::io::stdin())?;
                let block = scripts::block(&source)?;
                of(What::Input(source), block, present)
            }
        }
    }
}

/// The environment for a call: the one that is remembered, or one that is made now.
fn ready(context: &Context, spec: &EnvironmentSpec) -> Result<PathBuf, Failure> {
    let started = Instant::now();
    Ok(told(context, spec.ready(&context.host)?, started))
}

/// Says what came of an environment that was made, and tidies the store up.
fn told(context: &Context, ready: ReadyEnvironment, started: Instant) -> PathBuf {
    let Some(log) = ready.made else { return ready.path };
    report::warnings(context.output, &log);
    if context.output.shows_progress() {
        let (count, elapsed) = (counted(log.summary.added.len(), "package"), seconds(started.elapsed()));
        context.output.message(format_args!("Made ready with {count} in {elapsed}"));
    }
    tidy(context);
    ready.path
}

/// Collects the store, if that is due.
fn tidy(context: &Context) {
    // What was asked for is done; that the store could not be tidied up is only worth a note.
    if let Err(failure) = super::store::automatic(context) {
        context.output.warning(format_args!("the store was not collected: {failure}"));
    }
}
