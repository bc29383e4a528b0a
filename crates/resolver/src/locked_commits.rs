//! The commits that a lock file has: a repository without a revision, or with a branch, stays at its commit until it is to be
//! upgraded, as a version from an index does.

use std::path::Path;
use std::str::FromStr;

use toml::{Table, Value};
use uv_git::{GitResolver, RepositoryReference};
use uv_git_types::{GitLfs, GitOid, GitReference, GitUrl};
use uv_normalize::PackageName;
use uv_redacted::DisplaySafeUrl;

use crate::request::Options;

/// Tells the resolver of repositories the commits of a lock file in a directory, but for what is to be upgraded.
pub(crate) fn keep(git: &GitResolver, lock: &str, folder: &Path, options: &Options) {
    if options.upgrade || !lock.contains("commit-id") {
        return;
    }
    let lock: Table = lock.parse().unwrap_or_default();
    let name = |text: &str| PackageName::from_str(text).ok();
    let upgraded: Vec<PackageName> = options.upgrade_packages.iter().filter_map(|text| name(text)).collect();
    for package in lock.get("packages").and_then(Value::as_array).into_iter().flatten() {
        let is_upgraded = package.get("name").and_then(Value::as_str).and_then(name);
        if is_upgraded.is_none_or(|name| upgraded.contains(&name)) {
            continue;
        }
        if let Some((reference, commit)) = package.get("vcs").and_then(|vcs| commit(vcs, folder)) {
            git.insert(reference, commit);
        }
    }
}

fn commit(vcs: &Value, folder: &Path) -> Option<(RepositoryReference, GitOid)> {
    let text = |key: &str| vcs.get(key).and_then(Value::as_str);
    let url = match (text("url"), text("path")) {
        (Some(url), _) => DisplaySafeUrl::parse(url).ok()?,
        (None, path) => DisplaySafeUrl::from_file_path(folder.join(path?)).ok()?,
    };
    let revision = text("requested-revision").map(str::to_owned);
    let reference = revision.map_or(GitReference::DefaultBranch, GitReference::from_rev);
    let url = GitUrl::from_fields(url, reference, None, GitLfs::from_env()).ok()?;
    Some((RepositoryReference::from(&url), text("commit-id")?.parse().ok()?))
}
