//! Directories and settings, read once.

mod caller;
mod lower_stores;
mod places;
mod trust;
mod which;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::error::Failure;
use crate::fs;
use crate::install::Host;
use crate::output::Output;
use crate::settings::Settings;
use crate::store::Store;

pub use which::active_venv;

/// What every command needs.
#[derive(Debug)]
pub struct Context {
    /// The store in `$VIRTPY_HOME`.
    pub store: Store,
    /// The folder that the command was called in, absolute.
    pub working_directory: PathBuf,
    /// What the user sees.
    pub output: Output,
    /// Where operations take place.
    pub host: Host,
    /// The nearest venv, once it was found.
    nearest: OnceLock<PathBuf>,
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
        Some(_) if home.parent().is_none() => "that is the root of the file system",
        Some(_) => return Ok(()),
    };
    let shown = home.to_string_lossy();
    Err(Failure::new(format!("the store cannot be in `{}`: {why}", shown.escape_debug()))
        .hinted("set `VIRTPY_HOME` to another directory"))
}

impl Context {
    /// Reads the environment.
    ///
    /// # Errors
    /// When there is no current directory, or no home to keep a store in.
    pub fn new(output: Output) -> Result<Self, Failure> {
        let working_directory = std::env::current_dir()
            .map_err(|error| Failure::new(format!("the current directory cannot be used: {error}")))?;
        let home = match std::env::var_os("VIRTPY_HOME").filter(|home| !home.is_empty()) {
            Some(home) => working_directory.join(home),
            None => places::default_home().ok_or_else(|| {
                Failure::new("there is no home directory to keep the store in")
                    .hinted("set `VIRTPY_HOME` to the directory that should hold it")
            })?,
        };
        check_home(&home)?;
        Ok(Self::of(Store::new(home).above(lower_stores::below), working_directory, output))
    }

    /// The same, with the applications' commands where the settings want them.
    ///
    /// # Errors
    /// When the settings make no sense.
    pub fn with_commands_in_place(self) -> Result<Self, Failure> {
        let bin = Settings::current()?.tool_bin.clone();
        Ok(Self::of(self.store.with_bin(bin), self.working_directory, self.output))
    }

    /// What a command needs that works on another store, or in another place.
    pub fn of(store: Store, working_directory: PathBuf, output: Output) -> Self {
        let host = Host::new(store.clone(), working_directory.clone(), Arc::new(output));
        Self { store, working_directory, output, host, nearest: OnceLock::new() }
    }

    /// Leads the store's link to this program, for the `pip` of the venvs, where there is one already.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn refresh_program(&self) -> Result<(), Failure> {
        if fs::read_link(&self.store.program()).is_ok() {
            self.host.note_program()?;
        }
        Ok(())
    }
}
