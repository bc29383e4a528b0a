//! The `virtpy` program: parse, run, exit.

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use virtpy::cli::Arguments;
use virtpy::commands::{self, completions, isopy};
use virtpy::error::Failure;
use virtpy::fs;
use virtpy::output::{Output, demand_written, trace};
use virtpy::progress;
use virtpy::restart;

fn main() -> ExitCode {
    fs::narrow_umask();
    fs::survive_size_limit();
    if completions::answer_shell() {
        return ExitCode::SUCCESS;
    }
    if isopy::is_called() {
        return ExitCode::from(isopy::main());
    }
    // clap exits by itself, with 2, on a command line that makes no sense.
    let arguments = Arguments::of_this_process();
    let output = Output::new(&arguments.global);
    if let Some(problem) = trace::begin(output.shows_details().then_some(progress::heard)) {
        output.warning(problem);
    }
    let done = run(arguments, output).and_then(|code| demand_written().map(|()| code));
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            let failure = restart::for_git(failure);
            output.failure(&failure);
            ExitCode::from(failure.code())
        }
    }
}

/// Runs the command. Libraries panic where a limit of the process (open files, memory, threads) keeps them from what they need
/// at any time; that is one error as others are, and what was begun is undone on the way.
fn run(arguments: Arguments, output: Output) -> Result<u8, Failure> {
    static REASON: Mutex<Option<String>> = Mutex::new(None);
    panic::set_hook(Box::new(|panic| {
        let mut reason = REASON.lock().unwrap_or_else(PoisonError::into_inner);
        // The first is the cause of others.
        reason.get_or_insert_with(|| {
            let what = panic.payload_as_str().unwrap_or("no reason is given");
            panic.location().map_or_else(|| what.to_owned(), |place| format!("{what} ({place})"))
        });
    }));
    panic::catch_unwind(AssertUnwindSafe(|| commands::run(arguments.command, output))).unwrap_or_else(|_| {
        let reason = REASON.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        Err(Failure::new(reason)
            .within("virtpy stopped where it should not have been able to".to_owned())
            .hinted("raise the limits of the process, if there are any (`ulimit -a`); otherwise please report this"))
    })
}
