//! From the libraries' graph of a solution to [`Package`]s: names, edges, files, and where they come from
//! (PEP 610).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use uv_distribution_types::{
    BuiltDist, Dist, Edge, Name, Node, RegistryBuiltWheel, Requirement, Resolution, ResolvedDist, SourceDist,
};
use uv_git_types::GitUrl;
use uv_normalize::PackageName;
use uv_pypi_types::{HashAlgorithm, HashDigest};
use uv_redacted::DisplaySafeUrl;

use crate::context::Context;
use crate::download::{self, Expected};
use crate::error::{Cause, Error};
use crate::request::{Artifact, Package};

/// What was chosen for one package, as the libraries know it.
pub(crate) struct Chosen {
    pub(crate) dist: Arc<Dist>,
    /// The name and the version, for messages.
    pub(crate) label: String,
}

/// Describes every package of a solution, sorted by name.
///
/// # Errors
///
/// [`Error::Distribution`] for a file whose URL is none, [`Error::File`] for an archive that cannot be
/// read.
pub(crate) async fn describe(
    context: &Context,
    solved: &Resolution,
    wanted: &[Requirement],
    requested: &HashSet<&PackageName>,
) -> Result<(Vec<Package>, Vec<Chosen>), Error> {
    let graph = solved.graph();
    let mut asked_extras: BTreeMap<&PackageName, BTreeSet<String>> = BTreeMap::new();
    for requirement in wanted {
        let extras = requirement.extras.iter().map(ToString::to_string);
        asked_extras.entry(&requirement.name).or_default().extend(extras);
    }
    let mut described = BTreeMap::new();
    for node in graph.node_indices() {
        let Node::Dist { dist: ResolvedDist::Installable { dist, version }, install: true, .. } =
            &graph[node]
        else {
            continue;
        };
        let name = dist.name();
        let dependencies: BTreeSet<String> = graph
            .neighbors(node)
            .filter_map(|neighbour| match &graph[neighbour] {
                Node::Dist { dist, .. } if dist.name() != name => Some(dist.name().to_string()),
                _ => None,
            })
            .collect();
        let mut extras = asked_extras.remove(name).unwrap_or_default();
        extras.extend(graph.edges(node).filter_map(|edge| match edge.weight() {
            Edge::Optional(extra) => Some(extra.to_string()),
            _ => None,
        }));
        let version = dist.version().or(version.as_ref()).map(ToString::to_string).unwrap_or_default();
        let label = format!("{name} {version}");
        let (file, direct_url) = artifact(context, dist, &label).await?;
        let package = Package {
            name: name.to_string(),
            version,
            requested: requested.contains(name),
            extras: extras.into_iter().collect(),
            dependencies: dependencies.into_iter().collect(),
            file,
            direct_url,
        };
        described.insert(name.to_string(), (package, Chosen { dist: dist.clone(), label }));
    }
    Ok(described.into_values().unzip())
}

async fn artifact(context: &Context, dist: &Dist, label: &str) -> Result<(Artifact, Option<Value>), Error> {
    let policy = context.hasher.get(dist);
    let digests = policy.digests();
    check_listed(dist, digests, label)?;
    let demanded = sha256(digests);
    match dist {
        Dist::Built(built) => wheel(built, demanded, label),
        Dist::Source(source) => self::source(context, source, demanded, label).await,
    }
}

/// Refuses a file whose hash in the index is none of those that the requirements demand. What is downloaded is
/// checked anyway; this holds for what somebody has already, too.
fn check_listed(dist: &Dist, demanded: &[HashDigest], label: &str) -> Result<(), Error> {
    let listed = match dist {
        Dist::Built(BuiltDist::Registry(registry)) => registry.best_wheel().file.hashes.as_slice(),
        Dist::Source(SourceDist::Registry(registry)) => registry.file.hashes.as_slice(),
        _ => return Ok(()),
    };
    let comparable = |hash: &HashDigest| listed.iter().any(|own| own.algorithm == hash.algorithm);
    let is_listed = |hash: &HashDigest| listed.contains(hash);
    if demanded.is_empty() || !demanded.iter().all(comparable) || demanded.iter().any(is_listed) {
        return Ok(());
    }
    let join = |hashes: &[HashDigest], between| {
        hashes.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
    };
    Err(Error::Hash {
        package: label.to_owned(),
        expected: join(demanded, " or "),
        computed: join(listed, ", "),
    })
}

fn wheel(
    built: &BuiltDist,
    demanded: Option<String>,
    label: &str,
) -> Result<(Artifact, Option<Value>), Error> {
    match built {
        BuiltDist::Registry(registry) => {
            let wheel = registry.best_wheel();
            let url = file_url(wheel, label)?;
            let local = local_path(&url);
            let artifact = Artifact::Wheel {
                filename: wheel.file.filename.to_string(),
                location: local.as_ref().map_or_else(|| public(&url), |path| path.display().to_string()),
                sha256: sha256(wheel.file.hashes.as_slice()).or(demanded),
                size: wheel.file.size,
                local,
            };
            Ok((artifact, None))
        }
        BuiltDist::DirectUrl(direct) => {
            let location = public(&direct.location);
            let direct_url = archive_info(&location, demanded.as_deref(), None);
            let filename = direct.filename.to_string();
            Ok((
                Artifact::Wheel { filename, location, sha256: demanded, size: direct.size, local: None },
                Some(direct_url),
            ))
        }
        BuiltDist::Path(path) => {
            let direct_url = archive_info(&public(&path.url.to_url()), demanded.as_deref(), None);
            let artifact = Artifact::Wheel {
                filename: path.filename.to_string(),
                location: path.install_path.display().to_string(),
                sha256: demanded,
                size: None,
                local: Some(path.install_path.to_path_buf()),
            };
            Ok((artifact, Some(direct_url)))
        }
        BuiltDist::GitPath(git) => {
            // Fetched with the repository, then taken as it is.
            let artifact = Artifact::Wheel {
                filename: git.filename.to_string(),
                location: public(&git.url.to_url()),
                sha256: None,
                size: None,
                local: None,
            };
            Ok((artifact, None))
        }
    }
}

