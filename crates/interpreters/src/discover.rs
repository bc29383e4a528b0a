//! Where interpreters are looked for, and in which order.
//!
//! Candidates are only names until one may match; then it is asked, and the search ends at the first match.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use virtpy_files as fs;

use super::hint::NameHint;
use super::managed::{as_named, installed, through_minor};
use super::query::{Prober, TIMEOUT};
use super::request::{PythonRequest, all_executable_names};
use super::sources::Sources;
use super::target::target;
use super::{Error, Interpreter, pyenv};

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
/// A path is taken as it is. Otherwise these are searched: the interpreters that virtpy installed, `PATH`,
/// pyenv's versions, the places of the system and of other tools. Without a version to look for, `PATH` comes
/// first.
///
/// # Errors
/// When nothing matches, what a path leads to is no usable interpreter, or the request is for a version that
/// is too old.
pub fn find(request: Option<&PythonRequest>, sources: &Sources) -> Result<Interpreter, Error> {
    find_reporting(request, sources, &mut |_| {})
}

/// Finds an interpreter as [`find`] does; `on_skipped` hears what is wrong with those that were passed over because they do
/// not work.
///
/// One that virtpy installed is named by the link of its minor version, which newer patch releases take over, unless the
/// request is for one release only.
///
/// # Errors
/// As [`find`].
pub fn find_reporting(
    request: Option<&PythonRequest>,
    sources: &Sources,
    on_skipped: &mut dyn FnMut(&str),
) -> Result<Interpreter, Error> {
    let mut interpreter = find_real(request, sources, on_skipped)?;
    let stable = match request {
        Some(PythonRequest::Version(version)) if version.is_exact() => None,
        Some(PythonRequest::Path(path)) => {
            as_named(sources.pythons, &sources.working_directory.join(path), &interpreter.executable)
        }
        _ => through_minor(sources.pythons, &interpreter.executable),
    };
    interpreter.executable = stable.unwrap_or(interpreter.executable);
    Ok(interpreter)
}

