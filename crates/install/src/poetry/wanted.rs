//! What a locked package is in the words of the resolver: one pinned requirement with its hashes, or one source; and
//! the `direct_url.json` (PEP 610) that Poetry writes for it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use virtpy_pep::{ArchiveHashes, DirectUrl, PackageName, Version};
use virtpy_resolver::Input;

use super::PoetryError;
use super::lock::{LockedPackage, Source};
use virtpy_files::digest::{Sha256, hex, sha256};
use virtpy_files::{self as fs, FileKind, Found};

/// Folders that no build reads: they are not looked at to see whether a source has changed.
const NOT_SOURCES: &[&str] =
    &[".git", ".hg", ".venv", "venv", ".tox", ".nox", "__pycache__", ".mypy_cache", ".pytest_cache"];

/// How many files and bytes of a source folder are looked at; a larger one is always built again.
const MOST_FILES: usize = 5000;
const MOST_BYTES: u64 = 64 << 20;

/// A package to be installed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its name.
    pub package: PackageName,
    /// Its version.
    pub version: String,
    /// What the resolver is asked for.
    pub ask: Ask,
    /// The index that has it, if not the default one.
    pub index: Option<String>,
    /// The text of its `direct_url.json`, if it does not come from an index.
    pub direct_url: Option<String>,
    /// What is always the same wheel is known by this text; `None` if nobody can say.
    pub identity: Option<String>,
}

/// What the resolver is asked for.
#[derive(Debug, Clone)]
pub enum Ask {
    /// A line of a requirements file.
    Line(String),
    /// Anything else.
    Input(Input),
}

impl Wanted {
    /// What a package of a lock file in `root` is.
    ///
    /// # Errors
    /// When its source is of a kind that is not known, or cannot be read.
    pub fn of(package: &LockedPackage, root: &Path) -> Result<Self, PoetryError> {
        let key = check(package)?;
        let wanted = |ask, direct_url: Option<DirectUrl>, identity| Self {
            package: key.clone(),
            version: package.version.clone(),
            ask,
            index: None,
            direct_url: direct_url.map(|value| value.to_string()),
            identity,
        };
        let name = &package.name;
        let Some(source) = &package.source else {
            let line = pinned(package);
            return Ok(wanted(Ask::Line(line.clone()), None, Some(line)));
        };
        Ok(match source.kind.as_str() {
            "legacy" => {
                let line = pinned(package);
                let index = Some(source.url.clone());
                Self { index, ..wanted(Ask::Line(line.clone()), None, Some(line)) }
            }
            "git" => {
                let (text, direct_url) = git(name, source);
                let identity = Some(text.clone());
                wanted(Ask::Input(Input::Requirement(text)), Some(direct_url), identity)
            }
            "url" | "file" => {
                let is_file = source.kind == "file";
                let url = if is_file { file_url(&place(root, &source.url)?) } else { source.url.clone() };
                let hash = package.files.first().map(|file| file.hash.clone());
                let hashes = hash.as_deref().and_then(|hash| hash.split_once(':'));
                let hashes = hashes.map(|(algorithm, digest)| ArchiveHashes::of(algorithm, digest));
                let fragment = hash.as_ref().map(|hash| format!("#{}", hash.replacen(':', "=", 1)));
                let text = format!("{name} @ {url}{}", fragment.unwrap_or_default());
                let direct_url = DirectUrl::archive(url, hashes.unwrap_or_default());
                let identity = hash.map(|_| text.clone());
                wanted(Ask::Input(Input::Requirement(text)), Some(direct_url), identity)
            }
            "directory" => {
                let path = place(root, &source.url)?;
                let path = source.subdirectory.as_ref().map_or(path.clone(), |inner| path.join(inner));
                let (ask, direct_url) = folder(name, &path, package.develop);
                let identity = identity_of_folder(&path, package.develop);
                wanted(Ask::Input(ask), Some(direct_url), identity)
            }
            kind => return Err(refused(package, &format!("a source of the kind `{kind}` is not known"))),
        })
    }

    /// Name and version.
    pub fn label(&self) -> String {
        format!("{} {}", self.package, self.version)
    }
}

fn refused(package: &LockedPackage, reason: &str) -> PoetryError {
    let package = format!("{} {}", package.name, package.version);
    PoetryError::Package { package, reason: reason.to_owned() }
}

/// Refuses what would be something else in a line of a requirements file than a name, a version and hashes.
fn check(package: &LockedPackage) -> Result<PackageName, PoetryError> {
    let name = package.name.parse::<PackageName>().map_err(|error| refused(package, &error.to_string()))?;
    package.version.parse::<Version>().map_err(|error| refused(package, &error.to_string()))?;
    let is_hash = |hash: &str| hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':');
    match package.files.iter().find(|file| !is_hash(&file.hash)) {
        Some(file) => Err(refused(package, &format!("`{}` is not a hash", file.hash))),
        None => Ok(name),
    }
}

/// A pin with all hashes.
fn pinned(package: &LockedPackage) -> String {
    let mut line = format!("{}=={}", package.name, package.version);
    let mut hashes: Vec<&str> = package.files.iter().map(|file| file.hash.as_str()).collect();
    hashes.sort_unstable();
    hashes.dedup();
    for hash in hashes {
        line.push_str(" --hash=");
        line.push_str(hash);
    }
    line
}

