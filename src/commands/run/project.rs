//! The environment of the project that something is run in: its venv, which is brought to its lock first, or one in the cache where
//! other extras, groups or another Python are asked for.

use std::path::Path;
use std::time::Instant;

use super::{tidy, told};
use crate::cli::{RunArguments, VenvArgument};
use crate::commands::follow;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::{
    Base, CurrentProject, Extent, Followed, Following, Indexes, InstallOptions, LockSource, LockTrust,
    Locked, Pin, ResolveError, ready_for_lock,
};
use crate::output::counted;
use crate::venv::Venv;

/// The environment of the present project, as it has to be; a venv that another tool made is taken as it is. Nothing where there is no
/// project with a lock, and none that could be locked, or its venv is to be left as it is.
pub(super) fn environment(
    context: &Context,
    arguments: &RunArguments,
    indexes: &Indexes,
) -> Result<Option<Base>, Failure> {
    let project = if arguments.no_sync { None } else { CurrentProject::find(&context.host)? };
    let Some(project) = project else {
        refuse_choice(arguments)?;
        return Ok(None);
    };
    let chosen = arguments.selection.selection();
    let own_indexes = arguments.index.replaces_others();
    let mut source = project.source(&chosen, own_indexes, indexes)?;
    let path = context.project_venv(&VenvArgument::default(), &source.project)?;
    let is_apart = arguments.selects() || is_of_other_python(context, arguments, &path)?;
    if !is_apart && is_of_other_tool(&path) {
        let told = format!("another tool made the venv at `{}`: it is as it is", context.host.shown(&path));
        // Who locks by virtpy may take it for brought to the lock.
        if source.is_of_project_alone() && !arguments.frozen {
            let shown = context.host.shown(&path);
            context
                .output
                .warning(format_args!("{told}, and `virtpy adopt {shown}` lets it follow the lock"));
        } else {
            context.output.detail(format_args!("{told}"));
        }
        return Base::open(&path);
    }
    let started = Instant::now();
    if let Some(locked) =
        project.renew(&source, arguments.trust(), (arguments.index.options(), arguments.refresh))?
    {
        tell_of_lock(context, &locked);
        source = project.source(&chosen, own_indexes, indexes)?;
    }
    if is_apart {
        let ready = ready_for_lock(&context.host, source, arguments.python.as_deref(), indexes);
        let ready = ready.map_err(|error| {
            let is_other = error.resolver().is_some_and(ResolveError::wants_other_python);
            match arguments.python.as_deref().filter(|_| is_other) {
                Some(python) => {
                    error.hinted(format!("the lock has nothing for `--python {python}`: leave that out"))
                }
                None => error,
            }
        })?;
        return Base::open(&told(context, ready, started));
    }
    warn_of_pin(context, &path)?;
    bring(context, arguments, source, &path, indexes)?;
    Base::open(&path)
}

/// Refuses what can only be chosen of a project.
pub(super) fn refuse_choice(arguments: &RunArguments) -> Result<(), Failure> {
    let chosen = if arguments.selects() {
        "extras and groups are parts of a project"
    } else if arguments.locked || arguments.frozen {
        "`--locked` and `--frozen` are about the lock of a project"
    } else {
        return Ok(());
    };
    let (why, hint) = if arguments.isolated {
        ("`--isolated` leaves it aside", "leave one of the two out")
    } else if arguments.no_sync {
        ("`--no-sync` runs in the venv as it is", "leave one of the two out")
    } else {
        (
            "there is none here that virtpy follows",
            "go to the directory of a project with a `pyproject.toml` or a lock",
        )
    };
    Err(Failure::usage(format!("{chosen}, and {why}")).hinted(hint))
}

/// Refuses the choice of parts for a script that says what it needs.
pub(super) fn refuse_parts_of_script(arguments: &RunArguments) -> Result<(), Failure> {
    if !arguments.selects() {
        return Ok(());
    }
    Err(Failure::usage("extras and groups are parts of a project, and the script says itself what it needs")
        .hinted("leave them out; `--with PACKAGE` brings more packages"))
}

/// Brings the project's venv to its lock, to the sufficient extent: what a plain `add` installed stays.
fn bring(
    context: &Context,
    arguments: &RunArguments,
    source: LockSource,
    path: &Path,
    indexes: &Indexes,
) -> Result<(), Failure> {
    let started = Instant::now();
    let following = Following {
        followed: &Followed::of(source)?,
        extent: Extent::Sufficient,
        options: InstallOptions::default(),
        indexes,
        python: None,
    };
    if let Followed::Lock(source) = following.followed
        && !arguments.frozen
    {
        source.warn_if_stale(&context.host);
    }
    if let Ok(venv) = Venv::open(path)
        && following.is_reached(&context.host, &venv)?
    {
        return Ok(());
    }
    let log = follow::bring(context, &following, path.to_path_buf())?;
    if !log.is_empty() {
        follow::tell_in_passing(context, &following, &log, started);
        tidy(context);
    }
    Ok(())
}

/// Whether the user asks for another Python than that of the project's venv.
fn is_of_other_python(context: &Context, arguments: &RunArguments, path: &Path) -> Result<bool, Failure> {
    let Some(python) = &arguments.python else { return Ok(false) };
    match Base::open(path)? {
        Some(base) => Ok(!context.host.is_wanted(python, &base.interpreter(&context.host)?)?),
        None => Ok(true),
    }
}

/// Says so when `.python-version` of the project chooses another interpreter than its venv has.
fn warn_of_pin(context: &Context, path: &Path) -> Result<(), Failure> {
    let is_of_project = |pin: &Pin| path.parent().is_some_and(|project| pin.path.starts_with(project));
    let Some(pin) = context.host.pin().filter(is_of_project) else { return Ok(()) };
    let Some(base) = Base::open(path)? else { return Ok(()) };
    let interpreter = base.interpreter(&context.host)?;
    for request in &pin.requests {
        if context.host.is_wanted(request, &interpreter)? {
            return Ok(());
        }
    }
    let (file, venv, wanted) = (context.host.shown(&pin.path), context.host.shown(path), &pin.requests[0]);
    context.output.warning(format_args!(
        "`{file}` chooses Python {wanted}, and `{venv}` has {}; `virtpy new --keep -p {wanted} {venv}` gives it that one",
        interpreter.version
    ));
    Ok(())
}

/// Whether there is a venv that virtpy did not make.
fn is_of_other_tool(path: &Path) -> bool {
    matches!(fs::kind(&path.join("pyvenv.cfg")), Ok(Some(_))) && !Venv::is_at(path)
}

/// Says that a lock was made, if it was.
pub(super) fn tell_of_lock(context: &Context, locked: &Locked) {
    if let Some(path) = locked.path.as_ref().filter(|_| !locked.is_unchanged) {
        let packages = counted(locked.packages, "package");
        context.output.message(format_args!("Locked {packages} in `{}`", context.host.shown(path)));
    }
}

impl RunArguments {
    /// Whether extras, groups or members are chosen.
    fn selects(&self) -> bool {
        self.selection.selection() != virtpy_resolver::Selection::default()
    }

    /// How much a lock is believed.
    pub(super) fn trust(&self) -> LockTrust {
        if self.locked {
            LockTrust::Current
        } else if self.frozen {
            LockTrust::Frozen
        } else {
            LockTrust::Renewed
        }
    }
}
