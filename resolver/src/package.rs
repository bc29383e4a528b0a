//! The packages of a resolution as plain data.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr as _;

use serde_json::{Value, json};
use uv_distribution_types::{BuiltDist, Dist, File, Name as _, Node, Resolution, ResolvedDist, SourceDist};
use uv_git::GitResolver;
use uv_git_types::GitUrl;
use uv_normalize::PackageName;
use uv_pypi_types::{HashAlgorithm, HashDigest};
use uv_redacted::DisplaySafeUrl;
use uv_types::HashStrategy;

use crate::error::Story;
use crate::{Artifact, Error, Package};

/// A package, what the library knows it as, and the hashes of which one must fit.
pub(crate) type Row = (Package, ResolvedDist, Vec<HashDigest>);

pub(crate) fn rows(
    resolution: &Resolution,
    requested: &BTreeSet<PackageName>,
    hasher: &HashStrategy,
    git: &GitResolver,
) -> Result<Vec<Row>, Error> {
    let graph = resolution.graph();
    let mut rows = Vec::new();
    for node in graph.node_indices() {
        let Node::Dist { dist, hashes, install: true } = &graph[node] else {
            continue;
        };
        let ResolvedDist::Installable { dist: distribution, version } = dist else {
            continue;
        };
        let mut dependencies: Vec<String> = graph
            .neighbors(node)
            .filter_map(|other| match &graph[other] {
                Node::Dist { dist, .. } => Some(dist.name().to_string()),
                Node::Root => None,
            })
            .filter(|name| *name != distribution.name().to_string())
            .collect();
        dependencies.sort();
        dependencies.dedup();
        let expected = expected(distribution, hasher, hashes.as_slice())?;
        let package = Package {
            name: distribution.name().to_string(),
            version: version.as_ref().map_or_else(|| "0".to_owned(), ToString::to_string),
            requested: requested.contains(distribution.name()),
            dependencies,
            file: artifact(distribution, git)?,
            direct_url: direct_url(distribution, git),
        };
        rows.push((package, dist.clone(), expected));
    }
    Ok(rows)
}

/// The hashes of which the chosen file must have one: those that the requirements or the URL demand, or else those
/// that the index names for it.
fn expected(
    distribution: &Dist,
    hasher: &HashStrategy,
    known: &[HashDigest],
) -> Result<Vec<HashDigest>, Error> {
    let mut demanded = hasher.get(distribution).digests().to_vec();
    let (own, url): (&[HashDigest], _) = match distribution {
        Dist::Built(BuiltDist::Registry(wheel)) => (wheel.best_wheel().file.hashes.as_slice(), None),
        Dist::Source(SourceDist::Registry(source)) => (source.file.hashes.as_slice(), None),
        Dist::Built(BuiltDist::DirectUrl(wheel)) => (&[], Some(wheel.url.fragment())),
        Dist::Source(SourceDist::DirectUrl(source)) => (&[], Some(source.url.fragment())),
        _ => (&[], None),
    };
    demanded.extend(url.flatten().into_iter().flat_map(|fragment| fragment.split('&')).filter_map(digest));
    if demanded.is_empty() {
        return Ok(if own.is_empty() { known.to_vec() } else { own.to_vec() });
    }
    // What the index says of the file is enough to refuse it, also when the store has it already.
    let comparable = |digest: &HashDigest| own.iter().any(|other| other.algorithm == digest.algorithm);
    if demanded.iter().all(comparable)
        && !demanded.iter().any(|digest| own.contains(digest))
        && !own.is_empty()
    {
        let list =
            |digests: &[HashDigest]| digests.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        let story = format!("expected {}\nthe index has {}", list(&demanded), list(own));
        return Err(Error::Hash { package: distribution.to_string(), source: Story(story) });
    }
    Ok(demanded)
}

/// A hash in a URL's fragment: `sha256=…`.
fn digest(part: &str) -> Option<HashDigest> {
    HashDigest::from_str(&part.replacen('=', ":", 1)).ok()
}

fn artifact(distribution: &Dist, git: &GitResolver) -> Result<Artifact, Error> {
    Ok(match distribution {
        Dist::Built(BuiltDist::Registry(wheel)) => {
            let wheel = wheel.best_wheel();
            Artifact::Wheel {
                filename: wheel.filename.to_string(),
                location: public(&file_url(&wheel.file)?),
                sha256: sha256(&wheel.file),
                size: wheel.file.size,
            }
        }
        Dist::Built(BuiltDist::DirectUrl(wheel)) => Artifact::Wheel {
            filename: wheel.filename.to_string(),
            location: public(&wheel.location),
            sha256: None,
            size: wheel.size,
        },
        Dist::Built(BuiltDist::Path(wheel)) => Artifact::Wheel {
            filename: wheel.filename.to_string(),
            location: wheel.install_path.display().to_string(),
            sha256: None,
            size: None,
        },
        Dist::Built(BuiltDist::GitPath(wheel)) => Artifact::Source {
            description: format!("{}#{}", public(wheel.git.url()), wheel.install_path.display()),
            editable: false,
            key: git_key(&wheel.git, git, Some(&wheel.install_path)),
        },
        Dist::Source(source) => source_artifact(source, git)?,
    })
}

