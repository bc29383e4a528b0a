//! Repositories that are installed in place: they are cloned, and what is installed is the clone's directory.

use std::ffi::OsStr;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use virtpy_pep::{PackageName, public_url};
use virtpy_resolver::{EntryKind, GitSetting, withhold_git_credentials};

use crate::git::{git, git_with};
use crate::poetry::file_url;
use crate::{Error, Host, Requirements, Result};
use virtpy_files::{self as fs, Directory};
use virtpy_venv::Venv;

/// The version control systems that pip installs from.
const SYSTEMS: [&str; 4] = ["git+", "hg+", "svn+", "bzr+"];

/// A repository to be installed in place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Repository {
    /// Its address, as git takes it.
    url: String,
    /// Its credentials, as git takes them.
    settings: Vec<GitSetting>,
    /// The branch, the tag or the commit.
    revision: Option<String>,
    /// The name of its package.
    name: PackageName,
    /// The extras, in brackets.
    extras: String,
    subdirectory: Option<String>,
}

/// The folder that clones are in.
#[derive(Debug, Clone)]
pub enum CloneFolder<'a> {
    /// `src` in a venv.
    Venv(&'a Venv),
    /// One that the user named, absolute.
    Named(PathBuf),
}

impl CloneFolder<'_> {
    /// Opens what it is in, and makes it. Returns its path there as well. In a venv no link is followed.
    fn open(&self) -> Result<(Directory, PathBuf)> {
        match self {
            Self::Venv(venv) => {
                venv.directory.create_dir_all(IN_VENV)?;
                Ok((venv.directory.clone(), PathBuf::from(IN_VENV)))
            }
            Self::Named(path) => {
                fs::create_dir_all(path)?;
                Ok((Directory::open(&fs::canonicalize(path)?)?, PathBuf::new()))
            }
        }
    }

    /// Whether what is in it is the user's own, and did not come with a venv that somebody else made.
    fn is_own(&self, host: &Host) -> bool {
        match self {
            Self::Venv(venv) => venv.is_proven(&host.store),
            Self::Named(_) => true,
        }
    }
}

/// Where in a venv clones are, as pip has them.
const IN_VENV: &str = "src";

/// The clones that one operation made.
#[derive(Debug, Default)]
pub struct Checkouts {
    made: Vec<(Directory, PathBuf)>,
}

impl Checkouts {
    /// Clones the repositories that are to be installed in place, or brings the clones that are there to the revisions that are
    /// wanted, and puts their directories in their places. `say` hears of each.
    ///
    /// # Errors
    /// When git fails, or what is wanted is no repository of git's; what was cloned is gone then.
    pub fn of(
        host: &Host,
        wanted: &mut Requirements,
        clones: &CloneFolder<'_>,
        say: &dyn Fn(&dyn Display),
    ) -> Result<Self> {
        let mut checkouts = Self::default();
        let source = Source { host, clones, say };
        let entries = wanted.files.entries.iter_mut().filter(|entry| entry.kind == EntryKind::Editable);
        for text in wanted.editables.iter_mut().chain(entries.map(|entry| &mut entry.text)) {
            match checkouts.directory_of(&source, text) {
                Ok(Some(directory)) => *text = directory,
                Ok(None) => {}
                Err(error) => {
                    checkouts.remove();
                    return Err(error);
                }
            }
        }
        Ok(checkouts)
    }

    /// Removes what was cloned.
    pub fn remove(&self) {
        for (directory, clone) in &self.made {
            // What cannot be removed is a clone that the next installation takes.
            let _ = directory.remove_tree(clone);
        }
    }

