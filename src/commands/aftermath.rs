//! Restoring what another installer, run by root, wrote into the store through the links of a venv.

use std::cell::LazyCell;

use crate::cli::IndexArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::resolve::{self, Mended, ResolveError};
use crate::store::Entry;
use crate::venv::{Contents, Venv};

/// Looks at the entries of a venv in which another installer was, restores the damaged ones, and returns the venv's
/// contents as they are then. The caller holds the store's lock and the venv's.
pub(super) fn restore(
    context: &Context,
    venv: &Venv,
    contents: Contents,
    index: &IndexArguments,
) -> Result<Contents, Failure> {
    let aftermath = venv.aftermath(&context.store, &contents)?;
    let Some(trace) = aftermath.trace else { return Ok(contents) };
    let mut contents = contents;
    let is_restored = aftermath.damaged.is_empty() || mend(context, &aftermath.damaged, venv, index)?;
    if !aftermath.strays.is_empty() {
        venv.bring_back(&context.store, &contents, &aftermath.strays)?;
        contents = Contents { system: contents.system, ..Contents::read(venv, &context.store)? };
    }
    if is_restored {
        context.store.note(&trace);
    }
    Ok(contents)
}

/// The same for every other venv that changed since virtpy last worked on it. Only root can do harm to an entry, so for
/// others there is nothing to look for.
pub(super) fn restore_everywhere(
    context: &Context,
    present: &Venv,
    index: &IndexArguments,
) -> Result<(), Failure> {
    if !fs::is_root() {
        return Ok(());
    }
    // Read only if there is a change to look up.
    let noted = LazyCell::new(|| context.store.checked());
    for root in context.store.roots()? {
        if root.id == present.id {
            continue;
        }
        let Some(trace) = Venv::changed_behind_our_back(&root).filter(|trace| !noted.is_noted(trace)) else {
            continue;
        };
        let Ok(venv) = Venv::open(&root.path) else { continue };
        // Who holds it looks there for itself.
        let Some(_venv_lock) = context.store.try_lock_venv(&venv.id)? else { continue };
        if let Ok(contents) = Contents::read(&venv, &context.store) {
            let is_own = contents.is_own();
            restore(context, &venv, contents, index)?;
            // Python keeps bytecode there as well. What another installer left is looked at by its own traces.
            if is_own {
                context.store.note(&trace);
            }
        }
    }
    Ok(())
}

/// Restores entries. Returns whether all of them are sound again: of what cannot be had again, people are told each time,
/// and may go on, for instance to remove it.
fn mend(context: &Context, damaged: &[Entry], venv: &Venv, index: &IndexArguments) -> Result<bool, Failure> {
    let mut all = true;
    let interpreter = context.interpreter(venv)?;
    let session = context.session(&interpreter, context.index_settings(index)?);
    for entry in damaged {
        let label = format!("{} {}", entry.manifest.name, entry.manifest.version);
        let verdicts = context.store.verify(&[entry.id()?], &|| {});
        for verdict in verdicts.iter().filter(|verdict| !verdict.findings.is_empty()) {
            context.output.warning(format_args!(
                "another installer changed {label} in the store, through the venv at `{}`",
                venv.root.display()
            ));
            let mended = resolve::mend(&context.store, &session, verdict, &mut context.announce());
            if let Err(error @ ResolveError::CannotMend { .. }) = &mended {
                let hint = error.hint().unwrap_or_default();
                context.output.warning(format_args!("{label} stays damaged: {error}; {hint}"));
                all = false;
                continue;
            }
            let mended = mended.map_err(|error| {
                Failure::from(error)
                    .within(format!("{label} is damaged in the store and could not be restored"))
            })?;
            if let Mended::Fetched(entry) = mended {
                super::refresh_names(context, &entry, Some(venv))?;
            }
        }
    }
    Ok(all)
}
