//! Where interpreters are looked for, and in which order.
//!
//! Candidates are only names until one may match; then it is asked, and the search ends at the first match.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::query::{Inquiry, TIMEOUT};
use super::request::{NameHint, PythonRequest, all_executable_names};
use super::{Error, Interpreter};
use crate::fs;

/// The places to search. The environment is read once, by [`Sources::from_environment`].
#[derive(Debug, Clone)]
pub struct Sources<'a> {
    /// The folder of the interpreters that virtpy installed.
    pub pythons: &'a Path,
    /// The folder of the cache.
    pub cache: &'a Path,
    /// The value of `PATH`.
    pub path: Option<OsString>,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// The value of `PYENV_ROOT`; `.pyenv` in the home folder without it.
    pub pyenv_root: Option<PathBuf>,
    /// The value of `PYENV_VERSION`: versions between colons.
    pub pyenv_version: Option<OsString>,
    /// Folders of executables that are searched whether or not `PATH` has them.
    pub system_folders: Vec<PathBuf>,
    /// Folders in which other tools keep whole installations, one folder each.
    pub installation_folders: Vec<PathBuf>,
    /// Where relative paths begin, and where a search for `.python-version` begins.
    pub working_directory: &'a Path,
}

impl<'a> Sources<'a> {
    /// Only the interpreters that virtpy installed: the other places are empty.
    pub fn new(pythons: &'a Path, cache: &'a Path, working_directory: &'a Path) -> Self {
        Self {
            pythons,
            cache,
            path: None,
            home: None,
            pyenv_root: None,
            pyenv_version: None,
            system_folders: Vec::new(),
            installation_folders: Vec::new(),
            working_directory,
        }
    }

    /// All places that the environment names, and the usual ones of the platform.
    pub fn from_environment(pythons: &'a Path, cache: &'a Path, working_directory: &'a Path) -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let folder = |name: &str| variable(name).map(PathBuf::from);
        let home = folder("HOME");
        let data = folder("XDG_DATA_HOME").or_else(|| Some(home.as_ref()?.join(".local/share")));
        let poetry_data = folder("POETRY_DATA_DIR").or_else(|| match &home {
            Some(home) if cfg!(target_os = "macos") => {
                Some(home.join("Library/Application Support/pypoetry"))
            }
            _ => Some(data.as_ref()?.join("pypoetry")),
        });
        let uv = folder("UV_PYTHON_INSTALL_DIR").or_else(|| Some(data.as_ref()?.join("uv/python")));
        let poetry =
            folder("POETRY_PYTHON_INSTALLATION_DIR").or_else(|| Some(poetry_data.as_ref()?.join("python")));
        let frameworks = PathBuf::from("/Library/Frameworks/Python.framework/Versions");
        Self {
            path: variable("PATH"),
            pyenv_root: folder("PYENV_ROOT"),
            pyenv_version: variable("PYENV_VERSION"),
            system_folders: ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
                .map(PathBuf::from)
                .to_vec(),
            installation_folders: [Some(frameworks), uv, poetry].into_iter().flatten().collect(),
            home,
            ..Self::new(pythons, cache, working_directory)
        }
    }

    fn inquiry(&self) -> Inquiry<'_> {
        Inquiry {
            cache: self.cache,
            working_directory: self.working_directory,
            timeout: TIMEOUT,
        }
    }

    fn pyenv_root(&self) -> Option<PathBuf> {
        self.pyenv_root
            .clone()
            .or_else(|| Some(self.home.as_ref()?.join(".pyenv")))
    }
}

/// A group of places, searched as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Managed,
    Path,
    Pyenv,
    System,
}

/// A file that may be the interpreter, and what its name or its folder's name tells.
struct Candidate {
    path: PathBuf,
    hint: NameHint,
}

/// Returns the first interpreter that matches the request.
///
/// A path is taken as it is. Otherwise these are searched: the interpreters that virtpy installed, `PATH`, pyenv's
/// versions, the places of the system and of other tools. Without a version to look for, `PATH` comes first.
///
/// # Errors
/// When nothing matches, what a path leads to is no usable interpreter, or the request is for a version that is
/// too old.
pub fn find(request: Option<&PythonRequest>, sources: &Sources) -> Result<Interpreter, Error> {
    let request = request.unwrap_or(&PythonRequest::Any);
    match request {
        PythonRequest::Path(path) => return at_path(path, sources),
        PythonRequest::Name(name) if fs::metadata(&sources.working_directory.join(name)).is_ok() => {
            return at_path(Path::new(name), sources);
        }
        PythonRequest::Version(version) if version.is_too_old() => {
            return Err(Error::RequestTooOld {
                request: request.to_string(),
            });
        }
        _ => {}
    }
    let mut search = Search::new(sources);
    let names = request.executable_names();
    let found = search.run(Some(request), &names, &mut |interpreter| {
        if request.matches(&interpreter) {
            ControlFlow::Break(interpreter)
        } else {
            ControlFlow::Continue(())
        }
    });
    match found {
        ControlFlow::Break(interpreter) => Ok(interpreter),
        ControlFlow::Continue(()) => Err(not_found(request, sources, search.broken)),
    }
}

