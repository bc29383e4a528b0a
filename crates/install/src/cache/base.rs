//! A venv that a program sees beneath an environment of its own, whoever made it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{Error, Host, Result, system_site_of};
use virtpy_files as fs;
use virtpy_interpreters::{self as interpreters, Interpreter};
use virtpy_store::PIP_SHIM_VERSION;
use virtpy_venv::{self as venv, Config, Distribution};

/// A venv that a program sees beside what is asked for.
#[derive(Debug, Clone, Serialize)]
pub struct Base {
    /// Its folder.
    pub root: PathBuf,
    /// The folder of its packages.
    pub site_packages: PathBuf,
    /// Whether it sees its interpreter's own packages.
    pub sees_system: bool,
}

impl Base {
    /// Reads what a venv says of itself; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(root: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(&root.join("pyvenv.cfg")) {
            Ok(text) => text,
            Err(error) if matches!(error.source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let config = Config::parse(&text);
        let library =
            match (config.get("virtpy-library"), config.get("version").or(config.get("version_info"))) {
                (Some(library), _) => library.to_owned(),
                (None, Some(version)) => {
                    let minor: Vec<&str> = version.split('.').take(2).collect();
                    format!("python{}", minor.join("."))
                }
                (None, None) => String::new(),
            };
        let mut site_packages = root.join("lib").join(library).join("site-packages");
        if fs::kind(&site_packages)?.is_none() {
            // Other implementations and builds have other names.
            let names = fs::names(&root.join("lib"))?;
            let found = names.iter().map(|name| root.join("lib").join(name).join("site-packages"));
            site_packages = found.into_iter().find(|path| path.is_dir()).unwrap_or(site_packages);
        }
        let sees_system = config.sees_system_site();
        Ok(Some(Self { root: root.to_path_buf(), site_packages, sees_system }))
    }

    /// Whether its interpreter is there. Without it another Python would run what is asked for, one without its packages.
    ///
    /// # Errors
    /// When it is gone.
    pub fn demand_interpreter(&self) -> Result<PathBuf> {
        fs::canonicalize(&self.root.join("bin/python")).map_err(|error| {
            if !error.is_not_found() {
                return error.into();
            }
            Error::new(format!("the interpreter of the venv at `{}` is gone", self.root.display()))
                .hinted("give it another with `virtpy relink`, or leave it aside with `--isolated`")
        })
    }

    /// The facts of its interpreter.
    ///
    /// # Errors
    /// When it is gone or does not run.
    pub fn interpreter(&self, host: &Host) -> Result<Interpreter> {
        Ok(interpreters::query(&self.demand_interpreter()?, &host.store.cache())?)
    }

    /// The names of all that describes a distribution that is seen in it, sorted: of its own, and of the base interpreter's.
    pub(crate) fn distributions(&self, host: &Host) -> Result<Vec<String>> {
        let folders = if self.sees_system { self.folders(&self.interpreter(host)?) } else { self.own() };
        let is_metadata =
            |name: &String| [".dist-info", ".egg-info", ".egg-link"].iter().any(|end| name.ends_with(end));
        let names = folders.iter().flat_map(|folder| fs::names(folder).unwrap_or_default());
        let mut known: Vec<String> =
            names.filter_map(|name| name.into_string().ok()).filter(is_metadata).collect();
        known.sort();
        Ok(known)
    }

    /// What is installed and seen in it, whoever installed it, but for virtpy's own pip.
    pub(crate) fn packages(&self, interpreter: &Interpreter) -> Vec<Distribution> {
        let folders = if self.sees_system { self.folders(interpreter) } else { self.own() };
        let mut found = venv::distributions_in(&folders);
        found.retain(|one| one.version != PIP_SHIM_VERSION);
        found
    }

    fn own(&self) -> Vec<PathBuf> {
        vec![self.site_packages.clone()]
    }

    /// The folders of packages that are searched, in their order.
    fn folders(&self, interpreter: &Interpreter) -> Vec<PathBuf> {
        [self.own(), system_site_of(interpreter)].concat()
    }
}
