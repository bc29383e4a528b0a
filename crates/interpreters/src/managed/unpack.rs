//! From an archive to the folder of an interpreter.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use virtpy_files::{self as fs, FileKind, Found, PathError};
use virtpy_wheel::archive::tar::{self, Compression};
use virtpy_wheel::archive::{self, Archive, Limits, Target, check_name};

use super::ManagedError;
use crate::available::Build;

/// What archives of standalone builds hold, the likelier first: only what is installed, or what the build left as well.
const PREFIXES: [&str; 2] = ["python/install", "python"];

/// An interpreter that was unpacked.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// What will become the interpreter's folder.
    pub(super) root: PathBuf,
    /// The interpreter, relative to it.
    pub(super) executable: PathBuf,
}

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Tar(Compression),
    Zip,
}

/// The name of the file behind a location: what follows the last `/`, without a query.
pub(super) fn file_name(location: &str) -> &str {
    let is_url = location.contains("://");
    let path = if is_url { location.split(['?', '#']).next().unwrap_or(location) } else { location };
    path.rsplit('/').next().unwrap_or(path)
}

fn packing(location: &str) -> Option<Packing> {
    let name = file_name(location);
    if name.to_ascii_lowercase().ends_with(".zip") {
        return Some(Packing::Zip);
    }
    Compression::of_file_name(name).map(Packing::Tar)
}

/// Refuses a build whose archive virtpy cannot unpack, before it is downloaded.
///
/// # Errors
/// When the name of the file tells of no known archive, or the interpreter would be outside of it.
pub(super) fn check(build: &Build) -> Result<(), ManagedError> {
    if packing(&build.location).is_none() {
        return Err(ManagedError::Kind { location: file_name(&build.location).to_owned() });
    }
    match build.executable.as_deref() {
        Some(path) if check_name(path.as_bytes()).is_err() => {
            Err(ManagedError::Outside { name: build.name.clone(), path: path.to_owned() })
        }
        _ => Ok(()),
    }
}

/// Unpacks an archive into the empty folder `destination`.
///
/// # Errors
/// When the archive is damaged or breaks the policy.
pub(super) fn unpack(archive: &Path, build: &Build, destination: &Path) -> Result<(), ManagedError> {
    let name = file_name(&build.location);
    let unpacked = match packing(&build.location) {
        Some(Packing::Tar(compression)) => {
            tar::unpack(archive, name, compression, destination, &Limits::default()).map(drop)
        }
        Some(Packing::Zip) => unpack_zip(archive, name, destination),
        None => return Err(ManagedError::Kind { location: name.to_owned() }),
    };
    unpacked.map_err(|source| ManagedError::Archive { name: build.name.clone(), source: Box::new(source) })
}

/// How to unpack a build's archive while it comes; `None` where its kind has to be there as a whole.
pub(super) fn streamed(build: &Build) -> Option<Compression> {
    match packing(&build.location) {
        Some(Packing::Tar(compression)) => Some(compression),
        _ => None,
    }
}

/// Unpacks an archive into the empty folder `destination` while it comes.
///
/// # Errors
/// As [`unpack`].
pub(super) fn unpack_stream(
    archive: &mut (dyn Read + Send),
    compression: Compression,
    build: &Build,
    destination: &Path,
) -> Result<(), ManagedError> {
    let name = file_name(&build.location);
    tar::unpack_stream(archive, name, compression, destination, &Limits::default())
        .map(drop)
        .map_err(|source| ManagedError::Archive { name: build.name.clone(), source: Box::new(source) })
}

/// Finds the interpreter in what was unpacked into the folder `destination`.
///
/// # Errors
/// When it is not where it should be, or a link leads out of what is kept.
pub(super) fn find(build: &Build, destination: &Path) -> Result<Unpacked, ManagedError> {
    let missing = |expected: &str| ManagedError::NoInterpreter {
        name: build.name.clone(),
        expected: expected.to_owned(),
    };
    let unpacked = if let Some(path) = build.executable.as_deref() {
        Unpacked { root: destination.to_path_buf(), executable: PathBuf::from(path) }
    } else {
        let mut roots = PREFIXES.iter().map(|prefix| destination.join(prefix));
        let root = roots.find(|root| fs::kind(&root.join("bin")).is_ok_and(|kind| kind.is_some()));
        let root = root.ok_or_else(|| missing("python/bin/python3"))?;
        Unpacked { root, executable: PathBuf::from("bin/python3") }
    };
    check_links(&unpacked.root, build)?;
    if build.executable.is_none() {
        complete(&unpacked.root)?;
    }
    let executable = unpacked.root.join(&unpacked.executable);
    make_executable(&executable)?;
    match fs::metadata(&executable) {
        Ok(metadata) if metadata.is_file() => Ok(unpacked),
        _ => Err(missing(build.executable.as_deref().unwrap_or("python/bin/python3"))),
    }
}