async fn source(
    context: &Context,
    source: &SourceDist,
    demanded: Option<String>,
    label: &str,
) -> Result<(Artifact, Option<Value>), Error> {
    let of_archive = |hash: &Option<String>| hash.as_ref().map(|hash| format!("sha256:{hash}"));
    let (description, editable, key, direct_url) = match source {
        SourceDist::Registry(registry) => {
            let url = registry.file.url.to_url().map_err(|error| bad_url(label, &error))?;
            let hash = sha256(registry.file.hashes.as_slice()).or(demanded);
            (public(&url), false, of_archive(&hash), None)
        }
        SourceDist::DirectUrl(direct) => {
            let location = public(&direct.location);
            let info = archive_info(&location, demanded.as_deref(), direct.subdirectory.as_deref());
            let key = of_archive(&demanded).map(|key| with_subdirectory(key, direct.subdirectory.as_deref()));
            (location, false, key, Some(info))
        }
        SourceDist::Path(path) => {
            let nothing = Expected::nothing(label);
            let found = download::check_local(&path.install_path, &nothing).await?;
            let info = archive_info(&public(&path.url.to_url()), Some(&found.sha256), None);
            let key = Some(format!("sha256:{}", found.sha256));
            (path.install_path.display().to_string(), false, key, Some(info))
        }
        SourceDist::Directory(folder) => {
            let editable = folder.editable.unwrap_or(false);
            let info = json!({
                "url": public(&folder.url.to_url()),
                "dir_info": if editable { json!({"editable": true}) } else { json!({}) },
            });
            (folder.install_path.display().to_string(), editable, None, Some(info))
        }
        SourceDist::GitDirectory(git) => {
            let commit = commit(context, &git.git);
            let info = vcs_info(&git.git, commit.as_deref(), git.subdirectory.as_deref());
            let key =
                commit.map(|commit| with_subdirectory(format!("git:{commit}"), git.subdirectory.as_deref()));
            (public(&git.url.to_url()), false, key, Some(info))
        }
        SourceDist::GitPath(git) => {
            let commit = commit(context, &git.git);
            let info = vcs_info(&git.git, commit.as_deref(), None);
            let key =
                commit.map(|commit| with_subdirectory(format!("git:{commit}"), Some(&git.install_path)));
            (public(&git.url.to_url()), false, key, Some(info))
        }
    };
    Ok((Artifact::Source { description, editable, key }, direct_url))
}

/// The commit that a reference of a repository was found to be.
pub(crate) fn commit(context: &Context, git: &GitUrl) -> Option<String> {
    context.state.git().get_precise(git).map(|commit| commit.to_string())
}

/// The URL of a wheel on an index.
///
/// # Errors
///
/// [`Error::Distribution`] if the index gives something that is none.
pub(crate) fn file_url(wheel: &RegistryBuiltWheel, label: &str) -> Result<DisplaySafeUrl, Error> {
    wheel.file.url.to_url().map_err(|error| bad_url(label, &error))
}

pub(crate) fn bad_url(label: &str, error: &(dyn std::error::Error + 'static)) -> Error {
    Error::Distribution { what: format!("the file of `{label}`"), cause: Cause::from_error(error) }
}

/// The path of a `file:` URL.
pub(crate) fn local_path(url: &DisplaySafeUrl) -> Option<PathBuf> {
    if url.scheme() == "file" { url.to_file_path().ok() } else { None }
}

/// A URL as it may be shown and kept: without credentials and fragment.
pub(crate) fn public(url: &DisplaySafeUrl) -> String {
    let mut url = url.clone();
    url.remove_credentials();
    url.set_fragment(None);
    url.as_str().to_owned()
}

/// The only SHA-256 among some hashes; two of them name two files, so neither is certain.
fn sha256(hashes: &[HashDigest]) -> Option<String> {
    let mut found = hashes.iter().filter(|hash| hash.algorithm == HashAlgorithm::Sha256);
    match (found.next(), found.next()) {
        (Some(hash), None) => Some(hash.digest.to_string()),
        _ => None,
    }
}

fn archive_info(url: &str, sha256: Option<&str>, subdirectory: Option<&Path>) -> Value {
    let info = sha256.map_or_else(|| json!({}), |hash| json!({"hashes": {"sha256": hash}}));
    let mut value = json!({"url": url, "archive_info": info});
    add_subdirectory(&mut value, subdirectory);
    value
}

fn vcs_info(git: &GitUrl, commit: Option<&str>, subdirectory: Option<&Path>) -> Value {
    let mut info = json!({"vcs": "git"});
    if let Some(commit) = commit {
        info["commit_id"] = json!(commit);
    }
    if let Some(revision) = git.reference().as_str() {
        info["requested_revision"] = json!(revision);
    }
    let mut value = json!({"url": public(git.url()), "vcs_info": info});
    add_subdirectory(&mut value, subdirectory);
    value
}

fn add_subdirectory(value: &mut Value, subdirectory: Option<&Path>) {
    if let Some(subdirectory) = subdirectory {
        value["subdirectory"] = json!(subdirectory.display().to_string());
    }
}

fn with_subdirectory(key: String, subdirectory: Option<&Path>) -> String {
    match subdirectory {
        Some(subdirectory) => format!("{key}#{}", subdirectory.display()),
        None => key,
    }
}
