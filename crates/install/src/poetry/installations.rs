//! Finding the Poetries of this machine: commands on PATH, and the places where pipx, uv, the official installer and
//! pyenv put them. Each is asked, through its own interpreter, where it keeps its packages.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::PoetryError;
use virtpy_files as fs;

/// What Poetry's interpreter is asked. An empty item of `sys.path` is the folder it was started in.
const QUESTION: &str = "import sys, json; sys.path = [item for item in sys.path if item]
from importlib.metadata import PackageNotFoundError, distribution
try:
    poetry = distribution('poetry')
    print(json.dumps({'version': poetry.version, 'site_packages': str(poetry.locate_file('')), 'prefix': sys.prefix}))
except PackageNotFoundError:
    print('null')
";

/// A Poetry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Installation {
    /// Its version.
    pub version: String,
    /// The folder of packages that it is in.
    pub site_packages: PathBuf,
    /// The environment or the Python that it belongs to.
    pub prefix: PathBuf,
}

impl Installation {
    /// Whether the plugin was made for this version: 1.8 and 2.
    pub fn is_supported(&self) -> bool {
        let mut numbers = self.version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        major == 2 || (major, minor) == (1, 8)
    }
}

/// Where to look.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The folders of PATH.
    pub path: Vec<PathBuf>,
    /// Folders whose subfolders are environments, of which those named after Poetry count: pipx's, uv's.
    pub collections: Vec<PathBuf>,
    /// Environments that the official installer makes.
    pub environments: Vec<PathBuf>,
    /// Folders of Python installations whose `bin` may have Poetry: pyenv's versions.
    pub pythons: Vec<PathBuf>,
}

impl Places {
    /// The usual places, as the variables of the tools move them.
    pub fn of(variable: &dyn Fn(&str) -> Option<String>, home: &Path) -> Self {
        let or = |name: &str, default: PathBuf| variable(name).map_or(default, PathBuf::from);
        let data = or("XDG_DATA_HOME", home.join(".local/share"));
        let path = variable("PATH").unwrap_or_default();
        Self {
            path: std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect(),
            collections: vec![
                or("PIPX_HOME", data.join("pipx")).join("venvs"),
                home.join(".local/pipx/venvs"),
                or("PIPX_GLOBAL_HOME", PathBuf::from("/opt/pipx")).join("venvs"),
                or("UV_TOOL_DIR", data.join("uv/tools")),
            ],
            environments: vec![
                or("POETRY_HOME", data.join("pypoetry")).join("venv"),
                home.join(".poetry/venv"),
                home.join("Library/Application Support/pypoetry/venv"),
            ],
            pythons: vec![or("PYENV_ROOT", home.join(".pyenv")).join("versions")],
        }
    }
}

/// All Poetries in some places; what looks like one and does not run is passed over.
pub fn find(places: &Places) -> Vec<Installation> {
    let mut commands: Vec<PathBuf> = places.path.iter().map(|folder| folder.join("poetry")).collect();
    for collection in &places.collections {
        let environments = subfolders(collection).into_iter().filter(|folder| is_named_after_poetry(folder));
        commands.extend(environments.map(|folder| folder.join("bin/poetry")));
    }
    commands.extend(places.environments.iter().map(|folder| folder.join("bin/poetry")));
    for pythons in &places.pythons {
        commands.extend(subfolders(pythons).into_iter().map(|folder| folder.join("bin/poetry")));
    }
    let (mut asked, mut found) = (BTreeSet::new(), Vec::<Installation>::new());
    for command in commands {
        let Some(interpreter) = interpreter_of(&command) else { continue };
        if !asked.insert(interpreter.clone()) {
            continue;
        }
        if let Ok(installation) = ask(&interpreter)
            && !found.iter().any(|other| other.site_packages == installation.site_packages)
        {
            found.push(installation);
        }
    }
    found
}

