//! `virtpy install` and its relatives: applications on PATH.
//!
//! Everything that changes an application goes through [`install_tool`](crate::install::install_tool).

mod change;
mod ensure_path;
mod export;
mod install;
mod list;
mod pin;
mod repair;
mod report;
mod run;
mod uninstall;

use std::sync::atomic::{AtomicUsize, Ordering};

use virtpy_pep::PackageName;

use crate::cli::ToolCommand;
use crate::context::Context;
use crate::error::Failure;
use crate::progress::Counter;
use crate::tools::{Tool, Toolbox};

/// How many applications are made at once.
const AT_ONCE: usize = 4;

pub(super) fn run(context: &Context, command: ToolCommand) -> Result<u8, Failure> {
    match command {
        ToolCommand::Install(arguments) => install::install(context, &arguments),
        ToolCommand::Uninstall(arguments) => uninstall::run(context, &arguments),
        ToolCommand::Upgrade(arguments) => change::upgrade(context, &arguments),
        ToolCommand::Reinstall(arguments) => change::reinstall(context, &arguments),
        ToolCommand::Inject(arguments) => change::inject(context, &arguments),
        ToolCommand::Uninject(arguments) => change::uninject(context, &arguments),
        ToolCommand::Pin(arguments) => pin::run(context, &arguments, true),
        ToolCommand::Unpin(arguments) => pin::run(context, &arguments, false),
        ToolCommand::List(arguments) => list::run(context, &arguments),
        ToolCommand::Run(arguments) => run::run(context, &arguments),
        ToolCommand::Repair(arguments) => repair::run(context, &arguments),
        ToolCommand::Export(arguments) => export::export(context, &arguments),
        ToolCommand::Sync(arguments) => export::sync(context, &arguments),
        ToolCommand::ImportPipx(arguments) => export::import_pipx(context, &arguments),
        ToolCommand::EnsurePath(arguments) => ensure_path::run(context, &arguments),
    }
}

/// Opens an application that has to be there.
fn open(context: &Context, name: &str) -> Result<Tool, Failure> {
    let toolbox = Toolbox::new(&context.store);
    if let Some(tool) = toolbox.open(name)? {
        return Ok(tool);
    }
    if let Ok(key) = name.parse::<PackageName>()
        && key != name
        && let Some(tool) = toolbox.open(&key)?
    {
        return Ok(tool);
    }
    Err(Failure::new(format!("the application `{name}` is not installed"))
        .hinted("`virtpy tool list` shows what is installed"))
}

/// The applications that are named, or all of them.
fn chosen(context: &Context, names: &[String], all: bool) -> Result<Vec<String>, Failure> {
    if all { Ok(Toolbox::new(&context.store).names()?) } else { Ok(names.to_vec()) }
}

/// Does something for each of several applications. One that fails does not keep the others from their turn; the exit code
/// is 1 then.
fn each(
    context: &Context,
    names: &[String],
    act: &dyn Fn(&str) -> Result<(), Failure>,
) -> Result<u8, Failure> {
    if let [name] = names {
        return act(name).map(|()| 0);
    }
    let mut code = 0;
    for name in names {
        if let Err(failure) = act(name) {
            tell_failure(context, name, failure);
            code = 1;
        }
    }
    Ok(code)
}

/// Does something with several applications at once, for work that waits for indexes most of the time. `tell` says what came of each, in the order in which
/// they end.
fn each_at_once<T: Send>(
    context: &Context,
    names: &[String],
    act: &(dyn Fn(&Context, &str) -> Result<T, Failure> + Sync),
    tell: &dyn Fn(T),
) -> Result<u8, Failure> {
    if let [name] = names {
        return act(context, name).map(tell).map(|()| 0);
    }
    let bar = Counter::new(context.output, "applications", names.len());
    let next = AtomicUsize::new(0);
    let mut code = 0;
    virtpy_resolver::prepare();
    std::thread::scope(|scope| {
        let (sender, results) = std::sync::mpsc::channel();
        for _ in 0..names.len().min(AT_ONCE) {
            let (sender, next) = (sender.clone(), &next);
            let context = Context::of(
                context.store.clone(),
                context.working_directory.clone(),
                context.output.of_several(),
            );
            scope.spawn(move || {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let _ = sender.send((name, act(&context, name)));
                }
            });
        }
        drop(sender);
        for (count, (name, result)) in results.iter().enumerate() {
            bar.aside(|| match result {
                Ok(done) => tell(done),
                Err(failure) => {
                    tell_failure(context, name, failure);
                    code = 1;
                }
            });
            bar.at(count + 1);
        }
    });
    Ok(code)
}

/// Tells people why nothing became of one of several applications.
fn tell_failure(context: &Context, name: &str, failure: Failure) {
    context.output.failure(&failure.within(format!("`{name}` was left as it was")));
}

/// Says so if the commands cannot be found by their names.
fn warn_about_path(context: &Context) {
    let bin = context.store.bin();
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder == bin) {
        context
            .output
            .warning(format_args!("`{}` is not on PATH; `virtpy ensure-path` puts it there", bin.display()));
    }
}
