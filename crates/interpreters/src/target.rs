//! Follows links and venvs to the executable behind them, without starting anything.

use std::path::{Path, PathBuf};

use virtpy_files as fs;

use super::Error;

/// How many steps from wrapper to wrapper and venv to venv are followed.
pub(super) const REDIRECTION_LIMIT: u32 = 8;

/// The executable to start, after links and venvs have been followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// An absolute path.
    pub(super) path: PathBuf,
    /// Whether it is a shim: its answer depends on more than its own file, and is never remembered.
    pub(super) is_shim: bool,
}

/// Follows links, and venvs to their base interpreter, without starting anything. Relative paths begin at
/// `working_directory`.
///
/// # Errors
/// When there is no such file, or it belongs to a venv whose base interpreter is gone.
pub(super) fn target(executable: &Path, working_directory: &Path) -> Result<Target, Error> {
    let mut path = working_directory.join(executable);
    path = std::path::absolute(&path).unwrap_or(path);
    for _ in 0..REDIRECTION_LIMIT {
        let real = match fs::canonicalize(&path) {
            Ok(real) => real,
            Err(error) if !error.is_not_found() => {
                return Err(Error::Start { executable: executable.to_path_buf(), source: error.source });
            }
            Err(_) => {
                return Err(match venv_of(&path) {
                    Some((venv, _)) => Error::BrokenVenv { venv },
                    None => Error::Missing { path: executable.to_path_buf() },
                });
            }
        };
        if real.file_name() != path.file_name() && !has_interpreter_name(&real) {
            // One program under many names, which looks at the name it was called by.
            return Ok(Target { path, is_shim: true });
        }
        let Some((venv, settings)) = venv_of(&real) else {
            let is_shim = real.parent().is_some_and(|folder| folder.ends_with("shims"));
            return Ok(Target { path: real, is_shim });
        };
        path = base_of_venv(&settings, &real).ok_or(Error::BrokenVenv { venv })?;
    }
    Err(Error::Endless { executable: executable.to_path_buf() })
}

/// The program that would be run for an executable: in a venv whose `python` is a copy it is the base interpreter's. `None`
/// where it leads to none.
pub fn real_program(executable: &Path, working_directory: &Path) -> Option<PathBuf> {
    fs::canonicalize(&target(executable, working_directory).ok()?.path).ok()
}

/// The venv that an executable stands in, and the content of its `pyvenv.cfg`. `CPython` looks for that
/// file beside the executable and one folder up (PEP 405).
fn venv_of(executable: &Path) -> Option<(PathBuf, String)> {
    let folders = executable.ancestors().skip(1).take(2);
    folders.map(Path::to_path_buf).find_map(|folder| {
        let settings = fs::read_to_string(&folder.join("pyvenv.cfg")).ok()?;
        setting(&settings, "home").is_some().then_some((folder, settings))
    })
}

/// A value of a `pyvenv.cfg`.
fn setting<'a>(settings: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = settings.lines().filter_map(|line| line.split_once('='));
    pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The interpreter that a venv whose `python` is a copy was made from.
fn base_of_venv(settings: &str, executable: &Path) -> Option<PathBuf> {
    let home = Path::new(setting(settings, "home")?);
    let version = setting(settings, "version").or_else(|| setting(settings, "version_info"));
    let numbered = version.and_then(|version| {
        let mut numbers = version.split('.');
        Some(format!("python{}.{}", numbers.next()?, numbers.next()?))
    });
    let own = executable.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let names = numbered.into_iter().chain(own).chain(["python3".to_owned(), "pypy3".to_owned()]);
    // A base that were the venv's own file would lead nowhere.
    names.map(|name| home.join(name)).find(|base| base.is_absolute() && base.is_file() && base != executable)
}

/// Whether a file is called like an interpreter, so that it is one whatever name it was reached by.
fn has_interpreter_name(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    ["python", "pypy", "graalpy"].iter().any(|prefix| name.starts_with(prefix))
}

/// Replaces Homebrew's folder of one patch version, which the next upgrade removes, by the link that it
/// keeps.
pub(super) fn stable_executable(real: &Path) -> PathBuf {
    let mut before = PathBuf::new();
    let mut parts = real.components();
    while let Some(part) = parts.next() {
        if part.as_os_str() == "Cellar"
            && let (Some(formula), Some(_version)) = (parts.next(), parts.next())
        {
            let stable = before.join("opt").join(formula).join(parts.as_path());
            if fs::canonicalize(&stable).is_ok_and(|target| target == real) {
                return stable;
            }
            break;
        }
        before.push(part);
    }
    real.to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fakes;
    use super::*;

    #[test]
    fn a_venv_stands_for_its_base_interpreter() {
        let fakes = Fakes::new();
        let base = fakes.python("opt/bin/python3.12", "3.12.1");
        let settings = format!("home = {}\nversion = 3.12.1\n", base.parent().unwrap().display());
        fakes.file("linked/pyvenv.cfg", &settings);
        let linked = fakes.link(&base, "linked/bin/python");
        // `python -m venv --copies`, and a venv made from that one by an old Python.
        fakes.file("copied/pyvenv.cfg", &settings);
        let copied = fakes.script("copied/bin/python", "exit 1");
        fakes.file("nested/pyvenv.cfg", &format!("home = {}\n", copied.parent().unwrap().display()));
        let nested = fakes.script("nested/bin/python", "exit 1");
        for python in [linked, copied, nested] {
            assert_eq!(fakes.ask(&python).unwrap().executable, base, "{}", python.display());
        }
        assert_eq!(fakes.starts(), ["opt/bin/python3.12"]);
    }

    #[test]
    fn a_venv_without_its_base_interpreter_is_named() {
        let fakes = Fakes::new();
        fakes.file("linked/pyvenv.cfg", "home = /nowhere/bin\n");
        let linked = fakes.link(Path::new("/nowhere/bin/python3"), "linked/bin/python");
        fakes.file("copied/pyvenv.cfg", "home = /nowhere/bin\n");
        let copied = fakes.script("copied/bin/python", "exit 1");
        for python in [linked, copied] {
            let error = fakes.ask(&python).unwrap_err();
            let folder = python.ancestors().nth(2).unwrap();
            assert!(matches!(&error, Error::BrokenVenv { venv } if venv == folder), "{error}");
        }
    }

    #[test]
    fn homebrews_link_is_kept_instead_of_the_patch_versions_folder() {
        let fakes = Fakes::new();
        let real = fakes.python("brew/Cellar/python@3.12/3.12.1/bin/python3.12", "3.12.1");
        assert_eq!(fakes.ask(&real).unwrap().executable, real);
        fakes.link(&fakes.root.join("brew/Cellar/python@3.12/3.12.1"), "brew/opt/python@3.12");
        assert_eq!(stable_executable(&real), fakes.root.join("brew/opt/python@3.12/bin/python3.12"));
        let outside = fakes.root.join("Cellar");
        assert_eq!(stable_executable(&outside), outside);
    }
}
