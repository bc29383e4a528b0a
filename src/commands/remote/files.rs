//! Files that say what is pushed or pulled: requirements and lock files.

use std::path::{Path, PathBuf};

use virtpy_remote::Remote;

use crate::cli::{IndexArguments, SelectionArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Filling, Found, LockChoice};
use crate::output::counted;

/// So many packages are named of those that are not there.
const NAMED: usize = 3;

/// What files are asked for.
pub(super) struct Asked<'a> {
    pub files: Vec<&'a PathBuf>,
    pub pythons: &'a [String],
    pub selection: &'a SelectionArguments,
    pub index: &'a IndexArguments,
}

impl Asked<'_> {
    /// What the store has of it for each interpreter, and the remote, if that is asked; says what is in neither. The caller holds the
    /// store.
    pub(super) fn find(&self, context: &Context, remote: Option<&Remote>) -> Result<Vec<Found>, Failure> {
        // Read before anything is done: one that is not there leaves everything as it is.
        let fillings = self.files.iter().map(|file| self.read(context, file));
        let fillings: Vec<Filling> = fillings.collect::<Result<_, _>>()?;
        let pythons: Vec<Option<&str>> = match self.pythons {
            [] => vec![None],
            named => named.iter().map(|python| Some(python.as_str())).collect(),
        };
        let indexes = self.index.indexes();
        let mut all = Vec::new();
        for filling in &fillings {
            for python in &pythons {
                let found = filling.at_hand(&context.host, *python, &indexes, remote)?;
                let who = if remote.is_some() { "the remote" } else { "the store" };
                tell_lacking(context, who, filling.label(), &found);
                all.push(found);
            }
        }
        Ok(all)
    }

    fn read(&self, context: &Context, file: &Path) -> Result<Filling, Failure> {
        let mut selection = self.selection.selection();
        // The project itself is nobody else's.
        selection.no_project = true;
        let own_indexes = self.index.replaces_others();
        let choice = LockChoice { selection, own_indexes, ..LockChoice::default() };
        Filling::read(&context.host, file, choice, &self.index.indexes())
    }
}

fn tell_lacking(context: &Context, who: &str, file: &str, found: &Found) {
    let (lacking, python) = (&found.at_hand.lacking, &found.interpreter.version);
    if lacking.is_empty() {
        return;
    }
    let named = lacking.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let others = match lacking.len().saturating_sub(NAMED) {
        0 => String::new(),
        count => format!(" and {}", counted(count, "other package")),
    };
    context.output.warning(format_args!(
        "of what `{file}` asks for with Python {python}, {who} has no {named}{others}"
    ));
}

/// Whether a file is a wheel, and asks for nothing.
pub(super) fn is_wheel(file: &Path) -> bool {
    file.extension().is_some_and(|end| end.eq_ignore_ascii_case("whl"))
}
