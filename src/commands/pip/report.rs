//! `virtpy pip install --report`: what was or would be installed, as JSON (the "pip installation report", version 1).

use serde_json::{Map, Value, json};
use virtpy_pep::{ArchiveHashes, DirectUrl};
use virtpy_resolver::{Artifact, Package};

use super::call::Call;
use crate::error::Failure;
use crate::fs;
use crate::install::{ArrivingWheel, Changelog};
use crate::store::{DIST_INFO_ALIAS, Entry, PIP_SHIM_VERSION};
use crate::wheel;

impl Call<'_> {
    /// Writes the report to a file, or to standard output for `-`.
    pub(super) fn report(&self, target: &str, log: &Changelog) -> Result<(), Failure> {
        let install = log.wheels.iter().map(item);
        let report = json!({
            "version": "1",
            "pip_version": PIP_SHIM_VERSION,
            "install": install.collect::<Result<Vec<Value>, Failure>>()?,
            "environment": self.environment()?,
        });
        if target == "-" {
            return self.context.output.json_of_others(&report);
        }
        let text = serde_json::to_string_pretty(&report).map_err(|error| Failure::new(error.to_string()))?;
        let path = self.context.working_directory.join(target);
        Ok(fs::write_atomic(&path, format!("{text}\n").as_bytes())?)
    }
}

fn item(ArrivingWheel { package, entry }: &ArrivingWheel) -> Result<Value, Failure> {
    let metadata = fs::read(&entry.path.join(DIST_INFO_ALIAS).join("METADATA"))?;
    let mut object = Map::new();
    object.insert("download_info".to_owned(), json!(download_info(package, entry)));
    object.insert("is_direct".to_owned(), package.direct_url.is_some().into());
    object.insert("is_yanked".to_owned(), false.into());
    object.insert("requested".to_owned(), package.requested.into());
    if package.requested && !package.extras.is_empty() {
        object.insert("requested_extras".to_owned(), json!(package.extras));
    }
    object.insert("metadata".to_owned(), Value::Object(wheel::metadata_as_json(&metadata)));
    Ok(Value::Object(object))
}

/// Where a package comes from, in the form of `direct_url.json` (PEP 610).
fn download_info(package: &Package, entry: &Entry) -> DirectUrl {
    if let Some(direct_url) = &package.direct_url {
        return direct_url.clone();
    }
    let (url, sha256) = match &package.file {
        Artifact::Wheel { location, sha256, .. } => {
            (location.as_str(), Some(sha256.unwrap_or(entry.manifest.sha256)))
        }
        Artifact::Source { description, .. } => (description.as_str(), None),
    };
    let url = if url.starts_with('/') { format!("file://{url}") } else { url.to_owned() };
    DirectUrl::archive(url, sha256.map(|sha256| ArchiveHashes::of_sha256(sha256.into())).unwrap_or_default())
}
