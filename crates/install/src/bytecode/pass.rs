//! Compiling what one venv uses, and telling what lay in the store's `__pycache__` folders that was not virtpy's.

use std::collections::BTreeMap;

use super::carried;
use crate::Error;
use crate::Host;
use crate::compiler::{self, PackageStray, Wanted};
use crate::words::counted;
use virtpy_files as fs;
use virtpy_interpreters::Interpreter;
use virtpy_store::{Entry, Root, Staging, StoreError};
use virtpy_venv::{Contents, Owner, Venv};

/// What came of one venv, or of several.
#[derive(Debug, Default)]
pub struct Report {
    /// How many modules were compiled.
    pub compiled: usize,
    /// What was removed.
    pub strays: Vec<PackageStray>,
}

/// Compiles what a venv uses of the store and is not compiled yet for its interpreter. One that is gone, damaged or
/// somebody else's is passed over: what it names would be run here.
///
/// # Errors
/// When the store cannot be written, or the interpreter does not start.
pub fn compile_venv(host: &Host, root: &Root, mut staging: Staging) -> Result<Report, Error> {
    let Some(Uses { interpreter, wanted }) = uses_of(host, root)? else { return Ok(Report::default()) };
    let entries: Vec<&Entry> = wanted.iter().map(|wanted| &wanted.entry).collect();
    carried::bring_by_itself(host, &interpreter, &entries, &mut staging)?;
    let outcome = compiler::compile(&host.store, &interpreter, &wanted, staging)?;
    // Nobody waits for it, and nobody is there who could hear of it.
    let _ = carried::push_by_itself(host, &interpreter, &entries);
    Ok(Report { compiled: outcome.compiled, strays: outcome.strays })
}

/// What a venv uses of the store, and the interpreter that it is compiled for.
struct Uses {
    interpreter: Interpreter,
    wanted: Vec<Wanted>,
}

/// Looks into a venv, and lets go of it: while its packages are compiled it can be unmounted.
fn uses_of(host: &Host, root: &Root) -> Result<Option<Uses>, Error> {
    let store = &host.store;
    let is_own = fs::is_own(&root.path) && fs::is_own(&root.path.join("pyvenv.cfg"));
    let Some(venv) = Venv::open(&root.path).ok().filter(|venv| is_own && venv.id == root.id) else {
        return Ok(None);
    };
    if !venv.config.link_mode().folds() {
        return Ok(None);
    }
    let (Ok(interpreter), Ok(contents)) = (host.interpreter(&venv), Contents::read(&venv, store)) else {
        return Ok(None);
    };
    let mut wanted = Vec::new();
    for distribution in &contents.distributions {
        let Owner::Virtpy(installed) = &distribution.owner else { continue };
        // A lower store has what its owner compiled, and nobody else writes there.
        if installed.copied || installed.layer.is_some() {
            continue;
        }
        match store.own_entry(&installed.sha256) {
            Ok(Some(entry)) => wanted.push(Wanted { entry, requested: installed.requested }),
            Ok(None) | Err(StoreError::Damaged { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(Uses { interpreter, wanted }))
}

/// Says what was removed.
pub fn tell_strays(host: &Host, strays: &[PackageStray]) {
    for line in sentences(strays) {
        host.warning(line);
    }
}

/// What is to be told of removed files by the next command, in one line. Of what Python writes when root runs it nothing is
/// said: it is replaced by the same.
pub(super) fn news(strays: &[PackageStray]) -> Option<String> {
    let strays: Vec<_> = strays.iter().filter(|one| !one.stray.is_usual).cloned().collect();
    let sentences = sentences(&strays);
    let first = sentences.first()?;
    Some(match sentences.len() - 1 {
        0 => first.clone(),
        count => format!("{first}; nor what was removed from {}", counted(count, "other package")),
    })
}

/// A sentence for each package.
fn sentences(strays: &[PackageStray]) -> Vec<String> {
    let mut packages: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for PackageStray { package, stray } in strays {
        packages.entry(package).or_default().push(&stray.path);
    }
    let sentence = |(label, paths): (&&str, &Vec<&str>)| {
        let (more, first) = (paths.len() - 1, paths[0]);
        let others = if more == 0 { String::new() } else { format!(" and {}", counted(more, "other file")) };
        format!("removed `{first}`{others} from {label} in the store: virtpy did not compile that")
    };
    packages.iter().map(sentence).collect()
}
