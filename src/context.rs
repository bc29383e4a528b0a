//! Directories and settings, read once.

mod places;
mod trust;
mod which;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use virtpy_pep::MarkerEnvironment;
use virtpy_resolver::{IndexSettings, RequirementsFiles, Session, SessionOptions, Surroundings, Transfer};

use crate::cli::IndexArguments;
use crate::downloads::USER_AGENT;
use crate::error::Failure;
use crate::fs;
use crate::interpreters::{self, Interpreter, PythonRequest, Sources, managed};
use crate::output::Output;
use crate::resolve::{ResolveError, StoredWheels};
use crate::settings::Settings;
use crate::store::Store;
use crate::venv::{self, Venv};

pub use which::active_venv;

/// What `.python-version` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The file.
    pub path: PathBuf,
    /// The versions that it names, the most wanted first; at least one.
    pub requests: Vec<String>,
}

/// What every command needs.
#[derive(Debug)]
pub struct Context {
    /// The store in `$VIRTPY_HOME`.
    pub store: Store,
    /// The folder that the command was called in, absolute.
    pub working_directory: PathBuf,
    /// What the user sees.
    pub output: Output,
    settings: OnceLock<Settings>,
}

/// Refuses a place of the store that could not be named in the files that name it: `pyvenv.cfg` has a line for it, scripts
/// and JSON have UTF-8.
fn check_home(home: &Path) -> Result<(), Failure> {
    let why = match home.to_str() {
        None => "it is not UTF-8",
        Some(text) if text.chars().any(char::is_control) => {
            "it has a line break or another control character"
        }
        Some(text) if text.ends_with(char::is_whitespace) => "it ends with a blank",
        Some(_) => return Ok(()),
    };
    let shown = home.to_string_lossy();
    Err(Failure::new(format!("the store cannot be in `{}`: {why}", shown.escape_debug()))
        .hinted("set `VIRTPY_HOME` to another folder"))
}

impl Context {
    /// Reads the environment.
    ///
    /// # Errors
    /// When there is no present folder, or no home to keep a store in.
    pub fn new(output: Output) -> Result<Self, Failure> {
        let working_directory = std::env::current_dir()
            .map_err(|error| Failure::new(format!("the present folder cannot be used: {error}")))?;
        let home = match std::env::var_os("VIRTPY_HOME").filter(|home| !home.is_empty()) {
            Some(home) => working_directory.join(home),
            None => places::default_home().ok_or_else(|| {
                Failure::new("there is no home folder to keep the store in")
                    .hinted("set `VIRTPY_HOME` to the folder that shall hold it")
            })?,
        };
        check_home(&home)?;
        Ok(Self::of(Store::new(home), working_directory, output))
    }

    /// What a command needs that works on another store, or in another place.
    pub fn of(store: Store, working_directory: PathBuf, output: Output) -> Self {
        Self { store, working_directory, output, settings: OnceLock::new() }
    }

    /// The user's settings.
    ///
    /// # Errors
    /// When they make no sense.
    pub fn settings(&self) -> Result<&Settings, Failure> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let settings = Settings::read(&|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
        Ok(self.settings.get_or_init(|| settings))
    }

    /// Finds the interpreter that a request means; without one, the first that works.
    ///
    /// # Errors
    /// When there is none.
    pub fn find_interpreter(&self, request: Option<&PythonRequest>) -> Result<Interpreter, Failure> {
        let (pythons, cache) = (self.store.pythons(), self.store.cache());
        let sources = Sources::from_environment(&pythons, &cache, &self.working_directory);
        let mut tell = |reason: &str| self.output.detail(format_args!("skipped: {reason}"));
        Ok(interpreters::find_telling(request, &sources, &mut tell)?)
    }

