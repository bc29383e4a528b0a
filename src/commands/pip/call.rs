//! A pip command in a venv of virtpy's, and what all of them need.

use std::path::PathBuf;

use virtpy_pep::MarkerEnvironment;
use virtpy_resolver::RequirementsFiles;

use crate::cli::pip::{PipRequest, PipUsage};
use crate::context::Context;
use crate::error::Failure;
use crate::install::{contents, markers, masked};
use crate::venv::{Contents, Venv};

/// A pip command in a venv of virtpy's.
pub(super) struct Call<'a> {
    /// The context, with the store that the venv's links lead into.
    pub(super) context: Context,
    pub(super) venv: Venv,
    pub(super) request: &'a PipRequest,
}

/// Why a command could not be carried out.
pub(super) enum Stop {
    /// The command line makes no sense.
    Usage(PipUsage),
    /// The command failed.
    Failure(Failure),
}

impl From<PipUsage> for Stop {
    fn from(usage: PipUsage) -> Self {
        Self::Usage(usage)
    }
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(failure: E) -> Self {
        Self::Failure(failure.into())
    }
}

impl Call<'_> {
    pub(super) fn run(&self) -> Result<u8, Stop> {
        self.refuse_what_is_not_supported()?;
        match self.request.command.name {
            "install" => self.install(),
            "uninstall" => self.uninstall(),
            "list" => self.list(),
            "freeze" => self.freeze(),
            "show" => self.show(),
            "check" => self.check(),
            _ => self.inspect(),
        }
    }

    /// What is installed, as it can be told without waiting for anybody.
    pub(super) fn contents(&self) -> Result<Contents, Failure> {
        contents(&self.context.host, &self.venv)
    }

    /// The markers of the venv's interpreter (PEP 508).
    pub(super) fn markers(&self) -> Result<MarkerEnvironment, Failure> {
        markers(&self.context.host.interpreter(&self.venv)?)
    }

    /// The requirements files that are named, read.
    pub(super) fn files(&self) -> Result<RequirementsFiles, Failure> {
        let paths = |option| self.request.values(option).iter().map(PathBuf::from).collect::<Vec<_>>();
        let settings = self.context.host.index_settings(&self.index())?;
        self.context.host.requirements_files(&paths("requirement"), &paths("constraint"), &settings)
    }

    /// A line of what is told beside the answer, which `-q` leaves out.
    pub(super) fn say(&self, line: impl std::fmt::Display) {
        if self.request.has("quiet") {
            self.context.output.log(line);
        } else {
            self.context.output.data(masked(&line));
        }
    }
}
