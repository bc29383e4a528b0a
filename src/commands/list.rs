//! `virtpy list`: what is installed in a venv; `virtpy outdated`: what there is a newer version of.

use super::listing::{Row, table};
use crate::cli::ListArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{self, Limits};
use crate::report;
use crate::venv::{Contents, Distribution, Venv};

pub(super) fn run(context: &Context, arguments: &ListArguments) -> Result<u8, Failure> {
    let venv = context.venv_to_read(&arguments.venv)?.venv;
    let contents = report::contents(context, &venv)?;
    let rows = if arguments.outdated {
        outdated(context, arguments, &venv, &contents)?
    } else {
        // Where a package is linked from interests few readers, and every program.
        let is_told = arguments.json || context.output.is_verbose();
        let store =
            |one: &Distribution| one.layer().filter(|_| is_told).map(|path| path.display().to_string());
        let row = |one: &Distribution| Row { store: store(one), ..Row::of(one, None) };
        contents.visible().into_iter().map(row).collect()
    };
    if arguments.json {
        context.output.json(&rows)?;
    } else {
        context.output.data_block(&table(&rows));
    }
    Ok(0)
}

/// What the index has a newer version of.
fn outdated(
    context: &Context,
    arguments: &ListArguments,
    venv: &Venv,
    contents: &Contents,
) -> Result<Vec<Row>, Failure> {
    let interpreter = context.host.interpreter(venv)?;
    let mut asked = contents.visible();
    // What comes from a directory, a repository or a URL has namesakes on an index, and no newer versions.
    asked.retain(|one| !one.is_pip_shim() && one.direct_url().is_none());
    let sought: Vec<_> = asked.iter().map(|one| install::sought(one)).collect();
    let project = venv.root.parent().unwrap_or(&venv.root);
    let index = arguments.index.options();
    let newest = context.host.newest(&interpreter, &index, &sought, arguments.pre, Some(project))?;
    let limits = Limits::of(contents, &install::markers(&interpreter)?, project);
    let row = |distribution: &Distribution| {
        let (package, version) = (&distribution.package, &distribution.version);
        let latest = newest.beyond(package, version)?;
        let allowed =
            newest.allowed(package, version, &limits.on(package)).map(|allowed| allowed.to_string());
        Some(Row { allowed_version: allowed, ..Row::of(distribution, Some(latest)) })
    };
    Ok(asked.into_iter().filter_map(row).collect())
}