    /// Finds the interpreter for what a user typed; without it the one that `.python-version` chooses, or else the first
    /// that works.
    ///
    /// # Errors
    /// When the text is no request, or there is no such interpreter.
    pub fn wanted_interpreter(&self, text: Option<&str>) -> Result<Interpreter, Failure> {
        let parse =
            |text: &str| text.parse::<PythonRequest>().map_err(|error| Failure::usage(error.to_string()));
        if let Some(text) = text {
            return self.find_interpreter(Some(&parse(text)?));
        }
        let Some(pin) = self.pin() else { return self.find_interpreter(None) };
        let mut first = None;
        for request in &pin.requests {
            match self.find_interpreter(Some(&parse(request)?)) {
                Ok(interpreter) => return Ok(interpreter),
                Err(failure) => first = first.or(Some(failure)),
            }
        }
        match first {
            Some(failure) => {
                Err(failure
                    .within(format!("`{}` chooses an interpreter that is not there", pin.path.display())))
            }
            None => self.find_interpreter(None),
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
        let (pythons, cache) = (self.store.pythons(), self.store.cache());
        let sources = Sources::from_environment(&pythons, &cache, &self.working_directory);
        let mut tell = |reason: &str| self.output.detail(format_args!("skipped: {reason}"));
        interpreters::find_all_telling(&sources, &mut tell)
    }

    /// Whose each of these interpreters is.
    pub fn origins(&self, interpreters: &[Interpreter]) -> Vec<&'static str> {
        let (pythons, cache) = (self.store.pythons(), self.store.cache());
        let sources = Sources::from_environment(&pythons, &cache, &self.working_directory);
        interpreters.iter().map(|one| sources.origin(&one.executable)).collect()
    }

