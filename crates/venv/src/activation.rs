//! The scripts that activate a virtual environment (PEP 405), one for each kind of shell.
//!
//! A script puts the environment's executables first on `PATH`, sets `VIRTUAL_ENV` and `VIRTUAL_ENV_PROMPT`,
//! hides `PYTHONHOME`, changes the prompt unless `VIRTUAL_ENV_DISABLE_PROMPT` is set, and gives the shell a
//! `deactivate` that takes all of it back. The texts are templates in `python/activation`; what is filled in
//! is the folder and the prompt, each quoted for its shell in [`quoting`] and, where the shell interprets its
//! prompt, escaped in [`prompt`]. Nothing is written here: the caller gets names and contents.

mod line;
mod prompt;
mod quoting;
#[cfg(all(test, unix))]
mod tests;

pub use line::Shell;
pub use quoting::posix as posix_word;

use std::path::{Path, PathBuf};

/// What the activation scripts of one environment depend on.
#[derive(Debug, Clone, Copy)]
pub struct Activation<'a> {
    /// The environment's folder, absolute.
    pub root: &'a Path,
    /// The name of the folder of executables in `root`: `bin`, or `Scripts` on Windows.
    pub scripts: &'a str,
    /// What the shell's prompt shows, without the brackets that are put around it.
    pub prompt: &'a str,
}

/// One file of the folder of executables. It is sourced, so it needs no executable bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The file's name.
    pub name: &'static str,
    /// The whole text.
    pub content: String,
}

/// Why no activation script can be made for an environment.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A script is text, and its reader would be given another folder than the one meant.
    #[error("the environment's path `{}` is not valid UTF-8, so no activation script can name it", .0.display())]
    NotUtf8(PathBuf),
    /// A script is sourced from any folder, so it cannot name the environment relative to one.
    #[error("the environment's path `{}` is not absolute, so no activation script can name it", .0.display())]
    NotAbsolute(PathBuf),
    /// No shell's environment holds a NUL, and csh and cmd.exe cannot quote a line break.
    #[error("the environment's {what} `{}` contains a line break or a NUL", text.escape_debug())]
    LineBreak {
        /// `path`, `prompt` or `folder of executables`.
        what: &'static str,
        /// The text at fault.
        text: String,
    },
}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotUtf8(_) => "make the environment in a folder whose whole path is UTF-8",
            Self::NotAbsolute(_) => "give the environment's whole path",
            Self::LineBreak { what: "prompt", .. } => "choose a prompt of one line",
            Self::LineBreak { .. } => "make the environment in a folder whose path has no line break",
        };
        Some(hint.to_owned())
    }
}

impl Activation<'_> {
    /// The scripts for every shell that is supported, whatever this machine has installed: an environment is
    /// also used from containers and shells that come later.
    ///
    /// # Errors
    /// Fails if the folder's path is not absolute or not UTF-8, or if the path or the prompt has a line break
    /// or a NUL.
    pub fn scripts(&self) -> Result<Vec<Script>, Error> {
        let values = self.checked()?;
        let mut scripts = vec![
            Script { name: "activate", content: values.posix() },
            Script { name: "activate.fish", content: values.fish() },
            Script { name: "activate.csh", content: values.csh() },
            Script { name: "activate.nu", content: values.nushell() },
            Script {
                name: "activate.xsh",
                content: values.python(include_str!("../../../python/activation/activate.xsh")),
            },
            Script {
                name: "activate_this.py",
                content: values.python(include_str!("../../../python/activation/activate_this.py")),
            },
            Script { name: "Activate.ps1", content: values.powershell() },
            Script {
                name: "activate.bat",
                content: values.batch(include_str!("../../../python/activation/activate.bat")),
            },
            Script {
                name: "deactivate.bat",
                content: values.batch(include_str!("../../../python/activation/deactivate.bat")),
            },
        ];
        // Tools ask for either spelling. Where file names usually ignore case the two are one file.
        if !cfg!(any(windows, target_os = "macos")) {
            scripts.push(Script { name: "activate.ps1", content: values.powershell() });
        }
        Ok(scripts)
    }

    /// The values as text that every shell can hold.
    fn checked(&self) -> Result<Values<'_>, Error> {
        let root = self.root.to_str().ok_or_else(|| Error::NotUtf8(self.root.to_owned()))?;
        for (what, text) in [("path", root), ("folder of executables", self.scripts), ("prompt", self.prompt)]
        {
            if text.contains(['\n', '\r', '\0']) {
                return Err(Error::LineBreak { what, text: text.to_owned() });
            }
        }
        if !self.root.is_absolute() {
            return Err(Error::NotAbsolute(self.root.to_owned()));
        }
        Ok(Values { root, scripts: self.scripts, prompt: self.prompt, shown: format!("({}) ", self.prompt) })
    }
}

