//! Finding the tools of this machine: commands on PATH, and the places where pipx, uv, virtpy, Poetry's own installer and
//! pyenv put them. Each is asked, through its own interpreter, where it keeps its packages.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::{PluginError, Tool};
use virtpy_files as fs;

/// What a tool's interpreter is asked, given the distribution that loads the plugin and names of tools. An empty item of
/// `sys.path` is the folder it was started in.
const QUESTION: &str = "import sys, json; sys.path = [item for item in sys.path if item]
from importlib.metadata import PackageNotFoundError, distribution
def look(name):
    try:
        found = distribution(name)
        return {'version': found.version, 'site_packages': str(found.locate_file(''))}
    except PackageNotFoundError:
        return None
print(json.dumps({'prefix': sys.prefix, 'found': {name: look(name) for name in sys.argv[1:]}}))
";

/// An installation of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Of which tool.
    pub tool: Tool,
    /// Its version.
    pub version: String,
    /// The version of what loads the plugin: of the tool itself, or of its virtualenv.
    pub host_version: String,
    /// The folder of packages that the plugin goes into.
    pub site_packages: PathBuf,
    /// The environment or the Python that it belongs to.
    pub prefix: PathBuf,
}

impl Installation {
    /// Whether the plugin was made for this version.
    pub fn is_supported(&self) -> bool {
        self.tool.is_supported(&self.host_version)
    }

    /// Refuses a version that the plugin was not made for.
    pub(super) fn demand_support(&self) -> Result<(), PluginError> {
        if self.is_supported() {
            return Ok(());
        }
        let of_virtualenv = format!("{} (virtualenv {})", self.version, self.host_version);
        Err(PluginError::Unsupported {
            tool: self.tool.title(),
            path: self.prefix.clone(),
            version: if self.tool.host() == self.tool.name() { self.version.clone() } else { of_virtualenv },
            needs: self.tool.needs(),
        })
    }
}

/// Where to look.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The folders of PATH.
    pub path: Vec<PathBuf>,
    /// Folders whose subfolders are environments, of which those named after the tool count: pipx's, uv's.
    pub collections: Vec<PathBuf>,
    /// Folders whose subfolders have an environment `current`: virtpy's own applications.
    pub applications: Vec<PathBuf>,
    /// Environments that Poetry's own installer makes, and others that may have any tool.
    pub environments: Vec<PathBuf>,
    /// Folders of Python installations whose `bin` may have the tool: pyenv's versions.
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
            applications: Vec::new(),
            environments: vec![
                or("POETRY_HOME", data.join("pypoetry")).join("venv"),
                home.join(".poetry/venv"),
                home.join("Library/Application Support/pypoetry/venv"),
            ],
            pythons: vec![or("PYENV_ROOT", home.join(".pyenv")).join("versions")],
        }
    }

    /// The scripts by which a tool may be called, whether or not they are there.
    fn commands(&self, tool: Tool) -> Vec<PathBuf> {
        let name = tool.name();
        let in_bin = |folder: &PathBuf| folder.join("bin").join(name);
        let is_namesake =
            |folder: &PathBuf| tool.is_namesake(&folder.file_name().unwrap_or_default().to_string_lossy());
        let mut commands: Vec<PathBuf> = self.path.iter().map(|folder| folder.join(name)).collect();
        for collection in &self.collections {
            commands.extend(subfolders(collection).iter().filter(|folder| is_namesake(folder)).map(in_bin));
        }
        for applications in &self.applications {
            let current = subfolders(applications).into_iter().map(|folder| folder.join("current"));
            commands.extend(current.map(|folder| in_bin(&folder)));
        }
        commands.extend(self.environments.iter().map(in_bin));
        for pythons in &self.pythons {
            commands.extend(subfolders(pythons).iter().map(in_bin));
        }
        commands
    }
}

/// All installations of a tool in some places; what looks like one and does not run is passed over.
pub fn find(tool: Tool, places: &Places) -> Vec<Installation> {
    let (mut asked, mut found) = (BTreeSet::new(), Vec::<Installation>::new());
    for command in places.commands(tool) {
        let Some(interpreter) = interpreter_of(&command) else { continue };
        if !asked.insert(interpreter.clone()) {
            continue;
        }
        if let Ok(installation) = ask(&interpreter, tool)
            && !found.iter().any(|other| other.site_packages == installation.site_packages)
        {
            found.push(installation);
        }
    }
    found
}

/// The tool that somebody in `folder` names: the command, by its path or its name alone, or the environment it is in.
///
/// # Errors
/// When it is not there.
pub fn named(
    tool: Tool,
    path: &Path,
    folder: &Path,
    commands: Option<&OsStr>,
) -> Result<Installation, PluginError> {
    examine(tool, &located(path, folder, commands)?)
}

