//! `virtpy status`: which tools have the plugin.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::meant::{found, label, meant};
use super::plugin;
use crate::cli::StatusArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::plugins::{Installation, State, Tool};

/// A tool in an answer for programs.
#[derive(JsonSchema, Serialize)]
pub(in crate::commands) struct Report {
    /// Which tool.
    tool: &'static str,
    /// Its version.
    version: String,
    /// The environment that it is in.
    prefix: PathBuf,
    /// Whether the plugin is for that version.
    supported: bool,
    /// `enabled`, `outdated`, `foreign` or `absent`.
    plugin: &'static str,
    /// The plugin's version.
    plugin_version: Option<String>,
    /// Whether it makes virtpy's venvs by itself.
    creates: bool,
}

pub(crate) fn run(context: &Context, arguments: &StatusArguments) -> Result<u8, Failure> {
    let installations = if arguments.tools.is_empty() {
        found(context, &Tool::ALL)
    } else {
        meant(context, &arguments.tools)?.into_iter().map(|one| one.installation).collect()
    };
    if installations.is_empty() && !arguments.json {
        context.output.message(format_args!("None of {} was found", Tool::names()));
    }
    report(context, installations, arguments.json)
}

/// Says of tools whether they have the plugin.
pub(crate) fn report(
    context: &Context,
    installations: Vec<Installation>,
    as_json: bool,
) -> Result<u8, Failure> {
    let mut reports = Vec::new();
    for installation in installations {
        let (report, text) = describe(installation.clone())?;
        if !as_json {
            context.output.data(format_args!("{}: {text}", label(&installation)));
        }
        reports.push(report);
    }
    if as_json {
        context.output.json(&reports)?;
    }
    Ok(0)
}

fn describe(installation: Installation) -> Result<(Report, String), Failure> {
    let plugin = plugin(installation.tool)?;
    let supported = installation.is_supported();
    let (state, plugin_version, text) = match plugin.state(&installation)? {
        State::Enabled => ("enabled", Some(env!("CARGO_PKG_VERSION").to_owned()), "enabled".to_owned()),
        State::Outdated(version) => {
            let verb = if installation.tool == Tool::Poetry { "poetry enable" } else { "enable" };
            let text = format!("enabled for another virtpy; renew it with `virtpy {verb}`");
            ("outdated", Some(version), text)
        }
        State::Foreign { version, installer } => {
            let text = format!("enabled, version {version} put there by {installer}");
            ("foreign", Some(version), text)
        }
        State::Absent if !supported => {
            ("absent", None, format!("not enabled: the plugin needs {}", installation.tool.needs()))
        }
        State::Absent => ("absent", None, "not enabled".to_owned()),
    };
    let creates = match installation.tool {
        Tool::Poetry => plugin.creates(&installation),
        _ => matches!(state, "enabled" | "outdated"),
    };
    let Installation { tool, version, prefix, .. } = installation;
    let report =
        Report { tool: tool.name(), version, prefix, supported, plugin: state, plugin_version, creates };
    Ok((report, text))
}
