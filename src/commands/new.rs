//! `virtpy new`: make a venv.

use std::time::Instant;

use super::sync;
use crate::cli::NewArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Environment, Indexes, NewEnvironment};
use crate::report;

pub(super) fn run(context: &Context, arguments: &NewArguments) -> Result<u8, Failure> {
    let new = NewEnvironment {
        prompt: prompt(context, arguments),
        system_site_packages: arguments.system_site_packages,
        clear: arguments.clear,
        link_mode: arguments.link_mode,
        pip_shim: !arguments.no_pip_shim,
        ..NewEnvironment::at(context.working_directory.join(&arguments.path))
    };
    if let Some(lock) = &arguments.from {
        return sync::new_from(context, arguments, lock, &new);
    }
    let started = Instant::now();
    let interpreter = context.host.wanted_interpreter(arguments.python.as_deref())?;
    let indexes = Indexes::default();
    let mut environment = Environment::create(&context.host, interpreter, new, &indexes)?;
    environment.keep();
    report::made(context, &environment, started)?;
    Ok(0)
}

fn prompt(context: &Context, arguments: &NewArguments) -> Option<String> {
    let prompt = arguments.prompt.as_deref()?;
    if prompt == "." {
        return context.working_directory.file_name().map(|name| name.to_string_lossy().into_owned());
    }
    Some(prompt.to_owned())
}
