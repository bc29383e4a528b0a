//! Which interpreter is meant: of a venv, of a request, of `.python-version`, or one that is installed for it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use virtpy_pep::{Version, accepts_python};

use crate::{Error, Host, Result, pythons};
use virtpy_files as fs;
use virtpy_interpreters::{self as interpreters, Interpreter, PythonRequest, Sources, managed};
use virtpy_store::Store;
use virtpy_venv::{BaseInterpreter, Venv};

/// What `.python-version` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The file.
    pub path: PathBuf,
    /// The versions that it names, the most wanted first; at least one.
    pub requests: Vec<String>,
}

fn parsed(text: &str) -> Result<PythonRequest> {
    text.parse().map_err(|error: interpreters::RangeError| {
        let usage = Error::usage(error.to_string());
        error.hint().into_iter().fold(usage, Error::hinted)
    })
}

impl Host {
    /// Looks through the interpreters of this machine; relative requests start from `folder`, and so does the search for
    /// `.python-version`.
    fn with_sources<T>(&self, folder: &Path, act: impl FnOnce(&Sources<'_>, &mut dyn FnMut(&str)) -> T) -> T {
        let (pythons, cache) = (self.store.pythons(), self.store.cache());
        let sources = Sources::from_environment(&pythons, &cache, folder);
        act(&sources, &mut |reason| self.detail(format_args!("skipped: {reason}")))
    }

    /// Finds the interpreter that a request means; without one, the first that works.
    ///
    /// # Errors
    /// When there is none.
    pub fn find_interpreter(&self, request: Option<&PythonRequest>) -> Result<Interpreter> {
        Ok(self.with_sources(&self.working_directory, |sources, mut tell| {
            interpreters::find_reporting(request, sources, &mut tell)
        })?)
    }

    /// Finds the interpreter for what a user typed; without it the one that `.python-version` chooses, or else the first
    /// that works.
    ///
    /// # Errors
    /// When the text is no request, or there is no such interpreter.
    pub fn wanted_interpreter(&self, text: Option<&str>) -> Result<Interpreter> {
        if let Some(text) = text {
            return self.find_interpreter(Some(&parsed(text)?));
        }
        let Some(pin) = self.pin() else { return self.find_interpreter(None) };
        let mut first = None;
        for request in &pin.requests {
            match self.find_interpreter(Some(&parsed(request)?)) {
                Ok(interpreter) => return Ok(interpreter),
                Err(error) => first = first.or(Some(error)),
            }
        }
        let missing = format!("`{}` chooses an interpreter that is not there", pin.path.display());
        first.map_or_else(|| self.find_interpreter(None), |error| Err(error.within(missing)))
    }

    /// Finds the interpreter that a request means; what the working directory prefers does not count. Installs it if it is
    /// nowhere and `downloads` allows it.
    ///
    /// # Errors
    /// When the text is no request, or there is no such interpreter and none can be installed.
    pub fn interpreter_for(&self, request: Option<&str>, downloads: bool) -> Result<Interpreter> {
        let wanted = request.map(parsed).transpose()?;
        let folder = match wanted {
            Some(PythonRequest::Path(_) | PythonRequest::Name(_)) => self.working_directory.as_path(),
            // Where no `.python-version` is.
            _ => Path::new("/"),
        };
        let find = || self.with_sources(folder, |sources, _| interpreters::find(wanted.as_ref(), sources));
        let can_be_installed = matches!(
            wanted,
            None | Some(PythonRequest::Any | PythonRequest::Version(_) | PythonRequest::Range(_))
        );
        match find() {
            Err(error @ interpreters::Error::NotFound { .. }) if downloads && can_be_installed => {
                let version = request.unwrap_or("3");
                self.detail(&error);
                self.message(format_args!("Python {version} not found; installing it"));
                pythons::install_for(self, version)?;
                Ok(find()?)
            }
            found => Ok(found?),
        }
    }

    /// The nearest `.python-version` from here upwards that names versions. Names of virtual environments, which pyenv
    /// also keeps there, mean nothing here.
    pub fn pin(&self) -> Option<Pin> {
        let path = self
            .working_directory
            .ancestors()
            .map(|folder| folder.join(".python-version"))
            .find(|path| fs::metadata(path).is_ok())?;
        let text = fs::read_to_string(&path).ok()?;
        let words =
            text.lines().flat_map(|line| line.split('#').next().unwrap_or_default().split_whitespace());
        let is_version =
            |word: &&str| matches!(word.parse(), Ok(PythonRequest::Version(_) | PythonRequest::Range(_)));
        let requests: Vec<String> = words.filter(is_version).map(str::to_owned).collect();
        (!requests.is_empty()).then_some(Pin { path, requests })
    }

    /// Every interpreter of this machine, the first one that would be taken first.
    pub fn interpreters(&self) -> Vec<Interpreter> {
        self.with_sources(&self.working_directory, |sources, mut tell| {
            interpreters::find_all_reporting(sources, &mut tell)
        })
    }

    /// The interpreters to try where one did not do: those of this machine with another minor version, the newest first.
    pub(crate) fn other_minors(&self, tried: &Interpreter) -> Vec<Interpreter> {
        let minor = |one: &Interpreter| (one.version.major, one.version.minor);
        let mut seen = vec![minor(tried)];
        let mut all = self.with_sources(Path::new("/"), |sources, _| interpreters::find_all(sources));
        all.retain(|one| {
            one.implementation == "cpython" && !one.free_threaded && one.version.suffix.is_empty()
        });
        all.sort_by_key(|one| std::cmp::Reverse(minor(one)));
        all.retain(|one| {
            let is_new = !seen.contains(&minor(one));
            seen.push(minor(one));
            is_new
        });
        all
    }

    /// Whose each of these interpreters is.
    pub fn origins(&self, interpreters: &[Interpreter]) -> Vec<&'static str> {
        self.with_sources(&self.working_directory, |sources, _| {
            interpreters.iter().map(|one| sources.origin(&one.executable)).collect()
        })
    }

