//! A hook of git's that gives new worktrees their venv: writing it, taking it away, and never over one that somebody else wrote.
//!
//! git runs `post-checkout` after `git worktree add` too, and tells by the commit before, which is then all zeros. All worktrees of
//! a repository have the same hooks.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::git::git;
use crate::{Error, Result};
use virtpy_files as fs;
use virtpy_venv::activation::posix_word;

/// The hook's name.
const NAME: &str = "post-checkout";

/// What the line ends with, by which virtpy's own hook is known.
const MARK: &str = "# made by `virtpy hook install`; `virtpy hook uninstall` removes it";

/// What became of the hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookState {
    /// There is none.
    Absent,
    /// virtpy wrote it.
    Own,
    /// Somebody else wrote it.
    Foreign,
}

/// The hook of a repository.
#[derive(Debug)]
pub struct GitHook {
    /// Where it is, or would be.
    pub path: PathBuf,
    /// Whether the folder of hooks is one that the repository shares with others.
    is_shared: bool,
}

impl GitHook {
    /// The hook of the repository that a folder is in.
    ///
    /// # Errors
    /// When it is in none, or git does not start.
    pub fn of(folder: &Path) -> Result<Self> {
        let ask = |words: &[&str]| git(Some(folder), &words.iter().map(OsStr::new).collect::<Vec<_>>());
        let common = folder.join(ask(&["rev-parse", "--git-common-dir"])?);
        let hooks = folder.join(ask(&["rev-parse", "--git-path", "hooks"])?);
        // `core.hooksPath` may name a folder in the working copy, which is committed, or one of all repositories.
        let is_shared = lexically(&hooks) != lexically(&common.join("hooks"));
        Ok(Self { path: lexically(&hooks).join(NAME), is_shared })
    }

    /// The line that gives new worktrees their venv.
    pub fn line(program: &Path) -> String {
        let program = posix_word(&program.to_string_lossy());
        format!(
            "[ ! -x {program} ] || {{ unset $(git rev-parse --local-env-vars); exec {program} hook run \"$@\"; }} {MARK}"
        )
    }

    /// Who wrote it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn state(&self) -> Result<HookState> {
        match fs::kind(&self.path)? {
            None => Ok(HookState::Absent),
            Some(_) => Ok(if self.text().is_some_and(|text| is_own(&text)) {
                HookState::Own
            } else {
                HookState::Foreign
            }),
        }
    }

    fn text(&self) -> Option<String> {
        String::from_utf8(fs::read_bounded(&self.path, 64 << 10).ok()?).ok()
    }

    /// Writes the hook. Returns whether anything had to be done.
    ///
    /// # Errors
    /// When somebody else's hook is there, or the repository's hooks are not its own.
    pub fn install(&self, program: &Path) -> Result<bool> {
        let line = Self::line(program);
        let instead = || format!("add this line to your hook yourself:\n  {line}");
        if self.state()? == HookState::Foreign {
            return Err(Error::new(format!("`{}` is there already, and not virtpy's", self.path.display()))
                .hinted(instead()));
        }
        if self.is_shared {
            let folder = self.path.parent().unwrap_or(&self.path);
            return Err(Error::new(format!(
                "`core.hooksPath` leads this repository's hooks to `{}`, which is not only its own",
                folder.display()
            ))
            .hinted(instead()));
        }
        let text = format!("#!/bin/sh\n{line}\n");
        if self.text().as_deref() == Some(text.as_str()) {
            return Ok(false);
        }
        // `git init` without templates makes no folder for it.
        fs::create_dir_all(self.path.parent().unwrap_or(Path::new("/")))?;
        fs::write_atomic_with_mode(&self.path, text.as_bytes(), 0o755)?;
        Ok(true)
    }

    /// Takes the hook away. Returns whether it was there.
    ///
    /// # Errors
    /// When somebody else's is there.
    pub fn uninstall(&self) -> Result<bool> {
        match self.state()? {
            HookState::Absent => Ok(false),
            HookState::Own => fs::remove_file(&self.path).map(|()| true).map_err(Error::from),
            HookState::Foreign => {
                Err(Error::new(format!("`{}` is not virtpy's; it was left as it is", self.path.display()))
                    .hinted("take the line that calls `virtpy hook run` out of it yourself"))
            }
        }
    }
}

/// Whether a hook is nothing but virtpy's line.
fn is_own(text: &str) -> bool {
    let mut lines = text.lines();
    lines.next() == Some("#!/bin/sh")
        && lines.next().is_some_and(|line| line.ends_with(MARK))
        && lines.next().is_none()
}

/// Whether git calls the hook for a worktree that it has just made: there was no commit before.
pub fn is_new_worktree(previous: &str) -> bool {
    previous.len() >= 40 && previous.bytes().all(|digit| digit == b'0')
}

/// A path without `.` and `..`, as far as its text tells.
fn lexically(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    fs::canonicalize(&plain).unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_of_that_line_is_virtpys() {
        let line = GitHook::line(Path::new("/opt/it's/virtpy"));
        assert!(!line.contains('\n') && is_own(&format!("#!/bin/sh\n{line}\n")));
        for other in ["", "#!/bin/sh\n", "#!/bin/sh\necho mine\n", &format!("#!/bin/sh\n{line}\necho mine\n")]
        {
            assert!(!is_own(other), "{other}");
        }
    }

    #[test]
    fn a_new_worktree_has_no_commit_before() {
        assert!(is_new_worktree(&"0".repeat(40)) && is_new_worktree(&"0".repeat(64)));
        assert!(!is_new_worktree("") && !is_new_worktree(&format!("{}1", "0".repeat(39))));
    }
}
