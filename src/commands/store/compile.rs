//! `virtpy store compile`: compile the bytecode of what venvs use.

use crate::cli::CompileArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{bytecode, collect_builds};
use crate::output::counted;

pub(super) fn run(context: &Context, arguments: &CompileArguments) -> Result<u8, Failure> {
    if arguments.background {
        // Nobody is there who could hear of it.
        let _ = bytecode::serve(&context.host);
        let _ = collect_builds(&context.host);
        return Ok(0);
    }
    let store = &context.store;
    let held = if arguments.wait {
        store.lock_compiling(&mut context.host.announce())?
    } else if let Some(held) = store.try_lock_compiling()? {
        held
    } else {
        context.output.message("Another process compiles bytecode just now; `--wait` waits for it");
        return Ok(0);
    };
    let mut total = bytecode::Report::default();
    for root in store.roots()? {
        let report = bytecode::compile_venv(&context.host, &root, store.bytecode_staging(&held)?)?;
        total.compiled += report.compiled;
        total.strays.extend(report.strays);
    }
    while let Some(id) = store.take_bytecode_request()? {
        store.end_bytecode_request(&id)?;
    }
    bytecode::tell_strays(&context.host, &total.strays);
    context.output.message(format_args!("Compiled {}", counted(total.compiled, "module")));
    Ok(0)
}