/// The tools in what somebody in `folder` names: the one of a command, or all in an environment.
///
/// # Errors
/// When there is none.
pub fn in_environment(
    path: &Path,
    folder: &Path,
    commands: Option<&OsStr>,
) -> Result<Vec<Installation>, PluginError> {
    let place = located(path, folder, commands)?;
    let not = |reason: &str| PluginError::NotTool {
        tool: "tool that virtpy has a plugin for",
        path: place.clone(),
        reason: reason.to_owned(),
    };
    if !fs::metadata(&place).is_ok_and(|found| found.is_dir()) {
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let tool = Tool::named_after(&name).ok_or_else(|| not("its name is none of theirs"))?;
        return Ok(vec![examine(tool, &place)?]);
    }
    let python = python_in(&place).ok_or_else(|| not("the directory has no `bin/python`"))?;
    let mut found = ask_all(&python, &Tool::ALL).map_err(|reason| not(&reason))?;
    if found.len() > 1 {
        // It is there because the others need it.
        found.retain(|one| one.tool != Tool::Virtualenv);
    }
    if found.is_empty() { Err(not("its interpreter has none of their packages")) } else { Ok(found) }
}

/// The path that somebody means by a path or by the name of a command.
fn located(path: &Path, folder: &Path, commands: Option<&OsStr>) -> Result<PathBuf, PluginError> {
    let absolute = folder.join(path);
    if fs::kind(&absolute)?.is_some() || path.components().count() > 1 {
        return Ok(absolute);
    }
    let mut folders =
        commands.map(std::env::split_paths).into_iter().flatten().map(|folder| folder.join(path));
    folders
        .find(|path| fs::metadata(path).is_ok_and(|found| found.is_file()))
        .ok_or_else(|| PluginError::NoCommand(path.display().to_string()))
}

/// The tool at a path.
fn examine(tool: Tool, path: &Path) -> Result<Installation, PluginError> {
    let not = |reason: &str| PluginError::NotTool {
        tool: tool.title(),
        path: path.to_path_buf(),
        reason: reason.to_owned(),
    };
    let interpreter = match fs::metadata(path) {
        Err(error) if error.is_not_found() => return Err(not("there is no such file or directory")),
        Err(error) => return Err(error.into()),
        Ok(found) if found.is_dir() => {
            python_in(path).ok_or_else(|| not("the directory has no `bin/python`"))?
        }
        Ok(_) => interpreter_of(path).ok_or_else(|| not("it is not a script with an interpreter's path"))?,
    };
    ask(&interpreter, tool).map_err(|reason| not(&reason))
}

fn python_in(folder: &Path) -> Option<PathBuf> {
    let python = folder.join("bin/python");
    matches!(fs::kind(&python), Ok(Some(_))).then_some(python)
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let mut names = fs::names(folder).unwrap_or_default();
    names.sort();
    names.into_iter().map(|name| folder.join(name)).collect()
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

/// What an interpreter answers.
#[derive(Deserialize)]
struct Answer {
    prefix: PathBuf,
    found: BTreeMap<String, Option<Found>>,
}

/// A distribution that it has.
#[derive(Deserialize)]
struct Found {
    version: String,
    site_packages: PathBuf,
}

fn ask(interpreter: &Path, tool: Tool) -> Result<Installation, String> {
    let missing = || format!("its interpreter has no package `{}`", tool.name());
    ask_all(interpreter, &[tool])?.pop().ok_or_else(missing)
}

/// Those of some tools that an interpreter has, with what loads the plugin.
fn ask_all(interpreter: &Path, tools: &[Tool]) -> Result<Vec<Installation>, String> {
    let names: BTreeSet<&str> = tools.iter().flat_map(|tool| [tool.name(), tool.host()]).collect();
    let mut command = Command::new(interpreter);
    command.args(["-W", "ignore", "-c", QUESTION]).args(names).current_dir("/").stdin(Stdio::null());
    for name in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"] {
        command.env_remove(name);
    }
    let output = command.output().map_err(|error| format!("its interpreter does not start: {error}"))?;
    let answer: Answer =
        serde_json::from_slice(&output.stdout).map_err(|_| "its interpreter does not answer".to_owned())?;
    let of = |name: &str| answer.found.get(name).and_then(Option::as_ref);
    let mut installations = Vec::new();
    for tool in tools {
        let Some(found) = of(tool.name()) else { continue };
        let Some(host) = of(tool.host()) else {
            return Err(format!("it has no package `{}`, which the plugin is for", tool.host()));
        };
        installations.push(Installation {
            tool: *tool,
            version: found.version.clone(),
            host_version: host.version.clone(),
            site_packages: fs::canonicalize(&host.site_packages).map_err(|error| error.to_string())?,
            prefix: answer.prefix.clone(),
        });
    }
    Ok(installations)
}
