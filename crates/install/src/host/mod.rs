//! Where operations take place, and who asks for them.

mod index;
mod interpreters;
mod newest;
mod preferences;
pub mod pythons;

pub use index::{IndexOptions, Indexes, markers, transfer};
pub use interpreters::{Pin, admits, base, is_same_place, system_site_of};
pub use newest::{NewestVersions, sought};
pub use preferences::{Bytecode, IndexLimits, Preferences};

use std::fmt::{Debug, Display};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::Result;
use crate::resolve::Reporter;
use virtpy_remote::Remote;
use virtpy_store::Store;

/// Whoever asks for an operation: knows what the user prefers, and hears what the user should know.
pub trait Caller: Debug + Send + Sync {
    /// What the user prefers; asked once.
    ///
    /// # Errors
    /// When the settings make no sense.
    fn preferences(&self) -> Result<Preferences>;
    /// The stores beside the configured one that a venv may name and that are believed.
    fn believed_stores(&self) -> Vec<PathBuf>;
    /// Hears that a store is worked with, to believe it later.
    fn note_store(&self, home: &Path);
    /// Hears what the user should know.
    fn tell(&self, level: Level, message: &dyn Display);
    /// Whether warnings reach the user.
    fn is_listening(&self) -> bool;
    /// Begins to show long work.
    fn progress(&self, stage: &'static str) -> Box<dyn Progress>;
}

/// What kind of thing is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// What is done, for people.
    Message,
    /// What people should know although the operation goes on.
    Warning,
    /// What only those hear who asked for details.
    Detail,
}

/// Long work while it goes on. What was shown of it disappears with it.
pub trait Progress: Reporter {
    /// Says what is being done now.
    fn stage(&self, what: &'static str);
}

/// The store and the directory that operations work in, and who asks for them.
#[derive(Debug, Clone)]
pub struct Host {
    /// The store in `$VIRTPY_HOME`.
    pub store: Store,
    /// The directory that relative paths start from, absolute.
    pub working_directory: PathBuf,
    caller: Arc<dyn Caller>,
    preferences: OnceLock<Preferences>,
    /// One for all clones: a remote that is out of reach is waited for once.
    remote: Arc<OnceLock<Option<Remote>>>,
}

impl Host {
    /// A path as its user sees it: from the working directory on, where it lies below that.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.working_directory).unwrap_or(path).display().to_string()
    }

    /// Who asks, for a thread that outlives the operation.
    pub(crate) fn shared_caller(&self) -> Arc<dyn Caller> {
        Arc::clone(&self.caller)
    }

    /// Puts them together.
    pub fn new(store: Store, working_directory: PathBuf, caller: Arc<dyn Caller>) -> Self {
        Self { store, working_directory, caller, preferences: OnceLock::new(), remote: Arc::default() }
    }

    /// What the user prefers.
    ///
    /// # Errors
    /// When the settings make no sense.
    pub fn preferences(&self) -> Result<&Preferences> {
        if let Some(preferences) = self.preferences.get() {
            return Ok(preferences);
        }
        let preferences = self.caller.preferences()?;
        Ok(self.preferences.get_or_init(|| preferences))
    }

    /// The remote that is asked before indexes are, if the settings name one.
    ///
    /// # Errors
    /// When the settings make no sense.
    pub fn remote(&self) -> Result<Option<&Remote>> {
        let settings = &self.preferences()?.remote;
        Ok(self.remote.get_or_init(|| settings.clone().map(Remote::by_the_way)).as_ref())
    }

    /// Says what there is to know of the remote, if one was asked.
    pub(crate) fn tell_remote(&self) {
        if let Some(Some(remote)) = self.remote.get() {
            for news in remote.news() {
                self.warning(news);
            }
        }
    }

    pub(crate) fn caller(&self) -> &dyn Caller {
        self.caller.as_ref()
    }

    /// Tells what is done.
    pub fn message(&self, message: impl Display) {
        self.caller.tell(Level::Message, &message);
    }

    /// Tells what people should know although the operation goes on.
    pub fn warning(&self, message: impl Display) {
        self.caller.tell(Level::Warning, &message);
    }

    /// Tells what only those hear who asked for details.
    pub fn detail(&self, message: impl Display) {
        self.caller.tell(Level::Detail, &message);
    }

    /// Begins to show long work.
    pub fn progress(&self, stage: &'static str) -> Box<dyn Progress> {
        self.caller.progress(stage)
    }

    /// Tells that another process has to finish first.
    pub fn announce(&self) -> impl FnMut(&str) + use<'_> {
        |holder| self.message(format_args!("waiting for {holder}, which holds the store or this venv"))
    }
}
