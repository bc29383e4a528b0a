//! What `pip install` says of requirements that what came does not meet, or has.

use std::collections::BTreeSet;

use virtpy_pep::PackageName;

use super::call::Call;
use super::check::labelled;
use super::requirements::name_of;
use crate::error::Failure;
use crate::install::Changelog;
use crate::venv::{Problem, Scope, check_requirements};

impl Call<'_> {
    /// Says what is no longer as other distributions require it, or as what came does.
    pub(super) fn tell_conflicts(&self, log: &Changelog) -> Result<(), Failure> {
        let came: BTreeSet<PackageName> =
            log.summary.added.iter().filter_map(|one| one.name.parse().ok()).collect();
        if came.is_empty() {
            return Ok(());
        }
        let contents = self.contents()?;
        let concerned = contents.concerned_by(&came);
        let is_concerned = |label: &str| {
            let name = label.split(' ').next().and_then(|name| name.parse::<PackageName>().ok());
            name.is_some_and(|name| concerned.contains(&name))
        };
        let mut lines = Vec::new();
        for problem in check_requirements(&contents, &self.markers()?, Scope::Everything) {
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
        }
        for line in &lines {
            self.context.output.complaint(line);
        }
        Ok(())
    }
}
