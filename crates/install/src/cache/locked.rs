//! Environments in the cache that hold exactly what a project's lock says: for other groups, extras or interpreters than those of the
//! project's own venv.

use super::environments::ReadyEnvironment;
use super::sweep;
use crate::followed::{Followed, Following};
use crate::plan::{Extent, InstallOptions};
use crate::resolved::RequestKey;
use crate::scripts::Environments;
use crate::{Changelog, Environment, Host, Indexes, LockSource, NewEnvironment, Result, bring, install};
use virtpy_interpreters::Interpreter;
use virtpy_venv::Venv;

/// The environment for a lock, with the interpreter that is named or one that the lock admits: it is made where there is none.
///
/// # Errors
/// When the lock has no such groups or extras, there is no such interpreter, or packages cannot be found or fetched.
pub fn ready_for_lock(
    host: &Host,
    source: LockSource,
    python: Option<&str>,
    indexes: &Indexes,
) -> Result<ReadyEnvironment> {
    let identity = source.identity();
    let options = InstallOptions::default();
    let followed = Followed::of(source)?;
    let following = Following { followed: &followed, extent: Extent::Exact, options, indexes, python };
    let settings = indexes.settings(host)?;
    let interpreter = match python {
        Some(python) => host.interpreter_for(Some(python), !settings.offline)?,
        None => following.meant_interpreter(host)?,
    };
    let content = RequestKey::new(Some(&interpreter), settings, identity).text();
    let place = Environments::new(&host.store).place(&content);
    let _lock = place.lock(&mut host.announce())?;
    if place.is_complete() {
        place.note_use();
        // Directories that it names may have changed since.
        let log = install(host, Venv::open(&place.path)?, indexes, &following.goal())?;
        let made = (!log.is_empty()).then_some(log);
        return Ok(ReadyEnvironment { path: place.path.clone(), made });
    }
    sweep(host);
    place.discard()?;
    let made = Some(fill(host, &following, interpreter, NewEnvironment::in_store(place.path.clone()))?);
    place.complete()?;
    Ok(ReadyEnvironment { path: place.path.clone(), made })
}

/// Makes the venv where there is none; nothing is left of one that cannot be filled.
fn fill(
    host: &Host,
    following: &Following<'_>,
    interpreter: Interpreter,
    new: NewEnvironment,
) -> Result<Changelog> {
    let mut environment = Environment::create(host, interpreter, new, following.indexes)?;
    let log = bring(&mut environment, &following.goal())?;
    environment.keep();
    Ok(log)
}
