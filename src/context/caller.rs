//! The user as operations know them: settings from files and variables, sentences on the terminal.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::places::default_home;
use crate::install::{Caller, Level, Preferences, Progress, Result};
use crate::output::Output;
use crate::progress;
use crate::settings::{self, Settings};

impl Caller for Output {
    fn preferences(&self) -> Result<Preferences> {
        Ok(Settings::current()?.preferences.clone())
    }

    fn believed_stores(&self) -> Vec<PathBuf> {
        default_home().into_iter().chain(settings::stores_used()).collect()
    }

    fn note_store(&self, home: &Path) {
        if default_home().is_none_or(|usual| usual != home) {
            settings::note_store_used(home);
        }
    }

    fn tell(&self, level: Level, message: &dyn Display) {
        match level {
            Level::Message => self.message(message),
            Level::Warning => self.warning(message),
            Level::Detail => self.detail(message),
        }
    }

    fn is_listening(&self) -> bool {
        !self.is_quiet()
    }

    fn progress(&self, stage: &'static str) -> Box<dyn Progress> {
        Box::new(progress::Progress::new(*self, stage))
    }
}
