//! What a user is told when a command fails: what failed, why, and what to do.

use std::error::Error;
use std::fmt;

use crate::interpreters;
use crate::lockfile::LockFileError;
use crate::poetry::PoetryError;
use crate::resolve::ResolveError;
use crate::scripts::ScriptError;
use crate::store::StoreError;
use crate::tools::ToolError;
use crate::venv::VenvError;

/// What failed because of something else.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Outer {
    message: String,
    source: Box<dyn Error + Send + Sync>,
}

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    error: Box<dyn Error + Send + Sync>,
    hint: Option<String>,
    /// The process's exit code: 1 for a failed operation, 2 for a wrong command line.
    pub code: u8,
}

impl Failure {
    /// A failure with a message of its own.
    pub fn new(message: impl Into<String>) -> Self {
        Self { error: message.into().into(), hint: None, code: 1 }
    }

    /// A command line that makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(message) }
    }

    /// Says what failed because of it; it becomes the cause.
    #[must_use]
    pub fn within(self, message: String) -> Self {
        Self { error: Box::new(Outer { message, source: self.error }), ..self }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hinted(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The error itself, if it is of this type and nothing was said around it.
    pub fn error<E: Error + 'static>(&self) -> Option<&E> {
        self.error.downcast_ref()
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The first error of this type among what failed and why.
    pub fn find<E: Error + 'static>(&self) -> Option<&E> {
        let mut next: Option<&(dyn Error + 'static)> = Some(self.error.as_ref());
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<E>() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    /// What failed, then why, outermost first. A cause that only repeats the message above it is left out.
    pub fn chain(&self) -> Vec<String> {
        let mut messages = vec![self.error.to_string()];
        let mut source = self.error.source();
        while let Some(error) = source {
            let message = error.to_string();
            if !messages.last().is_some_and(|last| last.contains(&message)) {
                messages.push(message);
            }
            source = error.source();
        }
        messages
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

macro_rules! from_hinting {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                let hint = error.hint();
                Self { error: error.into(), hint, code: 1 }
            }
        })*
    };
}

from_hinting!(
    crate::fs::PathError,
    crate::bytecode::Error,
    StoreError,
    VenvError,
    ResolveError,
    PoetryError,
    LockFileError,
    ScriptError,
    ToolError,
    interpreters::Error,
    interpreters::available::AvailableError,
    interpreters::managed::ManagedError
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_not_said_twice() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer: inner")]
        struct Outer(#[source] std::io::Error);
        let outer = Outer(std::io::Error::other("inner"));
        let failure = Failure { error: outer.into(), hint: None, code: 1 };
        assert_eq!(failure.chain(), ["outer: inner"]);
        assert_eq!(Failure::usage("x").code, 2);
    }
}