fn find_real(
    request: Option<&PythonRequest>,
    sources: &Sources,
    on_skipped: &mut dyn FnMut(&str),
) -> Result<Interpreter, Error> {
    let request = request.unwrap_or(&PythonRequest::Any);
    match request {
        PythonRequest::Path(path) => return at_path(path, sources),
        PythonRequest::Name(name) if fs::metadata(&sources.working_directory.join(name)).is_ok() => {
            return at_path(Path::new(name), sources);
        }
        PythonRequest::Name(name) => {
            let known = installed(sources.pythons);
            if let Some(one) = known.iter().find(|one| one.record.name == *name) {
                return inquiry(sources).ask(&one.executable());
            }
        }
        PythonRequest::Version(version) if version.is_too_old() => {
            return Err(Error::RequestTooOld { request: request.to_string() });
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
    search.broken.iter().for_each(|reason| on_skipped(reason));
    match found {
        ControlFlow::Break(interpreter) => Ok(interpreter),
        ControlFlow::Continue(()) => Err(not_found(request, sources, search.broken)),
    }
}

/// Returns every interpreter that works, each once, best first: the first one is what [`find`] returns
/// without a request.
pub fn find_all(sources: &Sources) -> Vec<Interpreter> {
    find_all_reporting(sources, &mut |_| {})
}

/// Finds every interpreter as [`find_all`] does; `on_skipped` hears what is wrong with those that were passed over because
/// they do not work.
pub fn find_all_reporting(sources: &Sources, on_skipped: &mut dyn FnMut(&str)) -> Vec<Interpreter> {
    let mut found: Vec<Interpreter> = Vec::new();
    let mut search = Search::new(sources);
    let _: ControlFlow<()> = search.run(None, &all_executable_names(), &mut |interpreter| {
        if found.iter().all(|other| other.executable != interpreter.executable) {
            found.push(interpreter);
        }
        ControlFlow::Continue(())
    });
    search.broken.iter().for_each(|reason| on_skipped(reason));
    found
}

fn not_found(request: &PythonRequest, sources: &Sources, broken: Vec<String>) -> Error {
    let describe = |interpreter: Interpreter| {
        let threading = if interpreter.free_threaded { "t" } else { "" };
        let name = match interpreter.implementation.as_str() {
            "cpython" => String::new(),
            other => format!("{other} "),
        };
        (format!("{name}{}{threading}", interpreter.version), interpreter.executable)
    };
    let found = find_all(sources).into_iter().map(describe).collect();
    let request = (*request != PythonRequest::Any).then(|| request.to_string());
    Error::NotFound { request, found, broken }
}

/// The interpreter at a path that the user named: an executable, or a folder with one in its `bin`.
fn at_path(path: &Path, sources: &Sources) -> Result<Interpreter, Error> {
    let absolute = sources.working_directory.join(path);
    if !absolute.is_dir() {
        return inquiry(sources).ask(path);
    }
    let names = ["bin/python", "bin/python3", "bin/pypy3", "python", "python3"];
    let exists = |file: &PathBuf| fs::symlink_metadata(file).is_ok_and(|metadata| !metadata.is_dir());
    let executable = names.iter().map(|name| absolute.join(name)).find(exists);
    let executable = executable.ok_or_else(|| Error::NoInterpreterInFolder { folder: path.to_path_buf() })?;
    inquiry(sources).ask(&executable)
}

fn inquiry<'a>(sources: &'a Sources<'_>) -> Prober<'a> {
    Prober { cache: sources.cache, working_directory: sources.working_directory, timeout: TIMEOUT }
}

/// One pass over the places.
struct Search<'a> {
    sources: &'a Sources<'a>,
    /// The executables that have been asked.
    seen: HashSet<PathBuf>,
    /// What is wrong with those that did not work.
    broken: Vec<String>,
}

impl<'a> Search<'a> {
    fn new(sources: &'a Sources<'a>) -> Self {
        Self { sources, seen: HashSet::new(), broken: Vec::new() }
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
            // A command of one's own is only looked for where commands are.
            if place != Place::Path && matches!(request, PythonRequest::Name(_)) {
                continue;
            }
            for candidate in candidates(place, self.sources, names) {
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
        let inquiry = inquiry(self.sources);
        let result = target(&candidate.path, self.sources.working_directory).and_then(|target| {
            // The file behind `python3` is often called `python3.11`, which may settle it.
            let may_match = request.may_match(&NameHint::of(target.path.file_name().unwrap_or_default()));
            let is_new = self.seen.insert(target.path);
            if may_match && is_new { inquiry.ask(&candidate.path).map(Some) } else { Ok(None) }
        });
        result.unwrap_or_else(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            self.broken.push(format!("{error}{}", cause.unwrap_or_default()));
            None
        })
    }
}

/// What may be an interpreter in a place, best first. The files are looked at when their turn comes.
fn candidates<'a>(
    place: Place,
    sources: &'a Sources,
    names: &'a [String],
) -> Box<dyn Iterator<Item = Candidate> + 'a> {
    match place {
        Place::Managed => {
            // Those whose record says where in their folder they are, then whatever else looks like one.
            let recorded = installed(sources.pythons).into_iter().map(|one| {
                let hint = match one.record.python_version() {
                    Some(_) => NameHint::of(OsStr::new(&one.record.name)),
                    None => NameHint::default(),
                };
                Candidate { path: one.executable(), hint }
            });
            Box::new(recorded.chain(in_installations(sources.pythons)))
        }
        Place::Path => {
            Box::new(path_folders(sources).into_iter().flat_map(|folder| in_folder(folder, names)))
        }
        Place::Pyenv => {
            let root = sources.pyenv_root().into_iter();
            Box::new(root.flat_map(|root| in_installations(&root.join("versions"))))
        }
        Place::System => {
            let folders = sources.system_folders.iter().cloned();
            let installations = sources.installation_folders.iter();
            let installed = installations.flat_map(|folder| in_installations(&folder.0));
            Box::new(folders.flat_map(|folder| in_folder(folder, names)).chain(installed))
        }
    }
}

/// The executables of a folder that have one of the names, in the order of the names.
fn in_folder(folder: PathBuf, names: &[String]) -> impl Iterator<Item = Candidate> {
    let paths = names.iter().map(move |name| (folder.join(name), NameHint::of(OsStr::new(name))));
    paths.filter(|(path, _)| is_executable(path)).map(|(path, hint)| Candidate { path, hint })
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && fs::is_executable(&metadata))
}