/// The Poetry that somebody in `folder` names: the command, by its path or its name alone, or the environment it is in.
///
/// # Errors
/// When there is none.
pub fn named(path: &Path, folder: &Path, commands: Option<&OsStr>) -> Result<Installation, PoetryError> {
    let absolute = folder.join(path);
    if fs::kind(&absolute)?.is_some() || path.components().count() > 1 {
        return examine(&absolute);
    }
    let folders = commands.map(std::env::split_paths).into_iter().flatten();
    let is_file = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| found.is_file());
    match folders.map(|folder| folder.join(path)).find(is_file) {
        Some(command) => examine(&command),
        None => Err(PoetryError::NoCommand(path.display().to_string())),
    }
}

/// The Poetry at a path.
fn examine(path: &Path) -> Result<Installation, PoetryError> {
    let not = |reason: &str| PoetryError::NotPoetry { path: path.to_path_buf(), reason: reason.to_owned() };
    let interpreter = match fs::metadata(path) {
        Err(error) if error.is_not_found() => return Err(not("there is nothing")),
        Err(error) => return Err(error.into()),
        Ok(found) if found.is_dir() => {
            let python = path.join("bin/python");
            if fs::kind(&python)?.is_none() {
                return Err(not("the directory has no `bin/python`"));
            }
            python
        }
        Ok(_) => interpreter_of(path).ok_or_else(|| not("it is not a script with an interpreter's path"))?,
    };
    ask(&interpreter).map_err(|reason| not(&reason))
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let mut names = fs::names(folder).unwrap_or_default();
    names.sort();
    names.into_iter().map(|name| folder.join(name)).collect()
}

fn is_named_after_poetry(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.split(['-', '_', '@']).next() == Some("poetry")
}

/// The interpreter in a script's first line; also where it is too long for one and stands in the second, behind `exec`.
fn interpreter_of(script: &Path) -> Option<PathBuf> {
    let content = fs::read_own(script, 4096).ok()?;
    let head = String::from_utf8_lossy(&content[..content.len().min(4096)]).into_owned();
    let mut lines = head.lines();
    let first = lines.next()?.strip_prefix("#!")?.trim();
    let path = if first == "/bin/sh" {
        let rest = lines.next()?.split_once("exec' ")?.1.trim_start();
        match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next()?,
            None => rest.split_whitespace().next()?,
        }
    } else {
        first.split_whitespace().next()?
    };
    let name = Path::new(path).file_name()?.to_string_lossy().into_owned();
    let is_python = name.starts_with("python") || name.starts_with("pypy");
    (is_python && path.starts_with('/')).then(|| PathBuf::from(path))
}

fn ask(interpreter: &Path) -> Result<Installation, String> {
    let mut command = Command::new(interpreter);
    command.args(["-W", "ignore", "-c", QUESTION]).current_dir("/").stdin(Stdio::null());
    for name in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"] {
        command.env_remove(name);
    }
    let output = command.output().map_err(|error| format!("its interpreter does not start: {error}"))?;
    let answer: Option<Installation> =
        serde_json::from_slice(&output.stdout).map_err(|_| "its interpreter does not answer".to_owned())?;
    let installation = answer.ok_or("its interpreter has no package `poetry`")?;
    let site_packages = fs::canonicalize(&installation.site_packages).map_err(|error| error.to_string())?;
    Ok(Installation { site_packages, ..installation })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(version: &str) -> Installation {
        let (site_packages, prefix) = (PathBuf::new(), PathBuf::new());
        Installation { version: version.to_owned(), site_packages, prefix }
    }

    #[test]
    fn the_plugin_fits_some_versions() {
        for (text, fits) in
            [("1.7.1", false), ("1.8.5", true), ("2.0.0", true), ("2.10.1", true), ("3.0", false)]
        {
            assert_eq!(version(text).is_supported(), fits, "{text}");
        }
    }

    #[test]
    fn environments_are_known_by_their_names() {
        for (name, is_one) in [
            ("poetry", true),
            ("poetry-2.1", true),
            ("poetry@18", true),
            ("poetry_1", true),
            ("poetryish", false),
        ] {
            assert_eq!(is_named_after_poetry(&Path::new("/x").join(name)), is_one, "{name}");
        }
    }
}
