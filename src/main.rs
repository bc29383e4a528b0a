//! The `virtpy` program: parse, run, exit.

use std::process::ExitCode;

use virtpy::cli::Arguments;
use virtpy::commands::{self, isopy};
use virtpy::fs;
use virtpy::output::Output;

fn main() -> ExitCode {
    fs::narrow_umask();
    if isopy::is_called() {
        return ExitCode::from(isopy::main());
    }
    // clap exits by itself, with 2, on a command line that makes no sense.
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
