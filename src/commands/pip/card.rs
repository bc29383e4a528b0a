//! What `pip show` tells of one distribution.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use serde_json::Value;
use virtpy_pep::PackageName;

use super::call::Call;
use crate::error::Failure;
use crate::fs;
use crate::venv::{Contents, Distribution, editable_location};
use crate::wheel;

/// What each distribution requires here, without any extra: names, as its METADATA spells them, sorted.
pub(super) type Required<'a> = BTreeMap<&'a PackageName, Vec<String>>;

impl Call<'_> {
    pub(super) fn card(
        &self,
        contents: &Contents,
        required: &Required<'_>,
        distribution: &Distribution,
    ) -> Result<String, Failure> {
        let site_packages = self.venv.site_packages();
        let metadata = self.metadata(distribution)?;
        let field = |name: &str| metadata.get(name).and_then(Value::as_str).unwrap_or_default();
        let names = |one: &Distribution| required.get(&one.package).map(Vec::as_slice).unwrap_or_default();
        let is_dependent =
            |other: &&Distribution| names(other).iter().any(|name| distribution.package.is_spelled(name));
        let dependents = contents.visible().into_iter().filter(is_dependent);
        let mut dependents: Vec<&str> = dependents.map(|other| other.name.as_str()).collect();
        dependents.sort_by_key(|name| name.to_lowercase());
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(text, "{name}: {value}");
        };
        line("Name", &distribution.name);
        line("Version", &distribution.version);
        line("Summary", field("summary"));
        line("Home-page", &wheel::home_page(&metadata));
        line("Author", field("author"));
        line("Author-email", field("author_email"));
        match field("license_expression") {
            "" => line("License", field("license")),
            expression => line("License-Expression", expression),
        }
        line("Location", &distribution.packages(&site_packages).display().to_string());
        if let Some(location) = distribution.direct_url().and_then(editable_location) {
            line("Editable project location", &location);
        }
        line("Requires", &names(distribution).join(", "));
        line("Required-by", &dependents.join(", "));
        if self.request.has("verbose") {
            line("Metadata-Version", field("metadata_version"));
            line("Installer", distribution.installer());
            let list = |name: &str| metadata.get(name).and_then(Value::as_array).into_iter().flatten();
            push_list(&mut text, "Classifiers", list("classifier").filter_map(Value::as_str));
            let path = distribution.folder(&site_packages).join("entry_points.txt");
            let entry_points = fs::read_to_string(&path).unwrap_or_default();
            push_list(&mut text, "Entry-points", entry_points.lines().map(str::trim));
            push_list(&mut text, "Project-URLs", list("project_url").filter_map(Value::as_str));
        }
        if self.request.has("files") {
            self.push_files(&mut text, distribution)?;
        }
        Ok(text)
    }

    fn push_files(&self, text: &mut String, distribution: &Distribution) -> Result<(), Failure> {
        let site_packages = self.venv.site_packages();
        if fs::metadata(&distribution.folder(&site_packages).join("RECORD")).is_err() {
            text.push_str("Files:\nCannot locate RECORD or installed-files.txt\n");
            return Ok(());
        }
        // A folder that is one link has a row of its own, beside those of its files.
        let packages = distribution.packages(&site_packages);
        let is_folder = |path: &str| fs::metadata(&packages.join(path)).is_ok_and(|facts| facts.is_dir());
        let mut rows = distribution.recorded_files(&site_packages)?;
        rows.retain(|row| row.hash.is_some() || !is_folder(&row.path));
        push_list(text, "Files", rows.iter().map(|row| &row.path));
        Ok(())
    }
}

fn push_list(text: &mut String, headline: &str, items: impl Iterator<Item = impl Display>) {
    let _ = writeln!(text, "{headline}:");
    for item in items {
        let _ = writeln!(text, "  {item}");
    }
}