/// Zip archives have no links, so old ones lack the short names.
fn complete(root: &Path) -> Result<(), PathError> {
    super::super::patch::complete_names(&root.join("bin"))
}

/// Zip archives made on other systems do not say what can be run.
fn make_executable(path: &Path) -> Result<(), PathError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && !fs::is_executable(&metadata) => fs::set_mode(path, 0o755),
        _ => Ok(()),
    }
}

fn unpack_zip(path: &Path, name: &str, destination: &Path) -> Result<(), archive::Error> {
    let archive = Archive::open(path, name, &Limits::default())?;
    let (mut targets, mut folders) = (Vec::new(), Vec::new());
    for (index, member) in archive.members().iter().enumerate() {
        if member.is_folder {
            folders.push(member.name.clone());
        } else {
            let mode = if member.executable { 0o755 } else { 0o644 };
            targets.push(Target {
                member: index,
                path: member.name.clone(),
                mode,
                other_digest: None,
                words: &[],
            });
        }
    }
    archive.unpack(destination, &targets, &folders)?;
    Ok(())
}

/// Makes sure that no link leads out of what becomes the interpreter's folder: an archive's links stay in the archive,
/// but not all of an archive is kept.
fn check_links(root: &Path, build: &Build) -> Result<(), ManagedError> {
    let real = fs::canonicalize(root)?;
    for found in fs::walk(root) {
        let Found { path, kind } = found?;
        if kind == FileKind::Link && !stays(&path, root, &real)? {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            let problem = archive::Problem::Link {
                name,
                target: fs::read_link(&path)?.display().to_string(),
                reason: "leaves the interpreter's folder",
            };
            let file = file_name(&build.location).to_owned();
            let source = archive::Error::Refused { file, problem };
            return Err(ManagedError::Archive { name: build.name.clone(), source: Box::new(source) });
        }
    }
    Ok(())
}

/// Whether a link leads to something below the folder, or to nothing by a way that does not go up from below.
fn stays(link: &Path, root: &Path, real: &Path) -> Result<bool, PathError> {
    if let Ok(target) = fs::canonicalize(link) {
        return Ok(target.starts_with(real));
    }
    let text = fs::read_link(link)?;
    let mut depth = link.strip_prefix(root).map_or(0, |path| path.components().count().saturating_sub(1));
    let mut went_down = false;
    for part in text.components() {
        match part {
            Component::ParentDir if depth > 0 && !went_down => depth -= 1,
            Component::CurDir => {}
            Component::Normal(_) => went_down = true,
            _ => return Ok(false),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::super::record::build;
    use super::*;
    use crate::available::BuildSource;

    #[test]
    fn archives_are_known_by_their_names() {
        let tar = |compression| Some(Packing::Tar(compression));
        for (location, expected) in [
            ("https://host/a/cpython-3.12.1%2B20240107-install_only.tar.gz", tar(Compression::Gzip)),
            ("https://host/x.tgz?token=a/b.zip#c", tar(Compression::Gzip)),
            ("file:///a/x.tar.bz2", tar(Compression::Bzip2)),
            ("/a/x.bz2", tar(Compression::Bzip2)),
            ("x.tar.zst", tar(Compression::Zstandard)),
            ("X.TAR.ZSTD", tar(Compression::Zstandard)),
            ("https://host/x.Zip", Some(Packing::Zip)),
            ("https://host/x.rar", None),
            ("https://host/x.gz", None),
            ("https://host/", None),
        ] {
            assert_eq!(packing(location), expected, "{location}");
        }
    }

    #[test]
    fn a_path_out_of_the_archive_is_refused() {
        for path in ["../python", "/usr/bin/python3", "a/../../b", "", "a\\b", "a//b"] {
            let build = Build { executable: Some(path.to_owned()), ..build("x", BuildSource::Custom) };
            assert!(matches!(check(&build), Err(ManagedError::Outside { .. })), "{path}");
        }
    }

    #[test]
    fn links_may_not_leave_what_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("python");
        fs::create_dir_all(&root.join("lib/deep")).unwrap();
        fs::create_dir_all(&folder.path().join("beside")).unwrap();
        let real = fs::canonicalize(&root).unwrap();
        let link = root.join("lib/link");
        for (target, expected) in [
            ("deep", true),
            ("../lib/deep", true),
            ("../missing", true),
            ("../../beside", false),
            ("../../missing", false),
            ("deep/../../../x", false),
            ("/usr", false),
            ("link", true),
        ] {
            fs::symlink(Path::new(target), &link).unwrap();
            assert_eq!(stays(&link, &root, &real).unwrap(), expected, "{target}");
            fs::remove_file(&link).unwrap();
        }
    }
}
