//! `virtpy new`: make a venv.

use std::time::Instant;

use super::hold::warn_of_other_owner;
use super::sync;
use crate::cli::NewArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::interpreters::Interpreter;
use crate::output::seconds;
use crate::venv::{self, BaseInterpreter, NewVenv};

pub(super) fn run(context: &Context, arguments: &NewArguments) -> Result<u8, Failure> {
    if let Some(lock) = &arguments.from {
        return sync::new_from(context, arguments, lock);
    }
    make(context, arguments).map(|()| 0)
}

/// Makes an empty venv, and says so.
///
/// # Errors
/// When there is no such interpreter, or something stands in the way.
pub(super) fn make(context: &Context, arguments: &NewArguments) -> Result<(), Failure> {
    let started = Instant::now();
    let interpreter = context.wanted_interpreter(arguments.python.as_deref())?;
    let settings = context.settings()?;
    let mut wish = NewVenv {
        path: context.working_directory.join(&arguments.path),
        prompt: prompt(context, arguments),
        system_site_packages: arguments.system_site_packages,
        clear: arguments.clear,
        in_store: false,
        link_mode: arguments.link_mode.unwrap_or(settings.link_mode),
        pip: None,
    };
    warn_of_other_owner(context);
    context.note_store();
    // A collection must not come between the registration of the venv and its appearance.
    let _store_lock = context.store.lock_shared(&mut context.announce())?;
    if settings.pip_shim && !arguments.no_pip_shim {
        context.note_program()?;
        wish.pip = Some(context.store.pip_shim(&mut context.announce())?);
    }
    let path = venv::create(&context.store, &base(&interpreter), &wish, &mut context.announce())?;
    let shown = path.strip_prefix(&context.working_directory).ok();
    let shown = shown.filter(|shown| !shown.as_os_str().is_empty()).unwrap_or(&path);
    context.output.message(format_args!(
        "Made `{}` with {} {} in {}",
        shown.display(),
        display_name(&interpreter.implementation),
        interpreter.version,
        seconds(started.elapsed())
    ));
    Ok(())
}

/// Makes an empty venv for what `act` does with it. If that fails, nothing is left of the venv, neither on the disk nor in the
/// store's records.
///
/// # Errors
/// When it cannot be made, or `act` failed.
pub(super) fn make_for<T>(
    context: &Context,
    arguments: &NewArguments,
    act: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    make(context, arguments)?;
    let done = act();
    if done.is_err() {
        venv::discard(&context.store, &context.working_directory.join(&arguments.path))?;
    }
    done
}

fn prompt(context: &Context, arguments: &NewArguments) -> Option<String> {
    let prompt = arguments.prompt.as_deref()?;
    if prompt == "." {
        return context.working_directory.file_name().map(|name| name.to_string_lossy().into_owned());
    }
    Some(prompt.to_owned())
}

/// What a venv needs to know of an interpreter.
pub(super) fn base(interpreter: &Interpreter) -> BaseInterpreter {
    BaseInterpreter {
        executable: interpreter.executable.clone(),
        version: interpreter.version.to_string(),
        library: library_folder(interpreter),
        names: interpreter.executable_names(),
        lib64: cfg!(target_os = "linux") && interpreter.pointer_width == 64,
    }
}

/// The `python3.12` of `lib/python3.12/site-packages`.
fn library_folder(interpreter: &Interpreter) -> String {
    let name = interpreter.purelib.iter().nth(1).map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| format!("python{}", interpreter.tag()))
}

fn display_name(implementation: &str) -> &str {
    match implementation {
        "cpython" => "CPython",
        "pypy" => "PyPy",
        "graalpy" => "GraalPy",
        other => other,
    }
}
