//! `virtpy poetry status`: which Poetries have the plugin.

use std::path::PathBuf;

use serde::Serialize;

use super::{installations, label, plugin};
use crate::cli::PoetryStatusArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::poetry::{Installation, State};

/// A Poetry in an answer for programs.
#[derive(Serialize)]
struct Report {
    version: String,
    prefix: PathBuf,
    supported: bool,
    /// `enabled`, `outdated`, `foreign` or `absent`.
    plugin: &'static str,
    plugin_version: Option<String>,
}

pub(super) fn run(context: &Context, arguments: &PoetryStatusArguments) -> Result<u8, Failure> {
    let plugin = plugin()?;
    let mut reports = Vec::new();
    for poetry in installations(context, &arguments.which)? {
        let (state, version, text) = match plugin.state(&poetry)? {
            State::Enabled => ("enabled", Some(env!("CARGO_PKG_VERSION").to_owned()), "enabled".to_owned()),
            State::Outdated(version) => {
                let text = "enabled for another virtpy; renew it with `virtpy poetry enable`".to_owned();
                ("outdated", Some(version), text)
            }
            State::Foreign { version, installer } => {
                let text = format!("enabled, version {version} put there by {installer}");
                ("foreign", Some(version), text)
            }
            State::Absent if !poetry.is_supported() => {
                ("absent", None, "not enabled: the plugin needs Poetry 1.8 or 2".to_owned())
            }
            State::Absent => ("absent", None, "not enabled".to_owned()),
        };
        if !arguments.json {
            context.output.data(format_args!("{}: {text}", label(&poetry)));
        }
        let supported = poetry.is_supported();
        let Installation { version: of_poetry, prefix, .. } = poetry;
        reports.push(Report {
            version: of_poetry,
            prefix,
            supported,
            plugin: state,
            plugin_version: version,
        });
    }
    if arguments.json {
        context.output.json(&reports)?;
    }
    Ok(0)
}