fn git(name: &str, source: &Source) -> (String, DirectUrl) {
    // So some versions of Poetry write a repository of this machine.
    let url = source.url.replacen("file://None/", "file:///", 1);
    let commit = source.resolved_reference.as_deref().or(source.reference.as_deref()).unwrap_or("HEAD");
    let direct_url = DirectUrl::git(source.url.clone(), commit.to_owned(), source.reference.clone());
    let mut text = format!("{name} @ git+{}@{commit}", with_scheme(&url));
    if let Some(inner) = &source.subdirectory {
        text.push_str("#subdirectory=");
        text.push_str(inner);
    }
    (text, direct_url.in_subdirectory(source.subdirectory.clone()))
}

/// `git@host:owner/name` as a URL.
fn with_scheme(url: &str) -> String {
    if url.contains("://") {
        return url.to_owned();
    }
    match url.split_once(':') {
        Some((host, path)) if !host.contains('/') => format!("ssh://{host}/{path}"),
        _ => format!("file://{url}"),
    }
}

fn folder(name: &str, path: &Path, develop: bool) -> (Input, DirectUrl) {
    let url = file_url(path);
    let input = if develop {
        Input::Editable(path.display().to_string())
    } else {
        Input::Requirement(format!("{name} @ {url}"))
    };
    (input, DirectUrl::directory(url, develop))
}

fn place(root: &Path, relative: &str) -> Result<PathBuf, PoetryError> {
    Ok(fs::canonicalize(&root.join(relative))?)
}

/// A path as a `file:` URL, as Python's `Path.as_uri` writes it.
pub fn file_url(path: &Path) -> String {
    let mut url = String::from("file://");
    for byte in path.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}

/// A text that changes when anything in a folder of sources changes. `None` for one that is too large to look through.
pub fn identity_of_folder(path: &Path, editable: bool) -> Option<String> {
    let mut digest = Sha256::new();
    let (mut files, mut bytes) = (0, 0);
    let mut walk = fs::walk(path);
    while let Some(found) = walk.next() {
        let Found { path, kind } = found.ok()?;
        if kind == FileKind::Folder {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if NOT_SOURCES.contains(&name.as_ref()) || name.ends_with(".egg-info") {
                walk.skip_folder();
            }
            continue;
        }
        let content = if kind == FileKind::File { fs::read(&path).ok()? } else { Vec::new() };
        files += 1;
        bytes += content.len() as u64;
        if files > MOST_FILES || bytes > MOST_BYTES {
            return None;
        }
        digest.update(path.as_os_str().as_encoded_bytes());
        digest.update(b"\0");
        digest.update(sha256(&content));
    }
    Some(format!("folder {} {editable} {}", path.display(), hex(&digest.finish())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(kind: &str, url: &str) -> Wanted {
        let source = Source {
            kind: kind.to_owned(),
            url: url.to_owned(),
            reference: Some("main".to_owned()),
            resolved_reference: Some("abc".to_owned()),
            subdirectory: Some("in".to_owned()),
        };
        let package = LockedPackage {
            name: "Rich".to_owned(),
            version: "1".to_owned(),
            files: vec![super::super::lock::LockedFile {
                file: "x".to_owned(),
                hash: "sha256:aa".to_owned(),
            }],
            source: (!kind.is_empty()).then_some(source),
            ..LockedPackage::default()
        };
        Wanted::of(&package, Path::new("/")).unwrap()
    }

    fn text(wanted: &Wanted) -> &str {
        match &wanted.ask {
            Ask::Line(text) | Ask::Input(Input::Requirement(text)) => text,
            Ask::Input(_) => "",
        }
    }

    #[test]
    fn sources_become_requirements() {
        let plain = wanted("", "");
        assert_eq!(text(&plain), "Rich==1 --hash=sha256:aa");
        assert_eq!((plain.package.as_str(), &plain.direct_url), ("rich", &None));
        assert_eq!(wanted("legacy", "http://i/simple").index.as_deref(), Some("http://i/simple"));
        let git = wanted("git", "git@host:me/rich.git");
        assert_eq!(text(&git), "Rich @ git+ssh://git@host/me/rich.git@abc#subdirectory=in");
        assert!(git.direct_url.unwrap().contains("\"commit_id\":\"abc\""));
        assert_eq!(text(&wanted("url", "http://h/r.whl")), "Rich @ http://h/r.whl#sha256=aa");
    }

    #[test]
    fn a_lock_file_cannot_slip_options_in() {
        for (name, version, hash) in [
            ("a\n--index-url http://x", "1", "sha256:00"),
            ("a", "1\n-r other.txt", "sha256:00"),
            ("a", "1", "sha256:00 --index-url=x"),
        ] {
            let file = super::super::lock::LockedFile { file: "x".to_owned(), hash: hash.to_owned() };
            let package = LockedPackage {
                name: name.to_owned(),
                version: version.to_owned(),
                files: vec![file],
                ..LockedPackage::default()
            };
            assert!(Wanted::of(&package, Path::new("/")).is_err(), "{name} {version} {hash}");
        }
    }

    #[test]
    fn paths_become_urls() {
        assert_eq!(file_url(Path::new("/a b/ü")), "file:///a%20b/%C3%BC");
    }
}
