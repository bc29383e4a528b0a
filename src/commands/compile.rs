//! Compiling bytecode when a distribution is added: into the store, once per entry and version of Python, or into a
//! venv whose files are copies.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::interpreters::Interpreter;
use crate::venv::{Arrival, Venv};

/// What Python compares before it uses a compiled file (PEP 552).
#[derive(Debug, Clone, Copy)]
enum Validity {
    /// Nothing: an entry never changes, and its files' times may be lost when it is copied into an image.
    Unchecked,
    /// The source's time and size: a copy may be edited.
    Timestamp,
}

/// Compiles what has arrived in a venv. A source that does not compile (templates, code for another Python) is no failure, as with every installer.
pub(super) fn compile(
    context: &Context,
    interpreter: &Interpreter,
    venv: &Venv,
    arrivals: &[Arrival],
) -> Result<(), Failure> {
    let folds = venv.config.link_mode().folds();
    let (linked, copied): (Vec<&Arrival>, Vec<&Arrival>) =
        arrivals.iter().partition(|arrival| folds && !arrival.copied);
    compile_entries(context, interpreter, &linked)?;
    let site_packages = venv.site_packages();
    let paths: Vec<PathBuf> = copied
        .iter()
        .flat_map(|arrival| &arrival.entry.manifest.top)
        .filter(|item| item.folder || Path::new(&item.name).extension().is_some_and(|end| end == "py"))
        .map(|item| site_packages.join(&item.name))
        .collect();
    run(interpreter, &paths, Validity::Timestamp)
}

fn compile_entries(
    context: &Context,
    interpreter: &Interpreter,
    arrivals: &[&Arrival],
) -> Result<(), Failure> {
    let python = format!("{}-{}", interpreter.implementation, interpreter.tag());
    let markers = context.store.compiled().join(python);
    let mut folders = Vec::new();
    let mut done = Vec::new();
    for arrival in arrivals {
        let marker = markers.join(arrival.entry.id()?.as_str());
        if fs::kind(&marker)?.is_none() {
            folders.push(arrival.entry.path.join("site"));
            done.push(marker);
        }
    }
    if folders.is_empty() {
        return Ok(());
    }
    if let Err(error) = fs::create_dir_all(&markers) {
        context.output.warning(format_args!("no bytecode was compiled: the store is read-only ({error})"));
        return Ok(());
    }
    run(interpreter, &folders, Validity::Unchecked)?;
    for marker in &done {
        fs::write_atomic(marker, b"")?;
    }
    context.output.detail(format_args!("compiled {} entries", done.len()));
    Ok(())
}

/// Runs the interpreter's own compiler on all processors.
fn run(interpreter: &Interpreter, paths: &[PathBuf], validity: Validity) -> Result<(), Failure> {
    if paths.is_empty() {
        return Ok(());
    }
    let mode = match validity {
        Validity::Unchecked => "unchecked-hash",
        Validity::Timestamp => "timestamp",
    };
    let status = Command::new(&interpreter.executable)
        .args(["-I", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", mode])
        .args(paths)
        .env_remove("PYTHONDONTWRITEBYTECODE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| {
            Failure::new(format!("could not start `{}`: {error}", interpreter.executable.display()))
        })?;
    if status.code().is_none() {
        return Err(Failure::new("the compilation of bytecode was interrupted"));
    }
    Ok(())
}
