//! `virtpy remote pull`: take what a venv uses or a file asks for from the remote, now.

use virtpy_remote::Remote;

use super::configured;
use super::files::{Asked, is_wheel};
use crate::cli::RemotePullArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Environment, Indexes, bytecode};
use crate::interpreters::Interpreter;
use crate::output::counted;
use crate::progress::Counter;
use crate::store::Entry;

pub(super) fn run(context: &Context, arguments: &RemotePullArguments) -> Result<u8, Failure> {
    let remote = configured(context)?;
    if !arguments.files.is_empty() {
        return pull_files(context, &remote, arguments);
    }
    let venv = context.venv_to_change(&arguments.venv)?;
    let indexes = Indexes::new(arguments.index.options());
    let environment = Environment::open(&context.host, venv, &indexes)?;
    let entries = bytecode::linked_entries(&environment)?;
    let count = pull_bytecode(context, &remote, environment.interpreter()?, &entries)?;
    finish(context, &remote, &counted(count, "compiled module"))
}

fn pull_files(context: &Context, remote: &Remote, arguments: &RemotePullArguments) -> Result<u8, Failure> {
    if let Some(wheel) = arguments.files.iter().find(|file| is_wheel(file)) {
        let message = format!("`{}` is a wheel, and does not say what is wanted", wheel.display());
        return Err(Failure::new(message).hinted("name a requirements file or a lock file"));
    }
    let _store_lock = context.store.lock_shared(&mut context.host.announce())?;
    let asked = Asked {
        files: arguments.files.iter().collect(),
        pythons: &arguments.python,
        selection: &arguments.selection,
        index: &arguments.index,
    };
    let (mut wheels, mut modules) = (0, 0);
    for found in asked.find(context, Some(remote))? {
        wheels += found.at_hand.fetched;
        modules += pull_bytecode(context, remote, &found.interpreter, &found.at_hand.entries)?;
    }
    let (wheels, modules) = (counted(wheels, "wheel"), counted(modules, "compiled module"));
    finish(context, remote, &format!("{wheels} and {modules}"))
}

fn pull_bytecode(
    context: &Context,
    remote: &Remote,
    interpreter: &Interpreter,
    entries: &[Entry],
) -> Result<usize, Failure> {
    let progress = Counter::new(context.output, "taking bytecode", entries.len());
    bytecode::pull(&context.host, interpreter, remote, entries, &|| progress.tick())
}

/// Tells what came, or that the remote failed.
fn finish(context: &Context, remote: &Remote, what: &str) -> Result<u8, Failure> {
    let address = &remote.settings().address;
    for news in remote.news() {
        context.output.warning(news);
    }
    if let Some(reason) = remote.failure() {
        return Err(Failure::new(format!("the remote `{address}` does not answer: {reason}")));
    }
    context.output.message(format_args!("Took {what} from `{address}`"));
    Ok(0)
}
