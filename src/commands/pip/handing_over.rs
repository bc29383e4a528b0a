//! Which requests are for a real pip: they are about another environment, or a part of pip that virtpy has not.

use std::path::Path;

use super::place::{is_others, venv_of};
use crate::cli::pip::PipRequest;
use crate::context::Context;
use crate::fs;

/// The commands that only read.
const READING: [&str; 5] = ["list", "freeze", "show", "check", "inspect"];

/// Whether a request is for a real pip.
pub(super) fn has_to(context: &Context, place: Option<&Path>, request: &PipRequest) -> bool {
    if place.is_some_and(|place| is_others(context, place)) {
        return true;
    }
    let is_elsewhere = || {
        let foreign = ["platform", "python-version", "implementation", "abi"];
        ["target", "root", "path"].iter().any(|option| request.has(option))
            || request.has("dry-run") && foreign.iter().any(|option| request.has(option))
    };
    let venv = || venv_of(context, place);
    let has_other_prefix = || {
        request.value("prefix").is_some_and(|prefix| {
            let same = |venv: &Path| {
                let prefix = fs::canonicalize(&context.working_directory.join(prefix));
                prefix.is_ok_and(|prefix| fs::canonicalize(venv).is_ok_and(|venv| venv == prefix))
            };
            venv().is_ok_and(|venv| !same(&venv.root))
        })
    };
    // The user's packages are visible where the system's are, and pip installs there then.
    let is_for_user = || {
        request.is_on("user", "no-user")
            && venv().is_ok_and(|venv| venv.config.get("include-system-site-packages") == Some("true"))
    };
    let python_path = std::env::var_os("PYTHONPATH").unwrap_or_default();
    let is_beyond = || {
        READING.contains(&request.command.name)
            && venv().is_ok_and(|venv| venv.has_unseen_distributions(&python_path))
    };
    is_elsewhere() || has_other_prefix() || is_for_user() || is_beyond()
}

/// The words for a real pip. What goes to another place must not make it uninstall what stands in the venv.
pub(super) fn words(request: &PipRequest) -> Vec<String> {
    let mut words = request.all.clone();
    let goes_elsewhere = ["root", "prefix"].iter().any(|option| request.has(option));
    if request.command.name == "install" && goes_elsewhere {
        let place = words.iter().position(|word| word == "install").map_or(words.len(), |place| place + 1);
        words.insert(place, "--ignore-installed".to_owned());
    }
    words
}