    /// The requirement, a directory under the name that is wanted, that takes the place of a repository; `None` for what is no
    /// repository.
    fn directory_of(&mut self, source: &Source<'_>, text: &str) -> Result<Option<String>> {
        let Some(repository) = Repository::parse(text)? else { return Ok(None) };
        let (directory, inside) = source.clones.open()?;
        let clone = inside.join(repository.name.as_str());
        let folder = directory.path().join(&clone);
        if directory.kind(&clone)?.is_some() {
            (source.say)(&format_args!("Updating {} clone in {}", repository.url, folder.display()));
            if !source.clones.is_own(source.host) {
                return Err(Error::new(format!(
                    "`{}` is there already, and came with the venv",
                    folder.display()
                ))
                .hinted(
                    "git would run what it configures: move it away, or name another folder with `--src`",
                ));
            }
            repository.update(&directory.folder(&clone)?)?;
        } else {
            (source.say)(&format_args!("Cloning {} to {}", repository.url, folder.display()));
            repository.clone_in(source.host, &directory, &clone)?;
            self.made.push((directory, clone));
        }
        let place = repository.subdirectory.as_ref().map_or(folder.clone(), |inner| folder.join(inner));
        if !fs::metadata(&place).is_ok_and(|found| found.is_dir()) {
            return Err(Error::new(format!("`{text}` has no directory `{}`", place.display())));
        }
        Ok(Some(format!("{}{} @ {}", repository.name, repository.extras, file_url(&place))))
    }
}

/// What clones are made with.
struct Source<'a> {
    host: &'a Host,
    clones: &'a CloneFolder<'a>,
    say: &'a dyn Fn(&dyn Display),
}

impl Repository {
    /// Reads `git+URL@REVISION#egg=NAME[EXTRA]&subdirectory=FOLDER` or `NAME[EXTRA] @ git+URL…`; `None` for anything else.
    fn parse(text: &str) -> Result<Option<Self>> {
        let text = text.trim();
        let (before, address) = match text.split_once('@') {
            Some((name, rest)) if is_repository(rest.trim()) => (Some(name.trim()), rest.trim()),
            _ => (None, text),
        };
        if !is_repository(address) {
            return Ok(None);
        }
        let Some(address) = address.strip_prefix("git+") else {
            return Err(Error::new(format!(
                "`{text}` cannot be installed in place: virtpy's pip does this from git only"
            ))
            .hinted("clone it yourself, and give the directory: `pip install -e DIR`"));
        };
        // Neither git's arguments nor its configuration in the clone are a place for a password.
        let mut settings = Vec::new();
        let withheld = withhold_git_credentials(&format!("git+{address}"), &mut settings);
        let address = withheld.as_deref().and_then(|text| text.strip_prefix("git+")).unwrap_or(address);
        let (address, fragment) = address.split_once('#').unwrap_or((address, ""));
        let of = |key: &str| fragment.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        let Some(named) = before.or_else(|| of("egg")) else {
            return Err(Error::new(format!("Could not detect requirement name for '{text}'"))
                .hinted("write `NAME @ git+URL`, or `#egg=NAME` behind it"));
        };
        let (name, extras) = named.find('[').map_or((named, ""), |start| named.split_at(start));
        let name = name.trim().parse::<PackageName>().map_err(|error| Error::new(error.to_string()))?;
        let subdirectory = of("subdirectory").filter(|folder| !folder.is_empty());
        if let Some(folder) = subdirectory
            && Path::new(folder).components().any(|part| !matches!(part, std::path::Component::Normal(_)))
        {
            return Err(Error::new(format!("`{folder}` is not a directory inside the repository")));
        }
        let (url, revision) = split_revision(address);
        let url = url.to_owned();
        let is_option = |text: &str| text.starts_with('-');
        if !url.contains("://") || is_option(&url) || revision.is_some_and(is_option) {
            return Err(Error::new(format!("`{text}` is not a repository of git's"))
                .hinted("write `git+https://…`, `git+ssh://…` or `git+file://…`"));
        }
        Ok(Some(Self {
            url,
            settings,
            revision: revision.map(str::to_owned),
            name,
            extras: extras.to_owned(),
            subdirectory: subdirectory.map(str::to_owned),
        }))
    }

