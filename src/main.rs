//! The `virtpy` program: parse, run, exit.

use std::process::ExitCode;

use clap::Parser as _;
use virtpy::cli::Arguments;
use virtpy::commands;
use virtpy::output::Output;

fn main() -> ExitCode {
    // clap exits by itself, with 2, on a command line that makes no sense.
    let arguments = Arguments::parse();
    let output = Output::new(&arguments.global);
    match commands::run(arguments.command, output) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.code)
        }
    }
}
