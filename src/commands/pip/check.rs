//! `virtpy pip check`.

use virtpy_pep::{PackageName, Requirement};

use super::call::{Call, Stop};
use crate::install::{demand_stores, described};
use crate::venv::{Problem, Scope, check_requirements, check_tags};

impl Call<'_> {
    pub(super) fn check(&self) -> Result<u8, Stop> {
        let contents = self.contents()?;
        let output = self.context.output;
        let mut is_readable = contents.dangling.is_empty();
        if !is_readable {
            let known = demand_stores(&self.context.host, &contents.dangling);
            let lost = described(&contents.dangling);
            let what =
                known.map_or_else(|error| error.to_string(), |()| format!("The store no longer has {lost}"));
            output.complaint(format_args!("WARNING: {what}"));
            output.complaint("HINT: `virtpy relink` fetches what is missing");
        }
        for distribution in contents.visible() {
            let wrong =
                distribution.requires_dist().iter().find_map(|text| text.parse::<Requirement>().err());
            if let Some(error) = wrong {
                is_readable = false;
                let name = &distribution.package;
                output.complaint(format_args!("WARNING: Error parsing dependencies of {name}: {error}"));
            }
        }
        let interpreter = self.context.host.interpreter(&self.venv)?;
        let mut problems = check_requirements(&contents, &self.markers()?, Scope::Everything);
        problems.extend(check_tags(&self.context.store, &contents, &interpreter.tags())?);
        for sentence in problems.iter().filter_map(sentence) {
            output.data(sentence);
        }
        let is_whole = problems.is_empty() && is_readable;
        if is_whole {
            self.say("No broken requirements found.");
        }
        Ok(u8::from(!is_whole))
    }
}

/// A distribution's name and version, the name normalized as pip writes it here.
pub(super) fn labelled(distribution: &str) -> String {
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
