//! Why an operation failed: the error of whatever was under way, or a sentence of this module's own, with what to do.

use virtpy_resolver::{GitSetting, PythonNeed};

use crate::compiler;
use crate::lockfile::LockFileError;
use crate::plugins::PluginError;
use crate::poetry::PoetryError;
use crate::resolve::ResolveError;
use crate::scripts::ScriptError;
use crate::tools::ToolError;
use virtpy_files::PathError;
use virtpy_interpreters::available::AvailableError;
use virtpy_interpreters::{self as interpreters, managed::ManagedError};
use virtpy_remote::Error as RemoteError;
use virtpy_store::StoreError;
use virtpy_venv::VenvError;

/// The result of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed, with what to do about it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// What failed.
#[derive(Debug, thiserror::Error)]
enum Kind {
    /// A path cannot be read or written.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The store refused or lost something.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A venv cannot be read or changed.
    #[error(transparent)]
    Venv(#[from] VenvError),
    /// Packages cannot be found or fetched.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// An interpreter is not there or does not run.
    #[error(transparent)]
    Interpreter(#[from] interpreters::Error),
    /// Nobody knows which interpreters can be installed.
    #[error(transparent)]
    Available(#[from] AvailableError),
    /// An interpreter cannot be installed.
    #[error(transparent)]
    Managed(#[from] ManagedError),
    /// Bytecode cannot be compiled.
    #[error(transparent)]
    Bytecode(#[from] compiler::Error),
    /// A project of Poetry's, or its lock file, makes no sense.
    #[error(transparent)]
    Poetry(#[from] PoetryError),
    /// Another tool's plugin cannot be put there or taken out.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// A lock file makes no sense.
    #[error(transparent)]
    LockFile(#[from] LockFileError),
    /// What a script says about itself makes no sense.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// An application cannot be read or changed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A remote refuses, or its settings or keys make no sense.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The operation itself refuses.
    #[error("{message}")]
    Refused {
        /// What, and why.
        message: String,
        /// Whether what was asked for makes no sense by itself.
        is_usage: bool,
    },
    /// Something failed because of something else.
    #[error("{message}")]
    Within {
        /// What failed.
        message: String,
        /// Why.
        source: Error,
    },
    /// An error with another hint than its own.
    #[error("{error}")]
    Hinted {
        /// What failed.
        #[source]
        error: Error,
        /// What to do about it.
        hint: String,
    },
}

macro_rules! from {
    ($($error:ty),*) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self(Box::new(error.into()))
            }
        })*
    };
}

from!(
    Kind,
    PathError,
    StoreError,
    VenvError,
    ResolveError,
    interpreters::Error,
    AvailableError,
    ManagedError,
    compiler::Error,
    PoetryError,
    PluginError,
    LockFileError,
    ScriptError,
    ToolError,
    RemoteError
);

impl Error {
    /// A refusal with a message of its own.
    pub fn new(message: impl Into<String>) -> Self {
        Kind::Refused { message: message.into(), is_usage: false }.into()
    }

    /// A refusal of what makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Kind::Refused { message: message.into(), is_usage: true }.into()
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hinted(self, hint: impl Into<String>) -> Self {
        Kind::Hinted { error: self, hint: hint.into() }.into()
    }

    /// Says what to do about it, if it does not say that itself.
    #[must_use]
    pub(crate) fn hinted_if_not(self, hint: &str) -> Self {
        if self.hint().is_some() { self } else { self.hinted(hint) }
    }

    /// Says what failed because of it.
    #[must_use]
    pub fn within(self, message: impl Into<String>) -> Self {
        Kind::Within { message: message.into(), source: self }.into()
    }

    /// The process's exit code: 1 for a failed operation, 2 for what makes no sense.
    pub fn code(&self) -> u8 {
        match self.0.as_ref() {
            Kind::Refused { is_usage: true, .. } => 2,
            Kind::Within { source: error, .. } | Kind::Hinted { error, .. } => error.code(),
            _ => 1,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self.0.as_ref() {
            Kind::Path(error) => error.hint(),
            Kind::Store(error) => error.hint(),
            Kind::Venv(error) => error.hint(),
            Kind::Resolve(error) => error.hint(),
            Kind::Interpreter(error) => error.hint(),
            Kind::Available(error) => error.hint(),
            Kind::Managed(error) => error.hint(),
            Kind::Bytecode(error) => error.hint(),
            Kind::Poetry(error) => error.hint(),
            Kind::Plugin(error) => error.hint(),
            Kind::LockFile(error) => error.hint(),
            Kind::Script(error) => error.hint(),
            Kind::Tool(error) => error.hint(),
            Kind::Remote(error) => error.hint(),
            Kind::Refused { .. } => None,
            Kind::Within { source, .. } => source.hint(),
            Kind::Hinted { hint, .. } => Some(hint.clone()),
        }
    }

    /// What failed, then why, outermost first. A cause that only repeats the message above it is left out.
    pub fn chain(&self) -> Vec<String> {
        let mut messages = vec![self.to_string()];
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            let message = error.to_string();
            if !messages.last().is_some_and(|last| last.contains(&message)) {
                messages.push(message);
            }
            source = error.source();
        }
        messages
    }

    /// What a user is told of it: what failed, and the last of what caused it, unless the message says all that helps. The causes
    /// between are for whoever wants to know every detail.
    pub fn told(&self) -> Vec<String> {
        let mut chain = self.chain();
        match self.resolver() {
            Some(ResolveError::Resolver(error)) if error.is_complete() => {
                let message = error.to_string();
                let end = chain.iter().position(|said| said.contains(&message)).unwrap_or(0);
                chain.truncate(end + 1);
            }
            _ => {}
        }
        if chain.len() > 2 {
            chain.drain(1..chain.len() - 1);
        }
        chain
    }

    /// Whether a venv was refused because another tool made it.
    pub fn is_of_foreign_venv(&self) -> bool {
        matches!(self.0.as_ref(), Kind::Venv(VenvError::NotOurs(_)))
    }

    /// Whether another command has made, replaced or removed the venv meanwhile, so that looking again may help.
    pub fn is_of_other_command(&self) -> bool {
        let is_own = |error: &VenvError| {
            matches!(error, VenvError::Replaced(_) | VenvError::Exists { is_venv: true, .. })
        };
        matches!(self.0.as_ref(), Kind::Venv(error) if is_own(error))
    }

    /// Whether another Python may help, and which.
    pub fn python_need(&self) -> Option<&PythonNeed> {
        match self.resolver()? {
            ResolveError::Resolver(error) => error.python_need(),
            _ => None,
        }
    }

    /// What git has to find in its environment before this can go on, if that is what failed.
    pub fn git_settings(&self) -> Option<&[GitSetting]> {
        let ResolveError::Resolver(error) = self.resolver()? else { return None };
        match error.as_ref() {
            virtpy_resolver::Error::GitSettings { settings } => Some(settings),
            _ => None,
        }
    }

    /// The resolver's error among what failed and why.
    pub fn resolver(&self) -> Option<&ResolveError> {
        match self.0.as_ref() {
            Kind::Resolve(error) => Some(error),
            Kind::Within { source, .. } => source.resolver(),
            Kind::Hinted { error, .. } => error.resolver(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_not_said_twice() {
        let inner = Error::new("inner");
        assert_eq!(inner.within("outer: inner").chain(), ["outer: inner"]);
        let told = Error::usage("inner").within("outer").hinted("help");
        assert_eq!((told.chain(), told.code()), (vec!["outer".to_owned(), "inner".to_owned()], 2));
        assert_eq!(told.hint().as_deref(), Some("help"));
        let deep = Error::new("innermost").within("inner").within("outer");
        assert_eq!((deep.told(), deep.chain().len()), (vec!["outer".to_owned(), "innermost".to_owned()], 3));
    }
}
