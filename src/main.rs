//! The `virtpy` program: parse, run, exit.

use std::process::ExitCode;

use virtpy::cli::Arguments;
use virtpy::commands;
use virtpy::output::Output;

fn main() -> ExitCode {
    let arguments = Arguments::of_this_process();
    let output = Output::new(&arguments.global);
    match commands::run(arguments.command, output) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.code)
        }
    }
}