    /// Clones into the store's temporary folder and moves that to its place: git writes by path, and who may write to a venv
    /// could lead it elsewhere meanwhile.
    fn clone_in(&self, host: &Host, directory: &Directory, clone: &Path) -> Result<()> {
        // A collection would sweep it away.
        let _lock = host.store.lock_shared(&mut host.announce())?;
        let temporary = host.store.temporary_folder()?;
        let folder = temporary.path().join(self.name.as_str());
        let target = folder.as_os_str();
        self.git(None, &["clone".as_ref(), "--quiet".as_ref(), "--".as_ref(), self.url.as_ref(), target])?;
        self.check_out(&folder)?;
        Ok(directory.move_in(&folder, clone)?)
    }

    /// Brings a clone that is there to what is wanted. Changes that nobody committed are not lost: they are an error.
    fn update(&self, clone: &Directory) -> Result<()> {
        let shown = clone.path().display();
        let in_the_way = |what: &str| {
            Error::new(format!("`{shown}` is there already, and {what}"))
                .hinted("move it away, or name another directory with `--src`")
        };
        let folder = &clone.path_to_work_in();
        let known = self.git(Some(folder), &["config", "--get", "remote.origin.url"].map(OsStr::new));
        if fs::kind(&folder.join(".git"))?.is_none()
            || known.ok().map(|url| public_url(&url)).as_deref() != Some(self.url.as_str())
        {
            return Err(in_the_way("is not a clone of this repository"));
        }
        if !self
            .git(Some(folder), &["status", "--porcelain", "--untracked-files=no"].map(OsStr::new))?
            .is_empty()
        {
            return Err(in_the_way("has changes that are not committed"));
        }
        self.git(Some(folder), &["fetch", "--quiet", "--tags", "origin"].map(OsStr::new))?;
        if self.revision.is_none() {
            self.git(Some(folder), &["merge", "--quiet", "--ff-only"].map(OsStr::new))
                .map_err(|error| error.within(format!("`{shown}` cannot be updated")))?;
        }
        self.check_out(folder)
    }

    /// Runs git with what it has to know of this repository.
    fn git(&self, folder: Option<&Path>, words: &[&OsStr]) -> Result<String> {
        git_with(&self.settings, folder, words)
    }

    /// Takes the revision that is wanted: a branch as the origin has it now, a tag, a commit.
    fn check_out(&self, folder: &Path) -> Result<()> {
        if let Some(revision) = &self.revision {
            let branch = format!("refs/remotes/origin/{revision}");
            let is_branch = self
                .git(Some(folder), &["rev-parse", "--quiet", "--verify", &branch].map(OsStr::new))
                .is_ok();
            if is_branch {
                let track = ["checkout", "--quiet", "-B", revision, "--track", &format!("origin/{revision}")];
                self.git(Some(folder), &track.map(OsStr::new))?;
            } else if self.git(Some(folder), &["checkout", "--quiet", revision].map(OsStr::new)).is_err() {
                // Not every commit comes with a clone.
                self.git(Some(folder), &["fetch", "--quiet", "origin", revision].map(OsStr::new))
                    .map_err(|error| error.within(format!("{} has no revision `{revision}`", self.url)))?;
                self.git(Some(folder), &["checkout", "--quiet", "FETCH_HEAD"].map(OsStr::new))?;
            }
        }
        if fs::kind(&folder.join(".gitmodules"))?.is_some() {
            self.git(
                Some(folder),
                &["submodule", "update", "--init", "--recursive", "--quiet"].map(OsStr::new),
            )?;
        }
        Ok(())
    }
}

fn is_repository(text: &str) -> bool {
    SYSTEMS.iter().any(|system| text.starts_with(system))
}

/// The address without the revision behind the last `@` of its path.
fn split_revision(address: &str) -> (&str, Option<&str>) {
    let path = address.find("://").map_or(0, |start| start + 3);
    let path = address[path..].find('/').map_or(address.len(), |start| path + start);
    match address[path..].rfind('@') {
        Some(at) => (&address[..path + at], Some(&address[path + at + 1..])),
        None => (address, None),
    }
}

