//! `virtpy pip inspect`: everything that is installed, as JSON (the "pip inspect" report, version 1).

use serde_json::{Map, Value, json};

use super::call::{Call, Stop};
use crate::error::Failure;
use crate::fs;
use crate::store::PIP_SHIM_VERSION;
use crate::venv::{Distribution, Owner};

impl Call<'_> {
    pub(super) fn inspect(&self) -> Result<u8, Stop> {
        let contents = self.contents()?;
        let mut installed = Vec::new();
        for distribution in self.selection(&contents)? {
            installed.push(self.description(distribution)?);
        }
        self.context.output.json_of_others(&json!({
            "version": "1",
            "pip_version": PIP_SHIM_VERSION,
            "installed": installed,
            "environment": self.environment()?,
        }))?;
        Ok(0)
    }

    /// The markers of the venv's interpreter (PEP 508).
    pub(super) fn environment(&self) -> Result<Value, Failure> {
        let interpreter = self.context.host.interpreter(&self.venv)?;
        Ok(json!(interpreter.markers))
    }

    fn description(&self, distribution: &Distribution) -> Result<Value, Failure> {
        let folder = distribution.folder(&self.venv.site_packages());
        let requested = match &distribution.owner {
            Owner::Virtpy(installed) => installed.requested,
            Owner::Foreign(_) | Owner::System { .. } => fs::metadata(&folder.join("REQUESTED")).is_ok(),
        };
        let mut object = Map::new();
        object.insert("metadata".to_owned(), Value::Object(self.metadata(distribution)?));
        object.insert("metadata_location".to_owned(), folder.display().to_string().into());
        if let Some(direct_url) = distribution.direct_url().and_then(|text| serde_json::from_str(text).ok()) {
            object.insert("direct_url".to_owned(), direct_url);
        }
        object.insert("installer".to_owned(), distribution.installer().into());
        object.insert("requested".to_owned(), requested.into());
        Ok(Value::Object(object))
    }
}
