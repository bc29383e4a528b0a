//! What can be done about what is damaged in a store that is only read.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::verify::label;
use crate::cli::RepairArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install;
use crate::output::counted;
use crate::store::Verdict;
use crate::venv::{self, Fate, Surveyed, Venv};

/// Says who can restore entries of lower stores; or takes them into the user's own, and links the venvs from there. Returns how many
/// are as before.
pub(super) fn repair(
    context: &Context,
    arguments: &RepairArguments,
    damaged: &[Verdict],
) -> Result<usize, Failure> {
    if !arguments.relink {
        for verdict in damaged {
            let home = verdict.store.as_deref().unwrap_or(context.store.home());
            context.output.failure(&only_the_owner(verdict, home));
        }
        return Ok(damaged.len());
    }
    let interpreter = context.host.find_interpreter(None)?;
    let settings = context.host.index_settings(&arguments.index.options())?;
    let session = context.host.session(&interpreter, settings);
    let remote = context.host.remote()?.filter(|_| !arguments.index.offline);
    let (mut taken, mut announce) = (Vec::new(), context.host.announce());
    for verdict in damaged {
        // Nothing says what it was but the venvs, which are made whole by linking them anew.
        if verdict.is_absent() {
            taken.push(verdict);
            continue;
        }
        match install::repair(&context.store, &session, remote, verdict, &mut announce) {
            Ok(_) => taken.push(verdict),
            Err(error) => {
                let failure =
                    Failure::from(error).within(format!("{} could not be had elsewhere", label(verdict)));
                context.output.failure(&failure);
            }
        }
    }
    let (linked, failed) = relink_users(context, arguments, &taken)?;
    let (packages, venvs) = (counted(taken.len(), "package"), counted(linked, "venv"));
    context.output.message(format_args!("Took {packages} into your own store; {venvs} linked anew"));
    Ok(damaged.len() - taken.len() + failed)
}

/// Who can write to a store, in words.
pub(super) fn owner_of(home: &Path) -> String {
    fs::metadata(home).map_or_else(
        |_| "its owner".to_owned(),
        |facts| match facts.uid() {
            0 => "root".to_owned(),
            uid if uid == fs::effective_user() => "you, by that store's own `VIRTPY_HOME`,".to_owned(),
            uid => format!("its owner (the user {uid})"),
        },
    )
}

fn only_the_owner(verdict: &Verdict, home: &Path) -> Failure {
    let owner = owner_of(home);
    Failure::new(format!("{} is damaged, and only {owner} can restore it there", label(verdict))).hinted(format!(
        "there it is `VIRTPY_HOME={} virtpy store repair`; `virtpy store repair --relink` takes it into your own store instead",
        home.display()
    ))
}

/// Links the venvs anew that use some of these. Returns how many were, and how many could not be.
fn relink_users(
    context: &Context,
    arguments: &RepairArguments,
    taken: &[&Verdict],
) -> Result<(usize, usize), Failure> {
    let is_taken = |store: &PathBuf, id: &str| {
        taken.iter().any(|verdict| verdict.store.as_ref() == Some(store) && verdict.id == id)
    };
    let is_user =
        |venv: &Surveyed| venv.uses_lower.iter().any(|used| is_taken(&used.store, used.id.as_str()));
    let indexes = arguments.index.indexes();
    let (mut linked, mut failed) = (0, 0);
    let mut seen = BTreeSet::new();
    for surveyed in venv::survey(&context.store)?.iter().filter(|venv| is_user(venv)) {
        let Some(path) = surveyed.path().filter(|path| seen.insert(path.to_path_buf())) else { continue };
        let relinked = match &surveyed.fate {
            Fate::Unreadable(reason) => Err(Failure::new(reason.clone())),
            Fate::Unmounted(point) => Err(Failure::new(format!("`{}` is not mounted", point.display()))),
            _ => Venv::open_recorded(&context.store, path)
                .map_err(Failure::from)
                .and_then(|venv| install::relink(&context.host, &venv, None, &indexes)),
        };
        match relinked {
            Ok(_) => linked += 1,
            Err(error) => {
                failed += 1;
                let path = path.display();
                context
                    .output
                    .failure(&error.within(format!("the venv at `{path}` could not be linked anew")));
            }
        }
    }
    Ok((linked, failed))
}
