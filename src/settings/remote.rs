//! The storage that is shared with other machines: `[remote]`, and the variables that override it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use virtpy_remote::{Address, KeySource, PublicKey, RemoteSettings};

use super::paths::absolute;
use crate::install::{Error, Result};

/// The variable that has a private key itself, as services that build and test hand secrets over.
const KEY: &str = "VIRTPY_REMOTE_KEY";

/// The section as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct RemoteSection {
    url: Option<String>,
    #[serde(default)]
    trust: Vec<String>,
    #[serde(default)]
    push: bool,
    key_file: Option<String>,
    #[serde(default)]
    allow_http: bool,
    #[serde(default)]
    options: BTreeMap<String, String>,
}

/// The remote that is meant, if any.
///
/// # Errors
/// When a value makes no sense.
pub(super) fn read(
    variable: &dyn Fn(&str) -> Option<String>,
    switch: &dyn Fn(&str, &str, bool) -> Result<bool>,
    file: RemoteSection,
) -> Result<Option<RemoteSettings>> {
    let Some(url) = variable("VIRTPY_REMOTE").or(file.url).filter(|url| url != "off") else {
        return Ok(None);
    };
    let allow_http = switch("remote.allow-http", "VIRTPY_REMOTE_ALLOW_HTTP", file.allow_http)?;
    let address = Address::parse(&url, allow_http)?;
    let trust: Vec<String> = match variable("VIRTPY_REMOTE_TRUST") {
        Some(text) => text.split([',', ' ']).filter(|key| !key.is_empty()).map(str::to_owned).collect(),
        None => file.trust,
    };
    let trust: Vec<PublicKey> = trust
        .iter()
        .map(|key| {
            key.parse()
                .map_err(|error| Error::from(error).within("the setting `remote.trust` makes no sense"))
        })
        .collect::<Result<_>>()?;
    let push = switch("remote.push", "VIRTPY_REMOTE_PUSH", file.push)?;
    let key_file = variable("VIRTPY_REMOTE_KEY_FILE").or(file.key_file);
    let key = match key_file {
        _ if variable(KEY).is_some() => KeySource::Variable(KEY),
        Some(text) => KeySource::File(absolute("remote.key-file", &text)?),
        None => KeySource::File(key_file_of_user()),
    };
    Ok(Some(RemoteSettings { address, options: file.options, allow_http, trust, push, key }))
}

/// Where the private key of this user is, unless the settings name another place.
pub fn key_file_of_user() -> PathBuf {
    let folders = directories::ProjectDirs::from("", "", "virtpy");
    folders.map_or_else(|| PathBuf::from("/nonexistent"), |folders| folders.config_dir().join("remote.key"))
}
