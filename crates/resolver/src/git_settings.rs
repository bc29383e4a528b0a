//! The credentials of git repositories, which git is given in its environment.
//!
//! A program's arguments can be read by everybody on the machine, its environment only by its owner. The libraries underneath
//! hand git the address as it is, so an address is cleared of its credentials before they see it, and git finds these among its
//! settings (`GIT_CONFIG_COUNT` and what belongs to it). A process cannot change its own environment while other threads run:
//! where a setting is missing, reading the requirements fails with it, and the program starts again.

use std::borrow::Cow;
use std::env;
use std::ffi::OsString;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use toml::{Table, Value};
use uv_git_types::GitUrl;
use uv_redacted::DisplaySafeUrl;

/// How many settings git's environment has (git-config, "ENVIRONMENT").
const COUNT: &str = "GIT_CONFIG_COUNT";
/// How many it had before this program added its own.
const COUNT_BEFORE: &str = "VIRTPY_GIT_CONFIG_COUNT";

/// Whether something was read that cannot be read again.
static CONSUMED: AtomicBool = AtomicBool::new(false);

/// A setting of git's that holds a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct GitSetting {
    key: String,
    value: String,
}

impl std::fmt::Debug for GitSetting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("GitSetting").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Notes that a pipe or the standard input was read, so that the program cannot start again.
pub fn input_was_consumed() {
    CONSUMED.store(true, Ordering::Relaxed);
}

/// Whether the program can start again: nothing was read that is gone then.
pub(crate) fn can_start_again() -> bool {
    !CONSUMED.load(Ordering::Relaxed)
}

/// A requirement whose git repository (`git+https://…`) is named without credentials; git's setting for them goes among
/// `settings`. `None` where there is nothing to take out.
pub fn withhold_git_credentials(text: &str, settings: &mut Vec<GitSetting>) -> Option<String> {
    let start = text.find("git+http")?;
    let end = text[start..].find(char::is_whitespace).map_or(text.len(), |length| start + length);
    let mut url = DisplaySafeUrl::parse(&text[start..end]).ok()?;
    let setting = setting_of(&url)?;
    url.remove_credentials();
    if !settings.contains(&setting) {
        settings.push(setting);
    }
    Some(format!("{}{}{}", &text[..start], url.as_str(), &text[end..]))
}

/// The same for a repository whose address was taken apart already.
pub(crate) fn withhold_from(git: &mut GitUrl, settings: &mut Vec<GitSetting>) {
    let mut url = git.url().clone();
    let Some(setting) = setting_of(&url).filter(|_| can_start_again()) else { return };
    url.remove_credentials();
    let public = GitUrl::from_fields(url, git.reference().clone(), git.precise(), git.lfs());
    if let Ok(public) = public {
        *git = public;
        if !settings.contains(&setting) {
            settings.push(setting);
        }
    }
}

/// A lock file whose repositories are named without credentials, which go among `settings`: in the packages listed at the first key, in
/// the table at the second, at the third.
pub(crate) fn withheld_from_lock<'t>(
    text: &'t str,
    keys: [&str; 3],
    settings: &mut Vec<GitSetting>,
) -> Cow<'t, str> {
    let [packages, place, address] = keys;
    if !can_start_again() || !text.contains('@') || !text.contains(place) {
        return Cow::Borrowed(text);
    }
    let mut lock: Table = text.parse().unwrap_or_default();
    for package in lock.get_mut(packages).and_then(Value::as_array_mut).into_iter().flatten() {
        let place = package.get_mut(place);
        let Some(Value::String(address)) = place.and_then(|place| place.get_mut(address)) else { continue };
        let Ok(mut url) = DisplaySafeUrl::parse(address) else { continue };
        let Some(setting) = setting_of(&url) else { continue };
        url.remove_credentials();
        *address = url.to_string();
        settings.push(setting);
    }
    if settings.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(lock.to_string()) }
}

/// The setting by which git knows the credentials of an address.
fn setting_of(url: &DisplaySafeUrl) -> Option<GitSetting> {
    let credentials = uv_auth::Credentials::from_url(url).ok()??;
    let mut repository = url.clone();
    repository.remove_credentials();
    repository.set_fragment(None);
    repository.set_query(None);
    let repository = repository.as_str();
    let repository = repository.strip_prefix("git+").unwrap_or(repository);
    if !repository.starts_with("http") {
        return None;
    }
    // What stands behind an `@` in the path is a branch, a tag or a commit.
    let path = repository.find("://").map_or(0, |at| at + 3);
    let end = repository[path..].rfind('@').map_or(repository.len(), |at| path + at);
    let repository = &repository[..end];
    match credentials.password() {
        Some(_) => Some(GitSetting {
            key: format!("http.{repository}.extraHeader"),
            value: format!("Authorization: {}", credentials.to_header_value().to_str().ok()?),
        }),
        // A user's name alone chooses among the passwords that git's own helpers know.
        None => Some(GitSetting {
            key: format!("credential.{repository}.username"),
            value: credentials.username()?.to_owned(),
        }),
    }
}

