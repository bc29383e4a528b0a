//! `virtpy pip list`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;
use virtpy_pep::{PackageName, Requirement, Version};
use virtpy_resolver::LatestVersion;

use super::python_json::dumps;
use super::{Call, Stop};
use crate::error::Failure;
use crate::fs;
use crate::install::ResolveError;
use crate::install::{self, IndexOptions};
use crate::venv::{Contents, Distribution, editable_location};

/// A line of the list.
#[derive(Serialize)]
struct Row {
    name: String,
    version: String,
    #[serde(skip)]
    build: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    installer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_filetype: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    editable_project_location: Option<String>,
}

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
                let lines: Vec<String> =
                    rows.iter().map(|row| format!("{}=={}\n", row.name, row.version)).collect();
                output.data_block(&lines.concat());
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
            chosen.retain(|distribution| !required.contains(&distribution.key));
        }
        let latest = if request.has("outdated") || request.has("uptodate") {
            self.latest(&chosen)?
        } else {
            BTreeMap::new()
        };
        let newer = |distribution: &Distribution| {
            let version = distribution.version.parse::<Version>().ok()?;
            latest.get(&distribution.key).filter(|latest| latest.version > version)
        };
        if request.has("outdated") {
            chosen.retain(|distribution| newer(distribution).is_some());
        } else if request.has("uptodate") {
            chosen.retain(|distribution| {
                latest.contains_key(&distribution.key) && newer(distribution).is_none()
            });
        }
        Ok(chosen.into_iter().map(|one| self.row(one, newer(one))).collect())
    }

    fn row(&self, distribution: &Distribution, latest: Option<&LatestVersion>) -> Row {
        let is_verbose = self.request.has("verbose");
        Row {
            name: distribution.name.clone(),
            version: normalized(&distribution.version),
            build: self.build_tag(distribution),
            location: is_verbose
                .then(|| distribution.packages(&self.venv.site_packages()).display().to_string()),
            installer: is_verbose.then(|| distribution.installer().to_owned()),
            latest_version: latest.map(|latest| latest.version.to_string()),
            latest_filetype: latest.map(|latest| latest.kind.clone()),
            editable_project_location: distribution.direct_url().and_then(editable_location),
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

    /// What is installed and neither excluded nor somewhere else.
    pub(super) fn selection<'c>(&self, contents: &'c Contents) -> Result<Vec<&'c Distribution>, Failure> {
        let request = self.request;
        if request.has("user") {
            return Ok(Vec::new());
        }
        let mut excluded = BTreeSet::new();
        for name in request.values("exclude") {
            excluded.insert(name.parse::<PackageName>().map_err(|error| Failure::new(error.to_string()))?);
        }
        let is_left_out = |one: &Distribution| {
            let is_editable = || one.direct_url().and_then(editable_location).is_some();
            excluded.contains(&one.key) || request.has("exclude-editable") && is_editable()
        };
        let mut chosen = contents.visible();
        chosen.retain(|one| !is_left_out(one) && (!request.has("local") || !one.is_of_system()));
        Ok(chosen)
    }

    /// The names of what these require, without any extra.
    fn required(&self, distributions: &[&Distribution]) -> Result<BTreeSet<PackageName>, Failure> {
        let interpreter = self.context.host.interpreter(&self.venv)?;
        let markers = install::markers(&interpreter)?;
        let requirements = distributions.iter().flat_map(|distribution| distribution.requires_dist());
        Ok(requirements
            .filter_map(|text| text.parse::<Requirement>().ok())
            .filter(|requirement| requirement.applies(&markers, &[]))
            .map(|requirement| requirement.name().clone())
            .collect())
    }

    /// Whether pre-releases of a package count: of two options that concern it, the one that names it.
    fn admits_pre_releases(&self, name: &str) -> bool {
        let request = self.request;
        let mentions = |option: &str, wanted: &str| {
            let values = request.values(option);
            let mut names = values.iter().flat_map(|value| value.split(','));
            names.any(|text| text == wanted || text.parse::<PackageName>().is_ok_and(|text| text == *wanted))
        };
        if mentions("only-final", name) {
            return false;
        }
        let all = request.has("pre") || mentions("all-releases", ":all:");
        mentions("all-releases", name) || all && !mentions("only-final", ":all:")
    }

    /// The newest versions that the indexes have.
    fn latest(
        &self,
        distributions: &[&Distribution],
    ) -> Result<BTreeMap<PackageName, LatestVersion>, Failure> {
        let interpreter = self.context.host.interpreter(&self.venv)?;
        let names: Vec<PackageName> =
            distributions.iter().filter(|one| !one.is_pip_shim()).map(|one| one.key.clone()).collect();
        let with_pre = |name: &PackageName| self.admits_pre_releases(name);
        let (pre, last): (Vec<PackageName>, Vec<PackageName>) = names.into_iter().partition(with_pre);
        let ask = |index: &IndexOptions, names: &[PackageName], pre: bool| -> Result<_, Failure> {
            let session = self.context.host.session(&interpreter, self.context.host.index_settings(index)?);
            Ok(session.latest_versions(names, pre).map_err(ResolveError::from)?)
        };
        let mut found = BTreeMap::new();
        for (mut names, pre) in [(pre, true), (last, false)] {
            if self.request.has("prefer-binary") && !names.is_empty() {
                let only_binary = vec![":all:".to_owned()];
                found.append(&mut ask(&IndexOptions { only_binary, ..self.index() }, &names, pre)?);
                names.retain(|name| !found.contains_key(name));
            }
            if !names.is_empty() {
                found.append(&mut ask(&self.index(), &names, pre)?);
            }
        }
        Ok(found)
    }
}

/// A version as PEP 440 writes it; one that it does not know stays.
fn normalized(version: &str) -> String {
    version.parse::<Version>().map_or_else(|_| version.to_owned(), |version| version.to_string())
}

/// A headline and a value for each line that has one.
type Column = (&'static str, fn(&Row) -> Option<&String>);

/// Aligned columns with a headline. Those that nobody has a value for are left out.
fn table(rows: &[Row]) -> String {
    let columns: [Column; 8] = [
        ("Package", |row| Some(&row.name)),
        ("Version", |row| Some(&row.version)),
        ("Build", |row| row.build.as_ref()),
        ("Latest", |row| row.latest_version.as_ref()),
        ("Type", |row| row.latest_filetype.as_ref()),
        ("Editable project location", |row| row.editable_project_location.as_ref()),
        ("Location", |row| row.location.as_ref()),
        ("Installer", |row| row.installer.as_ref()),
    ];
    if rows.is_empty() {
        return String::new();
    }
    let mut lines = vec![String::new(); rows.len() + 2];
    for (headline, value) in columns {
        if !rows.iter().any(|row| value(row).is_some()) {
            continue;
        }
        let cells: Vec<&str> = rows.iter().map(|row| value(row).map_or("", String::as_str)).collect();
        let width = cells.iter().chain(&[headline]).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let rule = "-".repeat(width);
        for (line, cell) in lines.iter_mut().zip([headline, &rule].into_iter().chain(cells)) {
            if !line.is_empty() {
                line.push(' ');
            }
            let _ = write!(line, "{cell:width$}");
        }
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n") + "\n"
}
