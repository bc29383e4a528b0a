//! What only pip itself can do: a real pip, one for all venvs of a Python version, run by the interpreter that is meant.
//! It never works on a venv of virtpy's: it would write through the links.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::guard::refuse_store;
use super::place::{is_others, venv_of};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::{self, masked};
use crate::interpreters;

/// Runs a real pip with these words and returns its exit code.
pub(super) fn run(context: &Context, place: Option<&Path>, words: &[String]) -> Result<u8, Failure> {
    let (store, python) = match place {
        Some(place) if is_others(context, place) => {
            (context.store.clone(), python_of(context.working_directory.join(place)))
        }
        place => {
            let venv = venv_of(context, place)?;
            // It runs with the venv's packages: what is in them is run as well.
            context.demand_own(&venv)?;
            (context.demand_believed_store(&venv)?, venv.python())
        }
    };
    refuse_store(context, &store, words)?;
    let context = Context::of(store, context.working_directory.clone(), context.output);
    let real = fs::canonicalize(&python)?;
    let interpreter = interpreters::query(&real, &context.store.cache())?;
    let pip = install::pip::shared_pip(&context.host, &interpreter)?;
    // `--python` was for choosing the interpreter, which is chosen.
    let words = without_python(words);
    let mut command = Command::new(&python);
    command.arg(&pip).args(&words).current_dir(&context.working_directory);
    // It is not the venv's pip that would be upgraded.
    command.env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    let failed = |error| Failure::new(format!("`{}` does not start: {error}", python.display()));
    let status = if shows_all_settings(&words) {
        let ran = command.stderr(Stdio::inherit()).output().map_err(failed)?;
        context.output.data_block(&masked(&String::from_utf8_lossy(&ran.stdout)));
        ran.status
    } else {
        command.status().map_err(failed)?
    };
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// Whether pip prints all of its settings, which somebody reads, or puts in a bug report: what proves to an index who asks is
/// masked in them. Whoever wants to know it asks for the one setting.
fn shows_all_settings(words: &[&String]) -> bool {
    let mut commands = words.iter().filter(|word| !word.starts_with('-')).map(|word| word.as_str());
    match commands.next() {
        Some("debug") => true,
        Some("config") => matches!(commands.next(), Some("list" | "debug")),
        _ => false,
    }
}

/// The interpreter that a place means: itself, or the one of an environment.
fn python_of(place: PathBuf) -> PathBuf {
    let inside = place.join("bin/python");
    if fs::metadata(&inside).is_ok() { inside } else { place }
}

fn without_python(words: &[String]) -> Vec<&String> {
    let mut kept = Vec::with_capacity(words.len());
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if word == "--python" {
            rest.next();
        } else if !word.starts_with("--python=") {
            kept.push(word);
        }
    }
    kept
}