/// Those of the settings that git will not find in the environment.
pub(crate) fn missing(mut settings: Vec<GitSetting>) -> Vec<GitSetting> {
    if !settings.is_empty() {
        let present: Vec<GitSetting> = (0..count(COUNT)).filter_map(present).collect();
        settings.retain(|setting| !present.contains(setting));
    }
    settings
}

/// The setting of that number in this process's environment.
fn present(number: usize) -> Option<GitSetting> {
    let [key, value] = names(number).map(|name| env::var(name).ok());
    Some(GitSetting { key: key?, value: value? })
}

fn names(number: usize) -> [String; 2] {
    ["KEY", "VALUE"].map(|kind| format!("GIT_CONFIG_{kind}_{number}"))
}

fn count(name: &str) -> usize {
    env::var(name).ok().and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// Adds settings to a program's environment, behind those that are there.
pub fn add_git_settings(command: &mut Command, settings: &[GitSetting]) {
    let before = count(COUNT);
    for (number, setting) in (before..).zip(settings) {
        let [key, value] = names(number);
        command.env(key, &setting.key).env(value, &setting.value);
    }
    command.env(COUNT, (before + settings.len()).to_string());
    if env::var_os(COUNT_BEFORE).is_none() {
        command.env(COUNT_BEFORE, env::var_os(COUNT).unwrap_or_else(|| OsString::from("0")));
    }
}

/// Takes what [`add_git_settings`] added out of the environment of a program that is none of this one's business.
pub fn remove_git_settings(command: &mut Command) {
    if env::var_os(COUNT_BEFORE).is_none() {
        return;
    }
    let before = count(COUNT_BEFORE);
    for name in (before..count(COUNT)).flat_map(names) {
        command.env_remove(name);
    }
    command.env_remove(COUNT_BEFORE);
    match before {
        0 => command.env_remove(COUNT),
        _ => command.env(COUNT, before.to_string()),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn withheld(text: &str) -> (Option<String>, Vec<(String, String)>) {
        let mut settings = Vec::new();
        let public = withhold_git_credentials(text, &mut settings);
        (public, settings.into_iter().map(|setting| (setting.key, setting.value)).collect())
    }

    #[test]
    fn credentials_go_from_the_address_to_a_setting() {
        let one = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
        let basic = "Authorization: Basic dTpwQHc=";
        for (text, public, setting) in [
            (
                "x[a] @ git+https://u:p%40w@h.example/x/y.git@v1#subdirectory=z ; python_version > '3'",
                "x[a] @ git+https://h.example/x/y.git@v1#subdirectory=z ; python_version > '3'",
                one("http.https://h.example/x/y.git.extraHeader", basic),
            ),
            (
                "git+http://u:p%40w@h.example:8080/x@feature/y",
                "git+http://h.example:8080/x@feature/y",
                one("http.http://h.example:8080/x.extraHeader", basic),
            ),
            (
                "git+https://token@h.example/x/y",
                "git+https://h.example/x/y",
                one("credential.https://h.example/x/y.username", "token"),
            ),
        ] {
            assert_eq!(withheld(text), (Some(public.to_owned()), setting), "{text}");
        }
    }

    #[test]
    fn what_has_no_credentials_or_is_not_over_http_stays() {
        for text in [
            "x",
            "git+https://h.example/x",
            "git+ssh://git@h.example/x",
            "git+file:///x",
            "https://u:p@h.example/x.whl",
            "git+https://[bad/x",
            "git+https://:0/",
        ] {
            assert_eq!(withheld(text), (None, Vec::new()), "{text}");
        }
    }

    #[test]
    fn a_setting_is_never_shown() {
        let setting = GitSetting { key: "k".to_owned(), value: "secret".to_owned() };
        assert!(!format!("{setting:?}").contains("secret"));
        assert_eq!(missing(vec![setting.clone()]), [setting]);
    }

    #[test]
    fn settings_come_behind_those_that_are_there() {
        let setting = |key: &str| GitSetting { key: key.to_owned(), value: "v".to_owned() };
        let mut command = Command::new("true");
        add_git_settings(&mut command, &[setting("a"), setting("b")]);
        let given: Vec<_> =
            command.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?))).collect();
        let before = count(COUNT);
        assert!(given.contains(&(names(before)[0].as_str(), "a")), "{given:?}");
        assert!(given.contains(&(names(before + 1)[0].as_str(), "b")), "{given:?}");
        assert!(given.contains(&(COUNT, &(before + 2).to_string())), "{given:?}");
        assert!(given.iter().any(|(name, _)| *name == COUNT_BEFORE), "{given:?}");
    }
}
