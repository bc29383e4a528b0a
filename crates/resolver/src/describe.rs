//! From the libraries' graph of a solution to [`Package`]s: names, edges, files, and where they come from
//! (PEP 610).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use uv_distribution_types::{
    BuiltDist, Diagnostic as _, Dist, Edge, HashPolicy, Name, Node, RemoteSource, Requirement,
    RequirementSource, Resolution, ResolutionDiagnostic, ResolvedDist, SourceDist,
};
use uv_git_types::GitUrl;
use uv_normalize::PackageName;
use uv_pypi_types::{HashAlgorithm, HashDigest};
use virtpy_pep::{ArchiveHashes, DirectUrl, Sha256Digest, WheelHash};

use crate::archives::Unpacked;
use crate::context::Context;
use crate::download::{self, Expected};
use crate::error::Error;
use crate::public::public;
use crate::request::{Artifact, Package};
use crate::reword::reword;
use crate::solution::Chosen;
use crate::url::{bad_url, file_url, local_path, published_name};

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
        if is_virtual(dist) {
            continue;
        }
        let name = dist.name();
        let dependencies: BTreeSet<virtpy_pep::PackageName> = graph
            .neighbors(node)
            .filter_map(|neighbour| match &graph[neighbour] {
                Node::Dist { dist, .. } if dist.name() != name => Some(dist.name().into()),
                _ => None,
            })
            .collect();
        let mut extras = asked_extras.remove(name).unwrap_or_default();
        extras.extend(graph.edges(node).filter_map(|edge| match edge.weight() {
            Edge::Optional(extra) => Some(extra.to_string()),
            _ => None,
        }));
        let version = dist.version().or(version.as_ref()).map(ToString::to_string);
        // What a build is to tell first has no version yet.
        let label = version.as_ref().map_or_else(|| name.to_string(), |version| format!("{name} {version}"));
        let version = version.unwrap_or_else(|| "0".to_owned());
        let (file, direct_url) = artifact(context, dist, &label).await?;
        let package = Package {
            name: name.into(),
            version,
            requested: requested.contains(name),
            extras: extras.into_iter().collect(),
            dependencies: dependencies.into_iter().collect(),
            file,
            direct_url,
            indexes: Vec::new(),
        };
        described.insert(name.to_string(), (package, Chosen { dist: dist.clone(), label }));
    }
    Ok(described.into_values().unzip())
}

/// Whether it only stands for a project's dependencies: `uv.lock` says so of a project that cannot be built.
fn is_virtual(dist: &Dist) -> bool {
    matches!(dist, Dist::Source(SourceDist::Directory(folder)) if folder.r#virtual == Some(true))
}

async fn artifact(
    context: &Context,
    dist: &Dist,
    label: &str,
) -> Result<(Artifact, Option<DirectUrl>), Error> {
    let hashes = Hashes { demanded: context.demanded(dist), label };
    match dist {
        Dist::Built(built) => wheel(built, &hashes),
        Dist::Source(source) => self::source(context, source, &hashes).await,
    }
}

/// The hashes that the user demands of one package's file.
struct Hashes<'a> {
    demanded: HashPolicy<'a>,
    label: &'a str,
}

