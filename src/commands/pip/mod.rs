//! `virtpy pip`: what pip does, answered as pip answers, in a venv of virtpy's.

mod call;
mod card;
mod check;
mod complaint;
mod configuration;
mod conflicts;
mod consent;
mod freeze;
mod guard;
mod handing_over;
mod index;
mod inspect;
mod install;
mod list;
mod order;
mod place;
mod projects;
mod python_json;
mod real;
mod refused;
mod report;
mod requirements;
mod selection;
mod show;
mod tell;
mod uninstall;
mod wanted;

use std::path::Path;

use self::call::{Call, Stop};
use self::configuration::Configuration;
use self::place::{open, place, prefix, venv_of};
use crate::cli::pip::{PipArguments, PipLine, PipRequest, parse};
use crate::cli::{ColorWhen, GlobalArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::output::Output;
use crate::restart;
use crate::store::PIP_SHIM_VERSION;

pub(super) fn run(context: &Context, arguments: &PipArguments) -> u8 {
    match answer(context, arguments) {
        Ok(code) => code,
        Err(Stop::Usage(usage)) => {
            context.output.complaint(&usage.message);
            usage.code
        }
        Err(Stop::Failure(failure)) => tell_failure(context.output, failure, None),
    }
}

/// Tells why a command failed; returns its exit code.
fn tell_failure(output: Output, failure: Failure, request: Option<&PipRequest>) -> u8 {
    let failure = restart::for_git(failure);
    for line in complaint::lines(&failure, request) {
        output.complaint(line);
    }
    failure.code()
}

fn answer(context: &Context, arguments: &PipArguments) -> Result<u8, Stop> {
    let mut words = Vec::with_capacity(arguments.arguments.len());
    for word in &arguments.arguments {
        let word = word.to_str().ok_or_else(|| Failure::new("an argument is not valid UTF-8"))?;
        words.push(word.to_owned());
    }
    let place = place(&mut words);
    match parse(&words)? {
        PipLine::Help(text) => {
            context.output.data_block(&text);
            Ok(0)
        }
        PipLine::Version => {
            let venv = venv_of(context, place.as_deref())?;
            let package = venv.site_packages().join("pip");
            let python = venv.layout.python_version();
            let line = format_args!("pip {PIP_SHIM_VERSION} from {} (python {python})", package.display());
            context.output.data(line);
            Ok(0)
        }
        PipLine::HandedOn(all) => Ok(real::run(context, place.as_deref(), &all)?),
        PipLine::Own(mut request) => {
            let prefix = prefix(context, place.as_deref());
            let configuration = Configuration::read(&request, prefix.as_deref())?;
            request.complete(&|names| configuration.texts(names))?;
            let place = request.value("python").map(Path::new).or(place.as_deref());
            if handing_over::has_to(context, place, &request) {
                guard::refuse_venvs(context, &request)?;
                return Ok(real::run(context, place, &handing_over::words(&request))?);
            }
            let (store, venv) = open(context, place)?;
            guard::refuse_store(context, &store, &request.all)?;
            let output = output(&request);
            if let Some(log) = request.value("log") {
                output.log_to(context.working_directory.join(log))?;
                output.log(format_args!("pip {}", request.all.join(" ")));
            }
            let context = Context::of(store, context.working_directory.clone(), output);
            match (Call { context, venv, request: &request }).run() {
                Err(Stop::Failure(failure)) => Ok(tell_failure(output, failure, Some(&request))),
                other => other,
            }
        }
    }
}

/// What the user wants to hear.
fn output(request: &PipRequest) -> Output {
    Output::new(&GlobalArguments {
        quiet: request.has("quiet"),
        verbose: request.has("verbose") && !request.has("quiet"),
        color: if request.has("no-color") { ColorWhen::Never } else { ColorWhen::Auto },
    })
}
