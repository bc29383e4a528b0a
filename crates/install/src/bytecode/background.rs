//! The process in the background that compiles bytecode: one for each store, which ends when there is nothing left to do.
//!
//! It must not be felt. It has a session of its own and no standard streams, so neither a terminal nor a pipeline waits for
//! it; it goes last on the processors and the disk; it prints nothing, and what it has to say the next command says.

use std::process::Stdio;

use super::{look, pass};
use crate::Error;
use crate::Host;
use crate::platform::{start_apart, step_back};
use virtpy_files::{self as fs, Lock};
use virtpy_store::Store;
use virtpy_venv::Venv;

/// How it is called: these words stand in `cli::store` as well.
const WORDS: [&str; 3] = ["store", "compile", "--background"];

/// Leaves a request, and starts the process that deals with it. Where that cannot be, Python compiles for itself: a reason
/// to tell, and none to fail.
pub(super) fn start(host: &Host, venv: &Venv) {
    let started = host
        .store
        .request_bytecode(&venv.id)
        .map_err(|error| error.to_string())
        .and_then(|()| spawn(&host.store).map_err(|error| error.to_string()));
    if let Err(reason) = started {
        host.detail(format_args!("no bytecode is compiled: {reason}"));
    }
}

fn spawn(store: &Store) -> std::io::Result<()> {
    let program = std::env::current_exe()?;
    start_apart(&program, |command| {
        command
            .args(WORDS)
            .env("VIRTPY_HOME", store.home())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
    })
}

/// Is the process in the background: deals with requests until there are none, unless another one does it already.
///
/// # Errors
/// When the store cannot be written. What was not done is done after the next change.
pub fn serve(host: &Host) -> Result<(), Error> {
    step_back();
    fs::make_no_parents();
    let store = &host.store;
    store.watch_for_removal();
    while store.has_bytecode_requests() && !store.is_being_removed() {
        // The other one looks once more when it has let the lock go.
        let Some(held) = store.try_lock_compiling()? else { return Ok(()) };
        // It takes a moment, and nobody waits for it here. If it fails, entries are hashed after the next start of the machine.
        let _ = store.note_durable();
        deal_with_requests(host, &held)?;
        for line in look::at_everything(host)? {
            store.tell_later(&line)?;
        }
    }
    Ok(())
}

/// Waits until nothing is left to be compiled, or does what a killed process left, for a command that looks at what is in
/// `__pycache__`: Python that root ran meanwhile has written there what is about to be replaced by the same.
pub fn settle(host: &Host) {
    if !fs::is_root() || !host.store.has_bytecode_requests() {
        return;
    }
    let settled = host
        .store
        .lock_compiling(&mut host.announce())
        .map_err(Error::from)
        .and_then(|held| deal_with_requests(host, &held));
    if let Err(failure) = settled {
        host.detail(format_args!("bytecode is not complete: {failure}"));
    }
}

fn deal_with_requests(host: &Host, held: &Lock) -> Result<(), Error> {
    let store = &host.store;
    while let Some(id) = store.take_bytecode_request()? {
        if let Some(root) = store.root(&id)? {
            let report = pass::compile_venv(host, &root, store.bytecode_staging(held)?)?;
            if let Some(line) = pass::news(&report.strays) {
                store.tell_later(&line)?;
            }
        }
        store.end_bytecode_request(&id)?;
    }
    Ok(())
}
