//! `virtpy pip show`.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::call::{Call, Stop};
use super::requirements::spelled;
use crate::error::Failure;
use crate::fs;
use crate::venv::{Contents, Distribution, editable_location};
use crate::wheel;

impl Call<'_> {
    pub(super) fn show(&self) -> Result<u8, Stop> {
        let output = self.context.output;
        if self.request.arguments.is_empty() {
            output.complaint("WARNING: ERROR: Please provide a package name or names.");
            return Ok(1);
        }
        let contents = self.contents()?;
        let mut cards = Vec::new();
        let mut missing = Vec::new();
        for name in &self.request.arguments {
            match contents.find_spelled(name) {
                Some(distribution) => cards.push(self.card(&contents, distribution)?),
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

    fn card(&self, contents: &Contents, distribution: &Distribution) -> Result<String, Failure> {
        let metadata = self.metadata(distribution)?;
        let field = |name: &str| metadata.get(name).and_then(Value::as_str).unwrap_or_default();
        let required = self.required_names(distribution)?;
        let mut dependents = Vec::new();
        for other in contents.visible() {
            let names = self.required_names(other)?;
            if names.iter().any(|name| distribution.key.is_spelled(name)) {
                dependents.push(other.name.clone());
            }
        }
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
        line("Location", &distribution.packages(&self.venv.site_packages()).display().to_string());
        if let Some(location) = distribution.direct_url().and_then(editable_location) {
            line("Editable project location", &location);
        }
        line("Requires", &required.join(", "));
        line("Required-by", &dependents.join(", "));
        if self.request.has("verbose") {
            line("Metadata-Version", field("metadata_version"));
            line("Installer", distribution.installer());
            push_list(&mut text, "Classifiers", &metadata, "classifier");
            self.push_entry_points(&mut text, distribution);
            push_list(&mut text, "Project-URLs", &metadata, "project_url");
        }
        if self.request.has("files") {
            self.push_files(&mut text, distribution)?;
        }
        Ok(text)
    }

    /// The names of what a distribution requires here, without any extra, as its METADATA spells them, sorted.
    fn required_names(&self, distribution: &Distribution) -> Result<Vec<String>, Failure> {
        if distribution.requires_dist().is_empty() {
            return Ok(Vec::new());
        }
        let markers = self.markers()?;
        let requirements = distribution.requirements(&markers, &[]);
        let mut names: Vec<String> = requirements.map(|(_, text)| spelled(text).to_owned()).collect();
        names.sort_by(|one, other| (one.to_lowercase(), one).cmp(&(other.to_lowercase(), other)));
        names.dedup();
        Ok(names)
    }

    /// `entry_points.txt` line by line.
    fn push_entry_points(&self, text: &mut String, distribution: &Distribution) {
        text.push_str("Entry-points:\n");
        let path = distribution.folder(&self.venv.site_packages()).join("entry_points.txt");
        for line in fs::read_to_string(&path).unwrap_or_default().lines() {
            let _ = writeln!(text, "  {}", line.trim());
        }
    }

    fn push_files(&self, text: &mut String, distribution: &Distribution) -> Result<(), Failure> {
        let site_packages = distribution.packages(&self.venv.site_packages()).to_path_buf();
        text.push_str(
            "Files:
",
        );
        if fs::metadata(&distribution.folder(&self.venv.site_packages()).join("RECORD")).is_err() {
            text.push_str(
                "Cannot locate RECORD or installed-files.txt
",
            );
            return Ok(());
        }
        // A folder that is one link has a row of its own, beside those of its files.
        let is_folder =
            |path: &str| fs::metadata(&site_packages.join(path)).is_ok_and(|facts| facts.is_dir());
        let rows = distribution.recorded_files(&self.venv.site_packages())?;
        for row in rows.iter().filter(|row| row.hash.is_some() || !is_folder(&row.path)) {
            let _ = writeln!(text, "  {}", row.path);
        }
        Ok(())
    }
}

fn push_list(text: &mut String, headline: &str, metadata: &Map<String, Value>, field: &str) {
    let _ = writeln!(text, "{headline}:");
    for item in metadata.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    {
        let _ = writeln!(text, "  {item}");
    }
}
