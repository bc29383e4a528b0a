//! `virtpy pip check`, and the same look after an installation.

use std::collections::BTreeSet;

use virtpy_pep::{PackageName, Requirement};

use super::call::{Call, Stop};
use super::requirements::name_of;
use crate::error::Failure;
use crate::install::Changelog;
use crate::venv::{Problem, Scope, check_requirements, check_tags};

impl Call<'_> {
    pub(super) fn check(&self) -> Result<u8, Stop> {
        let contents = self.contents()?;
        let mut is_readable = true;
        if !contents.dangling.is_empty() {
            is_readable = false;
            let lost = crate::install::described(&contents.dangling);
            self.context.output.complaint(format_args!("WARNING: The store no longer has {lost}"));
            self.context.output.complaint("HINT: `virtpy relink` fetches what is missing");
        }
        for distribution in contents.visible() {
            let wrong =
                distribution.requires_dist().iter().find_map(|text| text.parse::<Requirement>().err());
            if let Some(error) = wrong {
                is_readable = false;
                self.context.output.complaint(format_args!(
                    "WARNING: Error parsing dependencies of {}: {error}",
                    distribution.key
                ));
            }
        }
        let interpreter = self.context.host.interpreter(&self.venv)?;
        let mut problems = check_requirements(&contents, &self.markers()?, Scope::Everything);
        problems.extend(check_tags(&self.context.store, &contents, &interpreter.tags())?);
        for problem in &problems {
            if let Some(sentence) = sentence(problem) {
                self.context.output.data(sentence);
            }
        }
        if problems.is_empty() && is_readable {
            self.say("No broken requirements found.");
        }
        Ok(u8::from(!problems.is_empty() || !is_readable))
    }

    /// Says what is no longer as other distributions require it, or as what came does.
    pub(super) fn tell_conflicts(&self, log: &Changelog) -> Result<(), Failure> {
        let added = &log.summary.added;
        if added.is_empty() {
            return Ok(());
        }
        let contents = self.contents()?;
        let came =
            |name: &str| added.iter().any(|(added, _)| name_of(added).is_some_and(|added| added == *name));
        // Of others, those count that require something of what came, with all that they require.
        let mut concerned = BTreeSet::new();
        for one in contents.visible() {
            let wishes = one.requires_dist();
            if came(&one.key) || wishes.iter().filter_map(|text| name_of(text)).any(|name| came(&name)) {
                concerned.insert(one.key.as_str());
            }
        }
        let is_concerned = |label: &str| {
            label.split(' ').next().and_then(name_of).is_some_and(|name| concerned.contains(name.as_str()))
        };
        let markers = self.markers()?;
        let mut lines = Vec::new();
        for problem in check_requirements(&contents, &markers, Scope::Everything) {
            match &problem {
                Problem::Unmet { distribution, requirement } if is_concerned(distribution) => {
                    let label = labelled(distribution);
                    lines.push(format!("{label} requires {requirement}, which is not installed."));
                }
                Problem::Conflicting { distribution, requirement, installed }
                    if is_concerned(distribution) =>
                {
                    let name = name_of(requirement).map(String::from).unwrap_or_default();
                    lines.push(format!(
                        "{} requires {requirement}, but you have {name} {installed} which is incompatible.",
                        labelled(distribution)
                    ));
                }
                _ => {}
            }
        }
        if !lines.is_empty() {
            self.context.output.complaint(
                "ERROR: what was installed does not go with all that is installed. There are the following dependency \
                 conflicts.",
            );
            for line in &lines {
                self.context.output.complaint(line);
            }
        }
        Ok(())
    }
}

/// A distribution's name and version, the name normalized as pip writes it here.
fn labelled(distribution: &str) -> String {
    let (name, version) = distribution.split_once(' ').unwrap_or((distribution, ""));
    let name = name.parse::<PackageName>().map_or_else(|_| name.to_owned(), String::from);
    format!("{name} {version}").trim_end().to_owned()
}

/// A problem in pip's words.
fn sentence(problem: &Problem) -> Option<String> {
    let name = |text: &str| {
        text.parse::<Requirement>().map_or_else(|_| text.to_owned(), |one| one.name().to_string())
    };
    Some(match problem {
        Problem::Unmet { distribution, requirement } => {
            format!("{} requires {}, which is not installed.", labelled(distribution), name(requirement))
        }
        Problem::Conflicting { distribution, requirement, installed } => {
            let name = name(requirement);
            format!(
                "{} has requirement {requirement}, but you have {name} {installed}.",
                labelled(distribution)
            )
        }
        Problem::Incompatible { distribution, .. } => {
            format!("{} is not supported on this platform", labelled(distribution))
        }
        _ => return None,
    })
}
