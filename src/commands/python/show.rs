//! `virtpy python show`: what is installed, whether there is something newer, and what else can be installed.

use serde::Serialize;

use super::install::report_warnings;
use super::{list, table};
use crate::cli::ShowInterpretersArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::pythons::described;
use crate::interpreters::managed::installed;

#[derive(Serialize)]
struct Shown {
    installed: Vec<Row>,
    available: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
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
                    || (other.key == one.key
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
    let status =
        |row: &Row| row.update.as_ref().map_or_else(String::new, |new| format!("update available: {new}"));
    let head = |status: &str| ["Name", "Version", status].map(str::to_owned);
    let mut lines = vec![head("Status")];
    lines.extend(shown.installed.iter().map(|row| [row.name.clone(), row.version.clone(), status(row)]));
    let installed = if shown.installed.is_empty() {
        "Nothing is installed\n".to_owned()
    } else {
        format!("Installed\n{}", table(&lines))
    };
    let mut lines = vec![head("")];
    lines.extend(shown.available.iter().map(|row| [row.name.clone(), row.version.clone(), String::new()]));
    let available =
        if shown.available.is_empty() { String::new() } else { format!("\nAvailable\n{}", table(&lines)) };
    context.output.data_block(&(installed + &available));
    Ok(0)
}