/// One executable of every installation in a folder of installations, the most wanted first.
fn in_installations(folder: &Path) -> impl Iterator<Item = Candidate> + use<> {
    let mut names = fs::names(folder).unwrap_or_default();
    names.retain(|name| !name.as_encoded_bytes().starts_with(b"."));
    names.sort();
    let mut installations: Vec<_> =
        names.into_iter().map(|name| (NameHint::of(&name), folder.join(name).join("bin"))).collect();
    installations.sort_by_cached_key(|(hint, _)| std::cmp::Reverse(hint.preference()));
    installations.into_iter().filter_map(|(hint, binaries)| {
        let executables = ["python3", "python", "pypy3"].map(|name| binaries.join(name));
        let path = executables.into_iter().find(|path| is_executable(path))?;
        Some(Candidate { path, hint })
    })
}

/// The folders of `PATH`, with pyenv's shims replaced by what they stand for here.
fn path_folders(sources: &Sources) -> Vec<PathBuf> {
    let pyenv = sources.pyenv_root();
    let shims = pyenv.as_ref().and_then(|root| fs::canonicalize(&root.join("shims")).ok());
    let mut folders = Vec::new();
    for entry in std::env::split_paths(sources.path.as_deref().unwrap_or_default()) {
        if entry.as_os_str().is_empty() {
            continue;
        }
        let folder = sources.working_directory.join(entry);
        match &pyenv {
            Some(root) if shims.is_some() && fs::canonicalize(&folder).ok() == shims => {
                folders.extend(pyenv::selected_folders(root, sources));
            }
            _ => folders.push(folder),
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fakes;
    use super::*;

    #[test]
    fn places_are_searched_in_their_order() {
        let fakes = Fakes::new();
        let interpreters = [
            ("pythons/cpython-3.12.1/bin/python3", "3.12.1"),
            ("a/python3", "3.12.2"),
            (".pyenv/versions/3.12.3/bin/python3", "3.12.3"),
            ("usr/bin/python3.12", "3.12.4"),
            ("others/cpython-3.12.5-linux/bin/python3", "3.12.5"),
        ];
        for (path, version) in interpreters {
            fakes.python(path, version);
        }
        let mut sources = fakes.sources();
        sources.path = Some(fakes.path(&["missing", "a"]));
        sources.home = Some(fakes.root.clone());
        sources.system_folders = vec![fakes.root.join("usr/bin")];
        sources.installation_folders = vec![(fakes.root.join("others"), "uv")];
        assert_eq!(fakes.find("", &sources).unwrap(), "a/python3");
        assert_eq!(fakes.find("3.12", &sources).unwrap(), "pythons/cpython-3.12.1/bin/python3");
        for (path, version) in interpreters {
            assert_eq!(fakes.find(version, &sources).unwrap(), path);
        }
        let all: Vec<_> = find_all(&sources).iter().map(|python| python.version.micro).collect();
        assert_eq!(all, [2, 1, 3, 4, 5]);
    }

    #[test]
    fn only_what_may_match_is_started_and_only_once() {
        let fakes = Fakes::new();
        for version in ["3.8.18", "3.11.7", "3.11.9", "3.11.10", "3.12.1"] {
            fakes.python(&format!("pythons/{version}/bin/python3"), version);
        }
        fakes.python("a/python3.8", "3.8.1");
        fakes.link(&fakes.root.join("a/python3.8"), "a/python3");
        let mut sources = fakes.sources();
        sources.path = Some(fakes.path(&["a"]));
        for _ in 0..2 {
            assert_eq!(fakes.find("3.11", &sources).unwrap(), "pythons/3.11.10/bin/python3");
            assert_eq!(fakes.find(">=3.9,<3.12", &sources).unwrap(), "pythons/3.11.10/bin/python3");
        }
        assert_eq!(fakes.starts(), ["pythons/3.11.10/bin/python3"]);
        assert!(fakes.find("3.13", &sources).is_err());
    }

    #[test]
    fn the_newest_fitting_one_of_a_folder_answers_a_range() {
        let fakes = Fakes::new();
        for (name, version) in [("python3", "3.9.2"), ("python3.11", "3.11.2"), ("python3.13", "3.13.0")] {
            fakes.python(&format!("a/{name}"), version);
        }
        fakes.python("b/python3.12", "3.12.1");
        let mut sources = fakes.sources();
        sources.path = Some(fakes.path(&["a", "b"]));
        assert_eq!(fakes.find("<3.13", &sources).unwrap(), "a/python3.11");
        assert_eq!(fakes.find(">3.11.2,<3.13", &sources).unwrap(), "b/python3.12");
        assert_eq!(fakes.find("3", &sources).unwrap(), "a/python3");
    }

    #[test]
    fn broken_interpreters_are_passed_over_and_named_when_nothing_else_is_left() {
        let fakes = Fakes::new();
        fakes.script("a/python3", "echo 'no libpython' >&2; exit 127");
        fakes.python("b/python3", "3.12.1");
        let mut sources = fakes.sources();
        sources.path = Some(fakes.path(&["a", "b"]));
        assert_eq!(fakes.find("", &sources).unwrap(), "b/python3");
        let error = fakes.find("3.14", &sources).unwrap_err();
        let message = error.to_string();
        let found = format!("no Python 3.14 found\nfound:\n  3.12.1 at {}/b/python3\n", fakes.root.display());
        assert!(message.starts_with(&found), "{message}");
        assert!(message.contains("not usable:\n  ") && message.contains("no libpython"), "{message}");
        assert!(error.hint().unwrap().contains("-p /path/to/python"));
        sources.path = None;
        assert_eq!(fakes.find("", &sources).unwrap_err().to_string(), "no Python interpreter found");
    }

    #[test]
    fn paths_lead_to_executables_venvs_and_installations() {
        let fakes = Fakes::new();
        let base = fakes.python("opt/python/bin/python3", "3.12.1");
        fakes.file("venv/pyvenv.cfg", &format!("home = {}\n", base.parent().unwrap().display()));
        fakes.link(&base, "venv/bin/python");
        fakes.file("empty/file", "");
        let sources = fakes.sources();
        let paths = [
            "./opt/python/bin/python3",
            "opt/python",
            "opt/python/bin/",
            "./venv",
            "venv",
            "venv/bin/python",
        ];
        for path in paths {
            assert_eq!(fakes.find(path, &sources).unwrap(), "opt/python/bin/python3", "{path}");
        }
        let absolute = fakes.root.join("venv").display().to_string();
        assert_eq!(fakes.find(&absolute, &sources).unwrap(), "opt/python/bin/python3");
        assert!(matches!(fakes.find("./empty", &sources), Err(Error::NoInterpreterInFolder { .. })));
        assert!(matches!(fakes.find("./missing", &sources), Err(Error::Missing { .. })));
        fakes.file("gone/pyvenv.cfg", "home = /nowhere\n");
        fakes.link(Path::new("/nowhere/python"), "gone/bin/python");
        assert!(matches!(fakes.find("./gone", &sources), Err(Error::BrokenVenv { .. })));
    }

    #[test]
    fn a_command_of_any_name_is_looked_for_on_path_only() {
        let fakes = Fakes::new();
        fakes.python("a/my-interpreter", "3.12.1");
        fakes.python("pythons/3.13.0/bin/python3", "3.13.0");
        let mut sources = fakes.sources();
        sources.path = Some(fakes.path(&["a"]));
        assert_eq!(fakes.find("my-interpreter", &sources).unwrap(), "a/my-interpreter");
        assert!(matches!(fakes.find("other", &sources), Err(Error::NotFound { .. })));
    }

    #[test]
    fn versions_before_the_oldest_are_refused_without_a_search() {
        let fakes = Fakes::new();
        fakes.python("pythons/3.7.16/bin/python3", "3.7.16");
        let error = fakes.find("3.7", &fakes.sources()).unwrap_err();
        assert!(matches!(error, Error::RequestTooOld { .. }), "{error}");
        assert!(error.hint().unwrap().contains("3.8 and newer"));
        assert!(matches!(fakes.find("", &fakes.sources()), Err(Error::NotFound { .. })));
        assert!(fakes.starts().is_empty());
    }
}
