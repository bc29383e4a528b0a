//! Where packages come from: what the configuration says, overridden by what is asked for, and the connection to it.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use virtpy_pep::MarkerEnvironment;
use virtpy_resolver::{IndexSettings, RequirementsFiles, Session, SessionOptions, Surroundings, Transfer};

use crate::downloads::USER_AGENT;
use crate::resolve::{KnownBuilds, ResolveError, StoredWheels, build_key};
use crate::tools::Origin;
use crate::{Error, Host, Result};
use virtpy_files as fs;
use virtpy_interpreters::Interpreter;

/// What is asked for of the indexes beside what is configured.
#[derive(Debug, Clone, Default)]
pub struct IndexOptions {
    /// The index to ask, instead of the configured one.
    pub index_url: Option<String>,
    /// Other indexes.
    pub extra_index_urls: Vec<String>,
    /// Folders or pages with wheels and sdists.
    pub find_links: Vec<String>,
    /// Ask no index.
    pub no_index: bool,
    /// Use only what is on this machine.
    pub offline: bool,
    /// Packages that are built from source always: names, or `:all:`.
    pub no_binary: Vec<String>,
    /// Packages that are never built from source: names, or `:all:`.
    pub only_binary: Vec<String>,
    /// Values that stand before those of the environment variables with the same names.
    pub variables: Vec<(String, String)>,
    /// Whether the user's own settings and variables are left aside.
    pub isolated: bool,
}

impl IndexOptions {
    /// The options that mean what is remembered of an application.
    pub fn of(origin: &Origin) -> Self {
        Self {
            index_url: origin.index_url.clone(),
            extra_index_urls: origin.extra_index_urls.clone(),
            find_links: origin.find_links.clone(),
            no_index: origin.no_index,
            ..Self::default()
        }
    }

    /// What is remembered of them for an application.
    pub fn origin(&self, pre: bool) -> Origin {
        Origin {
            index_url: self.index_url.clone(),
            extra_index_urls: self.extra_index_urls.clone(),
            find_links: self.find_links.clone(),
            no_index: self.no_index,
            pre,
        }
    }

    /// What `said` says goes before what these say.
    #[must_use]
    pub fn overridden(mut self, said: &Self) -> Self {
        if said.index_url.is_some() {
            self.index_url.clone_from(&said.index_url);
        }
        self.extra_index_urls.extend(said.extra_index_urls.iter().cloned());
        self.find_links.extend(said.find_links.iter().cloned());
        self.no_index |= said.no_index;
        self.offline |= said.offline;
        self.no_binary.extend(said.no_binary.iter().cloned());
        self.only_binary.extend(said.only_binary.iter().cloned());
        self
    }

    /// A variable as it counts for the indexes.
    fn variable(&self, name: &str) -> Option<String> {
        if let Some((_, value)) = self.variables.iter().find(|(known, _)| known == name) {
            return Some(value.clone());
        }
        let is_users_own =
            name.starts_with("PIP_") || name.starts_with("UV_") || matches!(name, "HOME" | "XDG_CONFIG_HOME");
        if self.isolated && is_users_own { None } else { std::env::var(name).ok() }
    }
}

/// The indexes that an operation asks. Configuration files are read when it first needs one.
#[derive(Debug, Default)]
pub struct Indexes {
    options: IndexOptions,
    settings: OnceCell<IndexSettings>,
}

impl Indexes {
    /// Those of the configuration, with these options.
    pub fn new(options: IndexOptions) -> Self {
        Self { options, settings: OnceCell::new() }
    }

    /// Those of settings that were read already.
    pub fn of(settings: IndexSettings) -> Self {
        Self { options: IndexOptions::default(), settings: OnceCell::from(settings) }
    }

    /// What the configuration says, overridden by the options.
    ///
    /// # Errors
    /// When a configuration file makes no sense.
    pub fn settings(&self, host: &Host) -> Result<&IndexSettings> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let settings = host.index_settings(&self.options)?;
        Ok(self.settings.get_or_init(|| settings))
    }
}

impl Host {
    /// What the configuration says, overridden by what is asked for.
    ///
    /// # Errors
    /// When a configuration file makes no sense.
    pub fn index_settings(&self, options: &IndexOptions) -> Result<IndexSettings> {
        let mut settings =
            IndexSettings::discover(&|name| options.variable(name)).map_err(ResolveError::from)?;
        self.preferences()?.index.apply(&mut settings);
        if let Some(url) = &options.index_url {
            settings.index_url = Some(url.clone());
            settings.names_index = true;
            settings.no_index = false;
        }
        settings.extra_index_urls.extend(options.extra_index_urls.iter().cloned());
        settings.find_links.extend(options.find_links.iter().cloned());
        settings.no_index |= options.no_index;
        settings.names_index |= options.no_index;
        settings.offline |= options.offline;
        settings.no_binary.extend(options.no_binary.iter().cloned());
        settings.only_binary.extend(options.only_binary.iter().cloned());
        Ok(settings)
    }

    /// A connection to the indexes. Nothing is connected yet.
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
            directories: Some(Arc::new(KnownBuilds::new(self.store.clone(), build_key(interpreter)))),
        })
    }

    /// Reads requirements files and files of constraints, each once, with what they include. Paths start from the working
    /// directory.
    ///
    /// # Errors
    /// When one cannot be read or understood.
    pub fn requirements_files(
        &self,
        requirements: &[PathBuf],
        constraints: &[PathBuf],
        settings: &IndexSettings,
    ) -> Result<RequirementsFiles> {
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
    ) -> Result<RequirementsFiles> {
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
    ) -> Result<RequirementsFiles> {
        self.with_surroundings(settings, |from| RequirementsFiles::of_text(path, text, from))
    }

    fn with_surroundings(
        &self,
        settings: &IndexSettings,
        read: impl FnOnce(Surroundings<'_>) -> Result<RequirementsFiles, virtpy_resolver::Error>,
    ) -> Result<RequirementsFiles> {
        let fetch = |url: &str, limit: u64| transfer(settings).text(url, limit);
        let environment = |name: &str| std::env::var(name).ok();
        let from = Surroundings {
            folder: &self.working_directory,
            environment: &environment,
            fetch: &fetch,
            pipes: true,
        };
        read(from).map_err(|error| ResolveError::from(error).into())
    }
}

/// The way to whatever else is behind a URL.
pub fn transfer(settings: &IndexSettings) -> Transfer {
    Transfer::new(settings, USER_AGENT)
}

/// The markers of an interpreter (PEP 508).
///
/// # Errors
/// When it does not tell them all.
pub fn markers(interpreter: &Interpreter) -> Result<MarkerEnvironment> {
    MarkerEnvironment::from_values(&interpreter.markers).map_err(|error| Error::new(error.to_string()))
}
