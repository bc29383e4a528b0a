//! The names of applications, and of what is in their folders.

use std::ffi::OsStr;

use virtpy_pep::Requirement;

use super::ToolError;

/// The link to the generation in use.
pub(super) const CURRENT: &str = "current";

/// The link that is about to become [`CURRENT`].
pub(super) const NEXT: &str = "next";

/// Whether virtpy gives such a name to what it makes in an application's folder and an interrupted change may have left there: a
/// generation, one in the making, or a link. What has another name is somebody else's.
pub(super) fn is_left_over(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let in_the_making = |name: &str| Some(name.strip_prefix('.')?.split_once(".virtpy-new")?.0.to_owned());
    name == NEXT || is_number(name) || in_the_making(name).is_some_and(|number| is_number(&number))
}

/// Whether a text can be the name of an application's folder and lock.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.chars().all(is_part_of_name)
}

fn is_part_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '@' | '+')
}

pub(super) fn check_name(name: &str) -> Result<(), ToolError> {
    if is_name(name) { Ok(()) } else { Err(ToolError::Name(name.to_owned())) }
}

/// Whether a text can be appended to the names of commands.
///
/// # Errors
/// When it has characters that no command should have.
pub fn check_suffix(suffix: &str) -> Result<(), ToolError> {
    if suffix.chars().all(is_part_of_name) { Ok(()) } else { Err(ToolError::Suffix(suffix.to_owned())) }
}

/// The normalized names of requirements, for `with-apps`. What has no name by itself is left out.
pub fn names_of(specs: &[String]) -> Vec<String> {
    specs
        .iter()
        .filter_map(|spec| {
            let requirement = spec.parse::<Requirement>();
            requirement.map(|requirement| requirement.name().to_string()).ok()
        })
        .collect()
}
