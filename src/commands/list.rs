//! `virtpy list`: what is installed in a venv.

use std::collections::BTreeMap;

use serde::Serialize;
use virtpy_pep::{PackageName, Version};
use virtpy_resolver::LatestVersion;

use crate::cli::ListArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::ResolveError;
use crate::report;
use crate::venv::{Contents, Distribution, Venv, editable_location};

pub(super) fn run(context: &Context, arguments: &ListArguments) -> Result<u8, Failure> {
    let venv = context.venv(&arguments.venv)?;
    let contents = report::contents(context, &venv)?;
    let rows = if arguments.outdated {
        outdated(context, arguments, &venv, &contents)?
    } else {
        contents.visible().into_iter().map(|distribution| Row::of(distribution, None)).collect()
    };
    if arguments.json {
        context.output.json(&rows)?;
    } else {
        context.output.data_block(&table(&rows));
    }
    Ok(0)
}

/// A line of the list; the names of the fields are those of `pip list --format json`.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_filetype: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    editable_project_location: Option<String>,
}

impl<'a> Row<'a> {
    fn of(distribution: &'a Distribution, latest: Option<&LatestVersion>) -> Self {
        Self {
            name: &distribution.name,
            version: &distribution.version,
            latest_version: latest.map(|latest| latest.version.to_string()),
            latest_filetype: latest.map(|latest| latest.kind.clone()),
            editable_project_location: distribution.direct_url().and_then(editable_location),
        }
    }
}

/// What the index has a newer version of.
fn outdated<'a>(
    context: &Context,
    arguments: &ListArguments,
    venv: &Venv,
    contents: &'a Contents,
) -> Result<Vec<Row<'a>>, Failure> {
    let interpreter = context.host.interpreter(venv)?;
    let session =
        context.host.session(&interpreter, context.host.index_settings(&arguments.index.options())?);
    let names: Vec<PackageName> =
        contents.visible().iter().filter(|one| !one.is_pip_shim()).map(|one| one.key.clone()).collect();
    let latest: BTreeMap<PackageName, LatestVersion> =
        session.latest_versions(&names, arguments.pre).map_err(ResolveError::from)?;
    let is_newer = |distribution: &Distribution, latest: &LatestVersion| {
        distribution.version.parse::<Version>().is_ok_and(|version| latest.version > version)
    };
    Ok(contents
        .visible()
        .into_iter()
        .filter_map(|distribution| {
            let latest = latest.get(&distribution.key).filter(|latest| is_newer(distribution, latest))?;
            Some(Row::of(distribution, Some(latest)))
        })
        .collect())
}

/// Aligned columns with a headline, as pip prints them.
fn table(rows: &[Row<'_>]) -> String {
    let mut lines = vec![vec!["Package".to_owned(), "Version".to_owned()]];
    let has_latest = rows.iter().any(|row| row.latest_version.is_some());
    let has_editable = rows.iter().any(|row| row.editable_project_location.is_some());
    if has_latest {
        lines[0].extend(["Latest".to_owned(), "Type".to_owned()]);
    }
    if has_editable {
        lines[0].push("Editable project location".to_owned());
    }
    for row in rows {
        let mut line = vec![row.name.to_owned(), row.version.to_owned()];
        if has_latest {
            line.push(row.latest_version.clone().unwrap_or_default());
            line.push(row.latest_filetype.clone().unwrap_or_default());
        }
        if has_editable {
            line.push(row.editable_project_location.clone().unwrap_or_default());
        }
        lines.push(line);
    }
    if lines.len() == 1 {
        return String::new();
    }
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    lines.insert(1, widths.iter().map(|width| "-".repeat(*width)).collect());
    let mut text = String::new();
    for line in lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join(" ").trim_end());
        text.push('\n');
    }
    text
}
