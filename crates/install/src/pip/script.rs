//! What a script says that it needs (PEP 723), for `pip install --requirements-from-script`.

use std::path::Path;

use virtpy_resolver::Input;

use crate::scripts::{Metadata, block};
use crate::{Error, Host, Result, admits};
use virtpy_files as fs;
use virtpy_interpreters::Interpreter;

/// What a script needs; paths in it start in its directory. A script without metadata needs nothing.
///
/// # Errors
/// When it cannot be read, its metadata make no sense, or it is not for this interpreter.
pub fn script_inputs(host: &Host, script: &str, interpreter: &Interpreter) -> Result<Vec<Input>> {
    let path = host.working_directory.join(script);
    let Some(block) = block(&fs::read(&path)?)? else { return Ok(Vec::new()) };
    let metadata = Metadata::parse(&block)?;
    if let Some(wanted) = metadata.requires_python.as_ref().filter(|wanted| !admits(wanted, interpreter)) {
        let version = &interpreter.version;
        return Err(Error::new(format!(
            "Script '{script}' requires a different Python: {version} not in '{wanted}'"
        )));
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    let absolute = |input| match input {
        Input::Editable(place) => Input::Editable(folder.join(place).display().to_string()),
        other => other,
    };
    Ok(metadata.dependencies.into_iter().map(absolute).collect())
}
