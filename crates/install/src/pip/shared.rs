//! The real pip that all venvs of one Python share; it is installed when it is first needed.

use std::path::PathBuf;

use crate::{
    Environment, Error, Extent, Goal, Host, IndexOptions, Indexes, InstallOptions, NewEnvironment,
    Requirements, Result, bring,
};
use virtpy_files as fs;
use virtpy_interpreters::Interpreter;
use virtpy_venv::Venv;

/// The directory `pip` of that pip.
///
/// # Errors
/// When it is not there and cannot be installed.
pub fn shared_pip(host: &Host, interpreter: &Interpreter) -> Result<PathBuf> {
    let name = format!("{}-{}", interpreter.implementation, interpreter.tag());
    let root = host.store.shared_pips().join(name);
    if let Ok(venv) = Venv::open(&root)
        && fs::metadata(&venv.site_packages().join("pip/__main__.py")).is_ok()
    {
        return Ok(venv.site_packages().join("pip"));
    }
    if !Venv::is_at(&root) {
        let clear = fs::kind(&root.join("pyvenv.cfg"))?.is_some();
        let new = NewEnvironment { clear, ..NewEnvironment::in_store(root.clone()) };
        match Environment::create(host, interpreter.clone(), new, &Indexes::default()) {
            // Empty, it is no harm: whoever comes next fills it.
            Ok(mut environment) => environment.keep(),
            // Another process was first.
            Err(_) if Venv::is_at(&root) => {}
            Err(error) => return Err(error),
        }
    }
    let venv = Venv::open(&root)?;
    let from_index = add(host, &venv, "pip", IndexOptions::default());
    if let Err(error) = from_index {
        // Most interpreters carry a pip for their own venvs.
        let bundled = bundled_pip(interpreter).ok_or(error)?;
        add(host, &venv, &bundled, IndexOptions { offline: true, ..IndexOptions::default() })?;
    }
    Ok(venv.site_packages().join("pip"))
}

fn add(host: &Host, venv: &Venv, spec: &str, index: IndexOptions) -> Result<()> {
    let wanted = Requirements { specs: vec![spec.to_owned()], no_deps: true, ..Requirements::default() };
    let source = &wanted;
    let goal = Goal { source, extent: Extent::Sufficient, options: InstallOptions::default() };
    let indexes = Indexes::new(index);
    let added = Environment::open(host, venv.clone(), &indexes)
        .and_then(|mut environment| bring(&mut environment, &goal));
    added
        .map(drop)
        .map_err(|error: Error| error.within("a real pip is needed for this, and could not be installed"))
}

/// The wheel of pip in the interpreter's own `ensurepip`.
fn bundled_pip(interpreter: &Interpreter) -> Option<String> {
    let folder = interpreter.stdlib.join("ensurepip/_bundled");
    let names = fs::names(&folder).ok()?;
    let name = names.iter().filter_map(|name| name.to_str()).find(|name| name.starts_with("pip-"))?;
    Some(folder.join(name).display().to_string())
}
