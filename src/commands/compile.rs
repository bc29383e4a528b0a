//! Compiling the bytecode of entries into the store, once per version of Python.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::interpreters::Interpreter;
use crate::venv::Arrival;

/// Compiles every entry that was not yet compiled for this interpreter. A source file that does not compile
/// (templates, code for another Python) is no failure, as with every installer.
pub(super) fn compile(
    context: &Context,
    interpreter: &Interpreter,
    arrivals: &[Arrival],
) -> Result<(), Failure> {
    let python = format!("{}-{}", interpreter.implementation, interpreter.tag());
    let markers = context.store.cache().join("compiled").join(python);
    fs::create_dir_all(&markers)?;
    let mut folders: Vec<(PathBuf, PathBuf)> = Vec::new();
    for arrival in arrivals {
        let marker = markers.join(arrival.entry.id()?.as_str());
        if fs::kind(&marker)?.is_none() {
            folders.push((arrival.entry.path.join("site"), marker));
        }
    }
    if folders.is_empty() {
        return Ok(());
    }
    let status = Command::new(&interpreter.executable)
        .args(["-I", "-m", "compileall", "-q", "-j", "0"])
        .args(folders.iter().map(|(folder, _)| folder))
        .env_remove("PYTHONDONTWRITEBYTECODE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| {
            Failure::new(format!("could not start `{}`: {error}", interpreter.executable.display()))
        })?;
    context.output.detail(format_args!("compiled {} entries ({status})", folders.len()));
    if status.code().is_none() {
        return Err(Failure::new("the compilation of bytecode was interrupted"));
    }
    for (_, marker) in folders {
        fs::write_atomic(&marker, b"")?;
    }
    Ok(())
}
