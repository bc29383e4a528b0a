//! `virtpy python uninstall`.

use virtpy_pep::NamedVersion;

use crate::cli::UninstallArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::interpreters::managed::{Installed, ManagedError, named, remove, venvs_on};
use crate::output::counted;

pub(super) fn run(context: &Context, arguments: &UninstallArguments) -> Result<u8, Failure> {
    let mut going: Vec<Installed> = Vec::new();
    for name in &arguments.names {
        for one in named(&context.store.pythons(), name)? {
            if going.iter().all(|other| other.folder_name != one.folder_name) {
                going.push(one);
            }
        }
    }
    let _store_lock = context.store.lock_shared(&mut context.host.announce())?;
    let venvs = venvs_on(&context.store, &going)?;
    if !venvs.is_empty() && !arguments.force {
        let name = going.iter().map(|one| one.record.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(ManagedError::InUse { name, venvs }.into());
    }
    for one in &going {
        remove(&context.store, one, &mut context.host.announce())?;
    }
    // Which Python it is: its build's name, such as `3.12.4` or `pypy3.10`.
    let removed: Vec<NamedVersion> =
        going.iter().map(|one| NamedVersion::new("python", &one.record.name)).collect();
    context.output.changes(&removed, &[]);
    context.output.message(format_args!("Removed {}", counted(going.len(), "interpreter")));
    for venv in venvs {
        context.output.warning(format_args!("the venv at `{}` has no interpreter now", venv.display()));
    }
    Ok(0)
}