/// Returns every interpreter that works, each once, best first: the first one is what [`find`] returns without a
/// request.
pub fn find_all(sources: &Sources) -> Vec<Interpreter> {
    let mut found: Vec<Interpreter> = Vec::new();
    let _: ControlFlow<()> = Search::new(sources).run(None, &all_executable_names(), &mut |interpreter| {
        if found
            .iter()
            .all(|other| other.executable != interpreter.executable)
        {
            found.push(interpreter);
        }
        ControlFlow::Continue(())
    });
    found
}

fn not_found(request: &PythonRequest, sources: &Sources, broken: Vec<(PathBuf, String)>) -> Error {
    let describe = |interpreter: Interpreter| {
        let threading = if interpreter.free_threaded { "t" } else { "" };
        let name = match interpreter.implementation.as_str() {
            "cpython" => String::new(),
            other => format!("{other} "),
        };
        (
            format!("{name}{}{threading}", interpreter.version),
            interpreter.executable,
        )
    };
    let found = find_all(sources).into_iter().map(describe).collect();
    let request = (*request != PythonRequest::Any).then(|| request.to_string());
    Error::NotFound {
        request,
        found,
        broken,
    }
}

/// The interpreter at a path that the user named: an executable, or a folder with one in its `bin`.
fn at_path(path: &Path, sources: &Sources) -> Result<Interpreter, Error> {
    let absolute = sources.working_directory.join(path);
    if !absolute.is_dir() {
        return sources.inquiry().ask(path);
    }
    let names = ["bin/python", "bin/python3", "bin/pypy3", "python", "python3"];
    let exists = |file: &PathBuf| fs::symlink_metadata(file).is_ok_and(|metadata| !metadata.is_dir());
    let executable = names.iter().map(|name| absolute.join(name)).find(exists);
    let executable = executable.ok_or_else(|| Error::NoInterpreterInFolder {
        folder: path.to_path_buf(),
    })?;
    sources.inquiry().ask(&executable)
}

/// One pass over the places.
struct Search<'a> {
    sources: &'a Sources<'a>,
    /// The executables that have been asked.
    seen: HashSet<PathBuf>,
    /// What was asked and did not work, with the reason.
    broken: Vec<(PathBuf, String)>,
}

impl<'a> Search<'a> {
    fn new(sources: &'a Sources<'a>) -> Self {
        Self {
            sources,
            seen: HashSet::new(),
            broken: Vec::new(),
        }
    }

