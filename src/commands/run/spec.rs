//! What an environment has to have, as the command line and the script say.

use super::{Call, What, project};
use crate::cli::{RunArguments, VenvArgument};
use crate::context::{Context, active_venv};
use crate::error::Failure;
use crate::install::{Base, Environment, EnvironmentSpec, Indexes, LockTrust, ScriptLock, absolutize_spec};
use crate::lockfile;
use crate::venv::{State, Venv};

/// What the environment of a call has to have.
pub(super) fn of(
    context: &Context,
    arguments: &RunArguments,
    call: &Call,
) -> Result<EnvironmentSpec, Failure> {
    let host = &context.host;
    let indexes = arguments.index.indexes();
    let base = if call.block.is_some() {
        project::refuse_parts_of_script(arguments)?;
        None
    } else if arguments.isolated {
        project::refuse_choice(arguments)?;
        None
    } else if let Some(base) = project::environment(context, arguments, &indexes)? {
        base.demand_interpreter()?;
        Some(base)
    } else {
        let base = find_base(context)?;
        if let Some(base) = &base {
            base.demand_interpreter()?;
            restore_lost(context, base, &indexes)?;
        }
        base
    };
    let absolute = |path: &str| context.working_directory.join(path).display().to_string();
    let is_url = |text: &str| text.contains("://");
    // The folder of an editable, whatever folder it is named from; its extras stay.
    let editable = |text: &String| if is_url(text) { text.clone() } else { absolute(text) };
    let mut spec = EnvironmentSpec {
        block: call.block.clone(),
        folder: call.folder.clone(),
        specs: arguments.with.iter().map(|spec| absolutize_spec(host, spec)).collect(),
        editables: arguments.with_editable.iter().map(editable).collect(),
        python: arguments.python.clone(),
        base,
        refresh: arguments.refresh,
        ..EnvironmentSpec::default()
    };
    if !arguments.with_requirements.is_empty() {
        spec.files = host.requirements_files(&arguments.with_requirements, &[], indexes.settings(host)?)?;
        if let Some(lock) = spec.files.locks.first() {
            let name = &spec.files.texts[*lock].name;
            return Err(Failure::usage(format!("`{name}` is a lock file, not one of requirements"))
                .hinted("make a venv of it: `virtpy new --from pylock.toml`"));
        }
        spec.files.remark_on_nothing().into_iter().for_each(|remark| context.output.warning(remark));
    }
    spec.lock = lock_of(context, arguments, call, &spec)?;
    if !spec.is_plain() || spec.base.is_none() {
        spec.settings = indexes.settings(host)?.clone();
        // Paths in the script's metadata start elsewhere.
        let settings = &mut spec.settings;
        let named = settings.index_url.iter_mut().chain(&mut settings.extra_index_urls);
        for place in named.chain(&mut settings.find_links).filter(|place| !is_url(place)) {
            *place = absolute(place);
        }
    }
    Ok(spec)
}

/// The lock file beside the script, as current as it has to be. What is asked for beside the script is not in it, so then it counts
/// for nothing.
fn lock_of(
    context: &Context,
    arguments: &RunArguments,
    call: &Call,
    spec: &EnvironmentSpec,
) -> Result<Option<ScriptLock>, Failure> {
    if call.block.is_none() {
        return Ok(None);
    }
    let What::File(script) = &call.what else {
        return if arguments.locked || arguments.frozen { Err(no_lock_of_pipe()) } else { Ok(None) };
    };
    let (script, trust) = (context.working_directory.join(script), arguments.trust());
    let Some(mut lock) = ScriptLock::beside(&context.host, &script, trust)? else { return Ok(None) };
    if !spec.is_bare() {
        let shown = lock.path.display();
        if trust != LockTrust::Renewed {
            return Err(Failure::usage(format!("what is asked for beside the script is not in `{shown}`"))
                .hinted("leave `--with`, or `--locked` and `--frozen`, out"));
        }
        context.output.warning(format_args!(
            "`{shown}` is left aside: what is asked for beside the script is not locked"
        ));
        return Ok(None);
    }
    let locked = lock.renew(&context.host, &script, trust, (arguments.index.options(), arguments.refresh))?;
    if let Some(locked) = locked {
        project::tell_of_lock(context, &locked);
    }
    Ok(Some(lock))
}

fn no_lock_of_pipe() -> Failure {
    Failure::usage("a script that is not a file has no lock to follow")
        .hinted("leave `--locked` and `--frozen` out, or save it as a file")
}

/// Fetches what the store lost of a venv, or a power cut has damaged, so that nothing runs without it.
fn restore_lost(context: &Context, base: &Base, indexes: &Indexes) -> Result<(), Failure> {
    let Ok(venv) = Venv::open(&base.root) else { return Ok(()) };
    let is_other = venv.store_home().is_some_and(|home| home != context.store.home());
    if State::is_in_store(&venv, &context.store) && (is_other || venv.torn(&context.store)?.is_empty()) {
        return Ok(());
    }
    let venv = context.venv_to_change(&VenvArgument { path: Some(base.root.clone()) })?;
    Environment::open(&context.host, venv, indexes)?;
    Ok(())
}

/// The venv that is seen beside what is asked for, whoever made it: the project's, or else the active one, or the nearest
/// `.venv`.
fn find_base(context: &Context) -> Result<Option<Base>, Failure> {
    if let Some(project) = lockfile::python_project(&context.working_directory)
        && let Some(nearest) = context.nearest_venv()?
    {
        context.project_venv(&VenvArgument::default(), nearest.parent().unwrap_or(&project))?;
        return Base::open(&nearest);
    }
    if let Some(root) = active_venv() {
        return match Base::open(&root)? {
            Some(base) => Ok(Some(base)),
            None => Err(Failure::new(format!("the active venv `{}` is not there", root.display()))
                .hinted("`deactivate` it, or leave it aside with `--isolated`")),
        };
    }
    context.nearest_venv()?.map_or(Ok(None), |root| Base::open(&root))
}
