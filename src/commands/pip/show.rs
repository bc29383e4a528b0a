//! `virtpy pip show`.

use serde_json::{Map, Value};
use virtpy_pep::MarkerEnvironment;

use super::call::{Call, Stop};
use super::card::Required;
use super::requirements::spelled;
use crate::error::Failure;
use crate::venv::{Contents, Distribution};
use crate::wheel;

impl Call<'_> {
    pub(super) fn show(&self) -> Result<u8, Stop> {
        let output = self.context.output;
        if self.request.arguments.is_empty() {
            output.complaint("WARNING: ERROR: Please provide a package name or names.");
            return Ok(1);
        }
        let contents = self.contents()?;
        let required = self.required_by_each(&contents)?;
        let mut cards = Vec::new();
        let mut missing = Vec::new();
        for name in &self.request.arguments {
            match contents.find_spelled(name) {
                Some(distribution) => cards.push(self.card(&contents, &required, distribution)?),
                None => missing.push(name.as_str()),
            }
        }
        if !missing.is_empty() {
            missing.sort_unstable();
            output.complaint(format_args!("WARNING: Package(s) not found: {}", missing.join(", ")));
        }
        output.data_block(&cards.join("---\n"));
        Ok(u8::from(cards.is_empty()))
    }

    /// Reads a distribution's METADATA.
    pub(super) fn metadata(&self, distribution: &Distribution) -> Result<Map<String, Value>, Failure> {
        Ok(wheel::metadata_as_json(&distribution.read_metadata(&self.venv.site_packages())?))
    }

    fn required_by_each<'a>(&self, contents: &'a Contents) -> Result<Required<'a>, Failure> {
        let mut requiring = contents.visible();
        requiring.retain(|one| !one.requires_dist().is_empty());
        if requiring.is_empty() {
            return Ok(Required::new());
        }
        let markers = self.markers()?;
        Ok(requiring.into_iter().map(|one| (&one.package, required_names(one, &markers))).collect())
    }
}

fn required_names(distribution: &Distribution, markers: &MarkerEnvironment) -> Vec<String> {
    let requirements = distribution.requirements(markers, &[]);
    let mut names: Vec<String> = requirements.map(|(_, text)| spelled(text).to_owned()).collect();
    names.sort_by(|one, other| (one.to_lowercase(), one).cmp(&(other.to_lowercase(), other)));
    names.dedup();
    names
}
