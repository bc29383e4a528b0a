//! What happens after a change of a venv, as far as the store's bytecode is concerned: it is compiled by a process in the
//! background, or before the command ends, or never; and entries are protected where the settings say so.

mod background;
pub(crate) mod carried;
mod clean;
mod copies;
mod look;
mod pass;

pub use background::{serve, settle};
pub use clean::clean;
pub use pass::{Report, compile_venv, tell_strays};

use crate::Bytecode;
use crate::Environment;
use crate::Error;
use crate::Host;
use crate::compiler::{self, Wanted};
use virtpy_interpreters::Interpreter;
use virtpy_remote::Remote;
use virtpy_store::{Entry, Staging, StoreError};
use virtpy_venv::{Owner, PackageToInstall, Venv};

/// Sees to the bytecode of what has arrived in a venv, as the settings say, or at once if `eager`. Whoever calls holds the
/// store and the venv.
///
/// # Errors
/// When the settings make no sense, or compiling at once failed.
pub(super) fn after_change(
    host: &Host,
    interpreter: &Interpreter,
    venv: &Venv,
    arrivals: &[PackageToInstall],
    eager: bool,
) -> Result<(), Error> {
    let settings = host.preferences()?;
    let folds = venv.config.link_mode().folds();
    let (mut linked, copied): (Vec<&PackageToInstall>, Vec<&PackageToInstall>) =
        arrivals.iter().partition(|arrival| folds && !arrival.copied);
    // What is in a lower store its owner sees to.
    linked.retain(|arrival| arrival.entry.layer.is_none());
    tell(host);
    if settings.immutable {
        for arrival in &linked {
            host.store.protect(&arrival.entry.id)?;
        }
    }
    match if eager { Bytecode::Eager } else { settings.bytecode } {
        Bytecode::Off => {}
        Bytecode::Background if linked.is_empty() => {}
        Bytecode::Background => background::start(host, venv),
        Bytecode::Eager => {
            now(host, interpreter, &linked)?;
            copies::compile(host, interpreter, venv, &copied)?;
        }
    }
    Ok(())
}

/// The entries of the user's own store that an environment has links into: what is in a lower one its owner sees to.
///
/// # Errors
/// When one of them is damaged.
pub fn linked_entries(environment: &Environment<'_>) -> Result<Vec<Entry>, Error> {
    let host = environment.host;
    let mut entries = Vec::new();
    for distribution in &environment.contents.distributions {
        let Owner::Virtpy(installed) = &distribution.owner else { continue };
        if !installed.copied && installed.layer.is_none() {
            entries.extend(host.store.own_entry(&installed.sha256)?);
        }
    }
    Ok(entries)
}

/// Takes the bytecode of entries from a remote; `heard` hears of each that was seen to. Returns the number of modules.
///
/// # Errors
/// When the store cannot be written.
pub fn pull(
    host: &Host,
    interpreter: &Interpreter,
    remote: &Remote,
    entries: &[Entry],
    heard: &dyn Fn(),
) -> Result<usize, Error> {
    let folder = host.store.temporary_folder()?;
    let mut staging = Staging::in_folder(folder.path().to_path_buf());
    let place = carried::Place { store: &host.store, remote, interpreter };
    let mut count = 0;
    for some in entries.chunks(carried::AT_ONCE) {
        let own: Vec<&Entry> = some.iter().filter(|entry| entry.layer.is_none()).collect();
        count += carried::bring(place, &own, &mut staging)?;
        for _ in some {
            heard();
        }
    }
    Ok(count)
}

/// Says what the process in the background has found since the last command.
pub fn tell(host: &Host) {
    if !host.caller().is_listening() {
        return;
    }
    for line in host.store.told_later() {
        host.warning(line);
    }
}

/// Compiles at once what is not compiled yet.
pub(super) fn now(
    host: &Host,
    interpreter: &Interpreter,
    arrivals: &[&PackageToInstall],
) -> Result<(), Error> {
    let is_missing = |arrival: &&&PackageToInstall| {
        compiler::dialect(interpreter)
            .is_some_and(|dialect| !arrival.entry.record(&dialect).is_complete() || virtpy_files::is_root())
    };
    let wanted: Vec<Wanted> = arrivals
        .iter()
        .filter(is_missing)
        .map(|arrival| Wanted { entry: arrival.entry.clone(), requested: arrival.requested })
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let entries: Vec<&Entry> = wanted.iter().map(|wanted| &wanted.entry).collect();
    let compiled = host.store.temporary_folder().map_err(compiler::Error::from).and_then(|folder| {
        let mut staging = Staging::in_folder(folder.path().to_path_buf());
        let brought = carried::bring_by_itself(host, interpreter, &entries, &mut staging)?;
        if brought > 0 {
            host.detail(format_args!("took {brought} compiled modules from the remote"));
        }
        compiler::compile(&host.store, interpreter, &wanted, staging)
    });
    host.tell_remote();
    match compiled {
        Ok(outcome) => {
            host.detail(format_args!("compiled {} modules", outcome.compiled));
            tell_strays(host, &outcome.strays);
            if let Err(error) = carried::push_by_itself(host, interpreter, &entries) {
                host.warning(format_args!("the bytecode was not pushed: {error}"));
            }
            // Who waits for all that there is to do waits for the disk as well.
            let _ = host.store.note_durable();
            Ok(())
        }
        Err(compiler::Error::Store(StoreError::Path(error))) if error.is_refused() => {
            host.warning(format_args!("no bytecode was compiled: the store is read-only ({error})"));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
