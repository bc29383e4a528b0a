//! Lists of what is installed, as `virtpy list` and `virtpy pip list` print them.

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_resolver::LatestVersion;

use crate::output::table::columns;
use crate::venv::{Distribution, editable_location};

/// A line of such a list; the names of the fields are those of `pip list --format json`.
#[derive(JsonSchema, Serialize)]
pub(super) struct Row {
    /// Its name.
    pub(super) name: String,
    /// Its version.
    pub(super) version: String,
    #[serde(skip)]
    pub(super) build: Option<String>,
    /// The directory that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<String>,
    /// The tool that installed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) installer: Option<String>,
    /// The newest version that the requirements of the project and of what is installed allow, with `--outdated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) allowed_version: Option<String>,
    /// The newest version, with `--outdated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latest_version: Option<String>,
    /// What there is of that version: `wheel` or `sdist`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latest_filetype: Option<String>,
    /// The directory whose source is used in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) editable_project_location: Option<String>,
    /// The lower store that it is linked from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) store: Option<String>,
}

impl Row {
    /// What is known of a distribution, and of its newest version.
    pub(super) fn of(distribution: &Distribution, latest: Option<&LatestVersion>) -> Self {
        Self {
            name: distribution.name.clone(),
            version: distribution.version.clone(),
            build: None,
            location: None,
            installer: None,
            allowed_version: None,
            latest_version: latest.map(|latest| latest.version.to_string()),
            latest_filetype: latest.map(|latest| latest.kind.clone()),
            editable_project_location: distribution.direct_url().and_then(editable_location),
            store: None,
        }
    }
}

/// Aligned columns with a headline, as pip prints them.
pub(super) fn table(rows: &[Row]) -> String {
    columns(
        rows,
        &[
            ("Package", |row| Some(&row.name)),
            ("Version", |row| Some(&row.version)),
            ("Build", |row| row.build.as_deref()),
            ("Allowed", |row| row.allowed_version.as_deref()),
            ("Latest", |row| row.latest_version.as_deref()),
            ("Type", |row| row.latest_filetype.as_deref()),
            ("Editable project location", |row| row.editable_project_location.as_deref()),
            ("Location", |row| row.location.as_deref()),
            ("Installer", |row| row.installer.as_deref()),
            ("Store", |row| row.store.as_deref()),
        ],
    )
}
