//! `virtpy check`: look for what is wrong in a venv.

use crate::cli::{CheckArguments, VenvArgument};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::{self, Indexes};
use crate::output::counted;
use crate::venv::{Contents, Installed, Place, Problem, Scope, Venv, check, check_requirements, check_tags};

pub(super) fn run(context: &Context, arguments: &CheckArguments) -> Result<u8, Failure> {
    let found = context.venv_to_read(&arguments.venv)?;
    if found.is_foreign {
        return check_foreign(context, arguments, &found.venv);
    }
    let venv = found.venv;
    check_store(context, &venv)?;
    let venv = context.venv(&arguments.venv)?;
    install::bytecode::settle(&context.host);
    let _store_lock = context.store.lock_reading(&mut context.host.announce())?;
    let contents = {
        let _venv_lock = venv.lock(&context.store, &mut context.host.announce())?;
        if install::recover(&context.host, &venv)? {
            context.output.message("Rolled back an interrupted change");
        }
        let mut contents = install::contents(&context.host, &venv)?;
        install::demand_stores(&context.host, &contents.dangling)?;
        demand_some(context, &contents)?;
        if contents.state.rebuilt {
            contents.state.write(&venv)?;
            context.output.message("Rebuilt the package list: `.virtpy/state.json` was empty");
        }
        let contents = install::torn(&context.host, &venv, contents, &Indexes::default())?;
        install::damaged(&context.host, &venv, contents, &Indexes::default())?
    };
    install::bytecode::clean(&context.host, &venv, &contents);
    let interpreter = context.host.interpreter(&venv)?;
    let mut problems = check(&venv, &context.store, &contents, &install::markers(&interpreter)?)?;
    problems.extend(check_tags(&context.store, &contents, &interpreter.tags())?);
    tell(context, arguments, &contents, &problems)
}

/// A store that has nothing of what a venv has from it is one thing that is wrong, however much that was.
fn demand_some(context: &Context, contents: &Contents) -> Result<(), Failure> {
    let linked = contents.distributions.iter().filter(|one| !one.is_foreign()).count();
    let Some(layer) = contents.dangling.first().map(|one| &one.layer) else { return Ok(()) };
    if contents.dangling.len() < linked || contents.dangling.iter().any(|one| one.layer != *layer) {
        return Ok(());
    }
    let home = layer.as_deref().unwrap_or(context.store.home()).display();
    let count = counted(linked, "package");
    Err(Failure::new(format!("the store at `{home}` has none of this venv's {count}"))
        .hinted("`virtpy relink` takes them from another store, or fetches them again"))
}

/// Tells what was found. Returns the exit code.
fn tell(
    context: &Context,
    arguments: &CheckArguments,
    contents: &Contents,
    problems: &[Problem],
) -> Result<u8, Failure> {
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    if arguments.json {
        context.output.json(&problems)?;
    } else {
        for problem in problems {
            context.output.data(problem);
        }
        let count = counted(contents.distributions.len(), "package");
        if errors == 0 {
            context.output.message(format_args!("Checked {count}: everything is in order"));
        } else {
            context.output.message(format_args!("Checked {count}: {}", counted(errors, "problem")));
        }
    }
    Ok(u8::from(errors > 0))
}

/// Looks at a venv that another tool made: whether its packages have what they require, and whether they are for its Python.
fn check_foreign(context: &Context, arguments: &CheckArguments, venv: &Venv) -> Result<u8, Failure> {
    let contents = install::contents(&context.host, venv)?;
    let interpreter = context.host.interpreter(venv)?;
    let mut problems = check_requirements(&contents, &install::markers(&interpreter)?, Scope::Venv);
    problems.extend(check_tags(&context.store, &contents, &interpreter.tags())?);
    tell(context, arguments, &contents, &problems)
}

/// A venv whose packages are in another store, or in none any more, has one thing wrong, whatever else may follow from that.
fn check_store(context: &Context, venv: &Venv) -> Result<(), Failure> {
    let home = match venv.place(&context.store)? {
        Place::OtherStore(home) => home,
        _ => context.store.home().to_path_buf(),
    };
    let is_there = fs::kind(&home.join("w"))?.is_some();
    if home != context.store.home() && is_there {
        return context.venv_to_change(&VenvArgument { path: Some(venv.root.clone()) }).map(drop);
    }
    let contents = Contents::read(venv, &context.store)?;
    let is_own = |one: &Installed| one.layer.is_none();
    if is_there || !contents.state.distributions.iter().any(is_own) {
        return Ok(());
    }
    Err(Failure::new(format!("the store `{}` of this venv is missing", home.display()))
        .hinted("set `VIRTPY_HOME` if it was moved; otherwise `virtpy relink` restores the venv"))
}