    /// The facts of the interpreter that a venv was made from.
    ///
    /// # Errors
    /// When it is gone or does not run.
    pub fn interpreter(&self, venv: &Venv) -> Result<Interpreter> {
        let executable = fs::canonicalize(&venv.python()).map_err(|error| {
            if !error.is_not_found() {
                return Error::from(error).within(format!(
                    "the interpreter of the venv at `{}` cannot be read",
                    venv.root.display()
                ));
            }
            let known = venv.config.get("executable").unwrap_or("an unknown interpreter");
            Error::new(format!("`{known}`, which this venv was made from, is gone"))
                .hinted(self.interpreter_hint(venv))
        })?;
        self.demand_known_interpreter(venv, &executable)?;
        let mut interpreter = interpreters::query(&executable, &self.store.cache())?;
        // By the link of its minor version, if the venv goes that way.
        if let Some(named) = fs::read_link(&venv.python()).ok()
            && let Some(stable) = managed::as_named(&self.store.pythons(), &named, &interpreter.executable)
        {
            interpreter.executable = stable;
        }
        Ok(interpreter)
    }

    /// Refuses to run the interpreter of a venv that the store does not know, unless it is one of this machine's: a repository
    /// may ship a venv whose `bin/python` is any program.
    fn demand_known_interpreter(&self, venv: &Venv, executable: &Path) -> Result<()> {
        let store = self.believed_store(venv);
        if store.is_some_and(|store| venv.is_proven(&store)) {
            return Ok(());
        }
        let program = interpreters::real_program(executable, &self.working_directory);
        let is_it = |known: &Interpreter| {
            known.executable == executable
                || program.is_some() && fs::canonicalize(&known.executable).ok() == program
        };
        if self.interpreters().iter().any(is_it) {
            return Ok(());
        }
        Err(Error::new(format!(
            "the venv at `{}` is not known to the store, and its interpreter `{}` is none of this machine's; it was not run",
            venv.root.display(),
            executable.display()
        ))
        .hinted("if you trust it, name it: `virtpy relink --python PATH`"))
    }

    /// The store of a venv, if it is believed: the configured one, the one of this user that is used without configuration, or
    /// one that this user has used before. Editors and scheduled jobs have no `VIRTPY_HOME`, so a venv may name its store.
    pub fn believed_store(&self, venv: &Venv) -> Option<Store> {
        let Some(named) = venv.store_home() else { return Some(self.store.clone()) };
        let is_it = |home: &Path| named.is_absolute() && is_same_place(home, &named);
        if is_it(self.store.home()) {
            return Some(self.store.beside(self.store.home().to_path_buf()));
        }
        self.caller()
            .believed_stores()
            .into_iter()
            .find(|home| is_it(home))
            .map(|home| self.store.beside(home))
    }

    /// The folders of packages that a venv sees beside its own, in the order in which they are searched: the user's, then
    /// the base interpreter's. None if the interpreter does not tell.
    pub fn system_site(&self, venv: &Venv) -> Vec<PathBuf> {
        self.interpreter(venv).map_or_else(|_| Vec::new(), |interpreter| system_site_of(&interpreter))
    }