    /// The facts of the interpreter that a venv was made from.
    ///
    /// # Errors
    /// When it is gone or does not run.
    pub fn interpreter(&self, venv: &Venv) -> Result<Interpreter, Failure> {
        let executable = fs::canonicalize(&venv.python()).map_err(|error| {
            if !error.is_not_found() {
                return Failure::from(error).within(format!(
                    "the interpreter of the venv at `{}` cannot be read",
                    venv.root.display()
                ));
            }
            let known = venv.config.get("executable").unwrap_or("an unknown interpreter");
            Failure::new(format!("`{known}`, which this venv was made from, is gone")).hinted(self.mend(venv))
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
    fn demand_known_interpreter(&self, venv: &Venv, executable: &Path) -> Result<(), Failure> {
        let store = self.believed_store(venv);
        let program = interpreters::real_program(executable, &self.working_directory);
        if store.is_some_and(|store| venv::is_proven(&store, &venv.root))
            || self.interpreters().iter().any(|known| {
                known.executable == executable
                    || program.is_some() && fs::canonicalize(&known.executable).ok() == program
            })
        {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the venv at `{}` is not known to the store, and its interpreter `{}` is none of this machine's; it was not run",
            venv.root.display(),
            executable.display()
        ))
        .hinted("if you trust it, name it: `virtpy relink --python PATH`"))
    }

    /// The folders of packages that a venv sees beside its own, in the order in which they are searched: the user's, then
    /// the base interpreter's. None if the interpreter does not tell.
    pub fn system_site(&self, venv: &Venv) -> Vec<PathBuf> {
        self.interpreter(venv).map_or_else(|_| Vec::new(), |interpreter| Self::system_site_of(&interpreter))
    }

    /// The same for a venv of this interpreter.
    pub fn system_site_of(interpreter: &Interpreter) -> Vec<PathBuf> {
        let user = user_site(interpreter, &|name| std::env::var_os(name));
        user.into_iter().chain(interpreter.packages.iter().cloned()).collect()
    }

    /// What to do for a venv whose interpreter is gone.
    pub fn mend(&self, venv: &Venv) -> String {
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

    /// What tells this interpreter's builds of source distributions from another's.
    pub fn build_key(interpreter: &Interpreter) -> String {
        format!("{} {} {}", interpreter.implementation, interpreter.tag(), interpreter.platform)
    }

    /// The markers of an interpreter (PEP 508).
    ///
    /// # Errors
    /// When it does not tell them all.
    pub fn markers(interpreter: &Interpreter) -> Result<MarkerEnvironment, Failure> {
        MarkerEnvironment::from_values(&interpreter.markers).map_err(|error| Failure::new(error.to_string()))
    }

    /// A connection to the indexes, with what [`Self::index_settings`] read. Nothing is connected yet.
    pub fn session(&self, interpreter: &Interpreter, settings: IndexSettings) -> Session {
        let cache_dir = self.store.cache().join("resolver");
        // It keeps whole addresses, with what proves who asks. Where this fails, so does the session, and tells it.
        let _ = fs::create_private_dir(&cache_dir);
        Session::new(SessionOptions {
            cache_dir,
            python: interpreter.executable.clone(),
            tags: interpreter.tags(),
            settings,
            user_agent: USER_AGENT.to_owned(),
            local_wheels: Some(Arc::new(StoredWheels::new(self.store.clone()))),
        })
    }

    /// Reads requirements files and files of constraints, each once, with what they include. Paths start from the present folder.
    ///
    /// # Errors
    /// When one cannot be read or understood.
    pub fn requirements_files(
        &self,
        requirements: &[PathBuf],
        constraints: &[PathBuf],
        settings: &IndexSettings,
    ) -> Result<RequirementsFiles, Failure> {
        self.with_surroundings(settings, |from| RequirementsFiles::read(requirements, constraints, from))
    }

    /// Reads one requirements file without what it includes.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn requirements_file_alone(
        &self,
        file: &Path,
        settings: &IndexSettings,
    ) -> Result<RequirementsFiles, Failure> {
        self.with_surroundings(settings, |from| RequirementsFiles::read_alone(file, from))
    }

    /// Reads requirements that are no file's whole content, as if they stood in the file at `path`.
    ///
    /// # Errors
    /// When they cannot be understood.
    pub fn requirements_text(
        &self,
        path: &Path,
        text: String,
        settings: &IndexSettings,
    ) -> Result<RequirementsFiles, Failure> {
        self.with_surroundings(settings, |from| RequirementsFiles::of_text(path, text, from))
    }

    fn with_surroundings(
        &self,
        settings: &IndexSettings,
        read: impl FnOnce(Surroundings<'_>) -> Result<RequirementsFiles, virtpy_resolver::Error>,
    ) -> Result<RequirementsFiles, Failure> {
        let fetch = |url: &str, limit: u64| Transfer::new(settings, USER_AGENT).text(url, limit);
        let environment = |name: &str| std::env::var(name).ok();
        let from = Surroundings { folder: &self.working_directory, environment: &environment, fetch: &fetch };
        read(from).map_err(|error| ResolveError::from(error).into())
    }

    /// What the configuration says, overridden by the flags.
    ///
    /// # Errors
    /// When a configuration file makes no sense.
    pub fn index_settings(&self, flags: &IndexArguments) -> Result<IndexSettings, Failure> {
        let environment = |name: &str| {
            if let Some((_, value)) = flags.variables.iter().find(|(known, _)| known == name) {
                return Some(value.clone());
            }
            let is_users_own = name.starts_with("PIP_")
                || name.starts_with("UV_")
                || matches!(name, "HOME" | "XDG_CONFIG_HOME");
            if flags.isolated && is_users_own { None } else { std::env::var(name).ok() }
        };
        let mut settings = IndexSettings::discover(&environment)
            .map_err(|error| Failure::from(ResolveError::from(error)))?;
        self.settings()?.index.apply(&mut settings);
        if let Some(url) = &flags.index_url {
            settings.index_url = Some(url.clone());
            settings.no_index = false;
        }
        settings.extra_index_urls.extend(flags.extra_index_urls.iter().cloned());
        settings.find_links.extend(flags.find_links.iter().cloned());
        settings.no_index |= flags.no_index;
        settings.offline |= flags.offline;
        settings.no_binary.extend(flags.no_binary.iter().cloned());
        settings.only_binary.extend(flags.only_binary.iter().cloned());
        Ok(settings)
    }

    /// Leads the store's link to this program, for the `pip` of the venvs.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note_program(&self) -> Result<(), Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::new(format!("virtpy does not find its own program: {error}")))?;
        Ok(self.store.note_program(&program)?)
    }

    /// The same where there is such a link already.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn refresh_program(&self) -> Result<(), Failure> {
        if fs::read_link(&self.store.program()).is_ok() { self.note_program() } else { Ok(()) }
    }

    /// Tells the user that another process has to finish first.
    pub fn announce(&self) -> impl FnMut(&str) + use<> {
        let output = self.output;
        move |holder| output.message(format_args!("waiting for {holder}, which holds the store or this venv"))
    }
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
