//! `virtpy python show`: what is installed, whether there is something newer, and what else can be installed.

use schemars::JsonSchema;
use serde::Serialize;

use super::install::report_warnings;
use super::list;
use crate::cli::ShowInterpretersArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::pythons::described;
use crate::interpreters::managed::installed;
use crate::output::table::table;

#[derive(JsonSchema, Serialize)]
pub(in crate::commands) struct Shown {
    /// What virtpy has installed.
    installed: Vec<Row>,
    /// What can be installed.
    available: Vec<Row>,
}

#[derive(JsonSchema, Serialize)]
struct Row {
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// Its executable.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// The newer version that there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    update: Option<String>,
}

pub(super) fn run(context: &Context, arguments: &ShowInterpretersArguments) -> Result<u8, Failure> {
    let transfer = context.host.downloads()?;
    let catalogue = context.host.catalogue(&transfer)?;
    let managed = installed(&context.store.pythons());
    let mut rows = Vec::new();
    for one in &managed {
        let record = &one.record;
        let update = catalogue.update_for(&record.name, &record.version, record.build.as_deref())?;
        // A newer patch release may be installed beside the older one.
        let update = update.filter(|build| {
            managed.iter().all(|other| {
                other.record.name != build.name
                    || (other.folder_name == one.folder_name
                        && described(&record.version, record.build.as_deref())
                            != described(&build.version, build.build.as_deref()))
            })
        });
        rows.push(Row {
            name: record.name.clone(),
            version: record.version.clone(),
            path: Some(one.executable().display().to_string()),
            update: update.map(|build| described(&build.version, build.build.as_deref())),
        });
    }
    let is_there = |name: &str| managed.iter().any(|one| one.record.name == name);
    let offered = list::offered(&catalogue, false)?.into_iter().filter(|build| !is_there(&build.name));
    let available =
        offered.map(|build| Row { name: build.name, version: build.version, path: None, update: None });
    let shown = Shown { installed: rows, available: available.collect() };
    report_warnings(context, &catalogue);
    if arguments.json {
        context.output.json(&shown)?;
        return Ok(0);
    }
    let listed = |rows: &[Row], status: &str| {
        let line = |row: &Row| {
            let update = row.update.as_ref().map(|new| format!("update available: {new}"));
            vec![row.name.clone(), row.version.clone(), update.unwrap_or_default()]
        };
        let mut lines = vec![vec!["Name".to_owned(), "Version".to_owned(), status.to_owned()]];
        lines.extend(rows.iter().map(line));
        table(&lines, "  ")
    };
    let mut text = if shown.installed.is_empty() {
        "Nothing is installed\n".to_owned()
    } else {
        format!("Installed\n{}", listed(&shown.installed, "Status"))
    };
    if !shown.available.is_empty() {
        text.push_str("\nAvailable\n");
        text.push_str(&listed(&shown.available, ""));
    }
    context.output.data_block(&text);
    Ok(0)
}