    /// What to do for a venv whose interpreter is gone.
    pub fn interpreter_hint(&self, venv: &Venv) -> String {
        let version = venv.layout.python_version();
        let home = venv.config.get("home").map(Path::new);
        match home.and_then(|home| managed::name_in(&self.store.pythons(), home)) {
            Some(name) => format!(
                "`virtpy python install {name}` brings it back; `virtpy relink` takes another {version}"
            ),
            None => format!(
                "give the venv another {version} with `virtpy relink`; `virtpy python install {version}` installs one"
            ),
        }
    }

    /// Whether an interpreter is one that a user asks for.
    ///
    /// # Errors
    /// When the text is no request, or names an interpreter that is not there.
    pub fn is_wanted(&self, text: &str, interpreter: &Interpreter) -> Result<bool> {
        let request = parsed(text)?;
        Ok(match request {
            PythonRequest::Path(_) | PythonRequest::Name(_) => {
                self.find_interpreter(Some(&request))?.executable == interpreter.executable
            }
            _ => request.matches(interpreter),
        })
    }
}

/// Whether two paths lead to the same place; one that is not there is told by its path.
pub fn is_same_place(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    one == other || real(one) == real(other)
}

/// The folders of packages that a venv of this interpreter may see beside its own.
pub fn system_site_of(interpreter: &Interpreter) -> Vec<PathBuf> {
    let user = user_site(interpreter, &|name| std::env::var_os(name));
    user.into_iter().chain(interpreter.packages.iter().cloned()).collect()
}

/// The user's own folder of packages, as `site` finds it; `None` where that is switched off.
fn user_site(interpreter: &Interpreter, variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("PYTHONNOUSERSITE").is_some() {
        return None;
    }
    let base = set("PYTHONUSERBASE").map(PathBuf::from);
    let base = base.or_else(|| Some(PathBuf::from(set("HOME")?).join(".local")))?;
    base.is_absolute().then(|| base.join(&interpreter.purelib))
}

/// Whether `requires-python` (PEP 440 specifiers) admits an interpreter. What cannot be read admits all: whoever resolves
/// says what is wrong with it.
pub fn admits(required: &str, interpreter: &Interpreter) -> bool {
    let version = interpreter.version.to_string().parse::<Version>();
    version.is_ok_and(|version| accepts_python(required, &version).unwrap_or(true))
}

/// What a venv needs to know of an interpreter.
pub fn base(interpreter: &Interpreter) -> BaseInterpreter {
    // The `python3.12` of `lib/python3.12/site-packages`.
    let library = interpreter.purelib.iter().nth(1).map(|name| name.to_string_lossy().into_owned());
    BaseInterpreter {
        executable: interpreter.executable.clone(),
        version: interpreter.version.to_string(),
        library: library.unwrap_or_else(|| format!("python{}", interpreter.tag())),
        names: interpreter.executable_names(),
        lib64: cfg!(target_os = "linux") && interpreter.pointer_width == 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_packages_are_where_python_looks_for_them() {
        let facts = serde_json::json!({
            "executable": "/usr/bin/python3.12", "version": "3.12.1", "implementation": "cpython", "prefix": "/usr",
            "stdlib": "/usr/lib/python3.12", "purelib": "lib/python3.12/site-packages",
            "platlib": "lib64/python3.12/site-packages", "packages": ["/usr/lib/python3.12/site-packages"],
            "platlibdir": "lib64", "free_threaded": false, "abi_flags": "", "cache_tag": "cpython-312", "magic": "cb0d0d0a", "soabi": null, "extension_suffix": null,
            "platform": "linux-x86_64", "pointer_width": 64, "libc": null, "macos": null, "markers": {},
        });
        let interpreter: Interpreter = serde_json::from_value(facts).unwrap();
        let found = |variables: &[(&str, &str)]| {
            let variable = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
            };
            user_site(&interpreter, &variable).map(|path| path.display().to_string())
        };
        let home = ("HOME", "/home/me");
        let site = "lib/python3.12/site-packages";
        assert_eq!(found(&[home]), Some(format!("/home/me/.local/{site}")));
        assert_eq!(found(&[home, ("PYTHONUSERBASE", "/opt/mine")]), Some(format!("/opt/mine/{site}")));
        assert_eq!(found(&[home, ("PYTHONNOUSERSITE", "1")]), None);
        assert_eq!(found(&[home, ("PYTHONNOUSERSITE", "")]), Some(format!("/home/me/.local/{site}")));
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[("PYTHONUSERBASE", "relative")]), None);
    }
}