impl Hashes<'_> {
    /// The SHA-256 by which the file may be looked for among those that are there: what the index lists,
    /// as far as that satisfies what is demanded, or else the only one that is demanded.
    ///
    /// # Errors
    ///
    /// [`Error::Hash`] when the index lists another file than the demanded one. It has to be found here: a
    /// file that is there already is not fetched, and so its other hashes are not computed.
    fn sha256(&self, listed: &[HashDigest]) -> Result<Option<Sha256Digest>, Error> {
        let demanded = self.demanded.digests();
        let is_broken = |hash: &&HashDigest| {
            hash.algorithm == HashAlgorithm::Sha256 && hash.digest.parse::<Sha256Digest>().is_err()
        };
        if let Some(broken) = demanded.iter().find(is_broken) {
            return Err(Error::Requirements {
                message: format!(
                    "`{broken}` is not a hash of `{}`: a SHA-256 has 64 hexadecimal digits",
                    self.label
                ),
                hint: Some("look at the hash in the requirements or the lock file".to_owned()),
                cause: None,
            });
        }
        if demanded.is_empty() {
            return Ok(only_sha256(listed));
        }
        let is_listed = |hash: &HashDigest| {
            listed
                .iter()
                .any(|own| own.algorithm == hash.algorithm && own.digest.eq_ignore_ascii_case(&hash.digest))
        };
        if demanded.iter().any(is_listed) {
            return Ok(only_sha256(listed));
        }
        let comparable = |hash: &HashDigest| listed.iter().any(|own| own.algorithm == hash.algorithm);
        if demanded.iter().all(comparable) {
            let join = |hashes: &[HashDigest]| {
                hashes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
            };
            return Err(Error::Hash {
                package: self.label.to_owned(),
                expected: join(demanded),
                computed: format!("{} from the index", join(listed)),
            });
        }
        // Only the bytes can tell.
        Ok(if listed.is_empty() { only_sha256(demanded) } else { None })
    }
}