fn source_artifact(source: &SourceDist, git: &GitResolver) -> Result<Artifact, Error> {
    let (description, editable, key) = match source {
        SourceDist::Registry(source) => (public(&file_url(&source.file)?), false, sha256(&source.file)),
        SourceDist::DirectUrl(source) => (public(&source.location), false, None),
        SourceDist::GitDirectory(source) => {
            let key = git_key(&source.git, git, source.subdirectory.as_deref());
            (public(source.git.url()), false, key)
        }
        SourceDist::GitPath(source) => {
            (public(source.git.url()), false, git_key(&source.git, git, Some(&source.install_path)))
        }
        SourceDist::Path(source) => (source.install_path.display().to_string(), false, None),
        SourceDist::Directory(source) => {
            (source.install_path.display().to_string(), source.editable.unwrap_or(false), None)
        }
    };
    Ok(Artifact::Source { description, editable, key })
}

/// The URL of an index's file.
pub(crate) fn file_url(file: &File) -> Result<DisplaySafeUrl, Error> {
    file.url.to_url().map_err(|error| {
        Error::Settings(format!("the index gives no usable URL for `{}`: {error}", file.filename))
    })
}

/// A URL as it may be shown and kept: without credentials.
pub(crate) fn public(url: &DisplaySafeUrl) -> String {
    url.without_credentials().to_string()
}

fn sha256(file: &File) -> Option<String> {
    let digest = file.hashes.iter().find(|digest| digest.algorithm == HashAlgorithm::Sha256)?;
    Some(digest.digest.to_string())
}

fn commit(url: &GitUrl, git: &GitResolver) -> Option<String> {
    url.precise().or_else(|| git.get_precise(url)).map(|commit| commit.to_string())
}

fn git_key(url: &GitUrl, git: &GitResolver, folder: Option<&Path>) -> Option<String> {
    let folder = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
    commit(url, git).map(|commit| format!("git {} {commit} {folder}", public(url.url())))
}

/// The content of `direct_url.json` (PEP 610) of a distribution that does not come from an index.
fn direct_url(distribution: &Dist, git: &GitResolver) -> Option<Value> {
    let archive = |url: &DisplaySafeUrl, subdirectory: Option<&Path>| {
        with_subdirectory(json!({ "url": public(url), "archive_info": {} }), subdirectory)
    };
    let repository = |url: &GitUrl, subdirectory: Option<&Path>| {
        let mut info = json!({ "vcs": "git", "commit_id": commit(url, git)? });
        if let Some(revision) = url.reference().as_str() {
            info["requested_revision"] = json!(revision);
        }
        Some(with_subdirectory(json!({ "url": public(url.url()), "vcs_info": info }), subdirectory))
    };
    match distribution {
        Dist::Built(BuiltDist::Registry(_)) | Dist::Source(SourceDist::Registry(_)) => None,
        Dist::Built(BuiltDist::DirectUrl(wheel)) => Some(archive(&wheel.location, None)),
        Dist::Built(BuiltDist::Path(wheel)) => Some(archive(&path_url(&wheel.install_path)?, None)),
        Dist::Built(BuiltDist::GitPath(wheel)) => repository(&wheel.git, None),
        Dist::Source(SourceDist::DirectUrl(source)) => {
            Some(archive(&source.location, source.subdirectory.as_deref()))
        }
        Dist::Source(SourceDist::Path(source)) => Some(archive(&path_url(&source.install_path)?, None)),
        Dist::Source(SourceDist::GitDirectory(source)) => {
            repository(&source.git, source.subdirectory.as_deref())
        }
        Dist::Source(SourceDist::GitPath(source)) => repository(&source.git, None),
        Dist::Source(SourceDist::Directory(source)) => {
            let info = if source.editable.unwrap_or(false) { json!({ "editable": true }) } else { json!({}) };
            Some(json!({ "url": public(&path_url(&source.install_path)?), "dir_info": info }))
        }
    }
}

fn path_url(path: &Path) -> Option<DisplaySafeUrl> {
    DisplaySafeUrl::from_file_path(path).ok()
}

fn with_subdirectory(mut value: Value, subdirectory: Option<&Path>) -> Value {
    if let Some(folder) = subdirectory {
        value["subdirectory"] = json!(folder.display().to_string());
    }
    value
}
