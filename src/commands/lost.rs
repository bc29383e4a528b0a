//! What the store lost of a venv (it was wiped, or only the venv was kept): the same versions are fetched again.

use virtpy_resolver::{Input, Options, Request};

use super::progress::Progress;
use crate::cli::IndexArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::interpreters::Interpreter;
use crate::resolve::{self, ResolveError, Supply};
use crate::store::Entry;
use crate::venv::{self, Arrival, Change, Contents, Distribution, Installed, Owner, Venv};

/// Fetches what the store no longer has of a venv, and returns what is in it then. The caller holds both.
///
/// # Errors
/// When something cannot be had; the venv is as before then.
pub(super) fn restore(
    context: &Context,
    venv: &Venv,
    contents: Contents,
    index: &IndexArguments,
) -> Result<Contents, Failure> {
    if contents.dangling.is_empty() {
        return Ok(contents);
    }
    let what = described(&contents.dangling);
    context.output.message(format_args!("the store no longer has {what}, which this venv uses: fetching"));
    let interpreter = context.interpreter(venv)?;
    let missing: Vec<&Installed> = contents.dangling.iter().collect();
    let failed = |failure: Failure| {
        let failure = failure.within(format!("the store lost {what}, and it could not be fetched again"));
        if failure.hint().is_some() {
            failure
        } else {
            failure.hinted("make the venv anew with `virtpy new --clear`")
        }
    };
    let fetched = fetch(context, &interpreter, &missing, index).map_err(failed)?;
    let install = arrivals(context, &contents.dangling, &fetched)?;
    let is_other = |(old, new): (&Installed, &Arrival)| old.sha256 != new.entry.manifest.sha256;
    // The links of the others lead somewhere again.
    if contents.dangling.iter().zip(&install).any(is_other) {
        let satisfies = contents.state.satisfied.clone();
        let tags = Some(interpreter.tags());
        let change = Change { install, tags, satisfies, anew: true, ..Change::default() };
        venv.apply(&context.store, &contents, &change)?;
    }
    super::installed(context, venv)
}

/// The first of some distributions, and how many more there are.
pub(super) fn described(some: &[Installed]) -> String {
    let Some(first) = some.first() else { return "nothing".to_owned() };
    let others = if some.len() > 1 { format!(" and {} more", some.len() - 1) } else { String::new() };
    format!("{} {}{others}", first.name, first.version)
}

/// Brings what the store no longer has into it again: the same versions, from where each came from.
///
/// # Errors
/// When one of them cannot be had.
pub(super) fn fetch(
    context: &Context,
    interpreter: &Interpreter,
    missing: &[&Installed],
    index: &IndexArguments,
) -> Result<Vec<Entry>, Failure> {
    let (own_pip, others): (Vec<&Installed>, Vec<&Installed>) =
        missing.iter().partition(|one| one.is_pip_shim());
    let mut fetched = fetch_from_indexes(context, interpreter, &others, index)?;
    if !own_pip.is_empty() {
        fetched.push(context.store.pip_shim(&mut context.announce())?);
    }
    Ok(fetched)
}

fn fetch_from_indexes(
    context: &Context,
    interpreter: &Interpreter,
    missing: &[&Installed],
    index: &IndexArguments,
) -> Result<Vec<Entry>, Failure> {
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let settings = context.index_settings(index)?;
    let session = context.session(interpreter, settings.clone());
    let progress = Progress::new(context.output, "resolving");
    let request = Request {
        requirements: missing.iter().map(|installed| input(installed)).collect(),
        options: Options {
            no_deps: true,
            prerelease: true,
            no_binary: settings.no_binary,
            only_binary: settings.only_binary,
            working_directory: context.working_directory.clone(),
            ..Options::default()
        },
        ..Request::default()
    };
    let resolution = session.resolve(&request).map_err(ResolveError::from)?;
    progress.stage("fetching");
    let supply = Supply {
        store: &context.store,
        session: &session,
        interpreter: &Context::build_key(interpreter),
        reporter: &progress,
    };
    let all: Vec<usize> = (0..resolution.packages.len()).collect();
    let obtained = resolve::obtain(&supply, &resolution, &all, &mut context.announce())?;
    progress.end();
    Ok(obtained.into_iter().map(|one| one.entry).collect())
}

/// An installed distribution as something to ask the resolver for.
fn input(installed: &Installed) -> Input {
    let editable = installed.direct_url.as_deref().and_then(venv::editable_location);
    if let Some(location) = editable {
        return Input::Editable(location);
    }
    let owner = Owner::Virtpy(installed.clone());
    Input::Requirement(venv::frozen(&Distribution {
        key: installed.key.clone(),
        name: installed.name.clone(),
        version: installed.version.clone(),
        dist_info: installed.dist_info.clone(),
        owner,
    }))
}

/// What is linked, in the old order; for what had to be fetched the entry that came.
///
/// # Errors
/// When one did not come.
pub(super) fn arrivals(
    context: &Context,
    wanted: &[Installed],
    fetched: &[Entry],
) -> Result<Vec<Arrival>, Failure> {
    let mut arrivals = Vec::with_capacity(wanted.len());
    for installed in wanted {
        let key = |name: &str| virtpy_pep::normalize_name(name).ok();
        let again = fetched.iter().find(|entry| key(&entry.manifest.name).as_ref() == Some(&installed.key));
        let entry = match again {
            Some(entry) => Some(entry.clone()),
            None => context.store.entry(&installed.sha256)?,
        };
        let entry = entry.ok_or_else(|| {
            Failure::new(format!("{} {} could not be fetched again", installed.name, installed.version))
        })?;
        if entry.manifest.sha256 != installed.sha256 {
            context.output.warning(format_args!(
                "{} {} is another file than before",
                installed.name, installed.version
            ));
        }
        arrivals.push(Arrival {
            entry,
            requested: installed.requested,
            direct_url: installed.direct_url.clone(),
            copied: installed.copied,
        });
    }
    Ok(arrivals)
}
