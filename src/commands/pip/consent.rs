//! Asking whether a distribution may go.

use super::call::Call;
use crate::error::Failure;
use crate::venv::{Distribution, editable_location};

impl Call<'_> {
    /// Whether the user agrees that it goes.
    pub(super) fn agrees(&self, distribution: &Distribution) -> Result<bool, Failure> {
        let output = self.context.output;
        let Distribution { name, version, dist_info, .. } = distribution;
        let site_packages = self.venv.site_packages();
        output.data(format_args!("Found existing installation: {name} {version}"));
        output.data(format_args!("Uninstalling {name}-{version}:"));
        output.data("  Would remove:");
        output.data(format_args!("    {}/*", site_packages.join(dist_info).display()));
        if let Some(folder) = distribution.direct_url().and_then(editable_location) {
            output.data(format_args!("    the link to {folder}"));
        }
        if self.request.has("no-input") {
            return Err(Failure::new(format!(
                "No input was expected ($PIP_NO_INPUT set); question: remove {name}?"
            ))
            .hinted("say yes with `-y`"));
        }
        loop {
            let Some(answer) = output.ask("Proceed (Y/n)? ") else {
                return Err(Failure::new(format!(
                    "nobody answered whether {name} may be removed; nothing was changed"
                ))
                .hinted("say yes with `-y`"));
            };
            match answer.to_lowercase().as_str() {
                "" | "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                other => output.data(format_args!(
                    "Your response ('{other}') was not one of the expected responses: y, n, "
                )),
            }
        }
    }
}
