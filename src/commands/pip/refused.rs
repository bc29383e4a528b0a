//! Options of pip's that virtpy cannot carry out: they are refused rather than dropped.

use super::call::{Call, Stop};
use crate::error::Failure;

/// Options without a meaning here, and what to do instead.
const REFUSED: [(&str, &str); 7] = [
    ("no-clean", "the directories of builds are always removed; build it yourself to look at them"),
    ("global-option", "give the build backend its settings with `--config-settings`"),
    ("no-use-pep517", "sources are built through their build backend only (PEP 517)"),
    (
        "check-build-dependencies",
        "leave `--no-build-isolation` out: what a build needs is installed for it then",
    ),
    (
        "ignore-requires-python",
        "take a version that is for this Python, or a Python that the package is for: `virtpy new --python VERSION`",
    ),
    ("no-proxy-env", "unset the variables of the proxies, or set `NO_PROXY=*`"),
    ("refresh-package", "pages of indexes are asked for again as soon as they are out of date"),
];

/// Options that are for another environment than the venv, if nothing says where that is.
const FOREIGN_TAGS: [&str; 4] = ["platform", "python-version", "implementation", "abi"];

impl Call<'_> {
    /// Refuses what would otherwise be dropped silently.
    ///
    /// # Errors
    /// When something of it was asked for.
    pub(super) fn refuse_what_is_not_supported(&self) -> Result<(), Stop> {
        let request = self.request;
        for (option, instead) in REFUSED {
            if request.has(option) {
                return Err(not_supported(&format!("--{option}"), instead).into());
            }
        }
        if request.values("use-deprecated").iter().any(|feature| feature == "legacy-resolver") {
            let instead = "there is one resolver here, which never installs what conflicts";
            return Err(not_supported("--use-deprecated=legacy-resolver", instead).into());
        }
        if request.command.name != "install" {
            return Ok(());
        }
        for other in ["no-deps", "group"] {
            if request.has("only-deps") && request.has(other) {
                return Err(request.wrong(&format!("--only-deps and --{other} cannot be combined.")).into());
            }
        }
        if request.values("requirements-from-script").len() > 1 {
            return Err(Failure::new("--requirements-from-script can only be given once").into());
        }
        if request.has("pre") && ["all-releases", "only-final"].iter().any(|option| request.has(option)) {
            return Err(Failure::new("--pre cannot be used with --all-releases or --only-final.").into());
        }
        for option in FOREIGN_TAGS {
            if request.has(option) {
                return Err(Failure::new(
                    "Can not use any platform or abi specific options unless installing via '--target' or using '--dry-run'",
                )
                .into());
            }
        }
        Ok(())
    }
}

fn not_supported(option: &str, instead: &str) -> Failure {
    Failure::new(format!("`{option}` is not supported by the pip of virtpy's venvs")).hinted(instead)
}
