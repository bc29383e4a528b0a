//! What git knows of a source directory, told from git's files without running it: a version may be made of commits and tags.

use std::path::{Path, PathBuf};

use virtpy_files::digest::{Sha256, hex, sha256};
use virtpy_files::{self as fs, FileKind, PathError, Stamp};

/// The most that is read of any of git's files.
const MOST_BYTES: u64 = 16 << 20;

/// The repository that a directory is in.
pub(crate) struct Repository {
    /// The folder that `.git` stands in.
    root: PathBuf,
    /// What the working tree has for itself.
    own: PathBuf,
    /// What it shares with the other working trees of the repository.
    shared: PathBuf,
    /// The content of `HEAD`.
    head: String,
}

/// A directory is in a repository that cannot be told from git's files.
#[derive(Debug)]
pub(crate) struct UnknownRepository;

impl From<PathError> for UnknownRepository {
    fn from(_: PathError) -> Self {
        Self
    }
}

impl Repository {
    /// The repository of a directory, if it is in one.
    ///
    /// # Errors
    /// When it cannot be read, or is another system's.
    pub(crate) fn of(directory: &Path) -> Result<Option<Self>, UnknownRepository> {
        for root in directory.ancestors() {
            if fs::kind(&root.join(".hg"))?.is_some() {
                return Err(UnknownRepository);
            }
            let git = root.join(".git");
            let own = match fs::kind(&git)? {
                None => continue,
                Some(FileKind::Folder) => git,
                // A worktree, or a submodule.
                Some(_) => {
                    let text = fs::read_to_string(&git)?;
                    root.join(text.strip_prefix("gitdir:").ok_or(UnknownRepository)?.trim())
                }
            };
            let common = fs::read_to_string(&own.join("commondir"));
            let shared = common.map_or_else(|_| own.clone(), |path| own.join(path.trim()));
            let head = fs::read_to_string(&own.join("HEAD"))?;
            return Ok(Some(Self { root: root.to_path_buf(), own, shared, head }));
        }
        Ok(None)
    }

    /// Whether a directory is the root of the repository, which is nobody's worktree or submodule.
    pub(super) fn is_own(&self, directory: &Path) -> bool {
        self.root == directory && self.own == directory.join(".git")
    }

    /// Stands for the commit and the tags, by how git's files are now: it is another text after every change.
    pub(crate) fn state(&self) -> Option<String> {
        let files = [self.packed(), self.shared.join("refs/tags")].into_iter().chain(self.branch());
        let stamps: Vec<Option<Stamp>> = files.map(|file| Stamp::of(&file)).collect();
        serde_json::to_string(&(&self.head, stamps)).ok()
    }

    /// Stands for the commit and the tags, by contents: it is the same in every copy.
    pub(super) fn contents(&self) -> Option<String> {
        let mut digest = Sha256::new();
        digest.update(&self.head);
        // How far `git describe` can look back is part of it.
        let files = self.branch().into_iter().chain([self.packed(), self.own.join("shallow")]);
        for file in files {
            digest.update(format!("\0{}", content(&file).ok()?));
        }
        let tags = self.shared.join("refs/tags");
        let mut found = Vec::new();
        if fs::kind(&tags).ok()?.is_some() {
            for tag in fs::walk(&tags) {
                let tag = tag.ok()?;
                if tag.kind == FileKind::Folder {
                    continue;
                }
                let name = tag.path.strip_prefix(&tags).ok()?;
                found.push(format!("\0{}\0{}", name.display(), content(&tag.path).ok()?));
            }
        }
        found.sort();
        digest.update(found.concat());
        Some(hex(&digest.finish()))
    }

    fn packed(&self) -> PathBuf {
        self.shared.join("packed-refs")
    }

    /// The file of the present branch, if there is one.
    fn branch(&self) -> Option<PathBuf> {
        Some(self.shared.join(self.head.strip_prefix("ref:")?.trim()))
    }
}

/// What stands for the content of a file: its hash, and nothing where there is no such file.
///
/// # Errors
/// When it is there and cannot be read.
fn content(file: &Path) -> Result<String, PathError> {
    match fs::read_bounded(file, MOST_BYTES) {
        Ok(content) => Ok(hex(&sha256(content))),
        Err(error) if error.is_not_found() => Ok(String::new()),
        Err(error) => Err(error),
    }
}
