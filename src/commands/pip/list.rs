//! `virtpy pip list`.

use virtpy_pep::Version;
use virtpy_resolver::LatestVersion;

use super::super::listing::{Row, table};
use super::call::{Call, Stop};
use super::python_json::dumps;
use crate::error::Failure;
use crate::fs;
use crate::install::NewestVersions;
use crate::venv::{Contents, Distribution, editable_location};

impl Call<'_> {
    pub(super) fn list(&self) -> Result<u8, Stop> {
        let request = self.request;
        let format = request.value("format").unwrap_or("columns");
        if request.has("outdated") && request.has("uptodate") {
            return Err(Failure::new("Options --outdated and --uptodate cannot be combined.").into());
        }
        if request.has("outdated") && format == "freeze" {
            return Err(
                Failure::new("List format 'freeze' cannot be used with the --outdated option.").into()
            );
        }
        let contents = self.contents()?;
        let rows = self.rows(&contents)?;
        let output = self.context.output;
        match format {
            "json" => output.data(dumps(&rows)?),
            "freeze" => {
                let lines = rows.iter().map(|row| format!("{}=={}\n", row.name, row.version));
                output.data_block(&lines.collect::<String>());
            }
            _ => output.data_block(&table(&rows)),
        }
        Ok(0)
    }

    /// What is to be listed.
    fn rows(&self, contents: &Contents) -> Result<Vec<Row>, Failure> {
        let request = self.request;
        let mut chosen = self.selection(contents)?;
        if request.has("editable") {
            chosen.retain(|distribution| distribution.direct_url().and_then(editable_location).is_some());
        }
        if request.has("not-required") {
            // What is left out requires things all the same.
            let required = self.required(&contents.visible())?;
            chosen.retain(|distribution| !required.contains(&distribution.package));
        }
        let asks = request.has("outdated") || request.has("uptodate");
        let newest = if asks { self.newest(&chosen)? } else { NewestVersions::default() };
        let newer = |distribution: &Distribution| newest.beyond(&distribution.package, &distribution.version);
        if request.has("outdated") {
            chosen.retain(|distribution| newer(distribution).is_some());
        } else if request.has("uptodate") {
            chosen.retain(|distribution| newest.has(&distribution.package) && newer(distribution).is_none());
        }
        Ok(chosen.into_iter().map(|one| self.row(one, newer(one))).collect())
    }

    fn row(&self, distribution: &Distribution, latest: Option<&LatestVersion>) -> Row {
        let is_verbose = self.request.has("verbose");
        let location = || distribution.packages(&self.venv.site_packages()).display().to_string();
        Row {
            version: normalized(&distribution.version),
            build: self.build_tag(distribution),
            location: is_verbose.then(location),
            installer: is_verbose.then(|| distribution.installer().to_owned()),
            ..Row::of(distribution, latest)
        }
    }

    /// The build tag that a distribution's WHEEL file has.
    fn build_tag(&self, distribution: &Distribution) -> Option<String> {
        if self.request.value("format").is_some_and(|format| format != "columns") {
            return None;
        }
        let path = distribution.folder(&self.venv.site_packages()).join("WHEEL");
        let text = fs::read_to_string(&path).ok()?;
        text.lines().find_map(|line| line.strip_prefix("Build:")).map(|tag| tag.trim().to_owned())
    }
}

/// A version as PEP 440 writes it; one that it does not know stays.
fn normalized(version: &str) -> String {
    version.parse::<Version>().map_or_else(|_| version.to_owned(), |version| version.to_string())
}
