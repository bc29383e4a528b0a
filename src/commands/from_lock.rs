//! `add -r pylock.toml`: what a lock file holds, without taking away anything else.

use virtpy_pep::{MarkerEnvironment, Version};
use virtpy_resolver::{
    EntryKind, LockFormat, LockedRequest, Request, RequirementsEntry, Resolution, Selection, Session,
};

use crate::error::Failure;
use crate::resolve::ResolveError;

/// Finds what the lock file among a request's files holds. All of it counts as asked for.
///
/// # Errors
/// When something else is asked for as well, the lock file makes no sense, or a constraint excludes what it holds.
pub(super) fn resolution(
    session: &Session,
    request: Request,
    markers: &MarkerEnvironment,
) -> Result<Resolution, Failure> {
    let Request { requirements, files, options, .. } = request;
    let is_wanted = |entry: &RequirementsEntry| entry.kind != EntryKind::Constraint;
    let is_alone =
        requirements.is_empty() && files.projects.is_empty() && !files.entries.iter().any(is_wanted);
    let ([lock], true) = (files.locks.as_slice(), is_alone) else {
        return Err(Failure::usage("a lock file is installed alone: it says all that belongs together")
            .hinted("call the command once for it, and once for the rest"));
    };
    let lock = &files.texts[*lock];
    let locked = LockedRequest {
        // Relative paths in what came from elsewhere start here.
        path: lock.path.clone().unwrap_or_else(|| options.working_directory.join("pylock.toml")),
        text: lock.text.clone(),
        format: LockFormat::Pylock,
        selection: Selection::default(),
        options,
    };
    let mut resolution = session.resolve_locked(&locked).map_err(ResolveError::from)?;
    for package in &mut resolution.packages {
        package.requested = true;
    }
    for constraint in files.entries {
        check(&constraint, &resolution, markers)?;
    }
    Ok(resolution)
}

/// Refuses a resolution that a constraint does not admit.
fn check(
    constraint: &RequirementsEntry,
    resolution: &Resolution,
    markers: &MarkerEnvironment,
) -> Result<(), Failure> {
    let Some(requirement) = constraint.requirement().filter(|one| one.applies(markers, &[])) else {
        return Ok(());
    };
    for package in resolution.packages.iter().filter(|package| package.name == requirement.name()) {
        let accepts = package.version.parse::<Version>().is_ok_and(|version| requirement.accepts(&version));
        if !accepts {
            return Err(Failure::new(format!(
                "{} does not admit {} {}, which the lock file has",
                constraint.place, package.name, package.version
            ))
            .hinted("make the lock file anew, or leave the constraint out"));
        }
    }
    Ok(())
}