fn wheel(built: &BuiltDist, hashes: &Hashes<'_>) -> Result<(Artifact, Option<DirectUrl>), Error> {
    let label = hashes.label;
    match built {
        BuiltDist::Registry(registry) => {
            let wheel = registry.best_wheel();
            let url = file_url(wheel, label)?;
            let local = local_path(&url);
            let artifact = Artifact::Wheel {
                filename: published_name(built, label)?,
                location: local.as_ref().map_or_else(|| public(&url), |path| path.display().to_string()),
                sha256: hashes.sha256(wheel.file.hashes.as_slice())?.map(WheelHash::from),
                size: wheel.file.size,
                local,
            };
            Ok((artifact, None))
        }
        BuiltDist::DirectUrl(direct) => {
            let location = public(&direct.location);
            let sha256 = hashes.sha256(&[])?;
            let direct_url = archive_info(&location, sha256, None);
            let filename = published_name(built, label)?;
            Ok((
                Artifact::Wheel {
                    filename,
                    location,
                    sha256: sha256.map(WheelHash::from),
                    size: direct.size,
                    local: None,
                },
                Some(direct_url),
            ))
        }
        BuiltDist::Path(path) => {
            let sha256 = hashes.sha256(&[])?;
            let direct_url = archive_info(&public(&path.url.to_url()), sha256, None);
            let artifact = Artifact::Wheel {
                filename: published_name(built, label)?,
                location: path.install_path.display().to_string(),
                sha256: sha256.map(WheelHash::from),
                size: None,
                local: Some(path.install_path.to_path_buf()),
            };
            Ok((artifact, Some(direct_url)))
        }
        BuiltDist::GitPath(git) => {
            // Fetched with the repository, then taken as it is.
            let artifact = Artifact::Wheel {
                filename: published_name(built, label)?,
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
    hashes: &Hashes<'_>,
) -> Result<(Artifact, Option<DirectUrl>), Error> {
    let of_archive = |hash: Option<Sha256Digest>| hash.map(|hash| format!("sha256:{hash}"));
    let (description, editable, key, direct_url) = match source {
        SourceDist::Registry(registry) => {
            let url = registry.file.url.to_url().map_err(|error| bad_url(hashes.label, &error))?;
            let hash = hashes.sha256(registry.file.hashes.as_slice())?;
            (public(&url), false, of_archive(hash), None)
        }
        SourceDist::DirectUrl(direct) => {
            let location = public(&direct.location);
            let hash = hashes.sha256(&[])?;
            let subdirectory = direct.subdirectory.as_deref();
            let info = archive_info(&location, hash, subdirectory);
            let key = of_archive(hash).map(|key| with_subdirectory(key, subdirectory));
            (location, false, key, Some(info))
        }
        SourceDist::Path(path) => {
            let nothing = Expected::nothing(hashes.label);
            let found = download::check_local(&path.install_path, &nothing).await?;
            let info = archive_info(&public(&path.url.to_url()), Some(found.sha256), None);
            (path.install_path.display().to_string(), false, of_archive(Some(found.sha256)), Some(info))
        }
        SourceDist::Directory(folder) => {
            if let Some(archive) = context.archive_of(&folder.install_path) {
                return Ok(unpacked(archive));
            }
            let editable = folder.editable.unwrap_or(false);
            let info = DirectUrl::directory(public(&folder.url.to_url()), editable);
            let directory = context.choices.build_as_usual().then(|| folder.install_path.to_path_buf());
            let description = folder.install_path.display().to_string();
            return Ok((Artifact::Source { description, editable, key: None, directory }, Some(info)));
        }
        SourceDist::GitDirectory(git) => {
            let commit = commit(context, &git.git);
            let subdirectory = git.subdirectory.as_deref();
            let info = vcs_info(&git.git, commit.as_deref(), subdirectory);
            let key = commit.map(|commit| with_subdirectory(format!("git:{commit}"), subdirectory));
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
    Ok((Artifact::Source { description, editable, key, directory: None }, direct_url))
}

/// An archive that was unpacked before it was asked for.
fn unpacked(archive: &Unpacked) -> (Artifact, Option<DirectUrl>) {
    let subdirectory = archive.subdirectory.as_deref();
    let info = archive_info(&public(&archive.location), Some(archive.sha256), subdirectory);
    let key = Some(with_subdirectory(format!("sha256:{}", archive.sha256), subdirectory));
    let description = archive.description();
    (Artifact::Source { description, editable: false, key, directory: None }, Some(info))
}

/// The commit that a reference of a repository was found to be.
pub(crate) fn commit(context: &Context, git: &GitUrl) -> Option<String> {
    context.state.git().get_precise(git).map(|commit| commit.to_string())
}

/// The only SHA-256 among some hashes; two of them name two files, so neither is certain.
fn only_sha256(hashes: &[HashDigest]) -> Option<Sha256Digest> {
    let mut found = hashes.iter().filter(|hash| hash.algorithm == HashAlgorithm::Sha256);
    match (found.next(), found.next()) {
        (Some(hash), None) => hash.digest.parse().ok(),
        _ => None,
    }
}

fn archive_info(url: &str, sha256: Option<Sha256Digest>, subdirectory: Option<&Path>) -> DirectUrl {
    let hashes = sha256.map(ArchiveHashes::of_sha256).unwrap_or_default();
    DirectUrl::archive(url.to_owned(), hashes).in_subdirectory(shown(subdirectory))
}

fn vcs_info(git: &GitUrl, commit: Option<&str>, subdirectory: Option<&Path>) -> DirectUrl {
    let revision = git.reference().as_str().map(str::to_owned);
    DirectUrl::git(public(git.url()), commit.unwrap_or_default().to_owned(), revision)
        .in_subdirectory(shown(subdirectory))
}

fn shown(subdirectory: Option<&Path>) -> Option<String> {
    subdirectory.map(|path| path.display().to_string())
}

fn with_subdirectory(key: String, subdirectory: Option<&Path>) -> String {
    match subdirectory {
        Some(subdirectory) => format!("{key}#{}", subdirectory.display()),
        None => key,
    }
}

/// What the resolver has to remark, in pip's words where pip has some for it.
pub(crate) fn remark(diagnostic: &ResolutionDiagnostic) -> String {
    match diagnostic {
        ResolutionDiagnostic::MissingExtra { dist, extra } => {
            let version = dist.version().map(|version| format!(" {version}")).unwrap_or_default();
            format!("{}{version} does not provide the extra '{extra}'", dist.name())
        }
        _ => reword(&diagnostic.message()),
    }
}
/// The file name of the archive that a direct reference leads to.
pub(crate) fn direct_name(requirement: &Requirement) -> Option<String> {
    match &requirement.source {
        RequirementSource::Url { location, .. } => location.filename().ok().map(Into::into),
        RequirementSource::Path { install_path, .. } => {
            install_path.file_name().map(|name| name.to_string_lossy().into_owned())
        }
        _ => None,
    }
}
