//! What is known of an installed distribution beside its name and version: its METADATA, what it requires, which files it has.

use std::collections::BTreeSet;
use std::path::Path;

use virtpy_files::{self as fs, PathError};
use virtpy_pep::{MarkerEnvironment, PackageName, Requirement};
use virtpy_wheel::{self as wheel, RecordRow};

use super::installed_metadata::LARGEST_METADATA;
use super::{Contents, Distribution, VenvError};

impl Distribution {
    /// Reads its METADATA, given the venv's folder of packages.
    ///
    /// # Errors
    /// When it cannot be read, or is far too large.
    pub fn read_metadata(&self, site_packages: &Path) -> Result<Vec<u8>, PathError> {
        fs::read_bounded(&self.metadata_file(site_packages), LARGEST_METADATA)
    }

    /// The requirements that count in an environment where it was asked for with `extras`, each as its METADATA spells it. What
    /// cannot be understood is left out.
    pub fn requirements(
        &self,
        markers: &MarkerEnvironment,
        extras: &[String],
    ) -> impl Iterator<Item = (Requirement, &str)> {
        let read = |text: &String| text.parse::<Requirement>().ok();
        let read = move |text| Some((read(text)?, text.as_str()));
        let all = self.requires_dist().iter().filter_map(read);
        all.filter(|(requirement, _)| requirement.applies(markers, extras))
    }

    /// The names of what it requires without any extra, on any system, sorted.
    pub fn required_names(&self) -> Vec<PackageName> {
        let plain = self.requires_dist().iter().filter(|text| !text.contains("extra =="));
        let read = plain.filter_map(|text| text.parse::<Requirement>().ok());
        let mut names: Vec<PackageName> = read.map(|requirement| requirement.name().clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The rows of its RECORD, sorted by path, given the venv's folder of packages.
    ///
    /// # Errors
    /// When there is none, or it makes no sense.
    pub fn recorded_files(&self, site_packages: &Path) -> Result<Vec<RecordRow>, VenvError> {
        let path = self.folder(site_packages).join("RECORD");
        let mut rows = wheel::parse_record(&fs::read_to_string(&path)?)
            .map_err(|error| VenvError::Damaged { path, reason: error.to_string() })?;
        rows.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(rows)
    }
}

impl Contents {
    /// The distributions among these, and those that require one of them.
    pub fn concerned_by(&self, packages: &BTreeSet<PackageName>) -> BTreeSet<&PackageName> {
        let requires = |text: &String| {
            text.parse::<Requirement>().is_ok_and(|requirement| packages.contains(requirement.name()))
        };
        let is_concerned =
            |one: &&Distribution| packages.contains(&one.package) || one.requires_dist().iter().any(requires);
        self.visible().into_iter().filter(is_concerned).map(|one| &one.package).collect()
    }

    /// The names of what requires a distribution, sorted by name.
    pub fn dependents(&self, key: &PackageName) -> Vec<String> {
        let requires = |other: &&Distribution| other.required_names().contains(key);
        self.visible().into_iter().filter(requires).map(|other| other.name.clone()).collect()
    }
}
