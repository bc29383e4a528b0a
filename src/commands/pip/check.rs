//! `virtpy pip check`.

use virtpy_resolver::Requirement;

use super::{Call, Stop};
use crate::context::Context;
use crate::venv::{Problem, Scope, check_requirements, check_tags};

impl Call<'_> {
    pub(super) fn check(&self) -> Result<u8, Stop> {
        let contents = self.contents()?;
        let mut is_readable = true;
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
        let interpreter = self.context.interpreter(&self.venv)?;
        let markers = Context::markers(&interpreter)?;
        let mut problems = check_requirements(&contents, &markers, Scope::Everything);
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
}

/// A problem in pip's words.
pub(super) fn sentence(problem: &Problem) -> Option<String> {
    let name = |text: &str| {
        text.parse::<Requirement>().map_or_else(|_| text.to_owned(), |one| one.name().to_owned())
    };
    Some(match problem {
        Problem::Unmet { distribution, requirement } => {
            format!("{distribution} requires {}, which is not installed.", name(requirement))
        }
        Problem::Conflicting { distribution, requirement, installed } => {
            let name = name(requirement);
            format!("{distribution} has requirement {requirement}, but you have {name} {installed}.")
        }
        Problem::Incompatible { distribution, .. } => {
            format!("{distribution} is not supported on this platform")
        }
        _ => return None,
    })
}