    /// Asks the candidates that may match `request`, until `visit` breaks.
    fn run<T>(
        &mut self,
        request: Option<&PythonRequest>,
        names: &[String],
        visit: &mut dyn FnMut(Interpreter) -> ControlFlow<T>,
    ) -> ControlFlow<T> {
        let places = match request {
            None | Some(PythonRequest::Any) => [Place::Path, Place::Managed, Place::Pyenv, Place::System],
            Some(_) => [Place::Managed, Place::Path, Place::Pyenv, Place::System],
        };
        let request = request.unwrap_or(&PythonRequest::Any);
        for place in places {
            for candidate in self.candidates(place, names, request) {
                if let Some(interpreter) = self.ask(&candidate, request) {
                    visit(interpreter)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn ask(&mut self, candidate: &Candidate, request: &PythonRequest) -> Option<Interpreter> {
        if !request.may_match(&candidate.hint) {
            return None;
        }
        let inquiry = self.sources.inquiry();
        let result = inquiry.target(&candidate.path).and_then(|target| {
            // The file behind `python3` is often called `python3.11`, which may settle it.
            let may_match = request.may_match(&NameHint::of(target.path.file_name().unwrap_or_default()));
            let is_new = self.seen.insert(target.path);
            if may_match && is_new {
                inquiry.ask(&candidate.path).map(Some)
            } else {
                Ok(None)
            }
        });
        result.unwrap_or_else(|error| {
            self.broken.push((candidate.path.clone(), error.to_string()));
            None
        })
    }

    fn candidates(&self, place: Place, names: &[String], request: &PythonRequest) -> Vec<Candidate> {
        let sources = self.sources;
        // A command of one's own is only looked for where commands are.
        if place != Place::Path && matches!(request, PythonRequest::Name(_)) {
            return Vec::new();
        }
        match place {
            Place::Managed => in_installations(sources.pythons),
            Place::Path => on_path(sources, names),
            Place::Pyenv => sources
                .pyenv_root()
                .map_or_else(Vec::new, |root| in_installations(&root.join("versions"))),
            Place::System => {
                let folders = sources
                    .system_folders
                    .iter()
                    .flat_map(|folder| in_folder(folder, names));
                folders
                    .chain(
                        sources
                            .installation_folders
                            .iter()
                            .flat_map(|all| in_installations(all)),
                    )
                    .collect()
            }
        }
    }
}

/// The executables of a folder that have one of the names, in the order of the names.
fn in_folder(folder: &Path, names: &[String]) -> Vec<Candidate> {
    let paths = names
        .iter()
        .map(|name| (folder.join(name), NameHint::of(OsStr::new(name))));
    paths
        .filter(|(path, _)| is_executable(path))
        .map(|(path, hint)| Candidate { path, hint })
        .collect()
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// One executable of every installation in a folder of installations, the most wanted first.
fn in_installations(folder: &Path) -> Vec<Candidate> {
    let Ok(mut names) = fs::names(folder) else {
        return Vec::new();
    };
    names.retain(|name| !name.as_encoded_bytes().starts_with(b"."));
    names.sort();
    let mut installations: Vec<_> = names
        .into_iter()
        .map(|name| (NameHint::of(&name), name))
        .collect();
    installations.sort_by_cached_key(|(hint, _)| std::cmp::Reverse(hint.preference()));
    let candidate = |(hint, name): (NameHint, OsString)| {
        let binaries = folder.join(name).join("bin");
        let executables = ["python3", "python", "pypy3"].map(|name| binaries.join(name));
        let path = executables.into_iter().find(|path| is_executable(path))?;
        Some(Candidate { path, hint })
    };
    installations.into_iter().filter_map(candidate).collect()
}

/// The executables on `PATH`, with pyenv's shims replaced by what they stand for here: a shim takes 50 ms.
fn on_path(sources: &Sources, names: &[String]) -> Vec<Candidate> {
    let pyenv = sources.pyenv_root();
    let shims = pyenv
        .as_ref()
        .and_then(|root| fs::canonicalize(&root.join("shims")).ok());
    let mut candidates = Vec::new();
    for entry in std::env::split_paths(sources.path.as_deref().unwrap_or_default()) {
        if entry.as_os_str().is_empty() {
            continue;
        }
        let folder = sources.working_directory.join(entry);
        match &pyenv {
            Some(root) if shims.is_some() && fs::canonicalize(&folder).ok() == shims => {
                let selected = selected_by_pyenv(root, sources);
                candidates.extend(selected.iter().flat_map(|folder| in_folder(folder, names)));
            }
            _ => candidates.extend(in_folder(&folder, names)),
        }
    }
    candidates
}

/// The `bin` folders of the versions that pyenv would choose here, best first. `system` stands for the rest of
/// `PATH`, which is searched anyway.
fn selected_by_pyenv(root: &Path, sources: &Sources) -> Vec<PathBuf> {
    let versions = root.join("versions");
    let text = match &sources.pyenv_version {
        Some(value) => value.to_string_lossy().replace(':', "\n"),
        None => pyenv_version_file(root, sources.working_directory).unwrap_or_default(),
    };
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    let words = lines.flat_map(str::split_whitespace);
    words
        .filter_map(|version| installed_pyenv_version(&versions, version))
        .map(|version| version.join("bin"))
        .collect()
}

/// The text of the nearest `.python-version`, else of pyenv's global choice.
fn pyenv_version_file(root: &Path, working_directory: &Path) -> Option<String> {
    let local = working_directory
        .ancestors()
        .map(|folder| folder.join(".python-version"));
    local
        .chain([root.join("version")])
        .find_map(|file| fs::read_to_string(&file).ok())
}

/// The folder of a version that pyenv installed. A version may be given as `python-3.12.1`, and as `3.12` for the
/// newest of its patch releases.
fn installed_pyenv_version(versions: &Path, version: &str) -> Option<PathBuf> {
    let version = version.strip_prefix("python-").unwrap_or(version);
    // A folder name; anything else would leave the folder of versions.
    if version.contains('/') || version.starts_with('.') {
        return None;
    }
    let exact = versions.join(version);
    if exact.is_dir() {
        return Some(exact);
    }
    let prefix = format!("{version}.");
    let names = fs::names(versions).ok()?.into_iter();
    let newest = names
        .filter(|name| name.to_str().is_some_and(|name| name.starts_with(&prefix)))
        .max_by_key(|name| NameHint::of(name).preference())?;
    Some(versions.join(newest))
}