/// A repository's origin, commit and the folder of it that a path is in, for `pip freeze`.
struct Place {
    pub origin: Option<String>,
    pub commit: String,
    /// Relative to the repository; empty for the repository itself.
    pub folder: String,
}

/// Where a folder is in a repository of git's; `None` if it is in none, or there is no git.
fn place_of(folder: &Path) -> Option<Place> {
    folder.ancestors().find(|above| matches!(fs::kind(&above.join(".git")), Ok(Some(_))))?;
    let ask = |words: &[&str]| git(Some(folder), &words.iter().map(OsStr::new).collect::<Vec<_>>()).ok();
    // What the repository does not track is not under its control.
    let commit = ask(&["rev-parse", "HEAD"])?;
    ask(&["ls-files", "--error-unmatch", "--", "."])?;
    let folder = ask(&["rev-parse", "--show-prefix"])?.trim_end_matches('/').to_owned();
    let origin = ask(&["config", "--get", "remote.origin.url"]).filter(|url| !url.is_empty());
    Some(Place { origin, commit, folder })
}

/// An editable distribution in a requirements file, as pip writes it: with the commit of its repository, or with a remark where
/// that cannot be told.
pub fn frozen_editable(name: &str, version: &str, folder: &str) -> String {
    match place_of(Path::new(folder)) {
        None => format!("# Editable install with no version control ({name}=={version})\n-e {folder}\n"),
        Some(Place { origin: None, .. }) => {
            format!("# Editable Git install with no remote ({name}=={version})\n-e {folder}\n")
        }
        Some(Place { origin: Some(origin), commit, folder }) => {
            let address = if origin.contains("://") { public_url(&origin) } else { address_of(&origin) };
            let inside = if folder.is_empty() { folder } else { format!("&subdirectory={folder}") };
            format!("-e git+{address}@{commit}#egg={}{inside}\n", name.replace('-', "_"))
        }
    }
}

/// The URL for an origin that is a path, or that is written as `user@host:path`.
fn address_of(origin: &str) -> String {
    match origin.split_once(':') {
        _ if origin.starts_with('/') => format!("file://{origin}"),
        Some((host, path)) => format!("ssh://{host}/{path}"),
        None => origin.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Repository {
        Repository::parse(text).ok().flatten().unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn repositories_are_read_in_every_form() {
        let one = parse("git+https://a@host.example/x/y.git@v1#egg=Na_me[dev,more]&subdirectory=in/side");
        assert_eq!(
            one,
            Repository {
                url: "https://host.example/x/y.git".to_owned(),
                settings: one.settings.clone(),
                revision: Some("v1".to_owned()),
                name: "na-me".parse().unwrap(),
                extras: "[dev,more]".to_owned(),
                subdirectory: Some("in/side".to_owned()),
            }
        );
        assert_eq!(one.settings.len(), 1, "the user's name is one");
        let one = parse("name[dev] @ git+ssh://git@host.example/x.git");
        assert_eq!((one.name.as_str(), one.extras.as_str()), ("name", "[dev]"));
        assert_eq!((one.url.as_str(), one.revision), ("ssh://git@host.example/x.git", None));
        for text in ["./folder", "name", "/a/b@c", "https://host.example/x.zip", "."] {
            assert!(Repository::parse(text).is_ok_and(|found| found.is_none()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_cloned_is_refused() {
        for text in [
            "git+https://host.example/x",
            "hg+https://host.example/x#egg=x",
            "git+https://host.example/x#egg=../../x",
            "git+https://host.example/x#egg=x&subdirectory=../y",
            "git+https://host.example/x@--upload-pack=y#egg=x",
            "git+--upload-pack=y://host/x#egg=x",
            "git+ext::sh#egg=x",
        ] {
            assert!(Repository::parse(text).is_err(), "{text}");
        }
    }
}
