//! The start-up files of shells, by which `$VIRTPY_HOME/bin` comes onto PATH.
//!
//! Each gets one block of lines between two marks, so that it can be found again, changed and removed. Nothing else in the
//! file is touched, and a file that has the block already is left as it is.

use std::path::{Path, PathBuf};

use super::ToolError;
use virtpy_files::{self as fs, PermissionsExt as _};
use virtpy_venv::activation::posix_word;

const BEGIN: &str = "# >>> virtpy: the commands of installed applications >>>";
const END: &str = "# <<< virtpy <<<";

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// The Bourne-again shell, and what reads `.profile`.
    Bash,
    /// The Z shell.
    Zsh,
    /// The friendly interactive shell.
    Fish,
    /// Nushell.
    Nushell,
}

impl Shell {
    /// The shell that an executable's name stands for.
    pub fn of_executable(path: &Path) -> Option<Self> {
        match path.file_name()?.to_str()? {
            "bash" | "sh" | "dash" => Some(Self::Bash),
            "zsh" => Some(Self::Zsh),
            "fish" => Some(Self::Fish),
            "nu" | "nushell" => Some(Self::Nushell),
            _ => None,
        }
    }

    /// Its files that put a folder on PATH, from the home folder: those that are read at every start first.
    fn files(self, home: &Home) -> Vec<PathBuf> {
        let path = |name: &str| home.folder.join(name);
        match self {
            // A login bash reads only the first of its files that exists, and an interactive one only `.bashrc`.
            Self::Bash => {
                let login = [".bash_profile", ".bash_login", ".profile"].map(path);
                let login = login.iter().find(|file| file.exists()).cloned();
                vec![path(".bashrc"), login.unwrap_or_else(|| path(".profile"))]
            }
            Self::Zsh => vec![home.zdotdir.clone().unwrap_or_else(|| home.folder.clone()).join(".zshrc")],
            Self::Fish => vec![home.config().join("fish/conf.d/virtpy.fish")],
            Self::Nushell => vec![home.config().join("nushell/env.nu")],
        }
    }

    /// The line that does it.
    fn line(self, folder: &str) -> String {
        match self {
            Self::Bash | Self::Zsh => {
                let folder = posix_word(folder);
                format!("case \":$PATH:\" in *:{folder}:*) ;; *) export PATH={folder}\":$PATH\" ;; esac")
            }
            Self::Fish => {
                format!(
                    "fish_add_path --path --prepend '{}'",
                    folder.replace('\\', "\\\\").replace('\'', "\\'")
                )
            }
            Self::Nushell => format!(
                "$env.PATH = ($env.PATH | split row (char esep) | prepend \"{}\" | uniq)",
                folder.replace('\\', "\\\\").replace('"', "\\\"")
            ),
        }
    }
}

/// Where a user's files are.
#[derive(Debug, Clone)]
pub struct Home {
    /// The home folder.
    pub folder: PathBuf,
    /// `XDG_CONFIG_HOME`.
    pub config: Option<PathBuf>,
    /// `ZDOTDIR`.
    pub zdotdir: Option<PathBuf>,
}

impl Home {
    fn config(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(|| self.folder.join(".config"))
    }
}

/// A start-up file, and what it shall hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFile {
    /// The file, which need not exist.
    pub path: PathBuf,
    /// The block, with a line end.
    pub block: String,
    before: String,
}

/// The start-up files of a shell and the block that puts `folder` on PATH.
///
/// # Errors
/// When a file cannot be read.
pub fn path_files(shell: Shell, home: &Home, folder: &str) -> Result<Vec<PathFile>, ToolError> {
    let block = format!("{BEGIN}\n{}\n{END}\n", shell.line(folder));
    shell
        .files(home)
        .into_iter()
        .map(|path| {
            let before = match fs::read_to_string(&path) {
                Err(error) if error.is_not_found() => String::new(),
                other => other?,
            };
            Ok(PathFile { path, block: block.clone(), before })
        })
        .collect()
}

impl PathFile {
    /// The text that the file shall have.
    fn after(&self) -> String {
        let begin = self.before.find(BEGIN);
        let end = begin.and_then(|begin| self.before[begin..].find(END).map(|end| begin + end + END.len()));
        if let (Some(begin), Some(end)) = (begin, end) {
            let rest = self.before[end..].strip_prefix('\n').unwrap_or(&self.before[end..]);
            return format!("{}{}{rest}", &self.before[..begin], self.block);
        }
        let gap = if self.before.is_empty() || self.before.ends_with('\n') { "" } else { "\n" };
        format!("{}{gap}{}", self.before, self.block)
    }

    /// Whether something is to be written.
    pub fn is_pending(&self) -> bool {
        self.after() != self.before
    }

    /// Writes the block. A link, as people have who keep their files in a repository, stays one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self) -> Result<(), ToolError> {
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mode = fs::metadata(&path).map_or(0o644, |found| found.permissions().mode() & 0o7777);
        fs::write_atomic(&path, self.after().as_bytes())?;
        Ok(fs::set_mode(&path, mode)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(before: &str) -> PathFile {
        PathFile {
            path: PathBuf::from("x"),
            block: format!("{BEGIN}\nnew\n{END}\n"),
            before: before.to_owned(),
        }
    }

    #[test]
    fn a_block_is_appended_once_and_replaced_where_it_stands() {
        assert_eq!(file("a").after(), format!("a\n{BEGIN}\nnew\n{END}\n"));
        assert_eq!(file("").after(), format!("{BEGIN}\nnew\n{END}\n"));
        let old = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        assert_eq!(file(&old).after(), format!("a\n{BEGIN}\nnew\n{END}\nb\n"));
        assert!(!file(&file(&old).after()).is_pending());
        // Half a block is somebody's text.
        assert_eq!(file(&format!("{BEGIN}\nb\n")).after(), format!("{BEGIN}\nb\n{BEGIN}\nnew\n{END}\n"));
    }

    #[test]
    fn quotes_in_a_path_stay_in_it() {
        assert!(Shell::Bash.line("/it's").contains(r"'/it'\''s'"));
        assert!(Shell::Fish.line("/it's").contains(r"'/it\'s'"));
        assert!(Shell::Nushell.line("/a\"b").contains(r#""/a\"b""#));
    }
}