/// The checked values, before any quoting.
struct Values<'a> {
    root: &'a str,
    scripts: &'a str,
    prompt: &'a str,
    /// What stands before the shell's own prompt.
    shown: String,
}

impl Values<'_> {
    fn posix(&self) -> String {
        let zsh_prompt = prompt::zsh(&self.shown).unwrap_or_default();
        fill(
            include_str!("../../../python/activation/activate"),
            &[
                ("ROOT", quoting::posix_script(self.root)),
                ("SCRIPTS", quoting::posix_script(self.scripts)),
                ("PROMPT", quoting::posix_script(self.prompt)),
                ("POSIX_PROMPT", quoting::posix_script(&prompt::posix(&self.shown))),
                ("BASH_PROMPT", quoting::posix_script(&prompt::bash(&self.shown))),
                ("ZSH_PROMPT", quoting::posix_script(&zsh_prompt)),
            ],
        )
    }

    fn fish(&self) -> String {
        self.plain(include_str!("../../../python/activation/activate.fish"), quoting::fish_script)
    }

    fn csh(&self) -> String {
        fill(
            include_str!("../../../python/activation/activate.csh"),
            &[
                ("ROOT", quoting::csh_script(self.root)),
                ("SCRIPTS", quoting::csh_script(self.scripts)),
                ("PROMPT", quoting::csh_script(self.prompt)),
                ("CSH_PROMPT", quoting::csh_script(&prompt::csh(&self.shown))),
                ("TCSH_PROMPT", quoting::csh_script(&prompt::tcsh(&self.shown))),
            ],
        )
    }

    fn nushell(&self) -> String {
        self.plain(include_str!("../../../python/activation/activate.nu"), quoting::nushell)
    }

    fn powershell(&self) -> String {
        self.plain(include_str!("../../../python/activation/Activate.ps1"), quoting::powershell)
    }

    fn python(&self, template: &str) -> String {
        self.plain(template, quoting::python)
    }

    /// The root is not filled in: these files find it from their own place.
    fn batch(&self, template: &str) -> String {
        let values = [
            ("PROMPT", quoting::batch(self.prompt)),
            ("SHOWN_PROMPT", quoting::batch(&prompt::batch(&self.shown))),
        ];
        // cmd.exe misreads batch files whose lines end as on Unix.
        fill(template, &values).replace('\n', "\r\n")
    }

    /// A script whose prompt shows a text as it is.
    fn plain(&self, template: &str, quote: fn(&str) -> String) -> String {
        fill(
            template,
            &[
                ("ROOT", quote(self.root)),
                ("SCRIPTS", quote(self.scripts)),
                ("PROMPT", quote(self.prompt)),
                ("SHOWN_PROMPT", quote(&self.shown)),
            ],
        )
    }
}

/// Replaces each `@NAME@` of the template by its value. The template is gone through once, so that a value
/// which itself contains `@NAME@` stays as it is.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut filled = String::with_capacity(template.len() + 512);
    let mut rest = template;
    while let Some(at) = rest.find('@') {
        let (before, from_sign) = rest.split_at(at);
        filled.push_str(before);
        let after_sign = &from_sign[1..];
        let named = values
            .iter()
            .find_map(|(name, value)| Some((value, after_sign.strip_prefix(name)?.strip_prefix('@')?)));
        if let Some((value, after_name)) = named {
            filled.push_str(value);
            rest = after_name;
        } else {
            filled.push('@');
            rest = after_sign;
        }
    }
    filled.push_str(rest);
    filled
}
