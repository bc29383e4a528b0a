//! Compiling what a venv has copies of: for the venv, with the time of each source, since a copy may be edited.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Error, Host};
use virtpy_interpreters::Interpreter;
use virtpy_venv::{PackageToInstall, Venv};

/// Runs the interpreter's own compiler on all processors. A source that does not compile (templates, code for another
/// Python) is no failure, as with every installer.
pub(super) fn compile(
    host: &Host,
    interpreter: &Interpreter,
    venv: &Venv,
    copied: &[&PackageToInstall],
) -> Result<(), Error> {
    let site_packages = venv.site_packages();
    let paths: Vec<PathBuf> = copied
        .iter()
        .flat_map(|arrival| &arrival.entry.manifest.top)
        .filter(|item| item.folder || Path::new(&item.name).extension().is_some_and(|end| end == "py"))
        .map(|item| site_packages.join(&item.name))
        .collect();
    if paths.is_empty() {
        return Ok(());
    }
    let compiled = host.store.temporary_folder()?;
    let status = Command::new(&interpreter.executable)
        .arg("-X")
        .arg(format!("pycache_prefix={}", compiled.path().display()))
        .args(["-I", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "timestamp"])
        .args(paths)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| {
            Error::new(format!("could not start `{}`: {error}", interpreter.executable.display()))
        })?;
    if status.code().is_none() {
        return Err(Error::new("the compilation of bytecode was interrupted"));
    }
    Ok(venv.take_bytecode(compiled.path())?)
}
